"""One constraint on results: its signed violation, and the nulls that are good news."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sweep.errors import error
from sweep.expressions import Expression

Metrics = Mapping[str, float | None]

OPERATORS: Final = ("<", "<=", ">", ">=", "==", "!=")
_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_SYMBOLS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_EQUAL_UNDER_STRICT: Final = 1e-12
_WHERE: Final = "constraints"


@dataclass(frozen=True, slots=True)
class ResultConstraint:
    """(metric or expression) op value."""

    text: str
    left: Expression
    op: str
    value: float

    @staticmethod
    def parse(form: str | Mapping[str, Any]) -> ResultConstraint:
        """From a text such as `max_drawdown_pct <= 25`, or from {metric or expr, op, value}.

        Raises:
            SweepError: [1001] for anything else, [1004] for a value that is no finite number, [1008] for a missing key.
        """
        return _from_text(form) if isinstance(form, str) else _from_mapping(form)

    def violation(self, metrics: Metrics) -> float:
        """Signed and scaled by |value|; > 0 is violated, 1 for a null, −1 or 1 for a favourable null."""
        measured = number(self.left.evaluate(metrics))
        if measured is None:
            good = self.left.text in _FAVOURABLE and _FAVOURABLE[self.left.text](metrics)
            return -1.0 if good and self.op in (">", ">=", "!=") else 1.0
        scale = abs(self.value) or 1.0
        excess = (measured - self.value) / scale
        if self.op == "==":
            return abs(excess)
        if self.op == "!=":
            return _EQUAL_UNDER_STRICT if measured == self.value else -1.0
        signed = excess if self.op in ("<", "<=") else -excess
        return _EQUAL_UNDER_STRICT if self.op in ("<", ">") and measured == self.value else signed + 0.0


def number(value: object) -> float | None:
    """A finite float; None for null, texts, NaN and infinities."""
    if value is None or isinstance(value, str) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _from_mapping(form: Mapping[str, Any]) -> ResultConstraint:
    keys = {key for key, value in form.items() if value is not None}
    for key in sorted(keys - {"metric", "expr", "op", "value"}):
        raise error(1001, f"unknown key {key}", where=_WHERE, remedy="use metric or expr, op, value")
    if ("metric" in keys) == ("expr" in keys):
        raise error(1008, "a constraint needs metric or expr, one of them", where=_WHERE, remedy="give one")
    for key in sorted({"op", "value"} - keys):
        raise error(1008, f"a constraint without {key}", where=_WHERE, remedy="give metric, op and value")
    if form["op"] not in OPERATORS:
        raise error(
            1001, f"unknown op {form['op']!r}", where=_WHERE, remedy=f"use one of {' '.join(OPERATORS)}"
        )
    value = None if isinstance(form["value"], bool) else number(form["value"])
    if value is None:
        raise error(
            1004, f"value {form['value']!r} is not a finite number", where=_WHERE, remedy="write a number"
        )
    left = Expression.parse(str(form.get("metric") or form["expr"]))
    return ResultConstraint(f"{left.text} {form['op']} {form['value']}", left, str(form["op"]), value)


def _from_text(text: str) -> ResultConstraint:
    """Splits `left op right`; the value stands on either side, or, if both sides are measured, left − right op 0."""
    Expression.parse(text)
    tree = ast.parse(text.strip(), mode="eval").body
    if not isinstance(tree, ast.Compare) or len(tree.ops) != 1 or type(tree.ops[0]) not in _SYMBOLS:
        remedy = "write one comparison, as in max_drawdown_pct <= 25; two limits are two constraints"
        raise error(1001, f"`{text}` is no constraint", where=_WHERE, remedy=remedy)
    op = _SYMBOLS[type(tree.ops[0])]
    left, right = Expression.parse(ast.unparse(tree.left)), Expression.parse(ast.unparse(tree.comparators[0]))
    if left.names and right.names:
        return ResultConstraint(text, Expression.parse(f"({left.text}) - ({right.text})"), op, 0.0)
    if not left.names:
        left, right, op = right, left, _FLIPPED[op]
    constant = right.evaluate({})
    value = None if isinstance(constant, bool) else number(constant)
    if value is None or not left.names:
        raise error(1001, f"`{text}` compares no metric with a number", where=_WHERE, remedy="name a metric")
    return ResultConstraint(text, left, op, value)


def _positive(metrics: Metrics, name: str) -> bool:
    value = number(metrics.get(name))
    return value is not None and value > 0


def _zero(metrics: Metrics, name: str) -> bool:
    return number(metrics.get(name)) == 0


def _only_wins(metrics: Metrics) -> bool:
    return _zero(metrics, "losses") and _positive(metrics, "wins")


def _no_losing_day(metrics: Metrics) -> bool:
    """A Sortino ratio of at least two days is null only without a day below the target."""
    days = number(metrics.get("n_days"))
    if days is None or days < 2:
        return False
    return _positive(
        metrics, "sharpe_ratio" if number(metrics.get("sharpe_ratio")) is not None else "net_profit"
    )


def _no_losing_trade(metrics: Metrics) -> bool:
    trades = number(metrics.get("total_trades"))
    return trades is not None and trades >= 2 and _positive(metrics, "avg_r_multiple")


_FAVOURABLE: Final[dict[str, Callable[[Metrics], bool]]] = {
    "profit_factor": _only_wins,
    "payoff_ratio": _only_wins,
    "recovery_factor": lambda metrics: _zero(metrics, "max_drawdown") and _positive(metrics, "net_profit"),
    "calmar_ratio": lambda metrics: _zero(metrics, "max_drawdown_pct") and _positive(metrics, "cagr_pct"),
    "sortino_ratio": _no_losing_day,
    "sortino_trade": _no_losing_trade,
}
"""Metrics whose null can mean that there was no loss or drawdown to divide by, and when it does."""
