"""A ledger read once, in the form that projections want: ranked trials, identities, one record per batch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sweep.ledger import IdentityTemplate
from sweep.objective import Objective
from sweep.types import Kind, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sweep.ledger import Ledger
    from sweep.types import StudyStatus, Trial


@dataclass(frozen=True, slots=True)
class Progress:
    """The study after one batch."""

    done: int
    """Trials committed so far."""
    at: int
    """When the batch was committed, milliseconds since 1970, UTC."""
    counts: Mapping[str, int]
    """Trials so far by `STATUS` and `STATUS.KIND`."""
    best: Mapping[str, float]
    """Best feasible value so far by objective, each objective by itself."""


@dataclass(frozen=True, slots=True)
class StudyView:
    """One state of a ledger."""

    name: str
    folder: Path
    key: str
    """Tells studies of the same name apart."""
    status: StudyStatus
    facts: Mapping[str, Any]
    """Table `study`."""
    config_text: str
    config: Mapping[str, Any]
    objectives: tuple[str, ...]
    directions: tuple[str, ...]
    trials: tuple[Trial, ...]
    ranked: tuple[Trial, ...]
    """Trials with an objective, the best first: feasible, then infeasible."""
    front: tuple[Trial, ...]
    """Feasible trials that no other dominates; of one objective the best one alone."""
    best: Trial | None
    """The best feasible trial; of several objectives the one that `search.rank_by` names, None without it."""
    progress: tuple[Progress, ...]
    counts: Mapping[str, int]
    digest: str
    _identities: IdentityTemplate

    @classmethod
    def of(cls, ledger: Ledger) -> StudyView:
        """The ledger as it stands now, one consistent state."""
        with ledger.snapshot():
            facts = ledger.study
            trials = ledger.trials()
            batches = [(record.first + record.count, at) for record, _, at in ledger.batches()]
            counts, digest = ledger.counts(), ledger.digest()
        objective = objective_of(facts)
        front = objective.front(trials)
        ranked = [t for t in objective.rank(trials) if t.outcome.status is Status.COMPLETE]
        return cls(
            name=str(facts.get("name") or ledger.folder.name),
            folder=ledger.folder,
            key=study_key(ledger.folder.name, facts["created_at"]),
            status=ledger.status,
            facts=facts,
            config_text=facts["config"],
            config=parse_yaml(facts["config"]),
            objectives=tuple(objective.names),
            directions=tuple(str(d) for d in objective.directions),
            trials=tuple(trials),
            ranked=tuple(ranked),
            front=tuple(front),
            best=objective.best(front),
            progress=_progress(trials, batches, objective),
            counts=counts,
            digest=digest,
            _identities=IdentityTemplate.of_study(facts),
        )

    @property
    def semantics(self) -> str:
        """Semantics version of the engine."""
        return str(self.facts["identity_base"]["engine"]["semantics"])

    @property
    def dataset(self) -> str:
        """Market digest that enters every identity."""
        return str(self.facts["identity_base"]["dataset"])

    @property
    def datasets(self) -> Mapping[str, str]:
        """Digest of the rows of every symbol."""
        return dict(self.facts.get("datasets") or {self.symbol: self.dataset})

    def sources(self, symbol: str) -> dict[str, str]:
        """Where the rows of a symbol were, by key of its section `market`; with one symbol, and of rates, all keys."""
        named: dict[str, str] = dict(self.facts.get("sources") or {})
        section = self.config["market"]
        if not isinstance(section, list):
            return named
        others = [f"market.{number}." for number, keys in enumerate(section) if keys["symbol"] != symbol]
        return {key: path for key, path in named.items() if not key.startswith(tuple(others))}

    def window(self, symbol: str) -> Mapping[str, str]:
        """history_from, trade_from and trade_until of a symbol."""
        window: dict[str, Any] = dict(self.facts["identity_base"]["window"])
        return dict(window.get(symbol, window))

    @property
    def symbol(self) -> str:
        """Symbols of the market, joined by `+`."""
        return "+".join(sorted(self.facts["identity_base"]["symbols"]))

    @property
    def strategy(self) -> str:
        """Strategy id and version."""
        strategy = self.facts["identity_base"]["strategy"]
        return f"{strategy['id']} {strategy['version']}"

    @property
    def engine_version(self) -> str:
        """Version of the build that made the study."""
        snapshot = self.facts.get("snapshot") or {}
        build = snapshot.get("engine") or {}
        return str(build.get("version", "")) if isinstance(build, dict) else str(build)

    def document(self, trial: Trial) -> str:
        """Identity document of a trial, canonical JSON; its SHA-256 is the identity."""
        return self._identities.named(trial.proposal.key, trial.identity)


def study_key(name: str, created_at: str) -> str:
    """What tells a study from others of the same name: 16 hex digits of name and time of creation."""
    return hashlib.sha256(f"{name}|{created_at}".encode()).hexdigest()[:16]


def objective_of(facts: Mapping[str, Any]) -> Objective:
    """The objective of a study, from table `study` of its ledger."""
    config = parse_yaml(facts["config"])
    objectives = config["objective"]
    return Objective.build(
        objectives if isinstance(objectives, list) else [objectives],
        config.get("constraints") or (),
        config["min_trades"],
        rank_by=(config.get("search") or {}).get("rank_by"),
        metrics=facts["metrics"],
    )


def parse_yaml(text: str) -> dict[str, Any]:
    """A YAML mapping as plain values."""
    from ruamel.yaml import YAML

    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(text) or {}
    return loaded


def milliseconds(iso: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 time."""
    return round(datetime.fromisoformat(iso.replace("Z", "+00:00")).timestamp() * 1000)


def _progress(
    trials: Sequence[Trial], batches: Sequence[tuple[int, str]], objective: Objective
) -> tuple[Progress, ...]:
    counts: dict[str, int] = {}
    best: dict[str, float] = {}
    rows = iter(trials)
    done, found = 0, []
    for until, at in batches:
        while done < until:
            trial = next(rows)
            done += 1
            _count(counts, trial)
            _improve(best, trial, objective)
        found.append(Progress(done=done, at=milliseconds(at), counts=dict(counts), best=dict(best)))
    return tuple(found)


def _count(counts: dict[str, int], trial: Trial) -> None:
    outcome = trial.outcome
    keys = [outcome.status.value]
    if outcome.kind is not None:
        keys.append(f"{outcome.status.value}.{Kind(outcome.kind).value}")
    for key in keys:
        counts[key] = counts.get(key, 0) + 1


def _improve(best: dict[str, float], trial: Trial, objective: Objective) -> None:
    if not trial.outcome.feasible:
        return
    for name, direction, value in zip(
        objective.names, objective.directions, trial.outcome.objectives, strict=False
    ):
        if value is None:
            continue
        known = best.get(name)
        larger = str(direction).lower().endswith("maximize")
        if known is None or (value > known if larger else value < known):
            best[name] = value
