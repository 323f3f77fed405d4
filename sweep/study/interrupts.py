"""Ctrl-C and SIGTERM: the first asks the study to stop cleanly, the second ends the process at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final, Self

EXIT_CODE: Final = 130
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """A study was stopped by the user; what ended is committed or spooled, and it can be resumed."""

    def __init__(self, study: str, done: int) -> None:
        self.study = study
        self.done = done
        super().__init__(f"stopped after {done} trials; go on with: sweep resume {study}")


class Interrupts:
    """Catches both signals while it is entered, in the main thread only; elsewhere it never fires.

    Enter it after `ray.init`, which installs a SIGTERM handler of its own.
    """

    def __init__(self, note: Callable[[str], None] = lambda text: None) -> None:
        self._note = note
        self._before: dict[signal.Signals, Any] = {}
        self.requested = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            os._exit(EXIT_CODE)
        self.requested = True
        self._note("stopping: waiting up to 10 s for the trials in flight (again: stop at once)")
