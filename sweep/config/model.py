"""The whole config: one attribute per section of the interface."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, model_validator

from sweep.config.base import Natural, NotBuilt, Section
from sweep.config.compute import ComputeConfig, TrackingConfig
from sweep.config.document import Document
from sweep.config.engine import Account, Costs, Execution, Metrics, Rates, SymbolSpecs, rate_sections
from sweep.config.gates import Gates
from sweep.config.market import MarketConfig
from sweep.config.markets import Markets
from sweep.config.problems import invalid
from sweep.config.results import DEFAULT_OBJECTIVE, Constraints, Objectives
from sweep.config.search import SearchConfig
from sweep.config.strategy import StrategyConfig
from sweep.errors import SweepError

_LONGEST_NAME: Final = 100


def _study(name: str) -> str:
    if not name or name.strip(".") == "" or not all(c.isalnum() or c in "._-" for c in name):
        raise invalid(
            1009, f"{name!r} cannot name a folder", "use letters, digits, dots, dashes, underscores"
        )
    if name.startswith("-"):
        raise invalid(1009, f"{name!r} starts like an option", "begin with a letter or a digit")
    if len(name) > _LONGEST_NAME:
        what = f"the name of the study has {len(name)} characters"
        raise invalid(1009, what, f"use at most {_LONGEST_NAME}")
    return name


def _holdout(value: Any) -> Any:
    if value != "none":
        raise invalid(4001, f"{{path}} ({value}) is not built in this version", "write holdout: none")
    return value


def _pair(symbol: str, specs: Mapping[str, Any]) -> str | None:
    """The currencies of a symbol, base first; None where its specification is not complete, which later checks say."""
    from sweep import _core

    try:
        spec = json.loads(_core.symbol_spec(symbol, json.dumps(dict(specs.get(symbol) or {}))))
    except SweepError:
        return None
    return f"{spec['base_currency']}{spec['quote_currency']}"


class Config(Section):
    """A study's config after checks: frozen, paths absolute, defaults filled in.

    `execution`, `gates`, `costs`, `account`, `rates` and `metrics` hold what was written (and the preset's name);
    the engine completes them.
    """

    study: Annotated[str, AfterValidator(_study)]
    market: Markets
    symbol_specs: SymbolSpecs = Field(default_factory=dict)
    rates: Rates = Field(default_factory=dict)
    strategy: StrategyConfig
    search: SearchConfig
    objective: Objectives = (DEFAULT_OBJECTIVE,)
    constraints: Constraints = ()
    min_trades: Natural = 30
    holdout: Annotated[str, BeforeValidator(_holdout)] = "none"
    execution: Execution = Field(default_factory=lambda: {"preset": "realistic"})
    gates: Gates = Field(default_factory=dict)
    costs: Costs = Field(default_factory=dict)
    account: Account = Field(default_factory=dict)
    metrics: Metrics = Field(default_factory=dict)
    compute: ComputeConfig = ComputeConfig()
    tracking: TrackingConfig = TrackingConfig()
    walk_forward: Annotated[Any, NotBuilt(("none",))] = Field(default=None, exclude=True)
    validation: Annotated[Any, NotBuilt(({},))] = Field(default=None, exclude=True)

    _source: Document | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _rates_of_their_pairs(self) -> Config:
        for pair, series in rate_sections(self.rates).items():
            found = _pair(series.symbol or pair, self.symbol_specs)
            if found not in (None, pair):
                what = f"rates.series.{pair}.symbol: {series.symbol} is the rate of {found}, not of {pair}"
                raise invalid(1001, what, "leave symbol out, or correct it", f"rates.series.{pair}.symbol")
        return self

    @property
    def markets(self) -> tuple[MarketConfig, ...]:
        """The section `market` of every symbol, in the order in which they trade."""
        return self.market if isinstance(self.market, tuple) else (self.market,)

    def with_markets(self, markets: Sequence[MarketConfig]) -> Config:
        """The same config with other sections `market`, as many as it has."""
        (one, *others) = markets
        return self.model_copy(update={"market": (one, *others) if others else one})

    def __eq__(self, other: object) -> bool:
        """Equal content; where it was written does not count."""
        return isinstance(other, Config) and self.model_dump() == other.model_dump()

    __hash__ = None  # type: ignore[assignment]

    def locate(self, path: str) -> str:
        """Where the key at a dotted path was written: `file:line: path` or `override a.b=c: path`.

        The nearest key around it if it was not written itself; the path alone if nothing is known of it.
        """
        if self._source is None:
            return path
        parts = tuple(int(part) if part.isdigit() else part for part in path.split("."))
        for end in range(len(parts), 0, -1):
            mark = self._source.marks.get(parts[:end])
            if mark is not None:
                return f"{mark}: {path}"
        return path


__all__ = ["Config"]
