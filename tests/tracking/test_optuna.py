"""The ledger in Optuna storages: same rows, same ranges, same best trial, whatever is exported when."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from sweep.errors import SweepError
from sweep.expressions import Expression
from sweep.objective import Goal, Objective
from sweep.study import Study
from sweep.trackers.optuna import KEY, distribution, frozen_trials, masked
from sweep.types import INFEASIBLE_RESULTS, Kind, Outcome, Status
from tests.search.fakes import failed, metrics, objective, row, toy_space
from tests.tracking import studies

CONFIG: dict[str, Any] = {
    **studies.CONFIG,
    "tracking": {"mlflow": None},
    "constraints": ["max_drawdown_pct <= 3"],
    "search": {
        "sampler": "cmaes",
        "trials": 40,
        "batch_size": 16,
        "space": {"fast_period": {"low": 5, "high": 30}, "slow_period": {"low": 40, "high": 120, "step": 5}},
        "others": "default",
    },
    "min_trades": 40,
}


@pytest.fixture(scope="module")
def study() -> Study:
    return studies.finished()


CONTENT = (
    "number", "state", "values", "params", "distributions", "constraints", "user_attrs", "datetime_start",
    "datetime_complete", "intermediate_values",
)  # fmt: skip


def content(url: str, name: str = "small") -> list[Any]:
    study = optuna.load_study(study_name=name, storage=storage(url))
    return [{name: getattr(t, name) for name in CONTENT} for t in study.get_trials()]


def storage(url: str) -> Any:
    from optuna.storages.journal import JournalFileBackend

    if url.startswith("journal:"):
        return optuna.storages.JournalStorage(JournalFileBackend(url.removeprefix("journal:")))
    return url


@pytest.fixture(scope="module")
def exported(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study in a database of its own; tests copy it."""
    file = tmp_path_factory.mktemp("optuna") / "o.db"
    study.to_optuna(f"sqlite:///{file}")
    return file


@pytest.mark.parametrize("form", ["sqlite:///{}/o.db", "journal:{}/o.log"])
def test_every_trial_is_there_with_its_values_and_state(form: str, study: Study, tmp_path: Path) -> None:
    url = form.format(tmp_path)
    done = study.to_optuna(url)
    assert (done.study, done.trials, done.new) == ("small", 96, 96)
    shown = optuna.load_study(study_name="small", storage=storage(url))
    assert [d.name for d in shown.directions] == ["MAXIMIZE"]
    assert shown.metric_names == ["t_stat_r"]
    rows = shown.get_trials()
    with study.ledger as ledger:
        trials = ledger.trials()
    assert len(rows) == len(trials) == 96
    for trial, shown_row in zip(trials, rows, strict=True):
        outcome = trial.outcome
        complete = outcome.status is Status.COMPLETE
        assert shown_row.values == (list(outcome.objectives) if complete else None)
        assert (shown_row.state is TrialState.COMPLETE) is complete
        assert (shown_row.state is TrialState.PRUNED) is (outcome.kind in INFEASIBLE_RESULTS)
        feasible = all(value <= 0 for value in shown_row.constraints.values())
        assert feasible is (outcome.kind not in (Kind.CONSTRAINT, *INFEASIBLE_RESULTS))
        assert shown_row.user_attrs["identity"] == trial.identity
        for name, value in shown_row.params.items():
            assert trial.proposal.params[name] == value
            assert type(trial.proposal.params[name]) is type(value)
    best = study.status().best[0]
    assert (shown.best_trial.number, shown.best_value) == (best.number, best.value)
    assert [t.number for t in shown.best_trials] == [best.number]


def test_exporting_again_adds_nothing_and_building_again_gives_the_same(study: Study, tmp_path: Path) -> None:
    url = f"journal:{tmp_path}/o.log"
    study.to_optuna(url)
    first = content(url)
    again = study.to_optuna(url)
    assert (again.trials, again.new) == (96, 0)
    assert content(url) == first
    (tmp_path / "o.log").unlink()
    study.to_optuna(url)
    assert content(url) == first


