"""The vectorised function: what it is given, what its errors say, what is frozen of it, and who reads the future."""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sweep
from sweep import _core
from sweep.errors import SweepError
from sweep.recorded import of_study
from tests.strategies.support import CROSS, code, returning

STUDY = {
    "market": {"synthetic": {"bars": 3000, "seed": 3}, "timeframe": "M15", "symbol": "EURUSD"},
    "search": {"sampler": "random", "trials": 12, "batch_size": 4},
    "min_trades": 1,
    "compute": {"backend": "local", "workers": 1},
    "tracking": {"mlflow": None},
}


def study(path: Path, kind: str = "signals", **changes: Any) -> dict[str, Any]:
    return {**STUDY, "study": "s", "strategy": {kind: str(path)}, **changes}


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.py"
    path.write_text("import numpy as np\nimport sweep\n\n" + textwrap.dedent(text))
    return path


EVERY = """
@sweep.signals(parameters=[sweep.Param("n", int, 10, low=2, high=40)])
def every(market, ind, params):
    bar = np.arange(100, market.n, 20 + params["n"])
    {line}
    price = market.bid.close[bar]
    return {{"bar_index": bar, "direction": np.ones(len(bar), int), "stop_loss": price - 0.003, "take_profit": price + 0.004}}
"""


# ----------------------------------------------------------------------------------------------------------------- inputs
def test_the_function_sees_what_a_native_strategy_sees() -> None:
    seen: dict[str, Any] = {}
    market = sweep.Market.synthetic(bars=2000, seed=3, timeframe="M15")

    @sweep.signals(parameters=[sweep.Param("w", float, 2.0), sweep.Param("k", str, "a", choices=["a", "b"])])
    def look(m: Any, ind: Any, params: Any) -> dict[str, Any]:
        seen.update(m=m, ind=ind, params=params)
        return {}

    sweep.Engine(market, look, costs={"spread_multiplier": 2.0}).run({"w": 3})
    m, table = seen["m"], market.to_table()
    assert (m.n, m.symbol, m.timeframe, m.tick_size, m.pip_size) == (2000, "EURUSD", "M15", 1e-5, 1e-4)
    assert np.array_equal(m.label, table["timestamp"].cast("int64").to_numpy())
    assert np.array_equal(m.close_time, m.label + 900_000_000)
    assert np.array_equal(m.bid.close, table["bid_close"].to_numpy())
    plain = (table["ask_close"].to_numpy() - table["bid_close"].to_numpy()).mean()
    assert (m.ask.close - m.bid.close).mean() == pytest.approx(2 * plain, rel=1e-9)
    assert np.array_equal(
        seen["ind"]("atr", period=14), sweep.indicator(market, "atr", period=14), equal_nan=True
    )
    higher, visible = m.higher("H1"), m.visible("H1")
    assert len(higher.close) == len(higher.end_time)
    assert visible[0] == -1
    last = visible[-1]
    assert higher.end_time[last] <= m.close_time[-1]
    assert last + 1 == len(higher.close) or higher.end_time[last + 1] > m.close_time[-1]
    assert seen["params"]["w"] == 3.0
    assert isinstance(seen["params"]["w"], float)
    assert seen["params"]["k"] == "a"
    assert "trail_atr_period" not in seen["params"]


def test_inputs_cannot_be_written_to() -> None:
    market = sweep.Market.synthetic(bars=300, seed=3)
    for write in (
        lambda m, ind: m.bid.close.__setitem__(0, 1.0),
        lambda m, ind: m.label.__setitem__(0, 1),
        lambda m, ind: m.higher("H1").close.__setitem__(0, 1.0),
        lambda m, ind: ind("sma", period=3).__setitem__(0, 1.0),
    ):

        @sweep.signals()
        def spoil(m: Any, ind: Any, params: Any, write: Any = write) -> dict[str, Any]:
            write(m, ind)
            return {}

        with pytest.raises(SweepError, match="read-only"):
            sweep.Engine(market, spoil).run()


