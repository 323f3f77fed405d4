"""A strategy's declaration as the search space reads it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sweep.space.values import exact, is_number
from sweep.types import ParamValue


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter."""

    name: str
    type: str
    optional: bool
    default: Any
    low: float | int | None
    high: float | int | None
    low_open: bool
    high_open: bool
    ranges: tuple[Mapping[str, Any], ...]
    when: str | None
    inside: tuple[str, ...] = ()
    """Of a member of a family: the map that holds its value in canonical sets, and the keys within."""

    def outside(self, value: ParamValue) -> str | None:
        """The limit that a number breaks, as `>= 2`; None if it lies in the domain."""
        if not is_number(value):
            return None
        number = exact(value)
        if self.low is not None and (
            number < exact(self.low) or (self.low_open and number == exact(self.low))
        ):
            return f"{'>' if self.low_open else '>='} {self.low}"
        if self.high is not None and (
            number > exact(self.high) or (self.high_open and number == exact(self.high))
        ):
            return f"{'<' if self.high_open else '<='} {self.high}"
        return None


@dataclass(frozen=True, slots=True)
class Constraint:
    """A condition that the strategy itself sets on its parameters."""

    expr: str
    severity: str
    message: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """Parameters, derived names and constraints of one strategy."""

    strategy: str
    parameters: Mapping[str, Parameter]
    derived: frozenset[str]
    constraints: tuple[Constraint, ...]
    families: tuple[Mapping[str, Any], ...] = ()
    """Parameters whose names are made of parts; `with_members` declares those that are used."""
    ratios: tuple[tuple[str, str], ...] = ()
    """Pairs of parameters of which only the ratio matters."""

    @staticmethod
    def read(form: Mapping[str, Any]) -> Declaration:
        """From the JSON form that `_core.strategies()` lists."""
        parameters = {entry["name"]: _parameter(entry) for entry in form["parameters"]}
        constraints = [
            Constraint(entry["expr"], entry.get("severity", "error"), entry.get("message", ""))
            for entry in form.get("constraints", ())
        ]
        derived = frozenset(entry["name"] for entry in form.get("derived", ()))
        ratios = tuple((first, second) for first, second in form.get("ratios", ()))
        families = tuple(form.get("families", ()))
        return Declaration(form["id"], parameters, derived, tuple(constraints), families, ratios)

    def with_members(self, names: Iterable[str], timeframe: str) -> Declaration:
        """The declaration with those of `names` that are members of a family, after the parameters, in the families' order.

        In the place of the part PRIMARY the canonical set has the name of the primary timeframe.
        """
        wanted = {name for name in names if name not in self.parameters}
        if not wanted or not self.families:
            return self
        members = {m.name: m for m in self._members(timeframe) if m.name in wanted}
        return replace(self, parameters={**self.parameters, **members})

    @property
    def family_names(self) -> list[str]:
        """Names of all members of families."""
        return [member.name for member in self._members("PRIMARY")]

    def _members(self, timeframe: str) -> Iterator[Parameter]:
        for family in self.families:
            common = _parameter(family)
            names = [part["name"] for part in family["parts"]]
            for texts in itertools.product(*(part["texts"] for part in family["parts"])):
                parts = dict(zip(names, texts, strict=True))
                stored = {name: timeframe if text == "PRIMARY" else text for name, text in parts.items()}
                yield replace(
                    common,
                    name=common.name.format(**parts),
                    inside=tuple(key.format(**stored) for key in family["inside"]),
                )

    @property
    def names(self) -> frozenset[str]:
        """Everything an expression on parameters may read."""
        return frozenset(self.parameters) | self.derived


def _parameter(entry: Mapping[str, Any]) -> Parameter:
    domain = entry.get("domain") or {}
    return Parameter(
        name=entry["name"],
        type=entry["type"],
        optional=bool(entry.get("optional")),
        default=entry.get("default"),
        low=domain.get("low"),
        high=domain.get("high"),
        low_open=bool(domain.get("low_open")),
        high_open=bool(domain.get("high_open")),
        ranges=tuple(entry.get("ranges") or ()),
        when=entry.get("when"),
    )
