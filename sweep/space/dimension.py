"""One searched parameter: its values and how a number of [0, 1) becomes one of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from sweep.space.native import canonical_value
from sweep.space.values import Listed, Steps, Values, clamp, is_number
from sweep.types import ParamValue

DimensionKind = Literal["int", "float", "categorical"]
Coordinate = int | float
"""Grid index of a finite dimension, value of a continuous one."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """A searched parameter. Finite dimensions hold `values`; continuous ones only low and high."""

    name: str
    kind: DimensionKind
    values: Values | None
    low: float | int | None = None
    high: float | int | None = None
    log: bool = False
    """Draws are even in the logarithm; a list made by `points` is stepped and not log."""
    ordered: bool = True
    when: str | None = None
    """Condition of the configuration; the declared one holds besides."""
    declared_when: str | None = None
    inside: tuple[str, ...] = ()
    """Of a member of a family: the map that holds its value in canonical sets, and the keys within."""

    @property
    def size(self) -> int | None:
        """Number of values; None if continuous."""
        return None if self.values is None else self.values.size

    @property
    def conditional(self) -> bool:
        """Whether some parameter sets leave it inactive."""
        return self.when is not None or self.declared_when is not None

    def shown(self, params: Mapping[str, ParamValue]) -> Any:
        """Its value in a canonical set; MISSING where it is inactive."""
        return canonical_value(params, self.name, self.inside)

    def value(self, coordinate: Coordinate) -> ParamValue:
        """The parameter value at a coordinate."""
        if self.values is None:
            return float(coordinate)
        return self.values.value(int(coordinate))

    def column(self, coordinates: Sequence[Coordinate]) -> Sequence[ParamValue]:
        """The parameter values at many coordinates."""
        if self.values is None:
            return coordinates
        return self.values.column(coordinates)  # type: ignore[arg-type]  # finite coordinates are indices

    def coordinate(self, value: ParamValue) -> Coordinate | None:
        """Where `value` snaps to; None if it cannot (wrong type, not a choice)."""
        if self.values is not None:
            return self.values.nearest(value)
        if not is_number(value):
            return None
        low, high = self._bounds()
        return min(max(float(value), low), high)

    def from_unit(self, u: float) -> Coordinate:
        """Coordinate of u in [0, 1): even over the list, the range, or the logarithm of the range."""
        return self.from_units(np.array([u]))[0]

    def from_units(self, u: NDArray[np.float64]) -> list[Coordinate]:
        """Coordinates of many u. Powers are the C library's, one by one: those of numpy depend on the processor."""
        if self.values is not None and not self.log:
            size = self.values.size
            index = np.minimum((u * size).astype(np.int64), size - 1)
            return cast("list[Coordinate]", index.tolist())
        low, high = self._bounds()
        if self.values is not None:
            a, b = low - 0.5, high + 0.5
            return [
                clamp(math.floor(a * (b / a) ** x + 0.5) - int(low), self.values.size) for x in u.tolist()
            ]
        if self.log:
            ratio = high / low
            raised = [low * ratio**x for x in u.tolist()]
            return cast("list[Coordinate]", np.clip(raised, low, high).tolist())
        return cast("list[Coordinate]", np.clip(low + u * (high - low), low, high).tolist())

    def _bounds(self) -> tuple[float, float]:
        assert self.low is not None
        assert self.high is not None
        return float(self.low), float(self.high)

    def to_dict(self) -> dict[str, object]:
        """JSON form with the keys of the configuration: low, high, step, log, choices."""
        form: dict[str, object] = {"name": self.name, "type": self.kind}
        if isinstance(self.values, Listed):
            form |= {"choices": list(self.values.items), "ordered": self.ordered}
        else:
            form |= {"low": self.low, "high": self.high, "log": self.log}
            if isinstance(self.values, Steps) and not self.log:
                form["step"] = self.values.step
        return form | {"when": self.when, "declared_when": self.declared_when}

    def describe(self) -> str:
        """Values in one short phrase, for the print before the run."""
        if isinstance(self.values, Listed):
            items = [_text(item) for item in self.values.items]
            shown = items if len(items) <= 8 else [*items[:4], "…", items[-1]]
            return ", ".join(shown)
        text = f"{_text(self.low)} … {_text(self.high)}"
        if self.log:
            return f"{text} log"
        if isinstance(self.values, Steps):
            return f"{text} step {_text(self.values.step)}"
        return text


def _text(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
