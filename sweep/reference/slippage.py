"""Slippage: fixed plus random pips, always against the order."""

from __future__ import annotations

import hashlib
import struct
from collections import Counter

from sweep.reference.options import Slippage as Pips
from sweep.reference.rng import first_uniform


def draw_seed(seed: int, symbol: str, time: int, buy: bool, index: int) -> int:
    """Seed of one draw: it depends on the fill alone, never on what was drawn before."""
    name = symbol.encode()
    text = b"sweep.slippage.v1\n" + struct.pack("<QI", seed, len(name)) + name
    text += struct.pack("<qBI", time, 0 if buy else 1, index)
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "little")


class Slippage:
    """Moves the price of market and stop executions of one backtest."""

    def __init__(self, pips: Pips, multiplier: float, *, seed: int, symbol: str, pip_size: float) -> None:
        self._fixed = pips.fixed_pips * multiplier
        self._random = pips.random_pips * multiplier
        self._seed = seed
        self._symbol = symbol
        self._pip_size = pip_size
        self._draws: Counter[tuple[int, bool]] = Counter()

    def slip(self, price: float, *, buy: bool, time: int) -> float:
        """The price after slippage of an order that buys or sells at the recorded time."""
        pips = self._fixed
        if self._random > 0:
            index = self._draws[time, buy]
            self._draws[time, buy] += 1
            pips += first_uniform(draw_seed(self._seed, self._symbol, time, buy, index)) * self._random
        return price + pips * self._pip_size if buy else price - pips * self._pip_size
