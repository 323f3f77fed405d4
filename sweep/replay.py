"""Rerun one trial in this process and say whether it is the same.

What was recorded comes from the ledger or from MLflow alone (`recorded`). `replay` loads the market, checks that data,
engine semantics and strategy are the recorded ones, runs, and compares.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from sweep.artifacts import engine_of, save
from sweep.config import load
from sweep.config.market import instant, micros
from sweep.differences import EXACT, Difference, Tolerance, between, first_trade
from sweep.engine import build_info
from sweep.errors import error
from sweep.recorded import DIGESTS, Data, Recorded, check_versions, load_data
from sweep.trackers.view import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sweep.config import Config
    from sweep.config.market import MarketConfig
    from sweep.engine import Backtest, Engine
    from sweep.market.cache import DatasetCache

Backend = Literal["rust", "python"]

TWINS: Final = Tolerance(absolute=1e-8, relative=1e-9)
"""Rust against the Python twin where each computes its own indicators."""


@dataclass(frozen=True, slots=True, repr=False)
class Replay:
    """What came out."""

    recorded: Recorded
    result: Backtest
    backend: Backend
    digests: Mapping[str, str]
    differences: tuple[Difference, ...]
    """Of digests, identity and metrics; empty if the trial is the same."""
    first_trade: Difference | None
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether identity and digests are those recorded (the twin: whether the results agree within 26.3)."""
        return not self.differences and self.first_trade is None

    def __repr__(self) -> str:
        """Name and verdict."""
        return f"Replay({self.recorded.name!r}, {'same' if self.same else 'DIFFERENT'})"

    @property
    def exit_code(self) -> int:
        """0 same, 1 different."""
        return 0 if self.same else 1

    def lines(self) -> list[str]:
        """The verdict for people: `same`, or what differs first."""
        name, digest = self.recorded.name, self.result.digest
        if self.same:
            return [f"{name}: same, digest {digest}", *self.notes]
        told = [f"{name}: DIFFERENT", *(f"  {item}" for item in self._first())]
        return [*told, *self.notes]

    def _first(self) -> Iterator[str]:
        metrics = [item for item in self.differences if item.place.startswith("metrics.")]
        rest = [item for item in self.differences if not item.place.startswith("metrics.")]
        yield from (str(item) for item in rest)
        if metrics:
            more = f" (and {len(metrics) - 1} more)" if len(metrics) > 1 else ""
            yield f"first differing metric {str(metrics[0]).removeprefix('metrics.')}{more}"
        if self.first_trade is not None:
            yield f"first differing {self.first_trade}"
        elif self.recorded.trades is None:
            yield "no trades were kept for this trial, so they cannot be compared"

    def to_dict(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "trial": self.recorded.name,
            "same": self.same,
            "engine": self.backend,
            "identity": self.result.identity,
            "digests": dict(self.digests),
            "recorded": {"identity": self.recorded.identity, "digests": dict(self.recorded.digests)},
            "differences": [str(item) for item in self.differences],
            "first_trade": None if self.first_trade is None else str(self.first_trade),
            "notes": list(self.notes),
        }


def replay(
    recorded: Recorded,
    *,
    overrides: Sequence[str] = (),
    backend: Backend = "rust",
    engine_change: bool = False,
    output: Path | None = None,
    cache: DatasetCache | None = None,
) -> Replay:
    """Run a recorded trial in this process and compare it.

    Args:
        recorded: from `of_study` or `of_run`.
        overrides: where the data lie now: `market.bid=PATH`, `market.ask=PATH`, `market.file=PATH`.
        backend: which engine runs it; the Python one is compared within its tolerance.
        engine_change: compare although engine semantics or strategy version differ.
        output: folder for trades, equity, metrics and chart.
        cache: the dataset cache, searched by digest unless `overrides` name the data.

    Raises:
        SweepError: [3001] [3008] data absent or of another digest (exit 3), [4005] another engine semantics or
            strategy version (exit 4), [1007] the trial was never run, [1001] an override that is not of the market.
    """
    if "result" not in recorded.digests:
        raise error(
            1007,
            f"trial {recorded.name} has no result to compare with",
            remedy="see `sweep show` for its reason",
        )
    config, data = _load(recorded, overrides, cache)
    notes = check_versions(recorded.facts, engine_change=engine_change)
    engine = _engine(config, data, recorded, backend)
    result = _run(engine, recorded)
    native = engine if backend == "rust" else _engine(config, data, recorded, "rust")
    reference = None if backend == "rust" else _run(native, recorded)
    found = _compare(recorded, result, reference, backend, notes)
    if not found.same:
        data.check()
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        save(output, result, config=recorded.config)
    return found


def diff(
    recorded: Recorded, other: Recorded, *, overrides: Sequence[str] = (), cache: DatasetCache | None = None
) -> list[str]:
    """Two trials of one study side by side: parameters, metrics, and the first trade in which they part.

    Raises:
        SweepError: as `replay`.
    """
    config, data = _load(recorded, overrides, cache)
    one, two = (_run(_engine(config, data, trial, "rust"), trial) for trial in (recorded, other))
    lines = [f"{recorded.name} | {other.name}"]
    for title, left, right in (
        ("params", recorded.facts["params"], other.facts["params"]),
        ("metrics", dict(one.metrics), dict(two.metrics)),
    ):
        lines += [f"{title}.{d.place}: {d.expected} | {d.found}" for d in between(left, right)]
    part = first_trade(one.trades, two.trades)
    if part is None:
        return [*lines, "the trades are equal"]
    return [*lines, f"the trades part at {part.place}: {part.expected} | {part.found}"]


