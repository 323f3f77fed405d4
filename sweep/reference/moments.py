"""Where a backtest stands: on a bar or tick, where orders fill, or at the close of a bar, where strategies decide."""

from __future__ import annotations

from dataclasses import dataclass

from sweep.reference.context import Bar


@dataclass(frozen=True, slots=True)
class Now:
    """A bar, or a tick as a bar whose four prices are its quote."""

    event: int
    """Number of the bar or tick."""
    bar: int
    """Index of the bar, for ticks of the one that is forming."""
    time: int
    """Label or tick time: what is recorded, and the moment of currency rates."""
    clock: int
    """Moment of what happens after the open: the end of the bar, or the time of the tick."""
    bid: Bar
    ask: Bar
    tick: bool = False
    first_of_bar: bool = True

    def entry_side(self, direction: int) -> Bar:
        """Prices at which a position of a direction is entered."""
        return self.ask if direction > 0 else self.bid

    def exit_side(self, direction: int) -> Bar:
        """Prices at which a position of a direction is left."""
        return self.bid if direction > 0 else self.ask


@dataclass(frozen=True, slots=True)
class Close:
    """The close of a bar."""

    bar: int
    event: int
    """Number of the bar, or of its last tick."""
    label: int
    time: int
    """What is recorded: the label, or the time of the last tick."""
    moment: int
    """End of the bar."""
    bid: float
    ask: float
    last: bool = False
    """Whether the symbol has no later bar."""
    tick: bool = False

    def entry_side(self, direction: int) -> float:
        """Price at which a position of a direction is entered."""
        return self.ask if direction > 0 else self.bid

    def exit_side(self, direction: int) -> float:
        """Price at which a position of a direction is left."""
        return self.bid if direction > 0 else self.ask
