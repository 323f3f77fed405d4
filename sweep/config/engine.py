"""The sections that the engine reads: `execution`, `costs`, `account`, `rates`, `metrics`, `symbol_specs`.

Key names and types only. Presets and defaults are resolved by the native module, their one owner, so a config keeps
what was written. Every key is optional here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sweep.config.base import (
    NULL,
    Count,
    Name,
    Natural,
    NonNegative,
    Positive,
    Section,
    Seed,
    given_keys,
)
from sweep.config.market import MarketConfig
from sweep.config.problems import invalid


def _amount(value: float) -> float:
    if value < 0:
        raise invalid(1001, f"{{path}} is {value}: a fee is not negative", "give a number of 0 or more")
    return value


Fee = Annotated[float, AfterValidator(_amount), Field(json_schema_extra={"minimum": 0})]
"""An amount of money, or a share of one; a negative one is [1001]."""


class ExecutionSection(Section):
    """Options of the fill model over a preset."""

    preset: Literal["realistic", "reference"] = "realistic"
    market_fill: Literal["next_open", "signal_close"] | None = None
    gap_fills: bool | None = None
    trigger_buffer_pips: NonNegative | None = None
    entry_bar_tp_confirmation: Literal["limit_and_stop", "limit_only"] | None = None
    reentry_on_exit_bar: bool | None = None
    pnl: Literal["lots", "r_multiple"] | None = None
    equity: Literal["mark_to_market", "realised"] | None = None
    below_min_volume: Literal["reject", "raise_to_min"] | None = None
    end_of_data: Literal["close", "leave_open"] | None = None
    stop_on_ruin: bool | None = None
    max_positions: Annotated[Count | None, NULL] = None
    max_total_positions: Annotated[Count | None, NULL] = None
    min_stop_pips: NonNegative | None = None
    check_margin: bool | None = None
    seed: Seed | None = None


class SlippageSection(Section):
    """Slippage against the order, in pips."""

    fixed_pips: NonNegative | None = None
    random_pips: NonNegative | None = None


class CommissionBlock(Section):
    """Commission of one symbol, or the defaults of all."""

    schema_: Literal["per_lot", "per_million_notional", "percent_of_notional"] | None = Field(
        default=None, alias="schema"
    )
    per_lot: Fee | None = None
    rate_per_million: Fee | None = None
    pct: Fee | None = None
    fee_ccy: Name | None = None
    side: Literal["both", "entry", "exit"] | None = None
    min_fee: Fee | None = None
    decimals: Annotated[Natural | None, NULL] = None


class CommissionSection(CommissionBlock):
    """`defaults` overlaid by the symbol's block of `per_symbol`; flat keys are the defaults."""

    defaults: CommissionBlock | None = None
    per_symbol: dict[str, CommissionBlock] | None = None

    @model_validator(mode="before")
    @classmethod
    def _either_flat_or_structured(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("defaults") is not None:
            for key in CommissionBlock.model_fields:
                name = key.rstrip("_")
                if data.get(name) is not None:
                    raise invalid(
                        1001, f"{{path}}.{name} stands beside defaults", "write it in defaults", name
                    )
        return data


class CostsSection(Section):
    """Slippage, commission and the multipliers of stress runs."""

    slippage: SlippageSection | None = None
    commission: CommissionSection | None = None
    slippage_multiplier: NonNegative | None = None
    fee_multiplier: NonNegative | None = None
    spread_multiplier: NonNegative | None = None


class SizingSection(Section):
    """How large a position is."""

    mode: Literal["risk_amount", "risk_percent", "fixed_lots"] | None = None
    unit_value: Literal["contract", "tick"] | None = None
    percent: Positive | None = None
    lots: Positive | None = None


class AccountSection(Section):
    """The account that trades."""

    currency: Name | None = None
    initial_balance: Positive | None = None
    risk_per_trade: Positive | None = None
    leverage: Positive | None = None
    sizing: SizingSection | None = None


V = TypeVar("V")


def _pairs(rates: dict[str, V]) -> dict[str, V]:
    for pair in rates:
        if len(pair) != 6 or not pair.isascii() or not pair.isalpha() or not pair.isupper():
            raise invalid(
                1009, f"{pair!r} is not a currency pair", "write six upper-case letters: EURUSD", pair
            )
    return rates


_STRATEGY_ONLY: Final = ("warmup_bars", "higher", "day", "stale_after")


class RateMarketConfig(MarketConfig):
    """The market of a rate: the keys of `market` without those that only a strategy has a use for."""

    @model_validator(mode="before")
    @classmethod
    def _nothing_for_strategies(cls, data: Any) -> Any:
        for key in _STRATEGY_ONLY:
            if isinstance(data, Mapping) and data.get(key) is not None:
                what = f"{{path}}.{key} is for the market that is traded; a rate has no use for it"
                raise invalid(1001, what, "leave it out", key)
        return data


def _named_by_pair(series: Any) -> Any:
    """The symbol of a rate's market is its pair unless another is given."""
    if not isinstance(series, Mapping):
        return series
    return {
        pair: {"symbol": pair, **{k: v for k, v in market.items() if v is not None}}
        if isinstance(market, Mapping)
        else market
        for pair, market in series.items()
    }


class RatesSection(Section):
    """Currency conversion."""

    static: Annotated[dict[str, Positive], AfterValidator(_pairs)] | None = None
    series: (
        Annotated[dict[str, RateMarketConfig], BeforeValidator(_named_by_pair), AfterValidator(_pairs)] | None
    ) = None
    max_rate_age_hours: Positive | None = None


def rate_sections(rates: Mapping[str, Any]) -> dict[str, RateMarketConfig]:
    """Pair to market section, of `rates` of a checked config."""
    series = rates.get("series") or {}
    return {pair: RateMarketConfig.model_validate(market) for pair, market in series.items()}


class MetricsSection(Section):
    """Options of the metrics."""

    calendar: Literal["continuous", "business_day"] | None = None
    periods_per_year: Positive | None = None
    risk_free_annual: float | None = None


class SymbolSection(Section):
    """Fields of a symbol's specification that replace those of the built-in table."""

    contract_size: Positive | None = None
    pip_size: Positive | None = None
    tick_size: Positive | None = None
    tick_value: Positive | None = None
    volume_min: Positive | None = None
    volume_step: Positive | None = None
    volume_max: Positive | None = None
    base_currency: Name | None = None
    quote_currency: Name | None = None


def _preset(value: Any) -> Any:
    return {"preset": value} if isinstance(value, str) else value


def _with_preset(options: dict[str, Any]) -> dict[str, Any]:
    return {"preset": "realistic", **options}


Execution = Annotated[
    dict[str, Any], given_keys(ExecutionSection), BeforeValidator(_preset), AfterValidator(_with_preset)
]
Costs = Annotated[dict[str, Any], given_keys(CostsSection)]
Account = Annotated[dict[str, Any], given_keys(AccountSection)]
Rates = Annotated[dict[str, Any], given_keys(RatesSection)]
Metrics = Annotated[dict[str, Any], given_keys(MetricsSection)]
Symbol = Annotated[dict[str, Any], given_keys(SymbolSection)]
SymbolSpecs = dict[str, Symbol]

__all__ = [
    "Account",
    "Costs",
    "Execution",
    "Metrics",
    "RateMarketConfig",
    "Rates",
    "SymbolSpecs",
    "rate_sections",
]