def test_a_study_that_grew_is_brought_up_to_date(tmp_path: Path) -> None:
    url = f"journal:{tmp_path}/o.log"
    grown = Study.run(CONFIG, home=tmp_path)
    assert grown.to_optuna(url).new == 40
    before = content(url)
    Study.extend("small", 20, home=tmp_path)
    done = Study.open("small", home=tmp_path).to_optuna(url)
    assert (done.trials, done.new) == (60, 20)
    assert content(url)[:40] == before
    Study.open("small", home=tmp_path).to_optuna(f"journal:{tmp_path}/new.log")
    assert content(url) == content(f"journal:{tmp_path}/new.log")


def test_an_export_that_was_cut_short_is_completed(
    study: Study, exported: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    url = f"sqlite:///{tmp_path}/o.db"
    add = optuna.Study.add_trial

    def breaks(shown: Any, trial: Any) -> None:
        if len(shown.get_trials(deepcopy=False)) == 30:
            raise OSError("the disk is full")
        add(shown, trial)

    monkeypatch.setattr(optuna.Study, "add_trial", breaks)
    with pytest.raises(SweepError) as caught:
        study.to_optuna(url)
    assert (caught.value.code, caught.value.stage) == (3000, "infrastructure")
    assert "the disk is full" in str(caught.value)
    monkeypatch.undo()
    assert study.to_optuna(url).new == 66
    assert content(url) == content(f"sqlite:///{exported}")


@pytest.fixture(scope="module")
def journal(study: Study, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole journal of the study."""
    file = tmp_path_factory.mktemp("journal") / "o.log"
    study.to_optuna(f"journal:{file}")
    return file.read_bytes()


@pytest.mark.parametrize("share", [0.05, 0.3, 0.62, 0.99])
def test_a_journal_that_a_crash_tore_is_completed(
    share: float, study: Study, exported: Path, journal: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "o.log"
    cut = int(share * len(journal))
    assert journal[cut - 1 : cut] != b"\n"
    file.write_bytes(journal[:cut])
    done = study.to_optuna(f"journal:{file}")
    assert done.trials == 96
    assert done.new >= int((1 - share) * 96)
    assert content(f"journal:{file}") == content(f"sqlite:///{exported}")
    assert study.to_optuna(f"journal:{file}").new == 0
    assert sorted(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("byte", [b"\x00", b"\n", b"\xff"])
def test_a_journal_that_is_damaged_inside_is_named_and_made_anew(
    byte: bytes, study: Study, exported: Path, journal: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "o.log"
    place = len(journal) // 2
    file.write_bytes(journal[:place] + byte + journal[place + 1 :])
    problem = refused(study, f"journal:{file}")
    assert (problem.code, problem.stage) == (3004, "infrastructure")
    assert str(file) in str(problem)
    assert "move it away and export again" in str(problem)
    file.rename(tmp_path / "aside")
    study.to_optuna(f"journal:{file}")
    assert content(f"journal:{file}") == content(f"sqlite:///{exported}")


def refused(study: Study, url: str) -> SweepError:
    with pytest.raises(SweepError) as caught:
        study.to_optuna(url)
    return caught.value


def test_other_content_under_the_name_is_refused_and_left_alone(study: Study, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/o.db"
    theirs = optuna.create_study(study_name="small", storage=url)
    theirs.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    problem = refused(study, url)
    assert (problem.code, problem.stage) == (1007, "config")
    assert "is not this study's" in str(problem)
    assert len(optuna.load_study(study_name="small", storage=url).trials) == 2


@pytest.mark.parametrize("step", ["set_metric_names", "set_user_attr"])
def test_an_export_that_was_cut_short_before_its_key_is_completed(
    step: str, study: Study, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/o.db"

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(optuna.Study, step, dies)
        with pytest.raises(KeyboardInterrupt):
            study.to_optuna(url)
    left = optuna.load_study(study_name="small", storage=url)
    assert (left.user_attrs, left.trials) == ({}, [])
    assert study.to_optuna(url).new == 96
    assert content(url) == content(f"sqlite:///{exported}")
    whole = optuna.load_study(study_name="small", storage=f"sqlite:///{exported}")
    made = optuna.load_study(study_name="small", storage=url)
    assert made.user_attrs == whole.user_attrs
    assert made.metric_names == whole.metric_names


@pytest.mark.parametrize(
    ("direction", "attributes", "trials"),
    [("maximize", {KEY: "another"}, 0), ("minimize", {}, 0), ("maximize", {}, 1)],
)
def test_a_study_that_cannot_be_ours_is_not_taken_over(
    direction: str, attributes: dict[str, str], trials: int, study: Study, tmp_path: Path
) -> None:
    """It has another key, the other direction, or trials."""
    url = f"sqlite:///{tmp_path}/o.db"
    theirs = optuna.create_study(study_name="small", storage=url, direction=direction)
    for name, value in attributes.items():
        theirs.set_user_attr(name, value)
    theirs.add_trials([optuna.create_trial(value=1.0)] * trials)
    assert refused(study, url).code == 1007
    left = optuna.load_study(study_name="small", storage=url)
    assert (left.user_attrs, len(left.trials)) == (attributes, trials)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE trial_values SET value = value + 1 WHERE trial_id = 1", "another trial 0"),
        (
            "UPDATE trial_params SET param_value = 40 - param_value WHERE trial_id = 3 AND param_name = 'fast_period'",
            "another trial 2",
        ),
        ("UPDATE trials SET state = 'FAIL' WHERE trial_id = 2", "another trial 1"),
    ],
)
def test_changed_rows_are_refused(
    change: str, words: str, study: Study, exported: Path, tmp_path: Path
) -> None:
    shutil.copy(exported, tmp_path / "o.db")
    url = f"sqlite:///{tmp_path}/o.db"
    with sqlite3.connect(tmp_path / "o.db") as connection:
        assert connection.execute(change).rowcount
    problem = refused(study, url)
    assert problem.code == 1007
    assert words in str(problem)


def test_rows_that_the_ledger_lacks_are_refused(study: Study, exported: Path, tmp_path: Path) -> None:
    shutil.copy(exported, tmp_path / "o.db")
    url = f"sqlite:///{tmp_path}/o.db"
    optuna.load_study(study_name="small", storage=url).add_trial(optuna.create_trial(value=1.0))
    assert "97 trials, the ledger 96" in str(refused(study, url))


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("sqlite:////no/such/folder/o.db", 3000, "unable to open database file"),
        ("nosuchbase://user:secret@h/o", 3000, "nosuchbase"),
        ("mssql+nodriver://user:secret@h/o", 3000, "nodriver"),
        ("oracle://user:secret@h/o", 6000, "driver"),
        ("redis://h/o", 3000, "redis"),
    ],
)
def test_a_storage_that_cannot_be_used(url: str, code: int, words: str, study: Study) -> None:
    problem = refused(study, url)
    assert (problem.code, problem.stage) == (code, "infrastructure")
    assert words in str(problem)
    assert "secret" not in str(problem)


def test_masked() -> None:
    assert masked("mysql://me:pw@host:3306/db") == "mysql://me:***@host:3306/db"
    assert masked("sqlite:///a:b.db") == "sqlite:///a:b.db"


def test_ranges_in_their_own_values() -> None:
    space = toy_space(
        {
            "fast": {"low": 5, "high": 21, "step": 3},
            "slow": {"low": 30, "high": 90, "log": True},
            "ma": ["ema", "sma"],
            "noise": {"low": 0.01, "high": 100, "log": True},
            "frame": {"choices": ["H1", "H4", "D1"], "ordered": True},
            "exit": {"low": 0.1, "high": 1.0, "step": 0.2},
            "band": [1, 2, 5],
        },
        measured=False,
    )
    assert {d.name: distribution(d) for d in space.dimensions} == {
        "fast": IntDistribution(5, 20, step=3),
        "slow": IntDistribution(30, 90, log=True),
        "ma": CategoricalDistribution(("ema", "sma")),
        "band": CategoricalDistribution((1, 2, 5)),
        "noise": FloatDistribution(0.01, 100, log=True),
        "frame": CategoricalDistribution(("H1", "H4", "D1")),
        "exit": FloatDistribution(0.1, 0.9, step=0.2),
    }
    for dimension in space.dimensions:
        for u in (0.0, 0.3, 0.7, 0.9999):
            value = dimension.value(dimension.from_unit(u))
            made = distribution(dimension)
            assert made._contains(made.to_internal_repr(value))


def test_a_parameter_that_another_carries_has_its_own_name() -> None:
    """`scenario` sets `enabled`, which is all that the canonical set holds."""
    space = toy_space({"scenario": [1, 2, 3], "fast": {"low": 5, "high": 9}}, measured=False)
    graded = objective()
    params = space.evaluate([(2, 1)])[0].candidate
    assert params is not None
    assert "scenario" not in params.params
    outcome = graded.grade("COMPLETE", None, None, metrics())
    made = frozen_trials([row(0, outcome, params.params)], space, graded, created="2024-05-01T00:00:00+00:00")
    assert made[0].params == {"scenario": 3, "fast": 6}


GRADED = objective(["max_drawdown_pct <= 25"])
KEYS = ["parameters", "total_trades >= 30", "max_drawdown_pct <= 25"]
PRUNED = Outcome(Status.PRUNED, None, False, "level 1", (None,), {})


def grade(**given: float | None) -> Outcome:
    return GRADED.grade("COMPLETE", None, None, metrics(**given))


TABLE: list[tuple[Outcome, str, float | None, list[float] | None]] = [
    (grade(t_stat_r=1.5), "COMPLETE", 1.5, [0.0, -70 / 30, -0.96]),
    (grade(t_stat_r=9.0, max_drawdown_pct=50.0), "COMPLETE", 9.0, [0.0, -70 / 30, 1.0]),
    (grade(total_trades=12.0), "PRUNED", None, [0.0, 0.6, 0.0]),
    (grade(total_trades=0.0), "PRUNED", None, [0.0, 1.0, 0.0]),
    (GRADED.grade("FAILED", "INVALID_PARAMS", "no", {}), "PRUNED", None, [2.0, 0.0, 0.0]),
    (PRUNED, "PRUNED", None, None),
    (grade(t_stat_r=None), "FAIL", None, None),
    (failed(Kind.ENGINE_ERROR), "FAIL", None, None),
    (failed(Kind.DATA_MISMATCH), "FAIL", None, None),
    (failed(Kind.TIMEOUT), "FAIL", None, None),
]


def test_states_values_and_constraints_of_the_outcome_table() -> None:
    space = toy_space({"fast": {"low": 5, "high": 20}}, measured=False)
    params = {"fast": 7, "slow": 30}
    rows = [row(n, outcome, params, intermediate={"0": 0.25}) for n, (outcome, *_) in enumerate(TABLE)]
    made = frozen_trials(rows, space, GRADED, created="2024-05-01T00:00:00+00:00")
    for shown, (outcome, state, value, violations) in zip(made, TABLE, strict=True):
        assert shown.state.name == state
        assert shown.values == (None if value is None else [value])
        assert shown.constraints == (
            {} if violations is None else pytest.approx(dict(zip(KEYS, violations, strict=True)))
        )
        assert shown.intermediate_values == {0: 0.25}
        assert shown.user_attrs.get("kind") == (None if outcome.kind is None else outcome.kind.value)


def test_two_objectives(tmp_path: Path) -> None:
    goals = (
        Goal("t_stat_r", Expression.parse("t_stat_r"), "maximize"),
        Goal("max_drawdown_pct", Expression.parse("max_drawdown_pct"), "minimize"),
    )
    graded = Objective(goals, (), 30)
    space = toy_space({"fast": {"low": 5, "high": 20}}, measured=False)
    given = [(1.0, 5.0), (2.0, 9.0), (0.5, 9.0)]
    outcomes = [
        graded.grade("COMPLETE", None, None, metrics(t_stat_r=a, max_drawdown_pct=b)) for a, b in given
    ]
    rows = [row(n, outcome, {"fast": 5 + n}) for n, outcome in enumerate(outcomes)]
    shown = optuna.create_study(directions=["maximize", "minimize"])
    shown.add_trials(frozen_trials(rows, space, graded, created="2024-05-01T00:00:00+00:00"))
    assert [t.values for t in shown.best_trials] == [[1.0, 5.0], [2.0, 9.0]]
