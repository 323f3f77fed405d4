"""Expressions of configurations and declarations: Python syntax, parsed with `ast`, run by a whitelist.

No `eval`, attributes, subscripts or calls of anything but the ten named functions. Null (None) is absorbing; division by
zero, overflow and domain errors give null. Rust holds the twin; both share one table of cases.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sweep.errors import SweepError, error
from sweep.types import ParamValue

MAX_LENGTH: Final = 1000
MAX_DEPTH: Final = 50
MAX_EXPONENT: Final = 64
MAX_INTEGER: Final = 2**63 - 1
MAX_DIGITS: Final = 400

Number = int | float
Environment = Mapping[str, ParamValue]
Node = Callable[[Environment], ParamValue]


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression: its text, the names it reads, and how to evaluate it."""

    text: str
    names: frozenset[str]
    is_condition: bool
    """Whether the outermost operation yields a truth value (a comparison, `and`, `or`, `not`, a name, a bool)."""
    _run: Node = field(repr=False, compare=False)

    @staticmethod
    def parse(text: str) -> Expression:
        """Parses `text`; raises [1001] on syntax, anything outside the whitelist, or a broken limit."""
        if len(text) > MAX_LENGTH:
            raise _refuse(f"{text[:40]}…", f"longer than {MAX_LENGTH} characters")
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
            reason = problem.msg if isinstance(problem, SyntaxError) else "cannot be parsed"
            raise _refuse(text, f"syntax error: {reason}") from None
        if _depth(tree) > MAX_DEPTH:
            raise _refuse(text, f"nested deeper than {MAX_DEPTH}")
        compiler = _Compiler(text)
        run = compiler.node(tree)
        if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
            raise _refuse(text, "strings are allowed in comparisons only")
        return Expression(text, frozenset(compiler.names), _is_condition(tree), run)

    def evaluate(self, env: Environment) -> ParamValue:
        """Value under `env`, None if it is null; every name of `names` must be a key ([1001] otherwise)."""
        missing = self.names - env.keys()
        if missing:
            raise _refuse(self.text, f"no value for {', '.join(sorted(missing))}")
        return self._run(env)

    def holds(self, env: Environment) -> bool:
        """Whether a condition is true; null counts as violated."""
        value = self.evaluate(env)
        return value is not None and not isinstance(value, str) and bool(value)


def _refuse(text: str, why: str) -> SweepError:
    return error(
        1001,
        f"expression refused: {why}",
        where=f"`{text}`",
        remedy="use literals, names, + - * / // % **, comparisons, in [..], and/or/not, a if c else b, and "
        + ", ".join(sorted(_FUNCTIONS)),
    )


def _depth(tree: ast.AST) -> int:
    """Depth of the tree of operations, without recursion (the tree may be deep)."""
    deepest, stack = 0, [(tree, 1)]
    while stack:
        node, level = stack.pop()
        deepest = max(deepest, level)
        stack.extend(
            (child, level + 1) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)
        )
    return deepest


def _is_condition(tree: ast.expr) -> bool:
    if isinstance(tree, ast.IfExp):
        return _is_condition(tree.body) and _is_condition(tree.orelse)
    if isinstance(tree, ast.BoolOp):
        return all(_is_condition(value) for value in tree.values)
    if isinstance(tree, ast.UnaryOp):
        return isinstance(tree.op, ast.Not)
    if isinstance(tree, ast.Constant):
        return isinstance(tree.value, bool)
    return isinstance(tree, ast.Compare | ast.Name)


