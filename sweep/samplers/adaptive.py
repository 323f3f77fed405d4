"""What surrounds every adaptive sampler: start points, blind start-up, whole batches, fallback."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from itertools import islice
from typing import Final, Protocol

from sweep.samplers.base import FALLBACK, SAMPLER, STARTUP, Settings, View
from sweep.samplers.enumerated import Both, as_set, leading
from sweep.samplers.sobol import SobolStream
from sweep.samplers.start_points import start_points
from sweep.samplers.stream import Stream, random_stream, take
from sweep.samplers.told import usable
from sweep.seeds import seed as derive
from sweep.space import Candidate
from sweep.types import Proposal, Trial

RETRIES: Final = 16
"""How often a model is asked again for an invalid or repeated parameter set."""


class Model(Protocol):
    """The part that learns: asked for the rest of one batch at a time, made anew for each."""

    def ask(
        self, batch_seed: int, count: int, view: View, pending: Sequence[Candidate], known: Set[str]
    ) -> list[Candidate | None]:
        """`count` valid candidates with keys new to `known`, `pending` and one another; None where none was found.

        `pending` are the candidates of this batch that come before. Candidate j does not depend on `count`.
        """
        ...


class AdaptiveSampler:
    """Start points, start-up from a stream, then the model; what the model cannot find comes from `fallback`.

    Args:
        n_startup: usable rows that end the start-up; `settings.n_startup` by default.
        teaches: whether a row is usable.
        notes: what the user should know before the run, besides what every adaptive sampler says.
    """

    adaptive = True

    def __init__(
        self,
        settings: Settings,
        model: Model,
        *,
        name: str,
        version: int,
        n_startup: int | None = None,
        teaches: Callable[[Trial], bool] = usable,
        notes: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.version = version
        self._settings = settings
        self._model = model
        self._n_startup = settings.n_startup if n_startup is None else n_startup
        self._teaches = teaches
        space, seed = settings.space, settings.seed
        self._startup: Stream = (
            SobolStream(space, seed) if settings.startup == "qmc" else random_stream(space, seed)
        )
        self._fallback: Stream = random_stream(space, seed, FALLBACK)
        self._start, skipped = start_points(space, settings.start_points)
        blind = settings.lag * settings.batch_size
        self.notes = (f"at least the first {blind} trials are blind (lag x batch_size)", *notes, *skipped)
        """What the user should know before the run."""

    def propose(self, k: int, first: int, count: int, view: View) -> list[Proposal]:
        """See `Sampler.propose`: the batch is proposed whole, then cut."""
        size = max(count, self._settings.batch_size)
        proposals = leading(self._start, k, first, size)
        if len(proposals) < size:
            start = first + len(proposals)
            rest = size - len(proposals)
            if self._blind(view):
                proposals += self._start_up(k, start, rest, view)
            else:
                proposals += self._ask(k, start, rest, view, proposals)
        return proposals[:count]

    def _blind(self, view: View) -> bool:
        """Whether fewer than `n_startup` rows teach anything; stops at the row that decides."""
        wanted = self._n_startup
        return sum(1 for _ in islice(filter(self._teaches, view.finished), wanted)) < wanted

    def _start_up(self, k: int, start: int, count: int, view: View) -> list[Proposal]:
        settings = self._settings
        used = {candidate.key for candidate in self._start}
        known = as_set(view.used)
        taken = take(settings.space, self._startup, view.stream_pos, count, used, known, settings.max_rejects)
        return [
            Proposal(start + j, k, STARTUP, t.position, t.candidate.params, t.candidate.key)
            for j, t in enumerate(taken)
        ]

    def _ask(self, k: int, start: int, count: int, view: View, before: Sequence[Proposal]) -> list[Proposal]:
        settings = self._settings
        known = as_set(view.used)
        pending = [Candidate(proposal.params, proposal.key) for proposal in before]
        used = {candidate.key for candidate in self._start}
        banned = Both(known, frozenset(used))
        size = self._at_most(count, banned)
        asked = self._model.ask(derive(settings.seed, "sampler", k), size, view, pending, banned)
        used |= {candidate.key for candidate in asked if candidate is not None}
        proposals: list[Proposal] = []
        position: int | None = self._fallback_start(start)
        for suggested in asked:
            source, candidate = SAMPLER, suggested
            if candidate is None and position is not None:
                source = FALLBACK
                position, candidate = self._fall_back(position, used, known)
            if candidate is not None:
                number = start + len(proposals)
                proposals.append(Proposal(number, k, source, None, candidate.params, candidate.key))
        return proposals

    def _at_most(self, count: int, keys: Set[str]) -> int:
        """`count`, or what a finite space has left."""
        cardinality = self._settings.space.cardinality
        return count if cardinality is None else min(count, max(0, cardinality - len(keys)))

    def _fallback_start(self, number: int) -> int:
        """Where a batch enters the stream: at its first trial number, so that batches seldom meet."""
        length = self._fallback.length
        return number if length is None else number % length

    def _fall_back(
        self, position: int, used: set[str], known: Set[str]
    ) -> tuple[int | None, Candidate | None]:
        """The next new candidate from `position` on, once around if the stream has an end, and the position after it."""
        settings = self._settings
        starts = [position] if self._fallback.length is None else [position, 0]
        for start in starts:
            found = take(settings.space, self._fallback, start, 1, used, known, settings.max_rejects)
            if found:
                return found[0].position + 1, found[0].candidate
        return None, None
