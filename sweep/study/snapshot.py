"""What a study was started with, as far as it enters proposals or identities, and how that differs now."""

from __future__ import annotations

import hashlib
import importlib
import platform
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sweep.artifacts import early_stop
from sweep.build import ALL_LIBRARIES, LIBRARIES
from sweep.errors import Stage, SweepError, error
from sweep.ledger.canonical import dumps

if TYPE_CHECKING:
    from sweep.market.market import Market
    from sweep.study.plan import Plan

_PATHS: Final = ("bid", "ask", "file", "ticks", "synthetic")
"""Keys of `market` that say where the rows are; the rows themselves are compared by digest."""
_SEARCH: Final = (
    "batch_size",
    "lag",
    "seed",
    "start_points",
    "n_startup",
    "startup",
    "history",
    "max_rejects",
)
_DATA: Final = ("market.", "synthetic.", "rate_series.")
_OPTIONS: Final = re.compile(r"market\.(.+\.)?options\.")
"""Options of a market, or of that of a symbol."""
_ENGINE: Final = ("engine.", "strategy.version")
_SHOWN_BEFORE: Final = 10
"""Characters before the first that differs."""


def snapshot(plan: Plan) -> dict[str, Any]:
    """Snapshot of a study: `compared` decides whether a resume is the same study, the rest is for people."""
    config = plan.config.model_dump(mode="json", by_alias=True)
    build = plan.build_info
    of_symbols = _of_symbols(plan.markets, config["market"], build["synthetic_version"])
    search = {key: config["search"][key] for key in _SEARCH}
    compared: dict[str, Any] = {
        "market": of_symbols["market"],
        "rate_series": dict((plan.identity_base.get("rates") or {}).get("series") or {}),
        "strategy": {"id": plan.declaration["id"], "version": plan.declaration["version"]},
        "engine": {"semantics": build["semantics"]},
        "sampler": {"name": plan.sampler.name, "version": plan.sampler.version, **_named(config["search"])},
        "search": {**search, **({"grid": config["search"]["grid"]} if plan.sampler.name == "grid" else {})},
        **({"pruner": config["search"]["pruner"]} if plan.pruner else {}),
        **({"early_stop": limits} if (limits := early_stop(plan.config)) else {}),
        "space": plan.space.to_dict(),
        "objective": plan.objective.to_dict(),
        "holdout": config["holdout"],
        **{key: config[key] for key in ("execution", "costs", "account", "metrics")},
        "rates": {**config["rates"], "series": _series(config["rates"])},
        **({"gates": gates} if (gates := plan.identity_base.get("gates")) else {}),
        "libraries": libraries(plan.sampler.name),
    }
    compared |= {key: value for key, value in of_symbols.items() if key not in compared}
    return {
        "compared": compared,
        "config": hashlib.sha256(plan.config_text.encode("utf-8")).hexdigest(),
        "engine": build,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def identity(compared: Mapping[str, Any]) -> str:
    """Identity of a study, hex: SHA-256 of what a resume compares. Equal ones propose and find the same."""
    return hashlib.sha256(dumps(compared).encode("utf-8")).hexdigest()


def _of_symbols(markets: Sequence[Market], section: Any, synthetic_version: int) -> dict[str, Any]:
    """The parts `market`, and `synthetic` of generated rows: of one symbol as they are; of several by symbol, with
    `symbols`, their order.
    """
    sections = section if isinstance(section, list) else [section]
    parts: dict[str, dict[str, Any]] = {"market": {}, "synthetic": {}}
    for market, keys in zip(markets, sections, strict=True):
        options = {**_elsewhere(keys), "higher": _higher(keys)}
        about = {"digest": market.dataset, "meta": market.meta, "options": options}
        parts["market"][market.symbol] = about
        if keys.get("synthetic"):
            parts["synthetic"][market.symbol] = {**keys["synthetic"], "version": synthetic_version}
    known = {name: part for name, part in parts.items() if part}
    if len(sections) == 1:
        return {name: part[markets[0].symbol] for name, part in known.items()}
    return {**known, "symbols": [market.symbol for market in markets]}


def _elsewhere(market: Mapping[str, Any]) -> dict[str, Any]:
    """A section `market` without the places of its rows."""
    return {key: value for key, value in market.items() if key not in _PATHS}


def _higher(market: Mapping[str, Any]) -> dict[str, Any]:
    given = market["higher"].items()
    return {timeframe: None if files is None else _elsewhere(files) for timeframe, files in given}


def _series(rates: Mapping[str, Any]) -> dict[str, Any]:
    return {pair: _elsewhere(market) for pair, market in (rates.get("series") or {}).items()}


def _named(search: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a sampler by import path, and the digest of the file that its class is in."""
    sampler = search["sampler"]
    if isinstance(sampler, str):
        return {}
    file = importlib.import_module(sampler["optuna"].partition(":")[0]).__file__
    source = {} if file is None else {"source": hashlib.sha256(Path(file).read_bytes()).hexdigest()}
    return {"options": sampler["options"], **source}


def libraries(sampler: str) -> dict[str, str]:
    """Versions of the packages, and the architecture, that can change what a sampler proposes."""
    found = {name: _version(name) for name in LIBRARIES.get(sampler, ALL_LIBRARIES if ":" in sampler else ())}
    return {**found, "machine": platform.machine()} if found else {}


def flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots; mappings in a list go by their names, whose order is an item too."""
    items: dict[str, Any] = {}
    for key, child in value.items():
        name = f"{prefix}{key}"
        named = _by_name(child)
        if isinstance(child, Mapping) and child:
            items |= flat(child, f"{name}.")
        elif named:
            items |= {name: list(named), **flat(named, f"{name}.")}
        else:
            items[name] = child
    return items


def _by_name(value: Any) -> dict[str, Any]:
    """A list of mappings with names, all different, as a mapping; nothing for other values."""
    if not isinstance(value, list) or not all(isinstance(item, Mapping) and "name" in item for item in value):
        return {}
    found = {str(item["name"]): {k: v for k, v in item.items() if k != "name"} for item in value}
    return found if len(found) == len(value) else {}


def refusal(study: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> SweepError | None:
    """The error of a resume whose `compared` parts differ, with every difference and both values; None if equal.

    Its stage, and so the exit code, follows from the cause: data, else engine, else configuration.
    """
    old, new = flat(before), flat(now)
    names = [name for name in sorted({*old, *new}) if not _same(old.get(name), new.get(name))]
    if not names:
        return None
    stage: Stage = "config"
    if any(name.startswith(_DATA) for name in names if not _OPTIONS.match(name)):
        stage = "data"
    elif any(name.startswith(_ENGINE) for name in names):
        stage = "engine"
    listed = "; ".join(f"{name} {_change(old.get(name), new.get(name))}" for name in names)
    return error(
        1012,
        f'cannot resume "{study}": {len(names)} difference{"s" if len(names) > 1 else ""}: {listed}',
        remedy="restore them, or start a new study",
        stage=stage,
        context={"differences": {name: [old.get(name), new.get(name)] for name in names}},
    )


def _same(one: Any, other: Any) -> bool:
    return one == other or dumps(one) == dumps(other)


def _change(old: Any, new: Any) -> str:
    """Both values, long ones from where they differ on."""
    before, after = _short(old), _short(new)
    if before == after:
        texts = [value if isinstance(value, str) else dumps(value) for value in (old, new)]
        alike = next(
            (i for i, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts))
        )
        before, after = (f"…{_short(text[max(0, alike - _SHOWN_BEFORE) :])}" for text in texts)
    return f"{before} → {after}"


def _short(value: Any) -> str:
    if isinstance(value, str):
        is_digest = len(value) == 64 and all(c in "0123456789abcdef" for c in value)
        if is_digest:
            return f"{value[:8]}…"
    text = value if isinstance(value, str) else "none" if value is None else dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
