"""A strategy's declaration as the search space reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    planned: frozenset[str] = frozenset()
    """Parameters that this version does not have yet; one that ends with * stands for all that begin so."""

    @staticmethod
    def read(form: Mapping[str, Any]) -> Declaration:
        """From the JSON form that `_core.strategies()` lists."""
        parameters = {entry["name"]: _parameter(entry) for entry in form["parameters"]}
        constraints = [
            Constraint(entry["expr"], entry.get("severity", "error"), entry.get("message", ""))
            for entry in form.get("constraints", ())
        ]
        derived = frozenset(entry["name"] for entry in form.get("derived", ()))
        planned = frozenset(form.get("planned", ()))
        return Declaration(form["id"], parameters, derived, tuple(constraints), planned)

    def is_planned(self, name: str) -> bool:
        """Whether a later version will have the parameter."""
        return any(
            name.startswith(planned[:-1]) if planned.endswith("*") else name == planned
            for planned in self.planned
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
