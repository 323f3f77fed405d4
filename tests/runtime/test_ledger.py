"""The ledger: commits are whole, in order, durable; digests; readers beside the writer; a full disk; one driver."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from sweep._core import rows_digest
from sweep.errors import SweepError, error
from sweep.ledger import BatchRecord, IdentityTemplate, Ledger, Spooled, StudyLock, driver, transaction
from sweep.ledger.canonical import chain, lines_digest
from sweep.ledger.table import parameter_column
from sweep.objective import Objective
from sweep.study.report import best_of, front_of, leading
from sweep.types import Digests, Kind, Outcome, Proposal, Runtime, Status, StudyStatus, Trial
from tests.runtime.support import canonical_digests

METRICS = ("net_profit", "total_trades", "t_stat_r")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.create(tmp_path, {"metrics": METRICS, "objectives": ["t_stat_r"], "name": "x"}) as made:
        yield made


def trial(number: int, batch: int = 0, **fields: Any) -> Trial:
    key = f'{{"a":{number},"b":0.5}}'
    outcome = Outcome(
        Status.COMPLETE, None, True, None, (1 / (number + 3),), {"total_trades >= 30": -0.5, "a": -1.0}
    )
    values: dict[str, Any] = {
        "proposal": Proposal(
            number, batch, "sampler", number, {"b": 0.5, "a": number, "c": 5.0, "d": None}, key
        ),
        "outcome": outcome,
        "metrics": {"net_profit": number / 7, "total_trades": 40.0, "t_stat_r": None},
        "identity": f"{number:064x}",
        "digests": Digests("aa", "bb", "cc", "dd"),
        "runtime": Runtime("w", "h", 1, 0.25, 100, "2026-01-01"),
    }
    return Trial(**{**values, **fields})


def record(k: int, first: int, count: int) -> BatchRecord:
    return BatchRecord(k, first, count, 2**64 - 1, "v", "p")


def commit(ledger: Ledger, k: int, count: int = 3) -> None:
    ledger.commit(record(k, 3 * k, count), [trial(3 * k + i, k) for i in range(count)])
    ledger.settle()


def test_a_trial_comes_back_as_it_was(ledger: Ledger) -> None:
    given = [
        trial(0),
        trial(
            1,
            outcome=Outcome(Status.FAILED, Kind.TIMEOUT, False, "late", (None,), {}),
            metrics={},
            digests=None,
        ),
        trial(2, runtime=None),
    ]
    digest = ledger.commit(record(0, 0, 3), given)
    back = ledger.trials()
    assert back[0] == given[0]
    assert back[1].outcome == given[1].outcome
    assert back[1].digests is None
    assert back[1].metrics == dict.fromkeys(METRICS)
    assert back[2].runtime is None
    assert [type(v) for v in back[0].proposal.params.values()] == [float, int, float, type(None)]
    assert list(back[0].outcome.violations) == ["total_trades >= 30", "a"]  # order of a sum is kept
    assert [digest] == [stored for _, stored, _ in ledger.batches()]
    assert ledger.trial(1) == back[1]
    assert ledger.get("environment_dependent") is True
    assert ledger.batches()[0][0] == record(0, 0, 3)


def test_the_rows_digest_is_sha256_over_canonical_lines(ledger: Ledger) -> None:
    commit(ledger, 0)
    commit(ledger, 1)
    digests = canonical_digests(ledger.path, METRICS)
    assert [digest for _, digest, _ in ledger.batches()] == digests
    state = hashlib.sha256(b"sweep.ledger.v1\n").digest()
    for item in digests:
        state = hashlib.sha256(state + bytes.fromhex(item)).digest()
    assert ledger.digest() == ledger.digest(verify=True) == state.hex() == chain(digests)


def test_a_changed_row_is_noticed_and_runtime_is_not_part_of_the_digest(ledger: Ledger) -> None:
    commit(ledger, 0)
    before = ledger.digest()
    ledger._db.execute("UPDATE trial_runtime SET worker = 'other', seconds = 9, attempts = 7")
    assert ledger.digest(verify=True) == before
    ledger._db.execute("UPDATE trial_metrics SET net_profit = net_profit + 1e-15 WHERE number = 2")
    with pytest.raises(SweepError, match=r"\[4004\] the rows of batch 0"):
        ledger.digest(verify=True)


def test_batches_must_come_in_order_and_whole(ledger: Ledger) -> None:
    commit(ledger, 0)
    with pytest.raises(SweepError, match=r"\[4004\]"):
        ledger.commit(record(2, 6, 3), [trial(n, 2) for n in (6, 7, 8)])
    with pytest.raises(SweepError, match=r"\[4004\]"):
        ledger.commit(record(1, 3, 3), [trial(n, 1) for n in (3, 4)])
    with pytest.raises(SweepError, match=r"doubled"):
        ledger.commit(record(1, 3, 1), [trial(2, 1)])
    assert ledger.count() == 3
    commit(ledger, 1)
    assert [t.number for t in ledger.history()] == list(range(6))


def test_a_completed_partial_batch_has_the_digest_of_a_whole_one(ledger: Ledger, tmp_path: Path) -> None:
    commit(ledger, 0, count=1)
    ledger.commit(record(0, 0, 3), [trial(1), trial(2)])
    (tmp_path / "whole").mkdir()
    with Ledger.create(tmp_path / "whole", {"metrics": METRICS, "objectives": ["t"]}) as whole:
        commit(whole, 0)
        assert whole.digest() == ledger.digest(verify=True)


def test_a_reader_sees_whole_batches_while_the_driver_writes(ledger: Ledger) -> None:
    commit(ledger, 0)
    with Ledger.open(ledger.folder) as reader:
        ledger._db.execute("BEGIN IMMEDIATE")
        ledger._commit(record(1, 3, 3), [trial(n, 1) for n in (3, 4, 5)], 0, ())
        assert reader.count() == 3
        with reader.snapshot():
            assert reader.count() == 3
            ledger._db.execute("COMMIT")
            assert reader.count() == 3
        assert reader.count() == 6
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._db.execute("DELETE FROM trials")


def test_a_full_disk_rolls_back_names_the_path_and_leaves_a_clean_ledger(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "PAUSES", (0.0, 0.0, 0.0))
    commit(ledger, 0)
    before = ledger.digest()
    pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
    ledger._db.execute(f"PRAGMA max_page_count = {pages}")
    big = [
        trial(n, 1, metrics={}, outcome=Outcome(Status.FAILED, None, False, "x" * 9000, (None,), {}))
        for n in (3, 4, 5)
    ]
    with pytest.raises(SweepError) as problem:
        ledger.commit(record(1, 3, 3), big)
    assert (problem.value.code, problem.value.stage) == (3007, "infrastructure")
    assert str(ledger.path) in problem.value.message
    with Ledger.open(ledger.folder) as reader:
        assert (reader.count(), reader.digest(verify=True)) == (3, before)
    ledger._db.execute("PRAGMA max_page_count = 100000")
    ledger.commit(record(1, 3, 3), big)
    ledger.settle()
    assert ledger.count() == 6


def test_a_disk_that_recovers_is_tried_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
    ledger._db.execute(f"PRAGMA max_page_count = {pages}")
    waits = []

    def make_room(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            ledger._db.execute("PRAGMA max_page_count = 100000")

    monkeypatch.setattr(transaction.time, "sleep", make_room)
    failed = Outcome(Status.FAILED, None, False, "x" * 9000, (None,), {})
    ledger.commit(record(0, 0, 1), [trial(0, outcome=failed, metrics={})])
    assert waits == list(transaction.PAUSES[:2])
    assert ledger.count() == 1


def test_the_ledger_is_durable_before_it_acknowledges(ledger: Ledger) -> None:
    assert ledger._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert ledger._db.execute("PRAGMA synchronous").fetchone() == (2,)


def commit_after(ledger: Ledger, k: int, first: Callable[[], None]) -> str:
    return ledger.commit(record(k, 3 * k, 3), [trial(3 * k + i, k) for i in range(3)], first=first)


def test_a_batch_is_there_once_it_has_settled(ledger: Ledger, tmp_path: Path) -> None:
    free, asked = threading.Event(), threading.Event()
    seen = []

    def first() -> None:
        asked.set()
        assert free.wait(60)
        with Ledger.open(ledger.folder) as reader:
            seen.append(reader.count())

    digest = commit_after(ledger, 0, first)
    assert asked.wait(60)
    with Ledger.open(ledger.folder) as reader:
        assert reader.count() == 0
        free.set()
        ledger.settle()
        assert reader.count() == 3
    assert seen == [0]
    (tmp_path / "at-once").mkdir()
    with Ledger.create(tmp_path / "at-once", {"metrics": METRICS, "objectives": ["t"]}) as other:
        commit(other, 0)
        assert [stored for _, stored, _ in other.batches()] == [digest]
        assert other.digest() == ledger.digest(verify=True)


def commit_more(ledger: Ledger, *numbers: int, first: Callable[[], None] = lambda: None) -> None:
    for k in numbers:
        batch = [trial(3 * k + i, k) for i in range(3)]
        ledger.commit(record(k, 3 * k, 3), batch, first=first, more=True)


def test_batches_that_share_a_transaction_are_stored_together(ledger: Ledger, tmp_path: Path) -> None:
    order: list[int] = []
    for k in range(3):
        commit_more(ledger, k, first=partial(order.append, k))
    assert (order, ledger.settled) == ([], True)
    ledger.send()
    ledger.settle()
    with Ledger.open(ledger.folder) as reader:
        assert (reader.count(), order) == (9, [0, 1, 2])
    commit_more(ledger, 3)
    commit(ledger, 4)
    (tmp_path / "apart").mkdir()
    with Ledger.create(tmp_path / "apart", {"metrics": METRICS, "objectives": ["t"]}) as apart:
        for k in range(5):
            commit(apart, k)
        assert apart.digest() == ledger.digest(verify=True)


def test_a_batch_that_cannot_join_leaves_nothing_of_those_before_it(ledger: Ledger) -> None:
    commit(ledger, 0)
    commit_more(ledger, 1)
    with pytest.raises(SweepError, match=r"\[4004\]"):
        commit_more(ledger, 3)
    assert ledger.count() == 3
    commit_more(ledger, 1, 2)
    assert ledger.count() == 9, "whoever asks is told of what waits for more"
    commit_more(ledger, 3)
    ledger.close()
    with Ledger.open(ledger.folder) as reader:
        assert reader.count() == 12


def test_a_disk_that_refuses_a_batch_that_joins_gets_all_of_them_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(ledger, 0)
    pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
    waits, joined = [], []

    def make_room(seconds: float) -> None:
        waits.append(seconds)
        ledger._db.execute("PRAGMA max_page_count = 100000")

    monkeypatch.setattr(time, "sleep", make_room)
    commit_more(ledger, 1)
    ledger._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    late = Outcome(Status.FAILED, None, False, "x" * 90_000, (None,), {})
    big = [trial(n, 2, metrics={}, outcome=late) for n in (6, 7, 8)]
    ledger.commit(record(2, 6, 3), big, first=lambda: joined.append(1), more=True)
    commit(ledger, 3)
    assert (len(waits), joined) == (1, [1])
    assert [t.number for t in ledger.trials()] == list(range(12))
    assert ledger.digest() == ledger.digest(verify=True)


def test_what_is_asked_of_the_ledger_waits_for_the_disk(ledger: Ledger) -> None:
    commit_after(ledger, 0, lambda: time.sleep(0.2))
    assert ledger.count() == 3
    commit_after(ledger, 1, lambda: time.sleep(0.2))
    ledger.log("note")
    assert (ledger.count(), ledger.get("events")[-1]["event"]) == (6, "note")


def test_a_batch_that_fails_on_the_way_to_the_disk_says_so_once_and_leaves_nothing(ledger: Ledger) -> None:
    def refuse() -> None:
        raise error(3007, "the disk is full", stage="infrastructure")

    commit(ledger, 0)
    before = ledger.digest()
    commit_after(ledger, 1, refuse)
    with pytest.raises(SweepError, match="3007"):
        ledger.count()
    ledger.settle()
    assert ledger.count() == 3
    assert ledger.digest(verify=True) == before
    commit(ledger, 1)
    assert ledger.count() == 6


def test_closing_waits_for_the_disk(tmp_path: Path) -> None:
    with Ledger.create(tmp_path, {"metrics": METRICS, "objectives": ["t"]}) as ledger:
        commit_after(ledger, 0, lambda: time.sleep(0.2))
    with Ledger.open(tmp_path) as reader:
        assert reader.count() == 3


def test_spooled_results_go_with_the_commit_of_their_batch(ledger: Ledger) -> None:
    items = [Spooled(f"{n:064x}", {"status": "COMPLETE", "x": n / 3}, b"arrow") for n in (0, 1, 7)]
    ledger.spool(items)
    ledger.spool([Spooled(items[0].identity, {"status": "other"})])
    assert ledger.spooled() == {item.identity: item for item in items}
    commit(ledger, 0)
    assert set(ledger.spooled()) == {items[2].identity}


def test_status_events_and_counts(ledger: Ledger) -> None:
    commit(ledger, 0)
    failed = Outcome(Status.FAILED, Kind.NO_TRADES, False, "no trades", (None,), {})
    ledger.commit(record(1, 3, 1), [trial(3, 1, outcome=failed)])
    assert ledger.counts() == {"COMPLETE": 3, "FAILED/NO_TRADES": 1}
    assert ledger.get("environment_dependent") is False
    ledger.set_status(StudyStatus.STOPPED, event="ended", reason="timeout")
    assert ledger.status is StudyStatus.STOPPED
    assert ledger.get("events")[-1] | {"at": ""} == {"at": "", "event": "ended", "reason": "timeout"}


def test_the_trials_table_has_one_row_per_trial_in_the_documented_order(ledger: Ledger) -> None:
    commit(ledger, 0)
    ledger.commit(
        record(1, 3, 1),
        [
            trial(
                3, 1, outcome=Outcome(Status.FAILED, Kind.NO_TRADES, False, "none", (None,), {}), digests=None
            )
        ],
    )
    table = ledger.table()
    assert table.column_names == [
        "window", "number", "batch", "status", "kind", "feasible", "reason",
        "params.a", "params.b", "params.c", "params.d", "obj0",
        "metrics.net_profit", "metrics.total_trades", "metrics.t_stat_r",
        "intermediate", "partial", "identity", "trades_digest", "daily_digest", "metrics_digest", "result_digest", "signals_digest",
    ]  # fmt: skip
    rows = table.to_pylist()
    assert [row["number"] for row in rows] == [0, 1, 2, 3]
    assert rows[3]["reason"] == "none"
    assert rows[3]["obj0"] is rows[3]["trades_digest"] is None
    assert str(table.schema.field("params.c").type) == "double"
    assert str(table.schema.field("params.a").type) == "int64"


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("seed", range(4))
def test_the_best_are_those_that_the_objective_ranks_first(
    ledger: Ledger, seed: int, direction: Literal["maximize", "minimize"]
) -> None:
    rng = random.Random(seed)

    def outcome() -> Outcome:
        value = rng.choice([0.0, -0.0, 1.5, -1.5, 1e-300, rng.random()])
        return rng.choice(
            [
                Outcome(Status.COMPLETE, None, True, None, (value,), {}),
                Outcome(Status.COMPLETE, None, True, None, (value,), {}),
                Outcome(Status.COMPLETE, Kind.CONSTRAINT, False, "a < 1", (value,), {"a < 1": rng.random()}),
                Outcome(Status.PRUNED, Kind.RUIN, False, "ruined", (None,), {}),
                Outcome(Status.FAILED, Kind.TIMEOUT, False, "late", (None,), {}),
            ]
        )

    objective = Objective.build([{"metric": "net_profit", "direction": direction}])
    ledger.commit(record(0, 0, 60), [trial(n, outcome=outcome()) for n in range(60)])
    ranked = objective.rank(ledger.history())
    scored = [found for found in ranked if found.outcome.feasible]
    assert 10 < len(scored) < 50
    for count in (1, 7, len(scored), 60):
        assert ledger.best(count, direction) == scored[:count]
        complete = [found for found in ranked if found.outcome.status is Status.COMPLETE]
        assert leading(ledger, objective, count) == complete[:count]
    assert front_of(ledger, objective) == objective.front(ledger.history())
    rows, front = best_of(ledger, objective, 3)
    assert ([row.number for row in rows], front) == ([found.number for found in scored[:3]], 1)
    assert best_of(ledger, objective, 0) == ([], 1)


def test_a_lock_is_given_back_on_a_disk_that_refuses_to_forget_the_driver(tmp_path: Path) -> None:
    lock = StudyLock(tmp_path).acquire()
    file = lock._file
    assert file is not None

    class Refusing:
        def truncate(self, size: int) -> None:
            raise OSError(errno.EROFS, "Read-only file system")

        close = staticmethod(file.close)

    lock._file = Refusing()  # type: ignore[assignment]
    lock.release()
    StudyLock(tmp_path).acquire().release()


def test_a_folder_without_study_and_a_file_that_is_no_ledger_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SweepError) as problem:
        Ledger.open(tmp_path)
    assert problem.value.code == 3001
    (tmp_path / "study.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(SweepError) as problem:
        Ledger.open(tmp_path)
    assert problem.value.code == 3004


def test_a_newer_schema_is_refused(ledger: Ledger) -> None:
    ledger.put({"schema_version": 99})
    with pytest.raises(SweepError, match=r"\[4005\]"):
        Ledger.open(ledger.folder)


def test_the_second_driver_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    with StudyLock(tmp_path):
        holder = driver(tmp_path)
        assert holder is not None
        with pytest.raises(SweepError) as problem:
            StudyLock(tmp_path).acquire()
        assert (problem.value.code, problem.value.stage) == (6003, "infrastructure")
        assert f"process {holder[0]} on {holder[1]}" in problem.value.message
    assert driver(tmp_path) is None
    StudyLock(tmp_path).acquire().release()


def test_the_pid_of_a_dead_driver_is_not_reported(tmp_path: Path) -> None:
    import socket

    (tmp_path / "lock").write_text(json.dumps({"pid": 2**22 + 1, "host": socket.gethostname()}))
    assert driver(tmp_path) is None
    (tmp_path / "lock").write_text(json.dumps({"pid": 2**22 + 1, "host": "elsewhere"}))
    assert driver(tmp_path) == (2**22 + 1, "elsewhere")


scalars = (
    st.none()
    | st.text()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)


@given(st.lists(st.dictionaries(st.text(max_size=5), scalars, max_size=6), max_size=4))
@example(
    [
        {
            "b": 5.0,
            "a": -0.0,
            "\u20ac": 1e21,
            "\U0001f600": '\x1f"\\\x7f\u2028',
            "c": 1e-7,
            "d": 123456789012345680000.0,
        }
    ]
)
def test_the_digest_of_rows_is_that_of_rfc8785_lines(rows: list[dict[str, Any]]) -> None:
    names = list(rows[0]) if rows else []
    same = [dict(zip(names, row.values(), strict=False)) for row in rows if len(row) >= len(names)]
    try:
        lines = b"".join(rfc8785.dumps(row) + b"\n" for row in same)
    except UnicodeEncodeError:
        return  # lone surrogates are no text
    found = rows_digest(names, [(*row.values(), "beyond") for row in same])
    assert found == hashlib.sha256(lines).hexdigest()


@pytest.mark.parametrize(
    ("value", "code"),
    [(math.nan, 1006), (math.inf, 1006), (2**53, 1004), (2**80, 1004), (b"x", 1004), (True, 1004)],
)
def test_what_has_no_canonical_form_is_refused(value: Any, code: int) -> None:
    with pytest.raises(SweepError, match=rf"\[{code}\].*; a"):
        rows_digest(["b", "a"], [(1, value)])


def test_a_row_must_have_all_names() -> None:
    with pytest.raises(SweepError, match=r"\[5004\] a row has 1 values, 2 are named"):
        rows_digest(["a", "b"], [("x",)])


def test_an_identity_is_the_hash_of_the_document_with_its_params() -> None:
    base = {"v": 1, "seed": "42", "account": {"currency": "USD"}, "window": {"b": 1, "a": 2.50}}
    template = IdentityTemplate(base)
    params = {"b": 5.0, "a": "x"}
    document = rfc8785.dumps({**base, "params": params})
    assert template.document(rfc8785.dumps(params).decode()) == document.decode()
    assert template.identity(rfc8785.dumps(params).decode()) == hashlib.sha256(document).hexdigest()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None], "int64"),
        ([1, 2.5], "double"),
        ([True, None], "bool"),
        (["a"], "string"),
        ([1, "a"], "string"),
        ([], "bool"),
    ],
)
def test_parameter_columns_take_the_narrowest_type(values: list[Any], kind: str) -> None:
    assert str(parameter_column(values).type) == kind


def test_lines_are_ended_not_separated() -> None:
    assert lines_digest(["a", "b"]) == hashlib.sha256(b"a\nb\n").hexdigest()
