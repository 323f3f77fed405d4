"""Successive halving: who goes on, what is written of the others, and that nothing but the batch decides it."""

from __future__ import annotations

import itertools
import math
import multiprocessing
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweep.ledger import Ledger
from sweep.ledger import returns as daily_returns
from sweep.pipeline import Halving
from sweep.pipeline.halving import Measured
from sweep.types import LEVELS, Kind, Status, StudyStatus, Trial
from tests.runtime.support import IDENTITIES, SAMPLERS, canonical_digests, die_at, digest, drive

RULE = Halving(eta=3, maximize=True, min_trades=30)
CYCLE = replace(RULE, cycle=True)
STUDY: dict[str, Any] = {"trials": 64, "batch_size": 16, "pruner": RULE, "engine": {"ruin": True}}


def test_the_numbers_of_the_specification() -> None:
    assert [RULE.kept(n) for n in (64, 22, 81, 27, 1)] == [22, 8, 27, 9, 1]
    assert RULE.full_runs(0, 64) == pytest.approx(64 / 9 + 22 / 3 + 8)
    assert RULE.full_runs(0, 81) == 27.0
    assert [CYCLE.first_level(k) for k in range(7)] == [0, 1, 2, 0, 1, 2, 0]
    assert [CYCLE.full_runs(k, 64) for k in (1, 2)] == pytest.approx([64 / 3 + 22, 64])


def test_the_rank_at_a_level() -> None:
    """30 trades of a whole window are 4 at level 0 and 10 at level 1."""
    rows = [
        Measured(0, None, 0.0, over=True),
        Measured(1, None, 2.0),
        Measured(2, None, 7.0),
        Measured(3, 9.0, 3.0),
        Measured(4, 1.0, 4.0),
        Measured(5, 2.0, 5.0),
        Measured(6, 2.0, 4.0),
        Measured(7, -8.0, 3.0),
    ]
    assert [one.number for one in RULE.ranked(0, rows)] == [5, 6, 4, 3, 7, 2, 1, 0]
    assert RULE.promoted(0, rows) == [5, 6, 4]
    down = replace(RULE, maximize=False)
    assert [one.number for one in down.ranked(0, rows)] == [4, 5, 6, 7, 3, 2, 1, 0]
    enough = [Measured(0, 5.0, 9.0), Measured(1, 1.0, 10.0)]
    assert [one.number for one in RULE.ranked(1, enough)] == [1, 0]


def test_what_is_over_never_goes_on() -> None:
    rows = [Measured(n, None, 0.0, over=n != 5) for n in range(9)]
    assert RULE.promoted(0, rows) == [5]
    assert RULE.promoted(0, [replace(one, over=True) for one in rows]) == []


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {name: tmp_path_factory.mktemp("pruned") / name for name in ("random", "tpe", "hyperband")}
    for name, folder in folders.items():
        options = {**STUDY, "pruner": CYCLE if name == "hyperband" else RULE}
        ending = drive(folder, sampler="random" if name == "hyperband" else name, **options)
        assert ending.status is StudyStatus.FINISHED
    return folders


@pytest.mark.parametrize("sampler", sorted(SAMPLERS.keys() - {"random", "tpe"}))
def test_every_sampler_prunes_to_the_same_ledger(sampler: str, tmp_path: Path) -> None:
    """`n_startup` is low, so that it proposes from results although few trials run the whole window."""
    options: dict[str, Any] = {**STUDY, "sampler_options": {"n_startup": 1}}
    drive(tmp_path / "plain", sampler=sampler, **options)
    if sampler not in ("grid", "qmc", "cmaes"):
        assert trials_of(tmp_path / "plain")[-1].proposal.source == "sampler"
    options["engine"] = {"ruin": True, "delay": 0.01}
    for workers, chunk in ((2, 1), (4, None)):
        folder = tmp_path / str(workers)
        drive(folder, sampler=sampler, workers=workers, chunk_size=chunk, spool_interval=0.0, **options)
        assert digest(folder) == digest(tmp_path / "plain")


@pytest.mark.parametrize("name", ["random", "tpe", "hyperband"])
@pytest.mark.parametrize(("workers", "chunk"), [(1, 7), (2, 1), (4, 64), (4, None)])
def test_workers_chunks_and_delays_do_not_show_in_the_ledger(
    name: str, workers: int, chunk: int | None, plain: dict[str, Path], tmp_path: Path
) -> None:
    options = {**STUDY, "engine": {"ruin": True, "delay": 0.02}}
    options["pruner"] = CYCLE if name == "hyperband" else RULE
    sampler = "random" if name == "hyperband" else name
    drive(tmp_path / "s", sampler=sampler, workers=workers, chunk_size=chunk, spool_interval=0.0, **options)
    assert digest(tmp_path / "s") == digest(plain[name])