@pytest.mark.parametrize("tick", [1e-5, 0.01, 0.25])
def test_rounding_is_that_of_the_engine(tick: float) -> None:
    from sweep.reference.tick_grid import TickGrid

    market = sweep.Market.synthetic(bars=300, seed=3, symbol_specs={"EURUSD": {"tick_size": tick}})
    rng = np.random.default_rng(1)
    prices = np.concatenate([rng.uniform(0.5, 3.0, 2000), np.arange(1, 400) * tick / 2, [0.0, np.nan]])
    seen: dict[str, Any] = {}

    @sweep.signals()
    def look(m: Any, ind: Any, params: Any) -> dict[str, Any]:
        seen[str(params["round_digits"])] = m.round(prices)
        assert m.round(1.23456789) == m.round(np.array([1.23456789]))[0]
        return {}

    engine = sweep.Engine(market, look)
    engine.run()
    engine.run({"round_digits": 3})
    grid = TickGrid.of(tick)
    assert np.array_equal(seen["None"], [grid.round(x) for x in prices.tolist()], equal_nan=True)
    assert np.array_equal(seen["3"][:-1], [round(x, 3) for x in prices[:-1].tolist()])


def test_a_trial_costs_two_calls_of_the_native_module() -> None:
    market = sweep.Market.synthetic(bars=1000, seed=3)
    bar = np.arange(20, 900, 40)

    def given(market: Any, ind: Any, params: Any) -> Any:
        stop = market.bid.close[bar] - 0.002
        return {"bar_index": bar, "direction": np.ones_like(bar), "stop_loss": stop}

    engine = sweep.Engine(market, sweep.signals()(given))

    def calls(trials: int) -> Counter[str]:
        """Calls of functions and methods of the native module while a batch runs."""
        table = pa.table({"max_holding_bars": list(range(1, trials + 1))})
        counted: Counter[str] = Counter()

        def note(frame: Any, event: str, called: Any) -> None:
            # A class or function of the module; names of NumPy and PyArrow are others.
            if event == "c_call" and called.__qualname__.split(".")[0] in vars(_core):
                counted[called.__qualname__] += 1

        before = sys.getprofile()
        sys.setprofile(note)
        try:
            assert set(engine.run_batch(table)["status"].to_pylist()) == {"COMPLETE"}
        finally:
            sys.setprofile(before)
        return counted

    calls(1)
    more = calls(24) - calls(8)
    assert {name.rsplit(".")[-1]: count for name, count in more.items()} == {"of_arrays": 16, "play": 16}


# ----------------------------------------------------------------------------------------------------------------- errors
def test_an_exception_fails_its_trial_alone_and_names_the_line(tmp_path: Path) -> None:
    line = 'assert params["n"] != 7, "seven is bad"'
    path = written(tmp_path, EVERY.format(line=line))
    engine = sweep.Engine(sweep.Market.synthetic(bars=1000, seed=3), code("signals", path, "every"))
    rows = engine.run_batch(pa.table({"n": [5, 7, 9]})).to_pylist()
    assert [row["status"] for row in rows] == ["COMPLETE", "FAILED", "COMPLETE"]
    reason = rows[1]["reason"]
    assert reason.startswith("[2000] every raised AssertionError: seven is bad")
    number = path.read_text().splitlines().index(f"    {line}") + 1
    assert f"{path}:{number}" in reason
    assert line in reason
    assert "Traceback" in reason
    assert rows[1]["kind"] == "ENGINE_ERROR"
    assert rows[1]["identity"]


def test_a_message_that_is_no_unicode_fails_the_trial_alone(tmp_path: Path) -> None:
    path = written(tmp_path, EVERY.format(line='assert params["n"] % 3, "half a character: \\ud83d"'))
    ran = sweep.Study.run(study(Path(f"{path}:every")), home=tmp_path)
    rows = ran.trials().to_pylist()
    failed = [row for row in rows if row["params.n"] % 3 == 0]
    assert failed
    assert all("half a character: \\ud83d" in row["reason"] for row in failed)
    assert {row["status"] for row in rows if row["params.n"] % 3} == {"COMPLETE"}


