"""The contract of a projection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sweep.ledger import Ledger


class Tracker(Protocol):
    """Shows a ledger somewhere else.

    `project` is idempotent: it compares what the ledger holds with what is shown and writes the difference, so it can
    be called at any moment, twice, or after the target was deleted. It only reads the ledger. What it cannot reach is
    a SweepError; the caller decides whether that is a warning.
    """

    @property
    def name(self) -> str:
        """Name of the projection in messages."""
        ...

    def project(self, ledger: Ledger, *, final: bool) -> None:
        """Bring the projection up to date; `final`: the study has ended, and what artifacts it has are shown too.

        Raises:
            SweepError: [3005] if the target cannot be reached, [3000] [3007] for files.
        """
        ...
