"""The contract of a sampler: propose(k, view) is a pure function; nothing but caches survives from batch to batch.

Reading order: base, stream, enumerated (grid, random, qmc), adaptive (tpe, cmaes, optuna with nsga2, gp and named), told,
history; for tpe split, parzen, density, memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Literal, Protocol, overload

from sweep.objective import Objective
from sweep.space import Space
from sweep.types import ParamValue, Proposal, Trial

START_POINT: Final = "start_point"
STARTUP: Final = "startup"
SAMPLER: Final = "sampler"
FALLBACK: Final = "fallback"


@dataclass(frozen=True, slots=True, eq=False)
class Prefix(Sequence[Trial]):
    """The first `length` rows of a ledger that is only ever appended to, without a copy."""

    ledger: Sequence[Trial]
    length: int

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Trial]:
        return islice(self.ledger, self.length)

    @overload
    def __getitem__(self, index: int) -> Trial: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Trial]: ...

    def __getitem__(self, index: int | slice) -> Trial | Sequence[Trial]:
        if isinstance(index, slice):
            return [self.ledger[i] for i in range(self.length)[index]]
        if not -self.length <= index < self.length:
            raise IndexError(index)
        return self.ledger[index if index >= 0 else index + self.length]


@dataclass(frozen=True, slots=True)
class View:
    """All that batch k may be proposed from."""

    finished: Sequence[Trial]
    """Final rows of batches <= k − L, in trial order; a `Prefix` spares reading all of them for every batch."""
    pending: Sequence[Mapping[str, ParamValue]]
    """Canonical parameter sets of batches k − L + 1 … k − 1, in trial order."""
    used: Collection[str]
    """Keys of all trials of earlier batches, in any order."""
    stream_pos: int = 0
    """First position of the sampler's stream that no earlier batch consumed: `position_after` its proposals."""


class Sampler(Protocol):
    """Proposes parameter sets batch by batch."""

    @property
    def name(self) -> str:
        """Name in configurations."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever it can propose anything else; enters the snapshot of a study."""
        ...

    @property
    def adaptive(self) -> bool:
        """Whether proposals read results."""
        ...

    def propose(self, k: int, first: int, count: int, view: View) -> list[Proposal]:
        """The first `count` proposals of batch k, whose trials are numbered from `first`.

        Pure: the same arguments give the same proposals. Proposal j does not depend on `count`. Fewer than `count`
        means EXHAUSTED: the space has no further valid parameter set, or `max_rejects` candidates in a row were refused.
        """
        ...


@dataclass(frozen=True, slots=True)
class Named:
    """A sampler of Optuna by import path."""

    path: str
    """`module:Class`."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the class, save the seed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a sampler is made of: keys of `search`, with the space and the objective built from them."""

    space: Space
    objective: Objective
    seed: int = 42
    batch_size: int = 64
    lag: int = 2
    trials: int | None = None
    """Read by checks and warnings alone; proposals never depend on it."""
    start_points: Sequence[Any] = ()
    n_startup: int = 32
    startup: Literal["qmc", "random"] = "qmc"
    history: int = 300
    max_rejects: int = 100_000
    grid: Mapping[str, Any] = field(default_factory=dict)
    """order: lexicographic or shuffled; thin: most points."""
    named: Named | None = None
    """Of a sampler by import path."""


def position_after(proposals: Iterable[Proposal], position: int = 0) -> int:
    """The stream position for the next view, given the proposals of earlier batches and the position before them."""
    return max((p.stream_pos + 1 for p in proposals if p.stream_pos is not None), default=position)
