from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.errors import SweepError
from sweep.expressions import Expression

TABLE = Path(__file__).parents[1] / "data" / "expressions.json"


def value(text: str, **env: Any) -> Any:
    return Expression.parse(text).evaluate(env)


def test_the_shared_table() -> None:
    cases = json.loads(TABLE.read_text(encoding="utf-8"))
    cases = cases["cases"] if isinstance(cases, dict) else cases
    assert len(cases) >= 50
    wrong = []
    for case in cases:
        try:
            got: Any = Expression.parse(case["expr"]).evaluate(case.get("env", {}))
        except SweepError:
            got = SweepError
        expected = SweepError if "error" in case else case["value"]
        if not _equal(got, expected):
            wrong.append((case, got))
    assert not wrong


def _equal(got: Any, expected: Any) -> bool:
    if got is None or expected is None or SweepError in (got, expected):
        return got is expected
    if isinstance(got, bool) != isinstance(expected, bool) or isinstance(got, str) != isinstance(
        expected, str
    ):
        return False
    if isinstance(got, float) and not isinstance(expected, bool):
        return math.isclose(got, expected, rel_tol=1e-15, abs_tol=0.0)
    return bool(got == expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7 // 2", 3), ("-7 // 2", -4), ("-7 % 3", 2), ("7.5 % -2", -0.5), ("2 ** 10", 1024), ("2 ** -1", 0.5), ("7 / 2", 3.5),
        ("1 < 2 < 3", True), ("1 < 2 > 5", False), ("3 in [1, 2, 3]", True), ("'a' not in ['b']", True), ("not 0", True),
        ("5 if 1 > 2 else 6", 6), ("round(2.5)", 2), ("floor(-0.5)", -1), ("ceil(0.2)", 1), ("max(1, 2.5, -3)", 2.5),
        ("abs(-3)", 3), ("sqrt(9)", 3.0), ("log(exp(1))", 1.0), ("1 == 1.0", True), ("'1' == 1", False),
    ],
)  # fmt: skip
def test_python_semantics(text: str, expected: Any) -> None:
    assert _equal(value(text), expected)


@pytest.mark.parametrize(
    "text",
    ["1 / 0", "1 // 0", "1 % 0", "0 ** -1", "(-8) ** 0.5", "log(0)", "log(-1)", "sqrt(-1)", "exp(1000)", "1e308 * 10", "9223372036854775807 + 1", "x + 1", "x > 1", "-x", "not x", "abs(x)", "1 < x < 3", "x in [1]", "1 if x else 2", "2 ** y", "s + 1", "s < 1"],
)  # fmt: skip
def test_nulls_and_domain_errors_give_null(text: str) -> None:
    env = {"x": None, "y": 65, "s": "ema"}
    assert value(text, **env) is None


def test_a_constraint_that_becomes_null_is_violated() -> None:
    assert not Expression.parse("x > 1").holds({"x": None})
    assert not Expression.parse("x > 1").holds({"x": math.nan})
    assert Expression.parse("x > 1").holds({"x": 2})


@pytest.mark.parametrize(
    "text",
    [
        "", "1 +", "a.b", "a[0]", "(lambda: 1)()", "[x for x in [1]]", "{1: 2}", "__import__('os')", "open('f')", "eval('1')", "f'{x}'",
        "x := 1", "1 if x", "'a' + 'b'", "-'a'", "'a'", "x is None", "~1", "1 | 2", "1 << 3", "x @ y", "1j", "b'x'", "...", "max()",
        "abs(1, 2)", "max(*x)", "round(x, ndigits=1)", "x in y", "x in (1, 2)", "1 in [1] in [2]", "2 ** 65", "2 ** -65", "(" * 60 + "x" + ")" * 60 + "+",
        "9" * 30, "1e999",
    ],
)  # fmt: skip
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(SweepError) as refused:
        Expression.parse(text)
    assert refused.value.code == 1001


def test_limits_of_length_and_depth() -> None:
    assert value("+".join(["1"] * 49)) == 49
    with pytest.raises(SweepError, match="nested"):
        Expression.parse("+".join(["1"] * 51))
    with pytest.raises(SweepError, match="1000"):
        Expression.parse("1" + " " * 1000)


def test_names_and_missing_values() -> None:
    expression = Expression.parse("max(fast, 2) < slow and mode in ['a']")
    assert expression.names == {"fast", "slow", "mode"}
    with pytest.raises(SweepError, match="no value for mode, slow"):
        expression.evaluate({"fast": 1})


@settings(max_examples=300, deadline=1000)
@given(st.text(alphabet="ab1.0 +-*/%()[]<>=!,'\"_:;{}lambdiforxnt", max_size=60))
def test_fuzzed_texts_are_refused_or_yield_plain_values(text: str) -> None:
    try:
        expression = Expression.parse(text)
    except SweepError:
        return
    result = expression.evaluate(dict.fromkeys(expression.names, 3))
    assert result is None or isinstance(result, bool | int | float | str)


_LEAF = st.sampled_from(["x", "y", "2", "0", "3.5", "-1"])
_TREES = st.recursive(
    _LEAF,
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "<", "<=", "==", "and", "or"]), inner
        ).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(["abs", "floor", "ceil", "round"]), inner).map(lambda t: f"{t[0]}({t[1]})"),
    ),
    max_leaves=8,
)


@given(_TREES, st.integers(-50, 50), st.floats(-50, 50, allow_nan=False))
def test_values_equal_those_of_python(text: str, x: int, y: float) -> None:
    names = {"abs": abs, "floor": math.floor, "ceil": math.ceil, "round": round, "x": x, "y": y}
    try:
        expected = eval(text, {"__builtins__": {}}, names)
    except ArithmeticError:
        expected = None
    got = (
        value(text, x=x, y=y)
        if {"x", "y"} <= Expression.parse(text).names
        else Expression.parse(text).evaluate({"x": x, "y": y})
    )
    assert got is None or type(got) is type(expected)
    assert got == expected or (
        got is None and (expected is None or not math.isfinite(expected) or abs(expected) >= 2**63)
    )