def trials_of(folder: Path) -> list[Trial]:
    with Ledger.open(folder) as ledger:
        return list(ledger.trials())


def _expected(batch: list[Trial], alone: dict[int, Trial]) -> dict[int, Kind | None]:
    """Kinds of a batch's rows from the levels' values, computed on the side: level by level, the best third."""
    kinds: dict[int, Kind | None] = {}
    here = [t.number for t in batch]
    for level in (0, 1):
        values = {}
        for n in here:
            x = alone[n].proposal.params
            whole = _score(x, level)
            values[n] = whole
        over = {n for n in here if values[n] is None}
        for n in over:
            kinds[n] = next(t.outcome.kind for t in batch if t.number == n)
        ranked = sorted((n for n in here if n not in over), key=lambda n: (*_rank(values[n]), n))
        keep = ranked[: math.ceil(len(here) / 3)]
        for n in ranked[len(keep) :]:
            kinds[n] = LEVELS[level]
        here = sorted(keep)
    return kinds


def _score(params: Any, level: int) -> tuple[float, float] | None:
    x = params["fast"] + 0.1 * params["slow"] + params["noise"] + (5 if params["ma"] == "sma" else 0)
    case = int(x * 7) % 12
    if case in (0, 1) or (case == 6 and level != 0):
        return None
    score = math.nan if case == 4 else -((x - 14) ** 2) + math.sin(x + 40 * level)
    return score, {2: 0.0, 3: 12.0}.get(case, 100.0) / (9 if level == 0 else 3)


def _rank(value: tuple[float, float] | None) -> tuple[int, float]:
    assert value is not None
    score, trades = value
    if math.isnan(score):
        return 2, -trades
    return (0 if trades >= 30 / 9 else 1), -score


@pytest.mark.parametrize("name", ["random", "tpe"])
def test_the_best_third_of_every_batch_goes_on(name: str, plain: dict[str, Path]) -> None:
    trials = trials_of(plain[name])
    assert len(trials) == 64
    by_number = {t.number: t for t in trials}
    for first in range(0, 64, 16):
        batch = trials[first : first + 16]
        for number, kind in _expected(batch, by_number).items():
            assert by_number[number].outcome.kind is kind, number
        survivors = [t for t in batch if set(t.intermediate) == {"0", "1"} and t.outcome.kind not in LEVELS]
        assert 1 <= len(survivors) <= 2  # 16, 6, 2


def test_rows_of_every_kind(plain: dict[str, Path]) -> None:
    trials = [t for name in plain for t in trials_of(plain[name])]
    kinds = Counter(t.outcome.kind for t in trials)
    assert min(kinds[k] for k in (*LEVELS, Kind.RUIN, Kind.ENGINE_ERROR, Kind.INVALID_PARAMS, None)) > 0
    for trial in trials:
        key, kind = trial.proposal.key, trial.outcome.kind
        if trial.outcome.status is Status.PRUNED:
            assert not any(value is not None for value in trial.metrics.values())
            assert trial.partial
            assert trial.digests is not None
            assert trial.outcome.objectives == (None,)
        if kind in LEVELS:
            level = LEVELS.index(kind)
            assert trial.identity == IDENTITIES.identity(key, level)
            assert trial.outcome.reason is not None
            assert f"at level {level}" in trial.outcome.reason
            value = trial.partial.get("t_stat_r")
            assert trial.intermediate.get(str(level)) == value
        elif trial.outcome.status is Status.COMPLETE:
            assert trial.identity == IDENTITIES.identity(key)
            assert not trial.partial


def test_stopped_rows_enter_the_digest_as_canonical_lines(plain: dict[str, Path]) -> None:
    for folder in plain.values():
        with Ledger.open(folder) as ledger:
            stored = [digest for _, digest, _ in ledger.batches()]
        assert stored == canonical_digests(folder / "study.db")


def test_hyperband_starts_each_batch_at_the_next_level(plain: dict[str, Path]) -> None:
    trials = trials_of(plain["hyperband"])
    for k in range(4):
        seen = {level for t in trials[16 * k : 16 * k + 16] for level in t.intermediate}
        assert seen == [{"0", "1"}, {"1"}, set(), {"0", "1"}][k]


