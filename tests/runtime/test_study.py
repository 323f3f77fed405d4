"""`Study` on the real engine and a synthetic market: made whole or not at all, resumed only as the same study."""

from __future__ import annotations

import copy
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sweep.config import load
from sweep.errors import SweepError, exit_code
from sweep.ledger import Ledger, StudyLock
from sweep.ledger import returns as daily_returns
from sweep.progress import State
from sweep.study import Interrupted, Study, names
from sweep.study.snapshot import refusal
from sweep.types import Status
from tests.conftest import ROOT

CONFIG: dict[str, Any] = {
    "study": "plain",
    "market": {"symbol": "EURUSD", "timeframe": "M5", "synthetic": {"bars": 3000, "seed": 7}},
    "strategy": {"name": "ma_cross"},
    "search": {"sampler": "random", "trials": 40, "batch_size": 8},
    "min_trades": 5,
    "compute": {"backend": "local", "workers": 1},
    "tracking": {"mlflow": None, "runs": {"top": 2}},
}


def config(**sections: Any) -> dict[str, Any]:
    made = copy.deepcopy(CONFIG)
    for key, value in sections.items():
        made[key] = {**made[key], **value} if isinstance(made.get(key), dict) else value
    return made


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The uninterrupted study."""
    return Study.run(config(), home=tmp_path_factory.mktemp("home"))


class StopAt:
    """A reporter that presses Ctrl-C, or worse, when so many trials are done."""

    def __init__(self, done: int, number: int = signal.SIGINT) -> None:
        self.done, self.number, self.notes = done, number, list[str]()

    def update(self, state: State) -> None:
        if self.number and state.done >= self.done:
            signal.raise_signal(self.number)
            self.number = 0

    def note(self, text: str) -> None:
        self.notes.append(text)


def refused(*args: Any, **kwargs: Any) -> SweepError:
    with pytest.raises(SweepError) as problem:
        Study.resume(*args, **kwargs)
    return problem.value


def test_a_study_is_run_recorded_and_readable(plain: Study) -> None:
    assert names(plain.folder.parents[1]) == ["plain"]
    state = plain.status()
    assert (state.status, state.reason, state.done, state.requested) == ("FINISHED", "trials", 40, 40)
    assert sum(state.counts.values()) == 40
    assert state.driver is None
    assert not state.crashed
    assert state.digest == plain.digest
    table = plain.trials()
    assert table.num_rows == 40
    assert plain.best is not None
    complete = [row for row in table.to_pylist() if row["feasible"]]
    assert plain.best.outcome.objectives[0] == max(row["obj0"] for row in complete) == state.best[0].value
    assert all(trial.outcome.reason for trial in plain.failed)
    assert len(plain.failed) == sum(status == Status.FAILED for status in table["status"].to_pylist())
    assert {path.name for path in plain.folder.iterdir()} >= {
        "config.yaml",
        "study.db",
        "trials.parquet",
        "lock",
        "returns",
    }
    assert len(list((plain.folder / "artifacts").iterdir())) == 2
    assert daily_returns.read(plain.folder)["number"].to_pylist() == list(range(40))


def test_the_frozen_config_gives_the_same_study_again(plain: Study, tmp_path: Path) -> None:
    again = Study.run(load(plain.folder / "config.yaml", ["compute.workers=2"], home=tmp_path), home=tmp_path)
    assert again.digest == plain.digest
    assert "preset" in (plain.folder / "config.yaml").read_text()


def test_identities_in_the_ledger_are_the_engines(plain: Study) -> None:
    assert plain.best is not None
    assert plain.replay(plain.best.number).same


def test_an_existing_study_is_refused_naming_resume(plain: Study) -> None:
    before = plain.digest
    with pytest.raises(SweepError, match=r"sweep resume plain") as problem:
        Study.run(config(), home=plain.folder.parents[1])
    assert (problem.value.code, exit_code(problem.value)) == (1007, 2)
    assert plain.digest == before


@pytest.mark.parametrize(
    ("sections", "code", "status"),
    [
        ({"strategy": {"name": "ma_crosss"}}, 1001, 2),
        ({"strategy": {"params": {"fast_perriod": 3}}}, 1001, 2),
        ({"search": {"space": {"fast_period": {"low": 9, "high": 3}}}}, 1003, 2),
        ({"search": {"sampler": "cmaes"}}, 1006, 2),
        ({"objective": {"metric": "sharpe", "direction": "maximize"}}, 1001, 2),
        ({"market": {"synthetic": None, "bid": "absent.parquet", "ask": "absent.parquet"}}, 3001, 3),
    ],
)
def test_bad_input_leaves_nothing_behind(
    sections: dict[str, Any], code: int, status: int, home: Path
) -> None:
    with pytest.raises(SweepError) as problem:
        Study.run(config(**sections))
    assert (problem.value.code, exit_code(problem.value)) == (code, status)
    assert list(home.iterdir()) == []


def test_a_dry_run_counts_what_proposing_costs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sweep.samplers.tpe import TpeModel

    ask = TpeModel.ask

    def slow(*arguments: Any) -> Any:
        time.sleep(0.8)
        return ask(*arguments)

    monkeypatch.setattr(TpeModel, "ask", slow)
    found = Study.dry_run(config(search={"sampler": "tpe", "trials": 4000}))
    assert found.seconds_to_drive >= 0.1  # a batch of 8 in 0.8 s
    assert found.seconds is not None
    assert found.seconds >= 400


def test_a_dry_run_measures_and_writes_nothing(home: Path) -> None:
    found = Study.dry_run(config())
    assert found.trials == 40
    assert found.seconds_per_trial > 0
    assert found.bytes_per_worker > 2**20
    assert "fast_period" in found.space
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_study_goes_on_to_the_same_ledger(number: int, plain: Study, home: Path) -> None:
    stop = StopAt(12, number)
    with pytest.raises(Interrupted, match="sweep resume plain"):
        Study.run(config(search={"spool_interval": 0.001}), reporter=stop)
    state = Study.open("plain").status()
    assert (state.status, state.reason) == ("STOPPED", "interrupted")
    assert 0 < state.done < 40
    assert any("stopping" in note for note in stop.notes)
    assert signal.getsignal(number) is not None
    assert Study.resume("plain", ["compute.workers=3"]).digest == plain.digest


@pytest.mark.parametrize("lag", [1, 2])
def test_an_interrupt_when_all_trials_are_done_leaves_a_finished_study(
    lag: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = StopAt(40)
    study = Study.run(config(search={"lag": lag}), reporter=stop)
    assert study.status().status == "FINISHED"
    assert any("sweep resume plain" in text for text in study.warnings), study.warnings


def test_an_interrupt_between_the_last_batch_and_its_record_is_not_lost(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sweep.study.drive import Driver

    record = Driver._record

    def slow(*arguments: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        record(*arguments)

    monkeypatch.setattr(Driver, "_record", slow)
    assert Study.run(config()).status().status == "FINISHED"


def test_an_interrupt_while_mlflow_is_waited_for_ends_the_waiting_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sweep.study.drive import Driver

    def pressed(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Driver, "_keep_best", pressed)
    study = Study.run(config())
    assert study.status().status == "FINISHED"
    assert any("sweep resume plain" in text for text in study.warnings), study.warnings


def test_an_interrupt_before_the_driver_says_how_to_go_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def acquire(lock: StudyLock) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(StudyLock, "acquire", acquire)
        with pytest.raises(Interrupted, match="stopped after 0 trials; go on with: sweep resume plain"):
            Study.run(config())
    assert Study.resume("plain").status().done == 40


def test_the_space_is_shown_before_the_run(home: Path) -> None:
    notes = StopAt(0, number=0)
    Study.run(config(search={"trials": 8}), reporter=notes)
    assert notes.notes[0].startswith("searched: fast_period ")
    assert any(note.startswith("size: ") for note in notes.notes)


def test_a_killed_driver_shows_as_crashed_and_resumes(plain: Study, home: Path) -> None:
    script = (
        "from tests.runtime.test_study import *\n"
        f"Study.run(config(), home=Path({str(home)!r}), reporter=StopAt(12, signal.SIGKILL))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=120)
    assert ended.returncode == -signal.SIGKILL
    state = Study.open("plain").status()
    assert state.status == "RUNNING"
    assert state.crashed
    assert state.done < 40
    assert Study.resume("plain").digest == plain.digest


def test_extending_equals_having_asked_for_more(plain: Study, home: Path) -> None:
    Study.run(config(search={"trials": 13}))
    extended = Study.extend("plain", 27)
    assert extended.digest == plain.digest
    assert extended.config.search.trials == Study.open("plain").config.search.trials == 40
    assert daily_returns.read(extended.folder)["number"].to_pylist() == list(range(40))
    assert Study.resume("plain").status().done == 40  # nothing left to do


STEPPED = {"fast_period": {"low": 5, "high": 30}, "slow_period": {"low": 40, "high": 120, "step": 5}}
NSGA3 = {"optuna": "optuna.samplers:NSGAIIISampler", "options": {"population_size": 8}}


@pytest.mark.parametrize(
    ("sampler", "options"),
    [
        ("cmaes", {"space": STEPPED, "others": "default"}),
        ("nsga2", {"n_startup": 8}),
        (NSGA3, {"n_startup": 8}),
    ],
    ids=["cmaes", "nsga2", "by path"],
)
def test_other_samplers_run_extend_and_resume_alike(sampler: Any, options: Any, tmp_path: Path) -> None:
    search = {"sampler": sampler, **options}
    whole = Study.run(config(study="whole", search=search), home=tmp_path)
    assert {trial.proposal.source for trial in whole.ledger.trials()} >= {"sampler"}
    parts = Study.run(config(study="parts", search={**search, "trials": 21}), home=tmp_path)
    assert Study.extend(parts.folder, 19, ["compute.workers=2"]).digest == whole.digest
    again = {**whole.config.model_dump(mode="json", by_alias=True), "study": "again"}
    assert Study.run(again, home=tmp_path).digest == whole.digest


def test_a_resume_with_other_options_of_a_sampler_is_refused(tmp_path: Path) -> None:
    search = {"sampler": NSGA3, "trials": 8}
    study = Study.run(config(study="path", search=search), home=tmp_path)
    problem = refused(study.folder, ["search.sampler.options.population_size=9"])
    assert problem.code == 1012
    assert "sampler.options.population_size 8 → 9" in problem.message
    problem = refused(study.folder, ["search.sampler.optuna=optuna.samplers:NSGAIISampler"])
    assert "sampler.name optuna.samplers:NSGAIIISampler → optuna.samplers:NSGAIISampler" in problem.message
    with study.ledger as ledger:
        recorded = ledger.get("snapshot")["compared"]
    assert set(recorded["libraries"]) == {"optuna", "cmaes", "numpy", "scipy", "torch", "machine"}
    assert len(recorded["sampler"]["source"]) == 64


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"a": [{"name": "x", "low": 1}]}, {"a": [{"name": "x", "low": 2}]}, "1 difference: a.x.low 1 → 2"),
        (
            {"a": [{"name": "x"}, {"name": "y"}]},
            {"a": [{"name": "y"}, {"name": "x"}]},
            'a ["x","y"] → ["y","x"]',
        ),
        ({"a": [{"name": "x", "low": 1}]}, {"a": []}, "a.x.low 1 → none"),
        ({"a": [{"name": "x"}] * 2}, {"a": [{"name": "x"}]}, 'a [{"name":"x"},{"name":"x"}] → ["x"]'),
        ({"a": [0] * 50 + [1]}, {"a": [0] * 50 + [2]}, "a …0,0,0,0,0,1] → …0,0,0,0,0,2]"),
        ({"a": "x" * 99}, {"a": "x" * 98 + "y"}, "a …xxxxxxxxxxx → …xxxxxxxxxxy"),
        ({"a": "f" * 64}, {"a": "0" * 64}, "a ffffffff… → 00000000…"),
    ],
)  # fmt: skip
def test_a_refusal_shows_what_differs(old: dict[str, Any], new: dict[str, Any], told: str) -> None:
    problem = refusal("s", old, new)
    assert problem is not None
    assert told in problem.message
    assert refusal("s", old, copy.deepcopy(old)) is None


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of 16 trials for what must not change it."""
    return Study.run(config(study="small", search={"trials": 16}), home=tmp_path_factory.mktemp("home"))