def log_replay(done: Replay, *, uri: str) -> str | None:
    """Show a replay as a child run of its study in MLflow; what went wrong, None if nothing did."""
    from sweep.trackers.events import log_event

    recorded = done.recorded
    return log_event(
        uri,
        study=recorded.tags.get("study", ""),
        role="replay",
        name=f"replay {recorded.name}",
        tags={
            "trial": recorded.tags.get("trial", ""),
            "identity": done.result.identity or "",
            "digest": done.result.digest,
            "same": str(done.same).lower(),
            "engine": done.backend,
            "status": recorded.tags.get("status", ""),
            "kind": recorded.tags.get("kind", ""),
            "engine_version": str(build_info()["version"]),
        },
        params={k: str(v) for k, v in recorded.facts["params"].items() if v is not None},
        metrics={
            "replay.differences": float(len(done.differences) + (done.first_trade is not None)),
            **{k: float(v) for k, v in done.result.metrics.items() if v is not None},
        },
        documents={
            "config.yaml": recorded.config,
            "identity.json": done.result.identity_document or "",
            "replay.json": json.dumps(done.to_dict(), indent=1),
        },
        tables={"trades.parquet": done.result.trades, "equity.parquet": done.result.equity},
    )


def _load(recorded: Recorded, overrides: Sequence[str], cache: DatasetCache | None) -> tuple[Config, Data]:
    for text in overrides:
        if not text.startswith(("market.", "rates.", "gates.news.events=")):
            raise error(
                1001,
                f"override {text!r}",
                remedy="a replay takes the place of its data only: market.bid=PATH",
            )
    config = _as_run(load(parse_yaml(recorded.config), overrides), recorded.facts["window"])
    return config, load_data(config, recorded.facts["dataset"], named=bool(overrides), cache=cache)


def _engine(config: Config, data: Data, recorded: Recorded, backend: Backend) -> Engine:
    """The engine of a trial, with the pruning level at which it ended, if it did at one."""
    window = recorded.facts["window"]
    levels = None
    if "level" in window:
        levels = {
            window["level"]: [
                (micros(instant(start)), micros(instant(end))) for start, end in window["parts"]
            ]
        }
    return engine_of(config, data.markets, data.rates, backend=backend, levels=levels)


def _run(engine: Engine, recorded: Recorded) -> Backtest:
    return engine.run(recorded.facts["params"], level=recorded.facts["window"].get("level"))


def _as_run(config: Config, window: Mapping[str, Any]) -> Config:
    """The config with the windows that the trial had, so that bars appended since change nothing."""
    # Symbols whose windows differ have one each.
    own = {market.symbol: window.get(market.symbol or "", window) for market in config.markets}
    return config.with_markets([_market_as_run(market, own[market.symbol]) for market in config.markets])


def _market_as_run(market: MarketConfig, window: Mapping[str, str]) -> MarketConfig:
    start, end = market.window
    if (start is not None and end is not None) or any(market.higher.values()) or market.synthetic is not None:
        return market
    bounds = (instant(window["trade_from"]), instant(window["trade_until"]))
    # Without a start there was no bar before it.
    warmup = 0 if start is None else market.warmup_bars
    return market.model_copy(update={"window": bounds, "warmup_bars": warmup})


def _compare(
    recorded: Recorded, result: Backtest, reference: Backtest | None, backend: Backend, notes: tuple[str, ...]
) -> Replay:
    digests = {**result.digests, "result": result.digest, "equity": result.equity_digest}
    differing = [
        Difference(f"digest {name}", recorded.digests[name], digests.get(name))
        for name in DIGESTS
        if name in recorded.digests and recorded.digests[name] != digests.get(name)
    ]
    identity = list(_identity(recorded, result))
    identity += _stop(recorded, result)
    if differing and differing[0].place == "digest signals":
        notes = (
            *notes,
            "the function returned other tables: it is not deterministic, or a library it uses has changed",
        )
    tolerance, trades = EXACT, recorded.trades
    if backend == "python" and differing and reference is not None:
        if reference.digest == recorded.digests["result"]:
            notes = (
                *notes,
                "the Python engine's digests differ in the last digits; compared within its tolerance",
            )
            differing = []
        tolerance, trades = TWINS, reference.trades
    metrics: list[Difference] = []
    parting = None
    if differing or tolerance is not EXACT:
        kept = {name: value for name, value in recorded.metrics.items() if name in result.metrics}
        found = {name: result.metrics[name] for name in kept}
        metrics = list(between(kept, found, place="metrics", tolerance=tolerance))
        parting = None if trades is None else first_trade(trades, result.trades, tolerance=tolerance)
    return Replay(
        recorded=recorded,
        result=result,
        backend=backend,
        digests=digests,
        differences=(*identity, *differing, *metrics),
        first_trade=parting,
        notes=notes,
    )


def _stop(recorded: Recorded, result: Backtest) -> Iterator[Difference]:
    """Another bar, or another limit, at which it was given up."""
    found = None if result.stopped is None else result.stopped["reason"]
    if recorded.stopped != found:
        yield Difference("stopped", recorded.stopped, found)


def _identity(recorded: Recorded, result: Backtest) -> Iterator[Difference]:
    """Where the identity documents part; the hashes themselves if the documents agree."""
    if recorded.identity == result.identity:
        return
    places = list(between(recorded.facts, json.loads(result.identity_document or "{}"), place="identity"))
    yield from places or [Difference("identity", recorded.identity, result.identity)]
