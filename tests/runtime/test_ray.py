"""Ray workers: the same ledger as locally, and each way of losing one. One Ray session for the whole file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sweep.errors import SweepError, exit_code
from sweep.ledger import Ledger
from sweep.pipeline import Halving
from sweep.types import Kind, StudyStatus
from tests.runtime import support
from tests.runtime.support import SAMPLERS, digest, drive, make_sampler, ray_session, spec

pytestmark = [pytest.mark.ray, pytest.mark.timeout(180)]

QUICK = {"n_startup": 1}
"""So that most batches are proposed from results, also where few trials run the whole window."""
FIRST = 3
"""Trial of the first batch that misbehaves in the tests below."""


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    with ray_session(support) as session:
        yield session


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain") / "study"
    assert drive(folder).status is StudyStatus.FINISHED
    return folder


def ray_drive(folder: Path, *, workers: int = 2, options: dict[str, Any] | None = None, **rules: Any) -> Any:
    from sweep.executors.ray import RayExecutor

    executor = RayExecutor(spec(**(options or {})), workers=workers, grace=60)
    try:
        while not all(
            worker.ready for worker in executor._workers
        ):  # a study this short could end on the first
            assert executor.wait(0.1) == []
        return drive(folder, executor=executor, **rules)
    finally:
        executor.close()


def misbehaving() -> dict[str, Any]:
    """Parameters of trial FIRST, which no other trial of the study has."""
    from sweep.samplers.base import View

    proposals = make_sampler("random", batch_size=8, lag=2).propose(0, 0, 8, View((), (), frozenset(), 0))
    params = proposals[FIRST].params
    return {name: params[name] for name in ("fast", "slow", "ma", "noise")}


def test_two_actors_give_the_ledger_of_one_thread(session: Any, plain: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    assert ray_drive(folder, options={"delay": 0.01}, chunk_size=3).status is StudyStatus.FINISHED
    assert digest(folder) == digest(plain)
    workers = {trial.runtime.worker for trial in Ledger.open(folder).trials() if trial.runtime}
    assert len(workers) == 2


STUDIES: dict[str, dict[str, Any]] = {
    "plain": {"trials": 44, "batch_size": 8},
    "pruned": {"trials": 64, "batch_size": 16, "pruner": Halving(3, maximize=True, min_trades=30)},
}


@pytest.fixture(scope="module")
def locally(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """Ledger digests of one thread by sampler and study."""
    folder, found = tmp_path_factory.mktemp("locally"), {}
    for sampler, study in itertools.product(SAMPLERS, STUDIES):
        place = folder / f"{sampler}-{study}"
        ending = drive(place, sampler=sampler, sampler_options=QUICK, engine={"ruin": True}, **STUDIES[study])
        assert ending.status is StudyStatus.FINISHED
        found[sampler, study] = digest(place)
        with Ledger.open(place) as ledger:
            kinds = {trial.outcome.kind for trial in ledger.trials()}
        assert Kind.RUIN in kinds
        assert ({Kind.LEVEL_0, Kind.LEVEL_1} <= kinds) == (study == "pruned")
    return found


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_actors_give_the_ledger_of_one_thread_with_every_sampler(
    workers: int, session: Any, locally: dict[tuple[str, str], str], tmp_path: Path
) -> None:
    from sweep.executors.ray import RayExecutor

    executor = RayExecutor(spec(ruin=True, delay=0.004), workers=workers, grace=60)
    try:
        for (sampler, study), expected in locally.items():
            place = tmp_path / f"{sampler}-{study}"
            drive(
                place,
                sampler=sampler,
                sampler_options=QUICK,
                executor=executor,
                chunk_size=[7, 3, None][workers // 2],
                **STUDIES[study],
            )
            assert digest(place) == expected, (sampler, study)
    finally:
        executor.close()


def test_a_worker_that_dies_once_leaves_the_same_ledger(session: Any, plain: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    options = {"die_once": str(tmp_path / "died"), "at": misbehaving()}
    assert ray_drive(folder, options=options, chunk_size=4).status is StudyStatus.FINISHED
    assert (tmp_path / "died").exists()
    assert digest(folder) == digest(plain)
    attempts = [trial.runtime.attempts for trial in Ledger.open(folder).trials() if trial.runtime]
    assert attempts[FIRST] == 2
    assert Ledger.open(folder).get("environment_dependent") is False


def test_a_poison_trial_ends_alone_and_the_study_goes_on(session: Any, plain: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    ending = ray_drive(folder, options={"die": True, "at": misbehaving()}, chunk_size=2, trials=16)
    assert ending.status is StudyStatus.FINISHED
    with Ledger.open(folder) as ledger, Ledger.open(plain) as healthy:
        assert ledger.get("environment_dependent") is True
        for trial, expected in zip(ledger.trials(), healthy.trials(), strict=False):
            if trial.number == FIRST:
                assert trial.outcome.kind is Kind.WORKER_LOST
                assert trial.outcome.objectives == (None,)
            else:
                assert (trial.outcome, trial.digests) == (expected.outcome, expected.digests)


def test_a_hanging_trial_is_ended_by_its_deadline(session: Any, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    options = {"hang": True, "at": misbehaving()}
    ending = ray_drive(folder, options=options, chunk_size=1, trials=8, trial_timeout=3.0, max_retries=0)
    assert ending.status is StudyStatus.FINISHED
    kinds = [trial.outcome.kind for trial in Ledger.open(folder).trials()]
    assert kinds[FIRST] is Kind.TIMEOUT
    assert kinds.count(Kind.TIMEOUT) == 1


def test_workers_that_cannot_start_end_the_study_with_the_remote_traceback(session: Any) -> None:
    from sweep.executors.ray import RayExecutor

    with pytest.raises(SweepError) as problem:
        RayExecutor(spec(fail_to_start=True), workers=2)
    assert (problem.value.code, problem.value.stage) == (6000, "infrastructure")
    assert "this engine never starts" in problem.value.message
    assert "Traceback" in problem.value.context["traceback"]


def test_another_market_on_a_worker_is_a_data_error(session: Any) -> None:
    from sweep.executors.ray import RayExecutor

    with pytest.raises(SweepError) as problem:
        RayExecutor(spec(other_market=True), workers=1)
    assert (problem.value.code, problem.value.stage) == (3008, "data")


def test_nothing_of_an_executor_is_left_after_close(session: Any) -> None:
    import time

    for _ in range(100):
        if session.available_resources().get("CPU") == 4:
            return
        time.sleep(0.1)
    pytest.fail(f"actors hold CPUs: {session.available_resources()}")


def test_no_workers_or_a_client_address_are_refused() -> None:
    from sweep.executors.ray import RayExecutor

    with pytest.raises(SweepError, match=r"\[1003\]"):
        RayExecutor(spec(), workers=0)


def test_another_version_on_a_worker_is_refused(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sweep.executors.ray import RayExecutor, executor

    monkeypatch.setattr(executor, "versions", lambda: {"sweep": "0.0.0"})
    with pytest.raises(SweepError, match=r"\[4005\] a worker has .*, the driver .*0\.0\.0") as problem:
        RayExecutor(spec(), workers=1)
    assert exit_code(problem.value) == 5


def test_a_study_without_workers_ends_after_the_grace_time_and_resumes(
    session: Any, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only worker dies in its first call, and never answers again, as when its node is gone."""
    from sweep.executors.ray import RayExecutor

    executor = RayExecutor(spec(die=True, at=misbehaving()), workers=1, grace=60)
    executor._grace = 1.0
    monkeypatch.setattr(RayExecutor, "_welcome", lambda self, worker: setattr(worker, "hello", None))
    folder = tmp_path / "study"
    try:
        ending = drive(folder, executor=executor, chunk_size=1)
    finally:
        executor.close()
    assert ending.status is StudyStatus.FAILED
    assert ending.problem is not None
    assert (ending.problem.code, exit_code(ending.problem)) == (6002, 5)
    assert drive(folder).status is StudyStatus.FINISHED
    assert digest(folder) == digest(plain)