class TestResumeIsRefused:
    @pytest.mark.parametrize(
        ("change", "named", "status"),
        [
            ("costs.slippage.fixed_pips=0.7", "costs.slippage.fixed_pips 0", 2),
            ("min_trades=6", "objective.min_trades 5 → 6", 2),
            ("search.seed=43", "search.seed 42 → 43", 2),
            ("search.batch_size=16", "search.batch_size 8 → 16", 2),
            ("search.space={fast_period: {low: 3, high: 9}}", "space.dimensions.fast_period.high 60 → 9", 2),
            ("search.sampler=qmc", "sampler.name random → qmc", 2),
            ("market.synthetic.seed=8", "market.digest", 3),
            ("market.symbol=GBPUSD", "market.meta.spec.symbol EURUSD → GBPUSD", 3),
            ("search.trials=15", "search.trials 16 → 15", 2),
        ],
    )
    def test_naming_what_changed(self, small: Study, change: str, named: str, status: int) -> None:
        problem = refused(small.folder, [change])
        assert problem.code == 1012
        assert named in problem.message
        assert exit_code(problem) == status
        assert small.status().done == 16

    def test_while_another_driver_runs_it(self, small: Study) -> None:
        with StudyLock(small.folder):
            assert small.status().driver is not None
            problem = refused(small.folder)
        assert (problem.code, exit_code(problem)) == (6003, 5)

    def test_but_not_for_workers_or_tracking(self, small: Study) -> None:
        changes = ["compute.workers=2", "compute.threads=2", "tracking.runs.top=1", "search.timeout=100"]
        assert Study.resume(small.folder, changes).digest == small.digest


