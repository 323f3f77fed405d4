"""Entry gates: what besides slots keeps a strategy from being asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweep.reference.market import SymbolSpec

Event = tuple[int, int]
"""Moment (us) and bar index of an exit or an order."""


class Gates:
    """The configured gates of one symbol, in their order."""

    def __init__(self, cooldown_bars: int) -> None:
        self._bars = cooldown_bars
        self.names: tuple[str, ...] = ("cooldown",) if cooldown_bars > 0 else ()

    @classmethod
    def of(cls, gates: Mapping[str, Any] | None, spec: SymbolSpec, cooldown_bars: int = 0) -> Gates:
        """From the section `gates` of a config; `cooldown_bars` is the strategy's own."""
        return cls(cooldown_bars)

    def blocking(
        self, moment: int, bar: int, last_exit: Event | None, last_signal: Event | None
    ) -> str | None:
        """The first closed gate at the close of a bar, or None."""
        if last_exit is not None and bar - last_exit[1] < self._bars:
            return "cooldown"
        return None
