"""How many lots a fill gets."""

from __future__ import annotations

from dataclasses import dataclass

from sweep.reference.market import SymbolSpec
from sweep.reference.numeric import floor, round8
from sweep.reference.options import Options
from sweep.reference.valuation import Valuation


@dataclass(frozen=True, slots=True)
class Lots:
    """A size on the volume grid, and whether the limits of the symbol changed it."""

    lots: float
    raised: bool = False
    capped: bool = False


def on_grid(raw: float, spec: SymbolSpec, *, raise_to_min: bool) -> Lots | None:
    """Raw lots on the grid that starts at volume_min; None if they are below it and are not raised."""
    if raw + 1e-12 < spec.volume_min:
        return Lots(round8(spec.volume_min), raised=True) if raise_to_min else None
    steps = floor((raw - spec.volume_min + 1e-12) / spec.volume_step)
    lots = spec.volume_min + steps * spec.volume_step
    if lots > spec.volume_max:
        return Lots(round8(spec.volume_max), capped=True)
    return Lots(round8(lots))


@dataclass(frozen=True, slots=True)
class Sized:
    """Size of a fill and the risk amount that it carries."""

    size: Lots
    risk: float


class Sizing:
    """Sizes of one backtest."""

    def __init__(self, options: Options, spec: SymbolSpec, valuation: Valuation) -> None:
        self._options = options
        self._spec = spec
        self._valuation = valuation

    def size(self, distance: float, own: float | None, equity: float, moment: int) -> Sized | None:
        """Size of a fill with a stop `distance` away at a moment (us); `own` lots of the signal override the mode.

        `equity` is the last equity sample. None if the size is below the smallest volume and is not raised.
        """
        mode, number = self._options.sizing_mode, self._options.sizing_number
        fixed = own if own is not None else number if mode == "fixed_lots" else None
        raise_to_min = self._options.below_min_volume == "raise_to_min"
        if fixed is not None:
            size = on_grid(fixed, self._spec, raise_to_min=raise_to_min)
            if size is None:
                return None
            return Sized(size, self._valuation.risk_of(size.lots, distance, moment))
        risk = number / 100 * equity if mode == "risk_percent" else self._options.risk_per_trade
        raw = self._valuation.lots_for(risk, distance, moment)
        size = on_grid(raw, self._spec, raise_to_min=raise_to_min)
        return None if size is None else Sized(size, risk)