@pytest.mark.parametrize(
    ("key", "stage"),
    [
        ("market.digest", "data"),
        ("synthetic.version", "data"),
        ("engine.semantics", "engine"),
        ("strategy.version", "engine"),
        ("sampler.version", "config"),
        ("libraries.optuna", "config"),
        ("market.options.crossed", "config"),
    ],
)
def test_the_cause_of_a_refusal_decides_its_exit_code(key: str, stage: str) -> None:
    *path, last = key.split(".")
    before: dict[str, Any] = {last: 7}
    after: dict[str, Any] = {last: 8}
    for name in reversed(path):
        before, after = {name: before}, {name: after}
    problem = refusal("s", {**before, "seed": 1}, {**after, "seed": 1})
    assert problem is not None
    assert f'cannot resume "s": 1 difference: {key} 7 → 8; restore' in problem.message
    assert problem.stage == stage
    assert refusal("s", before, before) is None


def test_data_come_before_engine_and_numbers_are_compared_by_value() -> None:
    before = {"market": {"digest": "a" * 64}, "engine": {"semantics": 1}, "x": 5.0}
    after = {"market": {"digest": "b" * 64}, "engine": {"semantics": 2}, "x": 5}
    problem = refusal("s", before, after)
    assert problem is not None
    assert problem.stage == "data"
    assert "2 differences: engine.semantics 1 → 2; market.digest aaaaaaaa… → bbbbbbbb…" in problem.message


