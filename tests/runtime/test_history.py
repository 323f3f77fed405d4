"""What the batch loop sees of a ledger: a sequence that reads, and keys that are digests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.ledger import BatchRecord, Ledger
from sweep.ledger import history as module
from sweep.ledger.history import History, Keys
from tests.runtime.test_ledger import trial

SIZE = 5


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """23 trials in batches of 5, and blocks of 4."""
    monkeypatch.setattr(module, "_BLOCK", 4)
    frozen = {"metrics": ["net_profit", "total_trades", "t_stat_r"], "objectives": ["t_stat_r"]}
    with Ledger.create(tmp_path, frozen) as made:
        for k in range(5):
            commit(made, k, min(SIZE, 23 - k * SIZE))
        yield made


def commit(ledger: Ledger, k: int, count: int) -> None:
    trials = [trial(n, k) for n in range(k * SIZE, k * SIZE + count)]
    ledger.commit(BatchRecord(k, k * SIZE, count, 1, "v", "p"), trials)


def test_it_is_the_list_of_all_trials(ledger: Ledger) -> None:
    expected = ledger.history()
    found = History(ledger)
    assert list(found) == expected
    assert len(found) == 23
    order = list(range(-23, 23))
    random.Random(1).shuffle(order)
    assert [found[i] for i in order] == [expected[i] for i in order]
    for piece in (
        slice(3, 9),
        slice(None),
        slice(20, 99),
        slice(9, 3),
        slice(-4, None),
        slice(1, 20, 7),
        slice(None, None, -1),
    ):
        assert found[piece] == expected[piece]
    for index in (23, -24):
        with pytest.raises(IndexError):
            found[index]


def test_it_grows_with_the_ledger(ledger: Ledger) -> None:
    found = History(ledger)
    assert found[22].number == 22
    ledger.commit(BatchRecord(4, 20, SIZE, 1, "v", "p"), [trial(n, 4) for n in (23, 24)])
    assert len(found) == 23
    assert len(list(found)) == 23
    with pytest.raises(IndexError):
        found[23]
    latest = ledger.trials(first=23)
    found.grow(latest)
    assert [t.number for t in found] == list(range(25))
    assert [found[n] for n in (23, 24, -2)] == [*ledger.history(first=23), ledger.history(first=23)[0]]
    assert found[25:30] == []
    found.shrink()
    assert len(found) == 23
    with pytest.raises(IndexError):
        found[23]


def test_keys_are_known_and_can_be_listed(ledger: Ledger) -> None:
    keys = {t.proposal.key for t in ledger.history()}
    more = list[str]()
    found = Keys(lambda: [*ledger.keys(stop=10), *more])
    first = {t.proposal.key for t in ledger.history()[:10]}
    assert set(found) == first
    assert all(key in found for key in first)
    assert not any(key in found for key in keys - first)
    assert 7 not in found
    more += ["x", "\ud800"]
    found.update(more)
    assert "x" in found
    assert "\ud800" in found
    assert len(found) == 12
    assert {"x", "y"} - found == {"y"}