def test_extending_equals_having_asked_for_more(plain: dict[str, Path], tmp_path: Path) -> None:
    for trials in (16, 48, 64):
        drive(tmp_path / "s", sampler="tpe", **{**STUDY, "trials": trials})
    assert digest(tmp_path / "s") == digest(plain["tpe"])


@pytest.mark.parametrize("stop", range(1, 12, 2))
def test_an_interrupted_level_goes_on_where_it_was(stop: int, plain: dict[str, Path], tmp_path: Path) -> None:
    calls = itertools.count()
    ending = drive(
        tmp_path / "s", sampler="tpe", chunk_size=3, interrupted=lambda: next(calls) == stop, **STUDY
    )
    assert ending.interrupted
    with Ledger.open(tmp_path / "s") as ledger:
        kept, done = set(ledger.spooled()), ledger.count()
    calls_again: list[tuple[int | None, int]] = []
    again = {**STUDY, "engine": {"ruin": True, "calls": calls_again}}
    drive(tmp_path / "s", sampler="tpe", **again)
    assert digest(tmp_path / "s") == digest(plain["tpe"])
    whole: list[tuple[int | None, int]] = []
    drive(tmp_path / "whole", sampler="tpe", **{**STUDY, "engine": {"ruin": True, "calls": whole}})
    ran = sum(rows for _, rows in calls_again)
    if done == 0:
        assert ran == sum(rows for _, rows in whole) - len(kept)
    with Ledger.open(tmp_path / "s") as ledger:
        assert not ledger.spooled()


@pytest.mark.parametrize("name", ["tpe", "hyperband"])
@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ("INSERT OR IGNORE INTO spool", 8),  # the first level of the first batches
        ("INSERT OR IGNORE INTO spool", 40),
        ("COMMIT", 6),
        ("DELETE FROM spool", 10),  # inside the commit of a batch
        ("INSERT OR REPLACE INTO batches", 3),
    ],
)
def test_a_driver_killed_in_the_middle_of_a_level_resumes_to_the_same_ledger(
    name: str, statement: str, count: int, plain: dict[str, Path], tmp_path: Path
) -> None:
    folder, sampler = tmp_path / "s", "random" if name == "hyperband" else name
    study = {**STUDY, "pruner": CYCLE if name == "hyperband" else RULE}
    victim = multiprocessing.get_context("fork").Process(
        target=die_at, args=(folder, sampler, statement, count, study)
    )
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    with Ledger.open(folder) as ledger:
        done, kept = ledger.count(), set(ledger.spooled())
        ledger.digest(verify=True)
    assert done < 64
    by_key = {t.proposal.key: t.number for t in trials_of(plain[name])}
    levels = {IDENTITIES.identity(key, level) for key, n in by_key.items() if n >= done for level in (0, 1)}
    if (
        name == "tpe" and "batches" in statement
    ):  # the batch whose commit fails had two levels before the last
        assert kept & levels
    ran: list[tuple[int | None, int]] = []
    drive(folder, sampler=sampler, **{**study, "engine": {"ruin": True, "calls": ran}})
    assert digest(folder) == digest(plain[name])
    fresh: list[tuple[int | None, int]] = []
    drive(tmp_path / "whole", sampler=sampler, **{**study, "engine": {"ruin": True, "calls": fresh}})
    if done == 0:
        assert sum(rows for _, rows in ran) == sum(rows for _, rows in fresh) - len(kept)
    with Ledger.open(folder) as ledger:
        assert not ledger.spooled()


def test_a_batch_costs_what_the_rule_says(tmp_path: Path) -> None:
    calls: list[tuple[int | None, int]] = []
    drive(tmp_path / "s", **{**STUDY, "trials": 16, "engine": {"calls": calls}})
    rows: Counter[int | None] = Counter()
    for level, count in calls:
        rows[level] += count
    assert rows == {0: 16, 1: 6, None: 2}


def test_only_whole_windows_have_daily_returns(tmp_path: Path) -> None:
    engine = {"ruin": True, "returns": True}
    drive(tmp_path / "s", **{**STUDY, "trials": 16, "engine": engine}, keep_returns="all")
    table = daily_returns.read(tmp_path / "s")
    kept = {row["number"] for row in table.to_pylist() if row["returns"] is not None}
    whole = {t.number for t in trials_of(tmp_path / "s") if t.outcome.status is Status.COMPLETE}
    assert kept >= whole
    assert not kept & {t.number for t in trials_of(tmp_path / "s") if t.outcome.status is Status.PRUNED}