def test_leaving_the_interpreter_fails_the_trial_alone(tmp_path: Path) -> None:
    path = written(tmp_path, EVERY.format(line='if params["n"] == 7: raise SystemExit(0)'))
    engine = sweep.Engine(sweep.Market.synthetic(bars=1000, seed=3), code("signals", path, "every"))
    rows = engine.run_batch(pa.table({"n": [5, 7]})).to_pylist()
    assert [row["status"] for row in rows] == ["COMPLETE", "FAILED"]
    assert rows[1]["reason"].startswith("[2000] every raised SystemExit")
    path.write_text("raise SystemExit(0)")
    with pytest.raises(SweepError, match=r"^\[2000\] the file raised SystemExit"):
        sweep.Engine(sweep.Market.synthetic(bars=500, seed=3), code("signals", path, "every"))


def test_an_error_of_ours_that_the_function_provokes_keeps_its_code(tmp_path: Path) -> None:
    path = written(tmp_path, EVERY.format(line='ind("smaa", period=3)'))
    with pytest.raises(SweepError) as caught:
        sweep.Engine(sweep.Market.synthetic(bars=500, seed=3), code("signals", path, "every")).run()
    assert (caught.value.code, "smaa" in str(caught.value), f"{path}:" in caught.value.where) == (
        1001,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("text", "name", "number", "said"),
    [
        ("x = 1", "f", 1001, "has no f"),
        ("def f(market, ind, params):\n    return {}", "f", 1004, "not decorated"),
        ("def f(:", "f", 1009, "no Python"),
        ("raise ValueError('boom')\nf = 1", "f", 2000, "boom"),
        (
            "@sweep.signals(parameters=[sweep.Param('be_r', float, 1.0)])\ndef f(m, i, p):\n    pass",
            "f",
            1001,
            "be_r",
        ),
        (
            "@sweep.signals(parameters=[sweep.Param('a', complex, 1)])\ndef f(m, i, p):\n    pass",
            "f",
            1001,
            "type",
        ),
        (
            "@sweep.signals(parameters=[sweep.Param('a', int, 'x')])\ndef f(m, i, p):\n    pass",
            "f",
            1004,
            "whole",
        ),
        (
            "@sweep.signals(parameters=[sweep.Param('a', int, 1, low=2)])\ndef f(m, i, p):\n    pass",
            "f",
            1008,
            "ends",
        ),
        ("@sweep.signals(constraints='n > 1')\ndef f(m, i, p):\n    pass", "f", 1004, "write ['n > 1']"),
        ("@sweep.signals(constraints=['b > 1'])\ndef f(m, i, p):\n    pass", "f", 1001, "b"),
    ],
)
def test_a_file_that_is_no_strategy_is_refused(
    tmp_path: Path, text: str, name: str, number: int, said: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SweepError) as caught:
        sweep.Engine(sweep.Market.synthetic(bars=300, seed=3), code("signals", path, name))
    assert (caught.value.code, said in str(caught.value)) == (number, True), caught.value


# ---------------------------------------------------------------------------------------------------------------- studies
def test_a_study_is_the_same_in_this_process_and_on_workers_that_get_the_text(tmp_path: Path) -> None:
    local = sweep.Study.run(study(f"{CROSS}:ma_cross_signals"), home=tmp_path / "a")  # type: ignore[arg-type]
    ray = sweep.Study.run(
        study(f"{CROSS}:ma_cross_signals", compute={"workers": 2}),
        home=tmp_path / "b",  # type: ignore[arg-type]
    )
    assert local.digest == ray.digest
    table = local.trials()
    assert table["status"].to_pylist().count("COMPLETE") >= 8
    assert table["signals_digest"].null_count < len(table)
    assert all(local.replay(n).same for n in (0, 5, 11))


