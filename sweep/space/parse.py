"""One entry of `search.space`, or one declared range, becomes a dimension or a pin; mistakes are collected."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sweep.space.declaration import Parameter
from sweep.space.dimension import Dimension
from sweep.space.problems import Problems, suggestion
from sweep.space.values import Listed, Steps, Values, count_text, is_number, points, same
from sweep.types import ParamValue

_SYNONYMS: Final = {"min": "low", "max": "high", "values": "choices"}
_KEYS: Final = ("type", "low", "high", "step", "log", "points", "choices", "ordered", "when", "value")
_NUMERIC_KEYS: Final = frozenset({"low", "high", "step", "log", "points"})
_TYPES: Final = ("int", "float", "categorical", "bool")
MAX_POINTS: Final = 1_000_000
MAX_SIZE: Final = 2**53


@dataclass(frozen=True, slots=True)
class Pin:
    """A parameter fixed to one value."""

    value: Any


class EntryParser:
    """Checks one entry; every mistake goes to `problems` with the path of its key."""

    def __init__(self, parameter: Parameter, path: str, problems: Problems) -> None:
        self.parameter = parameter
        self.path = path
        self.problems = problems
        self._mistakes = len(problems.found)

    def parse(self, entry: object) -> Dimension | Pin | None:
        """The dimension or pin that `entry` describes; None if it is wrong."""
        if isinstance(entry, list | tuple):
            entry = {"type": "categorical", "choices": list(entry)}
        if not isinstance(entry, Mapping):
            return Pin(entry)
        keys = self._keys(entry)
        if "value" in keys:
            extra = sorted(set(keys) - {"value", "type"})
            if extra:
                self._bad(
                    1001, f"value with {', '.join(extra)}", "a pinned parameter has a value only", key="value"
                )
            return None if self._failed() else Pin(keys["value"])
        if self.parameter.type == "map":
            self._bad(1004, "a map is not searched", "pin it in strategy.params, and search its flat names")
            return None
        kind = self._type(keys)
        if self._failed() or kind is None:
            return None
        made = self._categorical(keys, kind) if kind in ("categorical", "bool") else self._numeric(keys, kind)
        return None if self._failed() else made

    def _failed(self) -> bool:
        return len(self.problems.found) > self._mistakes

    def _bad(self, code: int, what: str, remedy: str, *, key: str | None = None) -> None:
        path = f"{self.path}.{key}" if key else self.path
        self.problems.add(
            code, self.parameter.name, f"{self.parameter.name}: {what}", path=path, remedy=remedy
        )

    def _keys(self, entry: Mapping[Any, Any]) -> dict[str, Any]:
        """The keys in the long spelling; null is the default of a key, save of `value`."""
        keys: dict[str, Any] = {}
        for spelled, value in entry.items():
            key = _SYNONYMS.get(spelled, spelled)
            if key == "distribution":
                self._distribution(value, keys)
            elif key not in _KEYS:
                remedy = suggestion(str(spelled), [*_KEYS, *_SYNONYMS])
                self._bad(1001, f"unknown key {spelled}", remedy, key=str(spelled))
            elif key in keys:
                other = next(short for short, long in _SYNONYMS.items() if long == key)
                self._bad(1001, f"{key} and {other} together", f"keep one of {key} and {other}", key=spelled)
            elif value is not None or key == "value":
                keys[key] = value
        if not isinstance(keys.get("when", ""), str):
            self._bad(
                1004, "when is not an expression", 'write it as text, as in when: "scenario == 5"', key="when"
            )
        return keys

    def _distribution(self, name: Any, keys: dict[str, Any]) -> None:
        """The names of W&B for a type; its log_uniform is refused, because its bounds are exponents."""
        declared = self.parameter.type if self.parameter.type in ("int", "float") else "float"
        known: dict[str, dict[str, Any]] = {
            "uniform": {"type": "float"},
            "int_uniform": {"type": "int"},
            "q_uniform": {"type": declared},
            "log_uniform_values": {"type": declared, "log": True},
            "categorical": {"type": "categorical"},
        }
        if name in known:
            keys.update(known[name])
            return
        remedy = "write low and high as values, with log: true for a logarithmic range"
        exponents = "; the bounds of log_uniform are exponents" if name == "log_uniform" else ""
        self._bad(1001, f"distribution {name} is not accepted{exponents}", remedy, key="distribution")

    def _type(self, keys: Mapping[str, Any]) -> str | None:
        declared = self.parameter.type
        kind = keys.get("type")
        if kind is None:
            numeric = declared in ("int", "float") and "choices" not in keys
            kind = declared if numeric or (declared == "bool" and "choices" not in keys) else "categorical"
        if kind not in _TYPES:
            self._bad(1001, f"unknown type {kind}", suggestion(str(kind), _TYPES), key="type")
            return None
        allowed = {"int": ("int", "float"), "float": ("float",), "bool": ("bool",)}.get(kind)
        if allowed and declared not in allowed:
            self._bad(
                1004,
                f"type {kind}, but the strategy declares {declared}",
                f"use type: {declared}",
                key="type",
            )
        unwanted = {
            "int": {"choices", "ordered"},
            "float": {"choices", "ordered"},
            "categorical": _NUMERIC_KEYS,
        }
        for key in sorted(unwanted.get(kind, _NUMERIC_KEYS | {"choices", "ordered"}) & set(keys)):
            self._bad(1001, f"{key} does not belong to type {kind}", f"remove {key}", key=key)
        return str(kind)

    def _categorical(self, keys: Mapping[str, Any], kind: str) -> Dimension | None:
        choices = [False, True] if kind == "bool" else keys.get("choices")
        if choices is None:
            self._bad(1008, "choices are missing", "list them, as in choices: [ema, sma]")
            return None
        if not isinstance(choices, list | tuple) or not choices:
            self._bad(
                1010,
                "choices are empty" if choices in ([], ()) else "choices are no list",
                "list at least one value",
                key="choices",
            )
            return None
        items: list[ParamValue] = []
        for choice in choices:
            value = str(choice) if self.parameter.type == "set" and is_number(choice) else choice
            if not (value is None or isinstance(value, str | bool) or is_number(value)):
                remedy = "use texts, finite numbers, true, false or null; members of a set joined by +"
                self._bad(1004, f"choice {choice!r} is no scalar", remedy, key="choices")
            elif any(same(value, item) for item in items):
                self._bad(1001, f"choice {choice!r} is repeated", "list every value once", key="choices")
            else:
                items.append(value)
                self._in_domain(value, "choices")
        ordered = keys.get("ordered", kind != "bool" and _increasing(items))
        if not isinstance(ordered, bool):
            self._bad(
                1004, "ordered is not true or false", "write ordered: true or ordered: false", key="ordered"
            )
            return None
        return Dimension(
            name=self.parameter.name,
            kind="categorical",
            values=Listed(tuple(items), numeric=ordered and _increasing(items)),
            ordered=ordered,
            when=keys.get("when"),
            declared_when=self.parameter.when,
            inside=self.parameter.inside,
        )

    def _numeric(self, keys: Mapping[str, Any], kind: str) -> Dimension | None:
        log = keys.get("log", False)
        if not isinstance(log, bool):
            self._bad(1004, "log is not true or false", "write log: true or log: false", key="log")
        self._check_numbers(keys, kind)
        if self._failed():
            return None
        self._check_range(keys, bool(log))
        if self._failed():
            return None
        low, high, integer = keys["low"], keys["high"], kind == "int"
        values: Values | None = None
        if "points" in keys:
            made = points(low, high, keys["points"], log=bool(log), integer=integer)
            values, log = Listed(made, numeric=True), False
        elif integer or "step" in keys:
            values = Steps.between(low, high, keys.get("step", 1), integer=integer)
        if values is not None and values.size > MAX_SIZE:
            self._bad(
                1003,
                f"{count_text(values.size)} values",
                f"give a larger step: at most {count_text(MAX_SIZE)} values",
                key="step",
            )
        return Dimension(
            name=self.parameter.name,
            kind="int" if integer else "float",
            values=values,
            low=low,
            high=high,
            log=bool(log),
            when=keys.get("when"),
            declared_when=self.parameter.when,
            inside=self.parameter.inside,
        )

    def _check_numbers(self, keys: Mapping[str, Any], kind: str) -> None:
        for key in ("low", "high"):
            if key not in keys:
                self._bad(1008, f"{key} is missing", f"give {key}, or choices, or a value to pin it")
        for key in ("low", "high", "step", "points"):
            if key not in keys:
                continue
            value = keys[key]
            whole = kind == "int" or key == "points"
            if not is_number(value):
                self._bad(
                    1004, f"{key} is {value!r}, not a finite number", f"write a number after {key}:", key=key
                )
            elif whole and not (isinstance(value, int) and abs(value) < 2**53):
                self._bad(
                    1004, f"{key} is {value!r}, not an integer", f"write an integer after {key}:", key=key
                )

    def _check_range(self, keys: Mapping[str, Any], log: bool) -> None:
        low, high = keys["low"], keys["high"]
        for rival in ("log", "points") if "step" in keys else ():
            if keys.get(rival):
                self._bad(1001, f"step with {rival}", f"keep step or {rival}", key="step")
        if low > high:
            self._bad(1003, f"low {low} is above high {high}", "swap low and high", key="low")
        if log and low <= 0:
            self._bad(1003, f"log with low {low}", "give a low above 0, or remove log", key="low")
        if "step" in keys and keys["step"] <= 0:
            self._bad(1003, f"step {keys['step']} is not above 0", "give a positive step", key="step")
        if "points" in keys and not 2 <= keys["points"] <= MAX_POINTS:
            self._bad(1003, f"points {keys['points']}", f"give 2 to {MAX_POINTS} points", key="points")
        self._in_domain(low, "low")
        self._in_domain(high, "high")

    def _in_domain(self, value: ParamValue, key: str) -> None:
        limit = self.parameter.outside(value)
        if limit:
            self._bad(1003, f"{value} is outside the valid domain {limit}", f"keep it {limit}", key=key)


def _increasing(items: list[ParamValue]) -> bool:
    """Whether these are strictly increasing numbers; a single value has no order to speak of."""
    numbers = [item for item in items if is_number(item)]
    return len(numbers) == len(items) > 1 and all(a < b for a, b in itertools.pairwise(numbers))
