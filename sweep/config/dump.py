"""A config as YAML with every default written out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from sweep.config.gates import without_events
from sweep.config.market import iso
from sweep.config.model import Config


def dump(config: Config) -> str:
    """YAML 1.2 of the whole config, defaults included; `load` of it gives an equal config.

    The sections of the engine appear as they were given: `resolved` writes those out too.
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.allow_unicode = True
    yaml.representer.add_representer(type(None), _null)
    out = StringIO()
    yaml.dump(_plain(config.model_dump(by_alias=True)), out)
    return out.getvalue()


def resolved(config: Config) -> Config:
    """The config with all options of the engine filled in by the native module, presets and defaults applied.

    Resolving twice changes nothing. Errors: those of the native check: [1001] [1003] [1004] [1008] [4001].
    """
    from sweep import _core

    names = ("execution", "costs", "account", "rates", "metrics")
    given = {name: getattr(config, name) for name in names}
    # The native module takes rate series as markets, beside the options.
    rates = dict(config.rates)
    series = rates.pop("series", None)
    # Gates cross in their order, and events as the engine has them, which a config need not.
    gates = list(without_events(config.gates).items())
    options = json.dumps({**given, "rates": rates, "gates": gates})
    of_symbol = {m.symbol or "": json.loads(_core.resolve(options, m.symbol or "")) for m in config.markets}
    complete: dict[str, Any] = next(iter(of_symbol.values()))
    complete["costs"]["commission"] = _commission(
        {symbol: each["costs"]["commission"] for symbol, each in of_symbol.items()}
    )
    complete["gates"] = dict(complete["gates"])
    if "news" in complete["gates"]:
        complete["gates"]["news"]["events"] = config.gates["news"]["events"]
    if series:
        complete["rates"]["series"] = series
    complete["execution"] = {"preset": config.execution["preset"], **complete["execution"]}
    full = Config.model_validate({**config.model_dump(by_alias=True), **complete})
    full._source = config._source
    return full


def _commission(of_symbol: Mapping[str, Any]) -> Any:
    """What all symbols pay, or, where they differ, what each of them does."""
    first, *others = of_symbol.values()
    return first if all(other == first for other in others) else {"per_symbol": dict(of_symbol)}


def _null(representer: Any, value: None) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(child) for child in value]
    if isinstance(value, datetime):
        return value.date() if "T" not in iso(value) else iso(value)
    if isinstance(value, str) and not value.isprintable():
        return DoubleQuotedScalarString(value)
    return value