def test_the_text_is_frozen_with_the_study(tmp_path: Path) -> None:
    path = written(tmp_path, EVERY.format(line="pass"))
    before = sweep.Study.run(study(Path(f"{path}:every")), home=tmp_path)
    path.write_text("raise SystemExit('never run again')")
    assert before.replay(3).same
    more = sweep.Study.extend("s", 8, home=tmp_path)
    assert more.trials().num_rows == 20
    path.unlink()
    assert sweep.Study.open("s", home=tmp_path).replay(15).same


def test_another_text_is_another_identity(tmp_path: Path) -> None:
    market = sweep.Market.synthetic(bars=500, seed=3)
    documents = []
    for line in ("pass", "pass  # another comment"):
        path = written(tmp_path, EVERY.format(line=line))
        documents.append(json.loads(sweep.Engine(market, code("signals", path, "every")).identity_document()))
    assert documents[0]["strategy"]["id"] == documents[1]["strategy"]["id"] == "signals:every"
    assert documents[0]["strategy"]["version"] != documents[1]["strategy"]["version"]


def test_a_replay_says_that_a_function_is_not_deterministic(tmp_path: Path) -> None:
    line = "import time; bar = bar[:-1] + (time.time_ns() // 1000) % 7"
    path = written(tmp_path, EVERY.format(line=line))
    config = study(Path(f"{path}:every"))
    config["strategy"]["lookahead_check"] = "off"
    done = sweep.Study.run(config, home=tmp_path)
    assert any("lookahead_check is off" in text for text in done.warnings)
    replayed = next(r for r in (done.replay(n) for n in range(12)) if not r.same)
    assert replayed.differences[0].place == "digest signals"
    assert any("not deterministic" in note for note in replayed.notes)
    assert of_study(done.folder, 0).digests["signals"]


PEEKS = {
    "the next close": "up = np.append(np.diff(c), 0.0) > 4e-4",
    "the last bar of all": "up = c > c[-1] + 0.001",
    "the mean of all": "up = c > c.mean() + 0.002",
    "a centred average": "up = np.convolve(c, np.ones(3) / 3, mode='same') > c + 2e-4",
}


@pytest.mark.parametrize("peek", PEEKS)
def test_a_function_that_reads_the_future_is_refused(tmp_path: Path, peek: str) -> None:
    path = written(
        tmp_path,
        f"""
        @sweep.signals()
        def peeks(market, ind, params):
            c = market.bid.close
            {PEEKS[peek]}
            bar = np.flatnonzero(up[:-1])
            return {{"bar_index": bar, "direction": np.ones(len(bar), int), "stop_loss": c[bar] - 0.003}}
        """,
    )
    config = study(Path(f"{path}:peeks"), search={"sampler": "random", "trials": 4})
    with pytest.raises(SweepError, match=r"\[1006\] peeks looks ahead") as caught:
        sweep.Study.run(config, home=tmp_path)
    assert caught.value.context["table"] == "entries"
    assert not (tmp_path / "studies").exists()


def test_an_honest_function_passes_the_check(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        @sweep.signals()
        def honest(market, ind, params):
            c, h1 = market.bid.close, market.higher("H1")
            k = market.visible("H1")
            up = (np.append(0.0, np.diff(c)) > 4e-4) & (k >= 0) & (c > h1.close[np.maximum(k, 0)])
            bar = np.flatnonzero(up)
            return {"bar_index": bar, "direction": np.ones(len(bar), int), "stop_loss": c[bar] - 0.003}
        """,
    )
    done = sweep.Study.run(
        study(Path(f"{path}:honest"), search={"sampler": "random", "trials": 4}), home=tmp_path
    )
    assert done.trials().num_rows == 4
    assert done.warnings == ()


def test_a_strategy_of_a_session_works_without_a_file() -> None:
    strategy = returning({})
    assert sweep.Engine(sweep.Market.synthetic(bars=300, seed=3), strategy).run().trades.num_rows == 0
    assert strategy({}, None, {}) == {}  # type: ignore[call-arg]