def test_the_rate_leaves_out_the_time_without_a_driver() -> None:
    from sweep.study.report import _rate

    batches = [
        (8, "2024-01-01T00:00:01.000Z"),
        (8, "2024-01-01T00:00:02.000Z"),
        (8, "2024-01-01T09:00:03.000Z"),
    ]
    starts = ["2024-01-01T00:00:00.000Z", "2024-01-01T09:00:00.000Z"]
    assert _rate(batches, starts) == pytest.approx(16 / 4)
    assert _rate(batches[:1], starts) is None


def test_a_wrong_argument_says_what_is_needed() -> None:
    for call in (Study.run, Study.dry_run, Study.open):
        with pytest.raises(SweepError, match=r"\[1004\] .* is needed, not int"):
            call(5)  # type: ignore[arg-type]


def test_an_unknown_study_names_the_nearest(plain: Study) -> None:
    with pytest.raises(SweepError, match="did you mean plain"):
        Study.open("plian", home=plain.folder.parents[1])


def test_the_ledger_of_a_failed_study_can_be_resumed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full for a while: exit 5, then on to the end."""
    from sweep.ledger import store, transaction

    monkeypatch.setattr(transaction, "PAUSES", (0.0, 0.0, 0.0))
    connect = store._connect

    def small(file: Path, *, write: bool) -> Any:
        connection = connect(file, write=write)
        if write and (pages := connection.execute("PRAGMA page_count").fetchone()[0]) > 1:
            connection.execute(f"PRAGMA max_page_count = {pages + 6}")
        return connection

    with monkeypatch.context() as full:
        full.setattr(store, "_connect", small)
        with pytest.raises(SweepError) as problem:
            Study.run(config())
    assert (problem.value.code, exit_code(problem.value)) == (3007, 5)
    with Ledger.open(Study.open("plain").folder) as ledger:
        assert ledger.count() < 40
        ledger.digest(verify=True)
    assert Study.resume("plain").status().done == 40
