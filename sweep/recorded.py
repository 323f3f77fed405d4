"""A trial as it was recorded, and what must hold before it may be run again.

It comes from the ledger (`of_study`) or from MLflow alone (`of_run`): identity document, resolved config, digests.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sweep.artifacts import FOLDER
from sweep.config.engine import rate_sections
from sweep.errors import error
from sweep.ledger import IdentityTemplate, Ledger
from sweep.strategies import natives
from sweep.types import EARLY_STOPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from sweep.config import Config
    from sweep.market.cache import DatasetCache
    from sweep.market.market import Market

DIGESTS: Final = ("signals", "trades", "daily", "metrics", "result", "equity")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A trial as it was recorded."""

    name: str
    """`STUDY:TRIAL`, for messages."""
    identity: str
    document: str
    """Identity document, canonical JSON."""
    config: str
    """Resolved config of the study, YAML."""
    digests: Mapping[str, str]
    """Hex by name, of `DIGESTS` those that were recorded; empty for a trial that did not run."""
    metrics: Mapping[str, float | None]
    trades: pa.Table | None
    """Trades, where they were kept."""
    stopped: str | None = None
    """Why and where its backtest was given up early; None if it was not."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """study, study_key, trial, status and kind, for MLflow."""

    @property
    def facts(self) -> dict[str, Any]:
        """The identity document as values."""
        facts: dict[str, Any] = json.loads(self.document)
        return facts


def of_study(folder: Path, number: int) -> Recorded:
    """Trial `number` of the study in `folder`, with its trades if its artifacts were written.

    Raises:
        SweepError: [3001] no study, [1003] no such trial.
    """
    with Ledger.open(folder) as ledger:
        facts, trial = ledger.study, ledger.trial(number)
    document = IdentityTemplate.of_study(facts).named(trial.proposal.key, trial.identity)
    digests: dict[str, str] = {}
    if trial.digests is not None:
        known = {name: getattr(trial.digests, name) for name in DIGESTS if name != "equity"}
        digests = {name: digest for name, digest in known.items() if digest is not None}
    kept = folder / FOLDER / (trial.identity or "none")
    if (kept / "result.json").is_file():
        digests["equity"] = json.loads((kept / "result.json").read_text(encoding="utf-8"))["equity_digest"]
    name = str(facts.get("name") or folder.name)
    return Recorded(
        name=f"{name}:{number}",
        identity=trial.identity or hashlib.sha256(document.encode()).hexdigest(),
        document=document,
        config=facts["config"],
        digests=digests,
        metrics=trial.partial or trial.metrics,
        trades=_trades(kept / "trades.parquet"),
        stopped=trial.outcome.reason if trial.outcome.kind in EARLY_STOPS else None,
        tags={
            "study": name,
            "trial": str(number),
            "status": str(trial.outcome.status),
            "kind": str(trial.outcome.kind or ""),
        },
    )


def of_run(run_id: str, *, uri: str) -> Recorded:
    """A trial from its MLflow run, or the best trial of a study from the parent run.

    Raises:
        SweepError: [3001], stage data, no store yet, [3005] MLflow unreachable, [1001] no such run, [1008] a run without identity and config.
    """
    from sweep.trackers.mlflow import MlflowStore, database_file

    database = database_file(uri)
    if database is not None and not database.is_file():
        raise error(
            3001,
            "no MLflow store",
            where=str(database),
            remedy="name the store of the run: --mlflow URL, or --home DIR",
            stage="data",
        )
    store = MlflowStore(uri)
    run = store.get(run_id)
    present = store.artifacts(run)
    missing = [name for name in ("identity.json", "config.yaml") if name not in present]
    if missing:
        raise error(
            1008,
            f"the MLflow run {run_id} has no {' and no '.join(missing)}",
            remedy="name the run of a trial, or of a study that has a feasible trial",
        )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        document = store.download(run, "identity.json", folder).read_text(encoding="utf-8")
        config = store.download(run, "config.yaml", folder).read_text(encoding="utf-8")
        trades = None
        if "trades.parquet" in present:
            trades = _trades(store.download(run, "trades.parquet", folder))
    tags = run.tags
    number = tags.get("trial", tags.get("best_trial", ""))
    keys = {name: ("digest" if name == "result" else f"{name}_digest") for name in DIGESTS}
    of_trial = tags.get("role") == "trial"
    return Recorded(
        name=f"{tags.get('study', run_id)}:{number}",
        identity=tags.get("identity") or hashlib.sha256(document.encode()).hexdigest(),
        document=document,
        config=config,
        digests={name: tags[key] for name, key in keys.items() if key in tags},
        metrics=_of_trial(run.metrics)
        if of_trial
        else {k.removeprefix("best."): v for k, v in run.metrics.items() if k.startswith("best.")},
        trades=trades,
        stopped=tags.get("reason") if of_trial and tags.get("kind") in EARLY_STOPS else None,
        tags={
            **{key: tags.get(key, "") for key in ("study", "study_key", "status", "kind")},
            "trial": number,
        },
    )


def _of_trial(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics of a trial's run; of one that was stopped on purpose as of where it stopped."""
    stopped = {k.removeprefix("partial."): v for k, v in metrics.items() if k.startswith("partial.")}
    return stopped or {k: v for k, v in metrics.items() if "." not in k}


