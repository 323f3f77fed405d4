"""Random operations on the native portfolio and on its twin: equal to the bit, refusals included."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.portfolio.operations import Generator
from tests.portfolio.support import apply_all, assert_same, comparable, pair, table

OPTIONS = st.fixed_dictionaries(
    {
        "pnl": st.sampled_from(("lots", "r_multiple")),
        "equity": st.sampled_from(("mark_to_market", "realised")),
        "currency": st.sampled_from(("USD", "EUR", "JPY")),
        "leverage": st.sampled_from((1, 30.0, 100)),
    }
)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), options=OPTIONS, count=st.integers(1, 160))
def test_three_ways_to_say_the_same(seed: int, options: dict[str, Any], count: int) -> None:
    """Single operations, a list of mappings and a table, each against the twin, refusals by row and code."""
    rows = Generator(seed).rows(count)
    listed, twin = pair(50_000, **options)
    wanted = twin.batch(rows)
    assert comparable(listed.batch(rows)) == wanted
    assert_same(listed, twin)
    tabled, _ = pair(50_000, **options)
    assert comparable(tabled.batch(table(rows))) == wanted
    assert_same(tabled, twin)
    single, _ = pair(50_000, **options)
    refused = [(row, code) for row, code in enumerate(apply_all(single, rows)) if code is not None]
    assert refused == wanted["errors"]
    assert_same(single, twin)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), options=OPTIONS)
def test_cutting_a_batch_changes_nothing(seed: int, options: dict[str, Any]) -> None:
    """Many batches, chunks of a table and one batch leave the same portfolio."""
    rows = Generator(seed).rows(120)
    whole, twin = pair(50_000, **options)
    whole.batch(rows)
    twin.batch(rows)
    cut, _ = pair(50_000, **options)
    for start in range(0, len(rows), 7):
        cut.batch(rows[start : start + 7])
    assert_same(cut, twin)
    chunked, _ = pair(50_000, **options)
    pieces = table(rows)
    report = chunked.batch(pa.concat_tables([pieces.slice(0, 11), pieces.slice(11, 0), pieces.slice(11)]))
    assert [error[0] for error in report["errors"]] == [row for row, _ in twin_errors(rows, options)]
    assert_same(chunked, twin)


def twin_errors(rows: list[dict[str, Any]], options: dict[str, Any]) -> list[tuple[int, int]]:
    """Rows that the twin refuses."""
    _, twin = pair(50_000, **options)
    errors: list[tuple[int, int]] = twin.batch(rows)["errors"]
    return errors


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), options=OPTIONS)
def test_what_is_refused_leaves_no_trace(seed: int, options: dict[str, Any]) -> None:
    """A batch, and the same batch without what it refused, give the same portfolio."""
    rows = Generator(seed, mistakes=0.5).rows(100)
    dirty, twin = pair(50_000, **options)
    refused = {row for row, _, _ in dirty.batch(rows)["errors"]}
    assert refused
    clean, _ = pair(50_000, **options)
    assert clean.batch([row for i, row in enumerate(rows) if i not in refused])["errors"] == []
    twin.batch(rows)
    assert_same(dirty, twin)
    assert_same(clean, twin)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), options=OPTIONS)
def test_money_adds_up(seed: int, options: dict[str, Any]) -> None:
    """Cash and unrealised are equity after every operation; balance, results and fees are cash."""
    native, _ = pair(50_000, **options)
    for row in Generator(seed).rows(80):
        native.batch([row])
        state = native.get_state().to_pylist()[0]
        open_profit = state["unrealised_pnl"] if options["equity"] == "mark_to_market" else 0.0
        assert state["balance"] + open_profit == state["equity"] == native.equity
    trades = native.get_trades()
    results = sum(trades["result"].to_pylist())
    assert results == pytest.approx(state["realised_pnl"], rel=1e-12, abs=1e-9)
    drift = abs(50_000 + results - state["total_fees"] - state["balance"])
    assert drift <= 1e-8 * max(1, abs(state["balance"]))
    logged = sum(native.get_fees()["amount"].to_pylist())
    assert logged == pytest.approx(state["total_fees"], rel=1e-12, abs=1e-9)


def test_the_operations_are_of_every_kind() -> None:
    """The generator reaches every operation and every code of refusal."""
    done: dict[str, int] = {}
    codes = set()
    for seed in range(40):
        native, _ = pair(50_000)
        report = native.batch(Generator(seed).rows(150))
        codes |= {code for _, code, _ in report.pop("errors")}
        counts = {k: v for k, v in report.items() if isinstance(v, int)}
        done = {name: done.get(name, 0) + count for name, count in counts.items()}
    assert min(done.values()) > 50, done
    assert codes >= {1001, 1003, 1007, 1008, 2005}
