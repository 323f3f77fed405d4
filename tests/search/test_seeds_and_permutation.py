from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep import _core
from sweep.errors import SweepError
from sweep.seeds import seed, units
from sweep.space import Permutation


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("sampler", 0), 6273358199954538794),
        (("sampler", 1), 3750715053196829828),
        (("window", 3), 1051020049244808633),
    ],
)
def test_seeds_of_the_specification(parts: tuple[object, ...], expected: int) -> None:
    assert seed(42, *parts) == expected


def test_seeds_are_the_first_bytes_of_the_hash_of_the_joined_parts() -> None:
    assert seed(7, "a", 3, "β") == int(hashlib.sha256("7|a|3|β".encode()).hexdigest()[:16], 16)


def test_a_part_may_not_hold_the_separator() -> None:
    with pytest.raises(ValueError, match="contains"):
        seed(1, "a|b")


def test_unit_draws_of_the_specification() -> None:
    first, drawn = units(42, "random", 0, 2, ["β|γ", "fast_period"])
    assert drawn.tolist() == pytest.approx([0.1606399509, 0.0066449855], abs=5e-11)
    assert drawn.tolist() == [seed(42, "random", q, "fast_period") / 2**64 for q in range(2)]
    digests = [hashlib.sha256(f"42|random|{q}|β|γ".encode()).digest() for q in range(2)]
    assert first.tolist() == [int.from_bytes(digest[:8]) / 2**64 for digest in digests]
    (many,) = units(2**64 - 1, "fallback", 10**9 - 500, 1_000, ["x"])
    assert many.tolist() == [seed(2**64 - 1, "fallback", 10**9 - 500 + i, "x") / 2**64 for i in range(1_000)]


@pytest.mark.parametrize(
    ("size", "start"),
    [
        (4, [1, 3, 0, 2]),
        (10, [6, 0, 7, 9, 3, 1, 2, 4, 8, 5]),
        (10**9, [638867062, 639397577, 79088996]),
    ],
)
def test_shuffle_of_the_specification(size: int, start: list[int]) -> None:
    order = Permutation(size, 42)
    assert [order[i] for i in range(len(start))] == start


def test_segment_order_of_the_specification() -> None:
    order = Permutation(9, seed(42, "segments"))
    assert [order[i] for i in range(9)] == [5, 4, 6, 8, 0, 3, 2, 1, 7]


@given(st.integers(1, 300), st.integers(0, 2**64 - 1))
def test_the_shuffle_is_a_permutation(size: int, key: int) -> None:
    order = Permutation(size, key)
    assert sorted(order[i] for i in range(size)) == list(range(size))


def test_the_shuffle_is_a_permutation_for_every_small_size() -> None:
    for size in range(1, 301):
        order = Permutation(size, 42)
        assert sorted(order[i] for i in range(size)) == list(range(size))


@given(st.integers(1, 2**70), st.integers(0, 2**64 - 1), st.integers(0, 2**70), st.integers(0, 20))
def test_a_span_holds_its_positions_one_by_one_up_to_the_end(
    size: int, key: int, start: int, count: int
) -> None:
    order = Permutation(size, key)
    for first in (start, start % size, size - 3):
        if first >= 0:
            found = order.span(first, count)
            assert list(found) == [order[i] for i in range(first, min(first + count, size))]


@pytest.mark.parametrize(
    ("size", "width", "start", "count"),
    [(10, 2, 5, 6), (17, 2, 0, 1), (10, 0, 0, 1), (10, 32, 0, 1), (10, 2, 2**64 - 1, 2)],
)
def test_positions_and_widths_that_do_not_fit_are_refused(
    size: int, width: int, start: int, count: int
) -> None:
    with pytest.raises(SweepError, match="5004"):
        _core.permuted("42|perm", size, width, start, count)
