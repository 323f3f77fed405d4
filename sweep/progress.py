"""What a running study shows: a bar on a terminal, plain lines elsewhere. Never more often than anyone can read."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TextIO

from sweep.terminal import printable

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

BAR_SECONDS: Final = 0.2
LINE_SECONDS: Final = 10.0
_RATE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class State:
    """A study at one moment."""

    done: int
    """Trials with a final result in this study, committed or about to be."""
    total: int | None
    """Requested trials; None = until the sampler is exhausted."""
    best: float | None
    """Best feasible value; None if there is none, or several objectives."""
    best_number: int | None
    objective: str
    failed: int
    """Trials that FAILED, infeasible results included."""
    open_batches: int
    front: int = 0
    """Feasible trials that no other dominates; of one objective at most 1."""


class Reporter(Protocol):
    """Receives the state of a running study."""

    def update(self, state: State) -> None:
        """Called after every step of the pipeline; cheap."""
        ...

    def note(self, text: str) -> None:
        """A message for the user."""
        ...


class Silent:
    """Shows nothing."""

    def update(self, state: State) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


@dataclass(slots=True)
class Rate:
    """Trials per second over the last half minute."""

    _points: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, at: float, done: int) -> None:
        """Note how many were done at a monotonic time."""
        self._points.append((at, done))
        while len(self._points) > 2 and at - self._points[0][0] > _RATE_SECONDS:
            self._points.popleft()

    @property
    def value(self) -> float | None:
        """Trials per second; None before two points."""
        if len(self._points) < 2:
            return None
        (begin, first), (end, last) = self._points[0], self._points[-1]
        return (last - first) / (end - begin) if end > begin else None


class Lines:
    """One plain line every ten seconds, for logs and pipes.

    Args:
        stream: where lines go; standard error by default, so that standard output stays for machines.
        clock: monotonic seconds.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._clock = clock
        self._rate = Rate()
        self._shown_at = clock()
        self._last: State | None = None
        self._shown: State | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last is not None and self._last is not self._shown:
            self._show(self._last)

    def update(self, state: State) -> None:
        """Show the state if the last line is old enough."""
        now = self._clock()
        self._rate.add(now, state.done)
        self._last = state
        if now - self._shown_at >= LINE_SECONDS:
            self._shown_at = now
            self._show(state)

    def note(self, text: str) -> None:
        """A message, at once."""
        print(printable(text), file=self._stream, flush=True)

    def _show(self, state: State) -> None:
        self._shown = state
        print(describe(state, self._rate.value), file=self._stream, flush=True)


class Bar:
    """A rich progress bar with rate, best value, failures and time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar: RichProgress = Progress(
            TextColumn("[bold]trials"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            refresh_per_second=5,
            auto_refresh=False,
        )
        self._task: Any = None
        self._rate = Rate()
        self._drawn_at = 0.0
        self._last: State | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last is not None:
            self._draw(self._last)
        self._bar.stop()

    def update(self, state: State) -> None:
        """Redraw if the last drawing is old enough."""
        now = time.monotonic()
        self._rate.add(now, state.done)
        self._last = state
        if now - self._drawn_at >= BAR_SECONDS:
            self._drawn_at = now
            self._draw(state)

    def note(self, text: str) -> None:
        """A message above the bar."""
        self._bar.console.print(printable(text), markup=False, highlight=False)

    def _draw(self, state: State) -> None:
        if self._task is None:
            self._task = self._bar.add_task("trials", total=state.total, text="")
        self._bar.update(
            self._task, completed=state.done, total=state.total, text=_figures(state, self._rate.value)
        )
        self._bar.refresh()


def terminal_reporter(*, plain: bool = False) -> Bar | Lines:
    """A bar where standard error is a terminal, else lines; `plain` forces lines."""
    return Lines() if plain or not sys.stderr.isatty() else Bar()


def describe(state: State, rate: float | None) -> str:
    """One line: done, rate, best, failures, time left."""
    total = "" if state.total is None else f"/{state.total}"
    return f"{state.done}{total} trials  {_figures(state, rate)}"


def _figures(state: State, rate: float | None) -> str:
    parts = [f"{rate:.0f}/s" if rate is not None and rate >= 10 else f"{rate:.2g}/s" if rate else "-/s"]
    if state.best is not None:
        parts.append(f"best {state.objective} {state.best:.6g} (#{state.best_number})")
    elif state.front:
        parts.append(f"{state.front} non-dominated by {state.objective}")
    else:
        parts.append("no feasible trial yet")
    parts.append(f"failed {state.failed}")
    if rate and state.total is not None:
        parts.append(f"{_duration((state.total - state.done) / rate)} left")
    return "  ".join(parts)


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
