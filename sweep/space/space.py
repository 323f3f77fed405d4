"""The search space of one study: what is searched, what is pinned, and which parameter sets are valid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any, Final

from sweep.errors import error
from sweep.expressions import Expression
from sweep.space.cardinality import Cardinality, measure
from sweep.space.declaration import Declaration
from sweep.space.dimension import Coordinate, Dimension
from sweep.space.draws import Point
from sweep.space.evaluate import Candidate, Evaluation, Evaluator
from sweep.space.knowledge import Carrier, Knowledge
from sweep.space.native import MISSING, Canonicalise
from sweep.space.problems import Locate, suggestion
from sweep.types import ParamValue

_REMEMBERED: Final = 4_096
"""Values per dimension whose coordinates are remembered."""


@dataclass(frozen=True)
class Space:
    """Dimensions in the strategy's declaration order, pins, and the rules that refuse parameter sets."""

    evaluator: Evaluator
    knowledge: Knowledge
    others: str
    seed: int
    notes: tuple[str, ...]
    """What the user should know before the run."""

    @staticmethod
    def build(
        *,
        declaration: Mapping[str, Any],
        timeframe: str,
        pinned: Mapping[str, Any],
        space: Mapping[str, Any],
        where: Sequence[str] = (),
        others: str = "search",
        seed: int = 42,
        canonicalise: Canonicalise | None = None,
        locate: Locate | None = None,
        measured: bool = True,
    ) -> Space:
        """Builds and checks a space.

        Args:
            declaration: an element of `_core.strategies()`.
            timeframe: the primary timeframe; derived names depend on it.
            pinned: `strategy.params`.
            space: `search.space`, parameter → range, choices, pin.
            where: conditions on parameters and derived names.
            others: `search` or `default`, for declared ranges that are not listed.
            seed: the study seed; the estimate of the valid share uses its `random` stream.
            canonicalise: `_core.canonical_rows` by default.
            locate: turns the path of a key into a file and line for messages.
            measured: also count the valid points, so that an empty space is refused here.

        Raises:
            SweepError: [1001] [1003] [1004] [1006] [1008] [1010]; all mistakes found are in one error, in
                `.context["problems"]` one by one.
        """
        from sweep.space.build import build

        made = build(
            declaration=Declaration.read(declaration),
            timeframe=timeframe,
            pinned=pinned,
            space=space,
            where=where,
            others=others,
            seed=seed,
            canonicalise=canonicalise,
            locate=locate,
        )
        if measured:
            _ = made.measured
        return made

    @property
    def declaration(self) -> Declaration:
        """The strategy's declaration."""
        return self.evaluator.declaration

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """Searched parameters in declaration order."""
        return self.evaluator.dimensions

    @property
    def pinned(self) -> Mapping[str, Any]:
        """Parameters fixed by the configuration, as given; searched ones with a single value count among them."""
        return self.evaluator.pinned

    @property
    def where(self) -> tuple[Expression, ...]:
        """The configuration's own constraints on parameters."""
        return self.evaluator.where

    @cached_property
    def cardinality(self) -> int | None:
        """Product of the lengths; None if a dimension is continuous."""
        sizes = [dimension.size for dimension in self.dimensions]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Lengths of the dimensions of a finite space."""
        return tuple(dimension.size or 0 for dimension in self.dimensions)

    @cached_property
    def measured(self) -> Cardinality:
        """Counts or estimates the valid points; raises [1006] if there are none."""
        return measure(self)

    @property
    def conditional(self) -> bool:
        """Whether some dimension is inactive in some parameter sets."""
        return any(dimension.conditional for dimension in self.dimensions)

    def evaluate(self, points: Sequence[Point], *, unique: bool = False) -> list[Evaluation]:
        """Evaluations of points; see `Evaluator.evaluate`."""
        return self.evaluator.evaluate(points, unique=unique)

    def accept(self, raws: Sequence[Mapping[str, ParamValue]]) -> list[Candidate | None]:
        """Snaps, completes and checks parameter sets given as values; None = violates a constraint."""
        points = [self.snap(raw) for raw in raws]
        return [evaluation.candidate for evaluation in self.evaluate(points)]

    def snap(self, raw: Mapping[str, Any], *, where: str = "search.start_points") -> Point:
        """Coordinates of a set of values; dimensions that are not given take their default, snapped.

        Raises:
            SweepError: [1001] for an unknown name or a value that is no choice, [1006] for a pinned parameter with
                another value.
        """
        for name, value in raw.items():
            if name not in self.declaration.parameters:
                raise error(
                    1001,
                    f"unknown parameter {name}",
                    where=where,
                    remedy=suggestion(name, self.declaration.parameters),
                )
            if name not in self._names and self._fixed(name) != value:
                raise error(
                    1006,
                    f"{name} is not searched, its value is {self._fixed(name)!r}",
                    where=where,
                    remedy=f"remove {name} there, or search it",
                )
        return tuple(self._coordinate(dimension, raw, where) for dimension in self.dimensions)

    def decode(self, params_list: Sequence[Mapping[str, ParamValue]]) -> list[dict[str, Coordinate]]:
        """Coordinates of the active dimensions of canonical parameter sets: the way back from `Candidate.params`."""
        decoded = [self._decode(params) for params in params_list]
        if any(self.evaluator.levels) and decoded:
            blank = [(dimension.name, dimension.from_unit(0.0)) for dimension in self.dimensions]
            points = [tuple(found.get(name, zero) for name, zero in blank) for found in decoded]
            for found, evaluation in zip(decoded, self.evaluate(points), strict=True):
                for i in evaluation.inactive:  # by conditions of the configuration too
                    found.pop(self.dimensions[i].name, None)
        return decoded

    def describe(self) -> str:
        """The print before the run: what is searched over which values, what is pinned, how large it is."""
        from sweep.space.describe import describe

        return describe(self)

    def brief(self) -> list[str]:
        """The same in a few lines."""
        from sweep.space.describe import brief

        return brief(self)

    def to_dict(self) -> dict[str, Any]:
        """JSON form; enters the study's snapshot."""
        return {
            "strategy": self.declaration.strategy,
            "timeframe": self.evaluator.native.timeframe,
            "dimensions": [dimension.to_dict() for dimension in self.dimensions],
            "pinned": dict(self.pinned),
            "where": [condition.text for condition in self.where],
            "others": self.others,
        }

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(dimension.name for dimension in self.dimensions)

    def _fixed(self, name: str) -> Any:
        return self.pinned.get(name, self.declaration.parameters[name].default)

    def _coordinate(self, dimension: Dimension, raw: Mapping[str, Any], where: str) -> Coordinate:
        given = dimension.name in raw
        value = raw[dimension.name] if given else self.declaration.parameters[dimension.name].default
        coordinate = dimension.coordinate(value)
        if coordinate is None and given:
            raise error(
                1001,
                f"{dimension.name}: {value!r} is none of the searched values",
                where=where,
                remedy=f"use one of {dimension.describe()}",
            )
        return dimension.from_unit(0.0) if coordinate is None else coordinate

    def _decode(self, params: Mapping[str, ParamValue]) -> dict[str, Coordinate]:
        found: dict[str, Coordinate] = {}
        for dimension, carrier, seen in self._decoders:
            coordinate: Coordinate | None = None
            if carrier is not None and carrier.name in params:
                coordinate = carrier.coordinates.get(params[carrier.name])
            held = dimension.shown(params) if dimension.inside else params.get(dimension.name, MISSING)
            if coordinate is None and held is not MISSING:
                coordinate = seen(held.__class__, held)
            if coordinate is not None:
                found[dimension.name] = coordinate
        return found

    @cached_property
    def _decoders(
        self,
    ) -> tuple[tuple[Dimension, Carrier | None, Callable[[type, Any], Coordinate | None]], ...]:
        """Of each dimension what may carry its value, and `coordinate` with a memory: decimals are slow.

        The memory tells 1, 1.0 and true apart.
        """
        return tuple(
            (d, self.knowledge.carriers.get(d.name), lru_cache(_REMEMBERED)(partial(_coordinate, d)))
            for d in self.dimensions
        )


def _coordinate(dimension: Dimension, _: type, value: ParamValue) -> Coordinate | None:
    return dimension.coordinate(value)
