"""`sweep data`: from files of any kind to a verdict, numbers, other files and the dataset cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from sweep.market import Market
from tests.cli.support import Outcome, Sweep, sweep_process
from tests.market.support import MINUTE, START, UTC, bars, poke, replaced, write

NAN = float("nan")
PAIR = ("bid=bid.parquet", "ask=ask.parquet")
NAMED = (*PAIR, "symbol=GBPUSD", "timeframe=M1")


@pytest.fixture
def pair(home: Path) -> Path:
    """Good bars of both sides in the working directory."""
    write(home, bars(600), "bid.parquet")
    write(home, bars(600, offset=0.0002), "ask.parquet")
    return home


def ticks(count: int = 500) -> pa.Table:
    """Ticks every seven seconds on a gentle wave, two at each time."""
    index = np.arange(count)
    bid = np.round(1.58 + 0.001 * np.sin(index / 40.0), 5)
    return pa.table(
        {
            "timestamp": pa.array(int(START) + index // 2 * 7_000_000, pa.int64()).cast(UTC),
            "bid": bid,
            "ask": bid + 0.0002,
        }
    )


def told(outcome: Outcome) -> Any:
    """What a command printed for machines."""
    return json.loads(outcome.out)


def test_a_bare_file_is_checked_and_what_was_left_open_is_said(sweep: Sweep, pair: Path) -> None:
    outcome = sweep("data", "check", "bid.parquet")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0] == "file: bid.parquet"
    assert lines[1] == "  600 rows, 2012-02-01 16:43 to 2012-02-02 02:42 UTC"
    assert "note: timeframe M1 (detected: 100 % of steps)" in lines
    assert any("spread_pips" in line for line in lines)
    assert lines[-1] == "accepted"
    found = told(sweep("data", "check", "bid.parquet", "--json"))
    assert (found["accepted"], found["symbol"], found["timeframe"], found["bars"]) == (True, None, "M1", 600)
    assert (found["detected"]["step"], found["detected"]["share"]) == (MINUTE, 1.0)
    assert found["defects"] == []
    assert found["sides"][0]["columns"] == ["timestamp", "open", "high", "low", "close", "volume"]


def test_both_sides_and_their_report(sweep: Sweep, pair: Path) -> None:
    table = bars(600).append_column("comment", pa.array(["x"] * 600))
    write(pair, table.filter(pa.array(np.arange(600) % 100 != 99)), "bid.parquet")
    ask = poke(bars(600, offset=0.0002), "low", 10, 1.5790)
    write(pair, ask.filter(pa.array(np.arange(600) % 100 != 99)), "ask.parquet")
    outcome = sweep("data", "check", *NAMED)
    assert outcome.code == 0, outcome
    assert "  ignored: comment" in outcome.out
    assert "note:" not in outcome.out
    words = " ".join(outcome.out.split())
    assert "gaps 5 (5 bars), longest 2 min after 2012-02-01 18:21" in words
    assert "crossed quotes 1 bars" in words
    assert "pips at 2012-02-01 16:53" in words
    report = told(sweep("data", "check", *NAMED, "--json"))["report"]
    wanted = Market.read(bid="bid.parquet", ask="ask.parquet", symbol="GBPUSD", timeframe="M1").report
    assert {**report, "sources": None} == {**wanted, "sources": None}


def test_every_class_of_defects_of_both_sides_is_listed(sweep: Sweep, pair: Path) -> None:
    bad = poke(poke(poke(bars(600), "close", 7, NAN), "volume", 9, -1.0), "low", 30, 2.0)
    write(pair, bad, "bid.parquet")
    write(pair, bars(600, offset=0.0002).take([1, 0, *range(2, 600)]), "ask.parquet")
    outcome = sweep("data", "check", *NAMED)
    assert (outcome.code, outcome.err) == (3, "")
    assert outcome.out.splitlines()[-1] == "refused: [1006]"
    assert "what to do: sort" in outcome.out
    found = told(sweep("data", "check", *NAMED, "--json"))
    assert found["accepted"] is False
    assert found["report"] is None
    defects = [
        (item["side"], item["code"], [row["row"] for row in item["rows"]]) for item in found["defects"]
    ]
    assert sorted(defects) == [
        ("ask", 1006, [1]),
        ("bid", 1006, [7]),
        ("bid", 1006, [9]),
        ("bid", 1006, [30]),
    ]
    assert all(item["remedy"] and item["count"] == 1 for item in found["defects"])
    assert [row["time"] for row in found["defects"][0]["rows"]] == ["2012-02-01T16:50:00Z"]


def test_a_side_that_cannot_be_read_does_not_hide_the_other(sweep: Sweep, pair: Path) -> None:
    table = bars(600)
    write(pair, table.drop_columns(["close"]), "bid.parquet")
    write(pair, poke(bars(600), "high", 3, float("inf")), "ask.parquet")
    found = told(sweep("data", "check", *NAMED, "--json"))
    assert [(item["side"], item["code"]) for item in found["defects"]] == [("bid", 1008), ("ask", 1006)]
    (pair / "bid.parquet").write_bytes((pair / "bid.parquet").read_bytes()[:500])
    found = told(sweep("data", "check", *NAMED, "--json"))
    assert [(item["side"], item["code"]) for item in found["defects"]] == [("bid", 3004), ("ask", 1006)]


def test_what_concerns_both_sides(sweep: Sweep, pair: Path) -> None:
    write(pair, bars(600, offset=-0.0002), "ask.parquet")
    assert sweep("data", "check", *NAMED).code == 0
    refused = told(sweep("data", "check", *NAMED, "crossed=reject", "--json"))
    assert [(item["side"], item["code"]) for item in refused["defects"]] == [("market", 1006)]
    write(pair, bars(600).slice(50), "ask.parquet")
    outcome = sweep("data", "check", *NAMED, "--json")
    assert outcome.code == 3
    assert [item["code"] for item in told(outcome)["defects"]] == [1011]
    assert sweep("data", "check", *NAMED, "market.max_alignment_loss=0.2").code == 0


def test_rows_out_of_order_do_not_hide_the_timeframe(sweep: Sweep, pair: Path) -> None:
    rows = np.random.default_rng(3).permutation(600)
    write(pair, bars(600).take(rows), "bid.parquet")
    found = told(sweep("data", "check", "bid.parquet", "--json"))
    assert found["timeframe"] == "M1"
    assert [item["code"] for item in found["defects"]] == [1006]
    assert len(found["defects"][0]["rows"]) == 5 < found["defects"][0]["count"]
    assert "more (rows are counted from 0)" in sweep("data", "check", "bid.parquet").out


def test_a_length_that_is_no_timeframe_has_to_be_named(sweep: Sweep, home: Path) -> None:
    write(home, bars(100, step=20_000_000))
    outcome = sweep("data", "check", "bars.parquet")
    assert outcome.code == 3
    assert "20 s" in outcome.out
    assert "refused: [1009]" in outcome.out
    write(home, bars(100, step=4 * 60 * MINUTE, start=int(START) // MINUTE * MINUTE))
    assert told(sweep("data", "check", "bars.parquet", "--json"))["timeframe"] == "H4"


def test_stamps_of_the_close_are_moved_by_the_detected_timeframe(sweep: Sweep, pair: Path) -> None:
    found = told(sweep("data", "check", "bid.parquet", "stamp=close", "--json"))
    assert found["sides"][0]["first"] == "2012-02-01T16:42:00Z"


def test_a_config_names_the_data_and_words_change_it(sweep: Sweep, pair: Path) -> None:
    (pair / "sub").mkdir()
    (pair / "sub" / "s.yaml").write_text(
        "study: s\nmarket: {symbol: GBPUSD, timeframe: M5, bid: ../bid.parquet, ask: ../ask.parquet}\n"
        "strategy: {name: not_looked_at}\n"
    )
    refused = told(sweep("data", "check", "sub/s.yaml", "--json"))
    assert {item["side"] for item in refused["defects"]} == {"bid", "ask"}
    found = told(sweep("data", "check", "sub/s.yaml", "timeframe=M1", "--json"))
    assert (found["accepted"], found["symbol"], found["notes"]) == (True, "GBPUSD", [])
    named = sweep("data", "check", "sub/s.yaml", "timeframe=M1", "symbol=MYFX")
    assert (named.code, named.err[:6]) == (2, "[1001]")
    spec = "symbol_specs={MYFX: {contract_size: 1, pip_size: 0.5, tick_size: 0.5, volume_min: 1, volume_step: 1, "
    spec += "volume_max: 9, base_currency: EUR, quote_currency: USD}}"
    assert sweep("data", "check", "sub/s.yaml", "timeframe=M1", "symbol=MYFX", spec).code == 0


def test_the_generator_needs_no_file(sweep: Sweep, home: Path) -> None:
    found = told(sweep("data", "check", "synthetic={bars: 500, seed: 7}", "--json"))
    assert (found["accepted"], found["symbol"], found["timeframe"], found["sides"]) == (
        True,
        "EURUSD",
        "M5",
        [],
    )


def test_csv_as_it_comes(sweep: Sweep, home: Path) -> None:
    lines = ["Datum;Zeit;Auf;Hoch;Tief;Zu"]
    lines += [f"01.02.2012;{10 + i // 60:02d}:{i % 60:02d};1,58;1,59;1,57;1,5{i % 3 + 7}" for i in range(120)]
    (home / "x.csv").write_text("\r\n".join(lines) + "\r\n")
    keys = [
        "csv.separator=;",
        "csv.decimal=','",
        "columns={timestamp: [Datum, Zeit], open: Auf, high: Hoch, low: Tief, close: Zu}",
        "time_format=%d.%m.%Y %H:%M",
        "time_zone=Europe/Berlin",
    ]
    found = told(sweep("data", "check", "x.csv", *keys, "--json"))
    assert found["accepted"], found
    assert found["sides"][0]["first"] == "2012-02-01T09:00:00Z"
    assert found["report"]["import"]["volume_absent_bid"] is True


FORMATS = {
    "metatrader 4": (
        "2012.02.01,16:{:02d},1.5801,1.5804,1.5798,1.5802,17\n",
        "",
        [
            "csv.header=[date,time,open,high,low,close,volume]",
            "columns.timestamp=[date,time]",
            "time_format=%Y.%m.%d %H:%M",
            "time_zone=Europe/Athens",
        ],
        "2012-02-01T14:00:00Z",
    ),
    "metatrader 5": (
        "2012.02.01\t16:{:02d}:00\t1.5801\t1.5804\t1.5798\t1.5802\t17\t0\t8\n",
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n",
        [
            "csv.separator=tab",
            "columns={timestamp: [<DATE>, <TIME>], open: <OPEN>, high: <HIGH>, low: <LOW>, close: <CLOSE>, "
            "volume: <TICKVOL>}",
            "time_format=%Y.%m.%d %H:%M:%S",
            "time_zone=Europe/Athens",
        ],
        "2012-02-01T14:00:00Z",
    ),
    "dukascopy": (
        "01.02.2012 16:{:02d}:00.000,1.5801,1.5804,1.5798,1.5802,17.25\n",
        "Gmt time,Open,High,Low,Close,Volume\n",
        ["columns.timestamp=Gmt time", "time_format=%d.%m.%Y %H:%M:%S.%f", "assume_utc=true"],
        "2012-02-01T16:00:00Z",
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_documented_one_liners(name: str, sweep: Sweep, home: Path) -> None:
    line, header, keys, first = FORMATS[name]
    (home / "x.csv").write_text(header + "".join(line.format(minute) for minute in range(60)))
    found = told(sweep("data", "check", "x.csv", *keys, "--json"))
    assert found["accepted"], found
    assert (found["timeframe"], found["sides"][0]["first"]) == ("M1", first)


def test_ticks(sweep: Sweep, home: Path) -> None:
    write(home, ticks(), "t.parquet")
    found = told(sweep("data", "check", "t.parquet", "--ticks", "--json"))
    assert found["accepted"], found
    assert found["sides"][0]["rows"] == 500
    write(home, poke(ticks(), "bid", 7, NAN).take([0, 3, 1, *range(4, 500)]), "t.parquet")
    found = told(sweep("data", "check", "ticks=t.parquet", "--json"))
    assert [item["code"] for item in found["defects"]] == [1006, 1006]
    hint = sweep("data", "check", "t.parquet")
    assert hint.code == 3
    assert "--ticks" in hint.out


def test_import_keeps_the_dataset_under_its_digest(sweep: Sweep, pair: Path) -> None:
    digest = Market.read(bid="bid.parquet", ask="ask.parquet", symbol="GBPUSD", timeframe="M1").digest
    outcome = sweep("data", "import", *NAMED)
    assert outcome.code == 0, outcome.err
    assert digest in outcome.out
    pasted = YAML(typ="safe").load(outcome.out[outcome.out.index("market:") :])
    assert Market.read(**pasted["market"]).digest == digest
    kept = told(sweep("data", "import", *NAMED, "--json"))
    assert (kept["digest"], kept["bars"], kept["market"]) == (digest, 600, pasted["market"])
    assert Path(kept["file"]).is_file()
    assert digest in kept["file"]
    for path in (pair / "datasets").rglob("*.partial"):
        pytest.fail(f"left behind: {path}")


def test_import_wants_everything_named_and_says_what_it_saw(sweep: Sweep, pair: Path) -> None:
    for words, mentions in (
        (PAIR, "market.symbol"),
        ((*PAIR, "symbol=GBPUSD"), "timeframe=M1"),
        (("bid.parquet", "symbol=GBPUSD", "timeframe=M1"), "spread_pips"),
    ):
        outcome = sweep("data", "import", *words)
        assert (outcome.code, outcome.err[:6], outcome.out) == (2, "[1008]", ""), outcome
        assert mentions in outcome.err
    assert sorted(path.name for path in pair.iterdir()) == ["ask.parquet", "bid.parquet"]


def test_import_refuses_what_the_contract_refuses(sweep: Sweep, pair: Path) -> None:
    write(pair, poke(bars(600), "close", 7, NAN), "bid.parquet")
    outcome = sweep("data", "import", *NAMED)
    assert (outcome.code, outcome.err[:6]) == (3, "[1006]")
    assert "row 7" in outcome.out
    machine = sweep("data", "import", *NAMED, "--json")
    assert machine.code == 3
    assert told(machine)["error_code"] == 1006
    assert told(machine)["context"]["defects"][0]["rows"][0]["row"] == 7
    assert not list((pair / "datasets").glob("*.arrow"))


def test_describe_prints_numbers_pictures_and_a_page(sweep: Sweep, pair: Path) -> None:
    found = told(sweep("data", "describe", *NAMED, "--json"))
    assert (found["bars"], found["timeframe"]) == (600, "M1")
    assert found["spread"]["median"] == pytest.approx(2.0)
    assert [item["hour"] for item in found["by_hour"]] == [0, 1, 2, 16, 17, 18, 19, 20, 21, 22, 23]
    outcome = sweep("data", "describe", *NAMED, "--html", "m.html")
    assert outcome.code == 0, outcome.err
    for text in ("GBPUSD M1: 600 bars", "spread", "median 2", "close", "▁", "page: m.html", found["digest"]):
        assert text in outcome.out
    assert 'src="http' not in (pair / "m.html").read_text()
    again = sweep("data", "describe", *NAMED, "--html", "m.html")
    assert (again.code, again.err[:6]) == (2, "[1006]")
    assert sweep("data", "describe", *NAMED, "--html", "m.html", "--force").code == 0


def test_describe_of_a_bare_file_and_of_a_window(sweep: Sweep, pair: Path) -> None:
    found = told(sweep("data", "describe", "bid.parquet", "--json"))
    assert (found["spread"], found["digest"], found["bars"]) == (None, None, 600)
    window = "window=[2012-02-01T18:00:00Z, 2012-02-01T19:00:00Z]"
    assert told(sweep("data", "describe", *NAMED, window, "--json"))["bars"] == 60
    write(pair, poke(bars(600), "close", 7, NAN), "bid.parquet")
    outcome = sweep("data", "describe", "bid.parquet")
    assert (outcome.code, outcome.err[:6]) == (3, "[1006]")


def test_a_terminal_without_utf_8_gets_ascii(pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    outcome = sweep_process(["data", "describe", *NAMED], pair)
    assert outcome.code == 0, outcome.err
    assert outcome.out.isascii()


def resampled(table: pa.Table, rule: str) -> pd.DataFrame:
    """Bars of pandas."""
    frame = table.to_pandas().set_index("timestamp")
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    return frame.resample(rule).agg(how).dropna()


def test_resample_of_one_side_and_of_two(sweep: Sweep, pair: Path) -> None:
    outcome = sweep("data", "resample", "bid.parquet", "H1", "--to", "h.parquet")
    assert outcome.code == 0, outcome.err
    found = pq.read_table(pair / "h.parquet")
    assert found.schema.field("timestamp").type == UTC
    wanted = resampled(bars(600), "h").iloc[:10]  # the last hour has not ended
    pd.testing.assert_frame_equal(found.to_pandas().set_index("timestamp"), wanted, check_freq=False)
    both = told(sweep("data", "resample", *NAMED, "M15", "--to", "q.csv", "--json"))
    assert both["files"] == {"bid": "q_bid.csv", "ask": "q_ask.csv"}
    assert both["bars"] == len(pd.read_csv(pair / "q_ask.csv"))
    quarter = resampled(bars(600, offset=0.0002), "15min").iloc[: both["bars"]]
    assert pd.read_csv(pair / "q_ask.csv").close.tolist() == quarter.close.tolist()
    again = sweep("data", "resample", *NAMED, "M15", "--to", "q.csv")
    assert (again.code, "--force" in again.err) == (2, True)


def test_days_begin_where_they_are_told_to(sweep: Sweep, home: Path) -> None:
    assert sweep("data", "synth", "--bars", "3000", "--to", "s").code == 0
    sides = ("bid=s/EURUSD_M5_bid.parquet", "ask=s/EURUSD_M5_ask.parquet", "symbol=EURUSD", "timeframe=M5")
    days = ("day.zone=America/New_York", "day.start_hour=17")
    outcome = sweep("data", "resample", "D1", *sides, *days, "--to", "d")
    assert outcome.code == 0, outcome.err
    times = pq.read_table(home / "d_bid.parquet")["timestamp"].to_pylist()
    assert {time.hour for time in times} == {22}


def test_bars_of_ticks(sweep: Sweep, home: Path) -> None:
    table = ticks()
    write(home, table, "t.parquet")
    outcome = sweep("data", "resample", "t.parquet", "M1", "--ticks", "--to", "m.parquet")
    assert outcome.code == 0, outcome.err
    for side in ("bid", "ask"):
        prices = table.to_pandas().set_index("timestamp")[side].resample("min").ohlc().dropna()
        found = pq.read_table(home / f"m_{side}.parquet").to_pandas().set_index("timestamp")
        wanted = prices.iloc[: len(found)]
        assert len(prices) - len(found) <= 1
        pd.testing.assert_frame_equal(found[["open", "high", "low", "close"]], wanted, check_freq=False)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "feather"])
def test_synth_writes_the_generators_market(suffix: str, sweep: Sweep, home: Path) -> None:
    words = ("--bars", "700", "--seed", "7", "--to", "s", "--format", suffix, "jump_rate=0.01")
    outcome = sweep("data", "synth", *words)
    assert outcome.code == 0, outcome.err
    digest = Market.synthetic(bars=700, seed=7, jump_rate=0.01).digest
    assert digest in outcome.out
    pasted = YAML(typ="safe").load(outcome.out[outcome.out.index("market:") :])
    assert Market.read(**pasted["market"]).digest == digest
    assert sweep("data", "synth", *words).code == 2
    machine = told(sweep("data", "synth", *words, "--force", "--json"))
    assert [(item["digest"], item["market"]) for item in machine] == [(digest, pasted["market"])]


def test_of_a_config_of_several_symbols_one_is_named(sweep: Sweep, tmp_path: Path) -> None:
    config = tmp_path / "several.yaml"
    config.write_text(
        "market:\n"
        "  - {symbol: EURUSD, timeframe: M5, synthetic: {bars: 300}}\n"
        "  - {symbol: GBPUSD, timeframe: M5, synthetic: {bars: 400}}\n"
    )
    told = sweep("data", "describe", config, "symbol=GBPUSD", "--json")
    assert (told.code, json.loads(told.out)["bars"]) == (0, 400)
    changed = sweep("data", "describe", config, "symbol=EURUSD", "synthetic.bars=50", "--json")
    assert json.loads(changed.out)["bars"] == 50
    for words in ([], ["symbol=USDJPY"]):
        refused = sweep("data", "check", config, *words)
        assert refused.code == 2
        assert "[1001]" in refused.err
        assert "name one: symbol=EURUSD or symbol=GBPUSD" in refused.err


def test_synth_of_several_symbols(sweep: Sweep, home: Path) -> None:
    words = ("--bars", "300", "--symbols", "EURUSD,USDJPY", "--timeframe", "H1", "--correlation", "0.5")
    made = told(sweep("data", "synth", *words, "--to", "s", "--json"))
    assert [item["market"]["symbol"] for item in made] == ["EURUSD", "USDJPY"]
    for item in made:
        wanted = Market.synthetic(
            symbol=item["market"]["symbol"], timeframe="H1", bars=300, seed=42, correlation=0.5
        )
        assert item["digest"] == wanted.digest == Market.read(**item["market"]).digest


@pytest.mark.parametrize(
    ("words", "exit_code", "code", "mentions"),
    [
        (["check"], 2, 1001, "no data named"),
        (["check", "absent.parquet"], 3, 3001, "absent.parquet"),
        (["check", "bid=absent.parquet", "ask=absent.parquet"], 3, 3001, "absent.parquet"),
        (["check", "bid.parquet", "ask.parquet"], 2, 1001, "bid=bid.parquet ask=ask.parquet"),
        (["check", "bid=bid.parquet"], 2, 1008, "market.ask"),
        (["check", "bid.parquet", "symbl=GBPUSD"], 2, 1001, "did you mean symbol?"),
        (["check", "bid.parquet", "timeframe=5min"], 2, 1009, "5min"),
        (["check", "bid.parquet", "symbol=EURUSDX"], 2, 1001, "EURUSDX"),
        (["check", "absent.yaml"], 2, 3001, "absent.yaml"),
        (["check", "bid.parquet", "--fast"], 2, 1001, "--fast"),
        (["import", "absent.csv", "symbol=EURUSD"], 3, 3001, "absent.csv"),
        (["import", "synthetic.bars=100"], 2, 1001, "needs no import"),
        (["describe", "bid.parquet", "--html", "page.txt"], 2, 1001, ".html"),
        (["resample", "bid.parquet", "--to", "x.parquet"], 2, 1008, "no timeframe"),
        (["resample", "bid.parquet", "H1"], 2, 1008, "--to"),
        (["resample", "bid.parquet", "H1", "--to", "x.xlsx"], 2, 1001, ".parquet"),
        (["resample", "bid.parquet", "H1", "--to", "no/x.parquet"], 3, 3001, "no"),
        (["synth", "--to", "s", "volatility=3"], 2, 1003, "volatility"),
        (["synth", "--to", "s", "volatilty=1"], 2, 1001, "volatility"),
        (["synth", "--to", "s", "--symbol", "EURUSDX"], 2, 1001, "EURUSDX"),
        (["synth", "--to", "s", "--timeframe", "M7"], 2, 1001, "timeframe"),
        (["synth", "--to", "s", "1000"], 2, 1009, "1000"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    words: list[str], exit_code: int, code: int, mentions: str, sweep: Sweep, pair: Path
) -> None:
    outcome = sweep("data", *words)
    assert (outcome.code, outcome.out) == (exit_code, ""), outcome
    assert len(outcome.err.splitlines()) == 1, outcome.err
    assert outcome.err.startswith(f"[{code}] "), outcome.err
    assert mentions in outcome.err
    assert sorted(path.name for path in pair.iterdir()) == ["ask.parquet", "bid.parquet"]


@pytest.mark.shared
def test_real_quotes_are_described_by_what_is_known_of_them(sweep: Sweep, shared_data: Path) -> None:
    sides = [f"{side}={shared_data}/GBPUSD_M1_{side}.parquet" for side in ("bid", "ask")]
    found = told(sweep("data", "check", *sides, "symbol=GBPUSD", "--json"))
    assert (found["accepted"], found["timeframe"]) == (True, "M1")
    report = found["report"]
    assert report["gaps"]["count"] + report["weekend_gaps"]["count"] == 55
    assert round(report["crossed"]["bars"] / report["rows"], 3) == 0.053
    outcome = sweep("data", "check", *sides, "symbol=GBPUSD")
    assert "(5.3 %)" in outcome.out


@pytest.mark.shared
def test_a_broken_real_file_is_refused_without_an_option(sweep: Sweep, shared_data: Path) -> None:
    for name, code in (
        ("01_unsorted", 1006),
        ("07_null_close", 1005),
        ("31a_corrupt_uncompressed_silent", 1006),
    ):
        outcome = sweep("data", "check", shared_data / "bad" / f"{name}.parquet", "--json")
        assert outcome.code == 3
        assert code in [item["code"] for item in told(outcome)["defects"]], name


STUDY_OF_FILES = """\
market: {symbol: GBPUSD, timeframe: M1, bid: bid.parquet, ask: ask.parquet}
strategy: {name: ma_cross}
search: {sampler: random, trials: 4, batch_size: 4, seed: 1, max_failure_share: 1}
min_trades: 1
account: {initial_balance: 100000}
compute: {backend: local, workers: 1}
tracking: {mlflow: null}
"""


@pytest.fixture
def remarkable(pair: Path) -> Path:
    """Bars with one crossed quote, that are two minutes apart; and a study of them that says one."""
    write(pair, bars(600, step=2 * MINUTE), "bid.parquet")
    write(pair, poke(bars(600, step=2 * MINUTE, offset=0.0002), "low", 10, 1.5790), "ask.parquet")
    (pair / "own.yaml").write_text(STUDY_OF_FILES)
    return pair


STEPS = "100 % of the steps are M2, the timeframe is M1"


def test_check_and_import_say_what_is_remarkable(sweep: Sweep, remarkable: Path) -> None:
    checked = sweep("data", "check", *NAMED)
    assert (checked.code, checked.out.splitlines()[-1]) == (0, "accepted")
    assert f"warning: timeframe: {STEPS}" in checked.out.splitlines()
    found = told(sweep("data", "check", *NAMED, "--json"))["findings"]
    assert {"name": "timeframe", "text": STEPS, "warning": True} in found
    lines = sweep("data", "import", *NAMED).out.splitlines()
    assert f"warning: GBPUSD M1: timeframe: {STEPS}" in lines
    assert any(line.startswith("data: GBPUSD M1: crossed quotes: 1 bars") for line in lines)
    found = told(sweep("data", "import", *NAMED, "--json"))
    assert found["warnings"] == [f"GBPUSD M1: timeframe: {STEPS}"]
    assert any("crossed quotes" in line for line in found["findings"])


def test_runs_say_what_is_remarkable_and_keep_the_warnings(sweep: Sweep, remarkable: Path) -> None:
    warning = f"GBPUSD M1: timeframe: {STEPS}"
    planned = sweep("run", "own.yaml", "--dry-run")
    assert (planned.code, f"warning: {warning}" in planned.out.splitlines()) == (0, True)
    assert "data: GBPUSD M1: crossed quotes: 1 bars" in planned.out
    found = told(sweep("run", "own.yaml", "--dry-run", "--json"))
    assert found["warnings"] == [warning]
    ran = sweep("run", "own.yaml")
    assert ran.code == 0, ran
    assert "data: GBPUSD M1: crossed quotes: 1 bars" in ran.err
    assert f"warning: {warning}" in ran.out.splitlines()
    assert told(sweep("status", "own", "--json"))["warnings"] == [warning]
    found = told(sweep("run", "own.yaml", "study=other", "--json"))
    assert any("crossed quotes" in line for line in found["findings"])
    single = sweep("backtest", "own.yaml")
    assert f"warning: {warning}" in single.out.splitlines()
    assert "data: GBPUSD M1: crossed quotes: 1 bars" in single.out
    found = told(sweep("backtest", "own.yaml", "--json"))
    assert found["warnings"][0] == warning
    assert any("crossed quotes" in line for line in found["findings"])


def test_a_check_of_ticks_says_which_are_crossed(sweep: Sweep, home: Path) -> None:
    table = ticks(500)
    ask = table["ask"].to_numpy().copy()
    ask[100] -= 0.001
    write(home, table.set_column(2, "ask", pa.array(ask)), "ticks.parquet")
    words = " ".join(
        sweep("data", "check", "ticks.parquet", "--ticks", "symbol=GBPUSD", "timeframe=M1").out.split()
    )
    assert "crossed ticks 1 ticks (0.2 %), left as they are, worst 8 pips at" in words
    assert "equal stamps 250 ticks" in words
    assert "none off the grid" in words
    assert "crossed quotes," not in words.partition("none ")[2]
    clamped = sweep("data", "check", "ticks.parquet", "--ticks", "crossed=clamp").out
    assert "clamped         1 ticks, ask raised to the bid" in clamped


def test_a_timeframe_that_the_bars_cannot_make_is_placed(sweep: Sweep, pair: Path) -> None:
    outcome = sweep("data", "resample", *NAMED, "M7", "--to", "q.csv")
    assert outcome.code == 2
    assert "M7 is no higher timeframe of M1; sweep data resample M7; higher ones are" in outcome.err


def test_a_bad_rate_is_blamed_on_its_own_key(sweep: Sweep, pair: Path) -> None:
    (pair / "own.yaml").write_text(STUDY_OF_FILES)
    outcome = sweep(
        "run", "own.yaml", "rates={series: {XXXYYY: {timeframe: M1, bid: bid.parquet, ask: ask.parquet}}}"
    )
    assert outcome.code == 2
    assert "rates.series.XXXYYY" in outcome.err
    assert "market.symbol" not in outcome.err


def test_both_sides_in_one_file(sweep: Sweep, pair: Path) -> None:
    market = Market.read(bid="bid.parquet", ask="ask.parquet", symbol="GBPUSD", timeframe="M1")
    pq.write_table(market.to_table(), pair / "both.parquet")
    outcome = sweep("data", "check", "both.parquet")
    assert (outcome.code, "spread_pips" in outcome.out) == (0, False)
    assert [side["side"] for side in told(sweep("data", "check", "both.parquet", "--json"))["sides"]] == [
        "bid",
        "ask",
    ]
    kept = told(sweep("data", "import", "both.parquet", "symbol=GBPUSD", "timeframe=M1", "--json"))
    assert kept["digest"] == market.digest
    again = told(sweep("data", "import", "both.parquet", "symbol=GBPUSD", "timeframe=M1", "--json"))
    assert (again["digest"], again["file"]) == (kept["digest"], kept["file"])
    assert told(sweep("data", "describe", "both.parquet", "--json"))["spread"]["min"] > 0
    made = told(sweep("data", "resample", "both.parquet", "M15", "--to", "q.parquet", "--json"))
    assert made["files"] == {"bid": "q_bid.parquet", "ask": "q_ask.parquet"}


def defects_of(outcome: Outcome) -> list[tuple[str, int, int | None, list[int], str]]:
    """Side, code, count, rows and column of each defect."""
    assert outcome.code == 3
    return [
        (
            item["side"],
            item["code"],
            item["count"],
            [row["row"] for row in item["rows"]],
            item["where"].rpartition(": ")[2],
        )
        for item in told(outcome)["defects"]
    ]


def null_at(table: pa.Table, column: str, *rows: int) -> pa.Table:
    values = table[column].to_pylist()
    for row in rows:
        values[row] = None
    return replaced(table, column, pa.array(values, table[column].type))


def test_a_null_hides_neither_other_nulls_nor_values(sweep: Sweep, pair: Path) -> None:
    bad = null_at(null_at(bars(600), "open", 3, 5), "close", 5)
    bad = poke(poke(bad, "high", 4, -1.0), "volume", 599, -2.0)
    bad = bad.take([*range(400), 401, 400, *range(402, 600)])
    write(pair, bad, "bid.parquet")
    outcome = sweep("data", "check", *NAMED, "--json")
    found = told(outcome)["defects"]
    assert defects_of(outcome) == [
        ("bid", 1005, 2, [3, 5], "open"),
        ("bid", 1005, 1, [5], "close"),
        ("bid", 1006, 1, [4], ""),
        ("bid", 1006, 1, [599], ""),
        ("bid", 1006, 1, [4], ""),
        ("bid", 1006, 1, [401], ""),
    ]
    assert found[2]["rows"][0]["time"] == "2012-02-01T16:47:00Z"
    plain = sweep("data", "check", *NAMED).out
    assert "  where: bid.parquet: open" in plain
    assert "row 4  2012-02-01 16:47  high -1" in plain
    assert "timeframe M1 (detected" in sweep("data", "check", "bid.parquet").out


def test_a_column_of_another_type_does_not_hide_the_values_of_the_others(sweep: Sweep, pair: Path) -> None:
    bad = poke(bars(600), "low", 7, NAN)
    for column, kind in (("close", pa.float32()), ("volume", pa.string())):
        bad = replaced(bad, column, bad[column].cast(kind).combine_chunks())
    naive = replaced(bad, "timestamp", bad["timestamp"].cast(pa.timestamp("us")).combine_chunks())
    write(pair, naive, "bid.parquet")
    outcome = sweep("data", "check", *NAMED, "--json")
    assert defects_of(outcome) == [
        ("bid", 1009, None, [], "timestamp"),
        ("bid", 1004, None, [], "close"),
        ("bid", 1004, None, [], "volume"),
        ("bid", 1006, 1, [7], ""),
    ]
    assert told(outcome)["defects"][3]["rows"][0]["time"] is None
    text = replaced(bad, "open", bad["open"].cast(pa.string()).combine_chunks())
    write(pair, text, "bid.parquet")
    found = defects_of(sweep("data", "check", *NAMED, "--json"))
    assert [(code, column) for _, code, _, _, column in found] == [
        (1004, c) for c in ("open", "close", "volume")
    ]


def test_every_column_of_a_csv_file_that_cannot_be_read_is_listed(sweep: Sweep, pair: Path) -> None:
    bad = bars(40)
    for column, row in (("open", 3), ("low", 9)):
        values = [str(value) for value in bad[column].to_pylist()]
        values[row] = "n/a"
        bad = replaced(bad, column, pa.array(values))
    pcsv.write_csv(bad, pair / "bad.csv", pcsv.WriteOptions(quoting_style="none"))
    outcome = sweep("data", "check", "bad.csv", "--json")
    assert defects_of(outcome) == [("file", 1004, 1, [3], "open"), ("file", 1004, 1, [9], "low")]


def test_what_is_missing_is_placed(sweep: Sweep, pair: Path) -> None:
    two = bars(600).append_column("CLOSE", bars(600)["close"])
    write(pair, two, "bid.parquet")
    outcome = sweep("data", "check", *NAMED)
    assert "[1005] bid: columns close and CLOSE both claim to be close\n  where: bid.parquet\n" in outcome.out
    write(pair, bars(600), "bid.parquet")
    outcome = sweep("data", "check", *NAMED, "higher={H1: {bid: none.parquet, ask: none.parquet}}")
    assert "[3001] market: file not found\n  where: none.parquet\n" in outcome.out


def test_synth_of_a_symbol_of_ones_own(sweep: Sweep, home: Path) -> None:
    refused = sweep("data", "synth", "--symbol", "MYFX", "--to", "made")
    assert (refused.code, "symbol_specs" in refused.err) == (2, True)
    keys = (
        "contract_size: 1000, pip_size: 0.01, tick_size: 0.001, volume_min: 1, volume_step: 1, volume_max: 5"
    )
    (home / "specs.yaml").write_text(f"MYFX: {{{keys}, base_currency: EUR, quote_currency: USD}}\n")
    words = ("--symbol", "MYFX", "--bars", "500", "--to", "made", "price=50", "symbol_specs=specs.yaml")
    outcome = sweep("data", "synth", *words)
    assert outcome.code == 0, outcome.err
    printed = YAML(typ="safe").load(outcome.out.partition("\n\n")[2])
    market = Market.read(**printed["market"], symbol_specs=printed["symbol_specs"])
    wanted = Market.synthetic(symbol="MYFX", bars=500, seed=42, price=50, symbol_specs="specs.yaml")
    assert market.digest == wanted.digest
    assert market.spec["pip_size"] == 0.01