def check_versions(facts: Mapping[str, Any], *, engine_change: bool) -> tuple[str, ...]:
    """Refuse another engine semantics or strategy version than an identity names, or note it.

    Raises:
        SweepError: [4005] stage engine, unless `engine_change`.
    """
    from sweep import _core

    changes = []
    wanted, found = int(facts["engine"]["semantics"]), int(json.loads(_core.build_info())["semantics"])
    if wanted != found:
        changes.append(f"engine semantics {wanted} → {found}")
    strategy = facts["strategy"]
    # A strategy in Python comes with the record: its text is in the config, its version in the identity.
    if ":" not in strategy["id"]:
        known = strategy["id"] in natives.names()
        version = natives.find(strategy["id"]).declaration["version"] if known else "absent"
        if version != strategy["version"]:
            changes.append(f"strategy {strategy['id']} {strategy['version']} → {version}")
    if changes and not engine_change:
        raise error(
            4005,
            "recorded by another version: " + "; ".join(changes),
            remedy="use the version that recorded it, or --engine-change to compare anyway",
            stage="engine",
        )
    return tuple(f"compared although {change}" for change in changes)


@dataclass(frozen=True, slots=True)
class Data:
    """All data of a trial."""

    markets: tuple[Market, ...]
    """One per symbol, in the order in which they trade."""
    rates: Mapping[str, Market]
    """Rate series by pair."""

    def check(self) -> None:
        """Hash the rows again, where their digest was known from a record.

        Raises:
            SweepError: [3008] they are not those that were recorded.
        """
        for market in (*self.markets, *self.rates.values()):
            found = market.hashed()
            if found != market.digest:
                raise error(
                    3008,
                    f"the rows of {market.symbol} have digest {found}, recorded is {market.digest}",
                    remedy="delete the dataset cache; it is made again from the files",
                    stage="data",
                )


def load_data(
    config: Config, expected: str, *, named: bool = False, cache: DatasetCache | None = None
) -> Data:
    """The markets of a config, of the dataset digest that was recorded, and its rate series.

    Args:
        config: the config, its paths absolute.
        expected: `dataset` of the identity.
        named: whether the user said where the data lie; else the dataset cache is searched by digest first.
        cache: where imported data are kept.

    Raises:
        SweepError: [3001] absent, [3008] of another digest; stage data.
    """
    from sweep.market.load import load_all, load_rates
    from sweep.market.market import dataset_of
    from sweep.market.specs import symbol_spec

    found = None
    if cache is not None:
        # The digest that must come out is known, so a dataset may stand in for files that are gone.
        cache = replace(cache, orphans=True)
    if cache is not None and not named:
        specs = [symbol_spec(section.symbol or "", config.symbol_specs) for section in config.markets]
        found = cache.find(expected, config.markets, specs)
    markets = found or load_all(config.markets, config.symbol_specs, cache=cache)
    dataset = dataset_of({market.symbol: market.dataset for market in markets})
    if dataset != expected:
        place = "market" if len(markets) == 1 else "market.0"
        raise error(
            3008,
            f"the data have digest {dataset}, recorded is {expected}",
            where=", ".join(_paths(config)),
            remedy=f"name the data of the study: {place}.bid=PATH {place}.ask=PATH",
            stage="data",
        )
    return Data(markets, load_rates(rate_sections(config.rates), config.symbol_specs, cache=cache))


def _paths(config: Config) -> list[str]:
    from sweep.config.files import data_paths

    named = data_paths(config.model_dump(mode="json", by_alias=True))
    return [str(path) for key, path in named if key[0] == "market"] or ["synthetic market"]


def _trades(path: Path) -> pa.Table | None:
    if not path.is_file():
        return None
    import pyarrow.parquet as pq

    table: pa.Table = pq.read_table(path)
    return table