class _Compiler:
    """Turns a tree into closures, once; what it does not know is refused."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()

    def node(self, tree: ast.expr) -> Node:
        match tree:
            case ast.Constant():
                return self._constant(tree)
            case ast.Name():
                return self._name(tree.id)
            case ast.UnaryOp():
                return self._unary(tree)
            case ast.BinOp():
                return self._binary(tree)
            case ast.BoolOp():
                return self._boolean(tree)
            case ast.Compare():
                return self._compare(tree)
            case ast.IfExp():
                return self._choice(tree)
            case ast.Call():
                return self._call(tree)
        raise _refuse(self.text, f"{type(tree).__name__} is not allowed")

    def operand(self, tree: ast.expr) -> Node:
        """A node that is not inside a comparison, where strings have no meaning."""
        if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
            raise _refuse(self.text, "strings are allowed in comparisons only")
        return self.node(tree)

    def literal(self, tree: ast.expr) -> ParamValue:
        """Value of a literal, signed numbers included."""
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub | ast.UAdd):
            value = self.literal(tree.operand)
            if value is not None and not isinstance(value, bool | str):
                return -value if isinstance(tree.op, ast.USub) else value
        if isinstance(tree, ast.Constant):
            constant = tree.value
            if constant is None or isinstance(constant, bool | str):
                return constant
            if isinstance(constant, int) and constant <= MAX_INTEGER:
                return constant
            if isinstance(constant, float) and math.isfinite(constant):
                return constant
        raise _refuse(self.text, "not a literal that can be used here")

    def _constant(self, tree: ast.Constant) -> Node:
        value = self.literal(tree)
        return lambda env: value

    def _name(self, name: str) -> Node:
        self.names.add(name)

        def read(env: Environment) -> ParamValue:
            value = env[name]
            return None if isinstance(value, float) and not math.isfinite(value) else value

        return read

    def _unary(self, tree: ast.UnaryOp) -> Node:
        inner = self.operand(tree.operand)
        if isinstance(tree.op, ast.Not):

            def negate(env: Environment) -> ParamValue:
                value = inner(env)
                return None if value is None or isinstance(value, str) else not value

            return negate
        if not isinstance(tree.op, ast.USub | ast.UAdd):
            raise _refuse(self.text, f"{type(tree.op).__name__} is not allowed")
        sign = -1 if isinstance(tree.op, ast.USub) else 1

        def signed(env: Environment) -> ParamValue:
            value = inner(env)
            return (
                None if value is None or isinstance(value, str) else _checked(-value if sign < 0 else +value)
            )

        return signed

    def _binary(self, tree: ast.BinOp) -> Node:
        apply = _ARITHMETIC.get(type(tree.op))
        if apply is None:
            raise _refuse(self.text, f"{type(tree.op).__name__} is not allowed")
        left, right = self.operand(tree.left), self.operand(tree.right)
        if isinstance(tree.op, ast.Pow):
            self._check_exponent(tree.right)

        def run(env: Environment) -> ParamValue:
            a, b = left(env), right(env)
            if a is None or b is None or isinstance(a, str) or isinstance(b, str):
                return None
            try:
                return _checked(apply(a, b))
            except (ArithmeticError, ValueError):
                return None

        return run

    def _check_exponent(self, tree: ast.expr) -> None:
        inner = tree.operand if isinstance(tree, ast.UnaryOp) else tree
        if (
            isinstance(inner, ast.Constant)
            and isinstance(inner.value, int | float)
            and inner.value > MAX_EXPONENT
        ):
            raise _refuse(self.text, f"an exponent beyond {MAX_EXPONENT}")

    def _boolean(self, tree: ast.BoolOp) -> Node:
        parts = [self.operand(value) for value in tree.values]
        stop = isinstance(tree.op, ast.Or)

        def run(env: Environment) -> ParamValue:
            value: ParamValue = None
            for part in parts:
                value = part(env)
                if value is None or isinstance(value, str):
                    return None
                if bool(value) is stop:
                    return value
            return value

        return run

    def _compare(self, tree: ast.Compare) -> Node:
        first = self.node(tree.left)
        links: list[tuple[Callable[[ParamValue, ParamValue], bool | None], Node]] = []
        for op, right in zip(tree.ops, tree.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                if len(tree.ops) > 1:
                    raise _refuse(self.text, "`in` cannot be part of a chain")
                links.append((_member(self._items(right), isinstance(op, ast.In)), _always_true))
            elif type(op) in _COMPARISONS:
                links.append((_comparison(op), self.node(right)))
            else:
                raise _refuse(self.text, f"{type(op).__name__} is not allowed")

        def run(env: Environment) -> ParamValue:
            left = first(env)
            for test, right in links:
                operand = right(env)
                result = test(left, operand)
                if not result:
                    return result
                left = operand
            return True

        return run

    def _items(self, tree: ast.expr) -> tuple[ParamValue, ...]:
        if not isinstance(tree, ast.List):
            raise _refuse(self.text, "`in` needs a literal list, as in `x in [1, 2]`")
        return tuple(self.literal(item) for item in tree.elts)

    def _choice(self, tree: ast.IfExp) -> Node:
        condition, body, orelse = self.operand(tree.test), self.node(tree.body), self.node(tree.orelse)

        def run(env: Environment) -> ParamValue:
            chosen = condition(env)
            if chosen is None or isinstance(chosen, str):
                return None
            return body(env) if chosen else orelse(env)

        return run

    def _call(self, tree: ast.Call) -> Node:
        if not isinstance(tree.func, ast.Name) or tree.func.id not in _FUNCTIONS or tree.keywords:
            raise _refuse(self.text, "only the listed functions can be called, without keywords")
        function, fewest, most = _FUNCTIONS[tree.func.id]
        if not fewest <= len(tree.args) <= most:
            raise _refuse(self.text, f"{tree.func.id} takes another number of arguments")
        arguments = [self.operand(argument) for argument in tree.args]

        def run(env: Environment) -> ParamValue:
            values: list[Number] = []
            for argument in arguments:
                value = argument(env)
                if value is None or isinstance(value, str):
                    return None
                values.append(value)
            try:
                return _checked(function(*values))
            except (ArithmeticError, ValueError, TypeError):
                return None

        return run


def _checked(value: object) -> ParamValue:
    """A finite number or a bool, else null."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -MAX_INTEGER - 1 <= value <= MAX_INTEGER else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None


