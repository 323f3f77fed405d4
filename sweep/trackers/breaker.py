"""Circuit breaker: after a failure nothing is tried until a pause has passed, and the pauses grow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Breaker:
    """Pauses of `first`, 2·`first`, … up to `longest` seconds after one, two, … failures in a row."""

    def __init__(
        self, *, first: float = 1.0, longest: float = 300.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._first = first
        self._longest = longest
        self._clock = clock
        self._until = 0.0
        self.failures = 0

    @property
    def closed(self) -> bool:
        """Whether an attempt may be made now."""
        return self.failures == 0 or self._clock() >= self._until

    def failed(self) -> float:
        """Note a failure; seconds until the next attempt is allowed."""
        pause = min(self._first * 2.0**self.failures, self._longest)
        self.failures += 1
        self._until = self._clock() + pause
        return pause

    def succeeded(self) -> None:
        """Note a success: no pause."""
        self.failures = 0