def _power(a: Number, b: Number) -> object:
    return None if abs(b) > MAX_EXPONENT else a**b


def _round(value: Number, digits: Number | None = None) -> object:
    if digits is None:
        return round(value)
    if not isinstance(digits, int) or abs(digits) > MAX_DIGITS:
        return None
    return round(value, digits)


def _always_true(env: Environment) -> ParamValue:
    return True


def _same(a: ParamValue, b: ParamValue) -> bool:
    return isinstance(a, str) == isinstance(b, str) and a == b


def _comparison(op: ast.cmpop) -> Callable[[ParamValue, ParamValue], bool | None]:
    apply = _COMPARISONS[type(op)]

    def test(a: ParamValue, b: ParamValue) -> bool | None:
        if a is None or b is None:
            return None
        if isinstance(op, ast.Eq | ast.NotEq):
            return _same(a, b) is isinstance(op, ast.Eq)
        return None if isinstance(a, str) != isinstance(b, str) else bool(apply(a, b))

    return test


def _member(items: tuple[ParamValue, ...], wanted: bool) -> Callable[[ParamValue, ParamValue], bool | None]:
    def test(value: ParamValue, _: ParamValue) -> bool | None:
        if value is None:
            return None
        return any(item is not None and _same(value, item) for item in items) is wanted

    return test


_ARITHMETIC: Final[dict[type[ast.operator], Callable[..., object]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_COMPARISONS: Final[dict[type[ast.cmpop], Callable[..., object]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: Final[dict[str, tuple[Callable[..., object], int, int]]] = {
    "abs": (abs, 1, 1),
    "min": (min, 2, 50),
    "max": (max, 2, 50),
    "round": (_round, 1, 2),
    "floor": (math.floor, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "log": (math.log, 1, 1),
    "exp": (math.exp, 1, 1),
    "sqrt": (math.sqrt, 1, 1),
}
