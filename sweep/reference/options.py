"""Execution options, costs and account: both presets, defaults, checks."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sweep.errors import error
from sweep.reference.convert import Rate, RateSeries
from sweep.reference.market import ReferenceMarket
from sweep.reference.numeric import positive

PRESETS: Final[dict[str, dict[str, Any]]] = {
    "realistic": {
        "market_fill": "next_open",
        "gap_fills": True,
        "trigger_buffer_pips": 0,
        "entry_bar_tp_confirmation": "limit_and_stop",
        "reentry_on_exit_bar": True,
        "pnl": "lots",
        "equity": "mark_to_market",
        "below_min_volume": "reject",
        "end_of_data": "close",
        "stop_on_ruin": True,
    },
    "reference": {
        "market_fill": "signal_close",
        "gap_fills": False,
        "trigger_buffer_pips": 0.5,
        "entry_bar_tp_confirmation": "limit_only",
        "reentry_on_exit_bar": False,
        "pnl": "r_multiple",
        "equity": "realised",
        "below_min_volume": "raise_to_min",
        "end_of_data": "leave_open",
        "stop_on_ruin": False,
    },
}
_COMMON: Final[dict[str, Any]] = {
    "max_positions": 1,
    "max_total_positions": None,
    "min_stop_pips": 0.1,
    "check_margin": False,
    "seed": 42,
}
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "market_fill": ("next_open", "signal_close"),
    "entry_bar_tp_confirmation": ("limit_and_stop", "limit_only"),
    "pnl": ("lots", "r_multiple"),
    "equity": ("mark_to_market", "realised"),
    "below_min_volume": ("reject", "raise_to_min"),
    "end_of_data": ("close", "leave_open"),
    "mode": ("risk_amount", "risk_percent", "fixed_lots"),
    "unit_value": ("contract", "tick"),
    "calendar": ("continuous", "business_day"),
}
_FLAGS: Final = ("gap_fills", "reentry_on_exit_bar", "stop_on_ruin", "check_margin")
_FROM_ZERO: Final = (
    "trigger_buffer_pips",
    "min_stop_pips",
    "fixed_pips",
    "random_pips",
    "slippage_multiplier",
    "fee_multiplier",
    "spread_multiplier",
)
_ABOVE_ZERO: Final = (
    "initial_balance",
    "risk_per_trade",
    "leverage",
    "percent",
    "lots",
    "periods_per_year",
    "max_rate_age_hours",
    "ruin_pct",
    "max_drawdown_pct",
    "min_trades_by_midpoint",
)
_LIMITS: Final = {"ruin_pct": 100.0, "max_drawdown_pct": math.inf, "min_trades_by_midpoint": 1.0}
_SIZING_NUMBER: Final = {"risk_percent": "percent", "fixed_lots": "lots"}


@dataclass(frozen=True, slots=True)
class Slippage:
    """Slippage in pips."""

    fixed_pips: float
    random_pips: float


@dataclass(frozen=True, slots=True)
class Options:
    """All resolved options as attributes; names and meaning as in the option table."""

    market_fill: str
    gap_fills: bool
    trigger_buffer_pips: float
    reentry_on_exit_bar: bool
    pnl: str
    equity: str
    below_min_volume: str
    end_of_data: str
    stop_on_ruin: bool
    max_positions: int | None
    max_total_positions: int | None
    min_stop_pips: float
    check_margin: bool
    entry_bar_tp_confirmation: str
    seed: int
    slippage: Slippage
    slippage_multiplier: float
    commission: Mapping[str, Any] | None
    fee_multiplier: float
    spread_multiplier: float
    currency: str
    initial_balance: float
    risk_per_trade: float
    leverage: float
    sizing_mode: str
    sizing_number: float
    unit_value: str
    rates: Mapping[str, Rate]
    """By pair: a number, or a series where there is no number."""
    calendar: str | None
    periods_per_year: float | None
    risk_free_annual: float
    early_stop: Mapping[str, Any]
    """Limits at which a backtest is given up: null = not judged."""

    @classmethod
    def of(
        cls, options: Mapping[str, Any], rate_markets: Mapping[str, ReferenceMarket] | None = None
    ) -> Options:
        """Options from a partial or complete mapping, and the markets of the rate series by pair.

        Raises [1001], [1003], [1004], [1008], [4001].
        """
        full = resolve(options)
        execution, costs, account = full["execution"], full["costs"], full["account"]
        sizing, metrics = account["sizing"], full["metrics"]
        mode = sizing["mode"]
        taken = {k: v for k, v in execution.items() if k in cls.__dataclass_fields__}
        return cls(
            **taken,
            slippage=Slippage(**costs["slippage"]),
            slippage_multiplier=costs["slippage_multiplier"],
            commission=costs["commission"],
            fee_multiplier=costs["fee_multiplier"],
            spread_multiplier=costs["spread_multiplier"],
            currency=account["currency"],
            initial_balance=float(account["initial_balance"]),
            risk_per_trade=float(account["risk_per_trade"]),
            leverage=float(account["leverage"]),
            sizing_mode=mode,
            sizing_number=float(sizing[_SIZING_NUMBER[mode]]) if mode in _SIZING_NUMBER else 0.0,
            unit_value=sizing["unit_value"],
            rates=_rates(full["rates"], rate_markets or {}),
            calendar=metrics["calendar"],
            periods_per_year=metrics["periods_per_year"],
            risk_free_annual=metrics["risk_free_annual"],
            early_stop=full["early_stop"],
        )


def resolve(options: Mapping[str, Any]) -> dict[str, Any]:
    """The complete options: preset and defaults filled in, everything checked."""
    _known(options, ("execution", "costs", "account", "rates", "metrics", "early_stop"), "options")
    given = options.get("execution") or {}
    given = {"preset": given} if isinstance(given, str) else given
    preset = given.get("preset", "realistic")
    if preset not in PRESETS:
        raise error(1001, f"unknown preset {preset!r}", where="execution.preset", remedy=", ".join(PRESETS))
    execution = _filled(given, {"preset": preset, **PRESETS[preset], **_COMMON}, "execution")
    execution["seed"] = _seed(execution["seed"])
    for name in ("max_positions", "max_total_positions"):
        _slots(execution[name], f"execution.{name}")
    rates = _filled(options.get("rates") or {}, {"static": {}, "max_rate_age_hours": 96}, "rates")
    rates["static"] = {pair: _rate(pair, value) for pair, value in (rates["static"] or {}).items()}
    return {
        "execution": execution,
        "costs": _costs(options.get("costs") or {}),
        "account": _account(options.get("account") or {}),
        "rates": rates,
        "metrics": _filled(
            options.get("metrics") or {},
            {"calendar": None, "periods_per_year": None, "risk_free_annual": 0.0},
            "metrics",
        ),
        "early_stop": _early_stop(options.get("early_stop") or {}),
    }


def _costs(given: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {
        "slippage": {},
        "slippage_multiplier": 1,
        "commission": None,
        "fee_multiplier": 1,
        "spread_multiplier": 1,
    }
    costs = _filled(given, defaults, "costs")
    costs["slippage"] = _filled(costs["slippage"], {"fixed_pips": 0, "random_pips": 0}, "costs.slippage")
    return costs


def _account(given: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {
        "currency": "USD",
        "initial_balance": 10000,
        "risk_per_trade": 100,
        "leverage": 100,
        "sizing": {},
    }
    account = _filled(given, defaults, "account")
    sizing = account["sizing"]
    mode = sizing.get("mode", "risk_amount")
    needed = _SIZING_NUMBER.get(mode)
    keys: dict[str, Any] = {"mode": "risk_amount", "unit_value": "contract"}
    account["sizing"] = _filled(sizing, {**keys, "percent": None, "lots": None}, "account.sizing")
    if needed is not None and account["sizing"][needed] is None:
        raise error(1008, f"{needed} is missing", where="account.sizing", remedy=f"mode {mode} needs it")
    return account


def _early_stop(given: Mapping[str, Any]) -> dict[str, Any]:
    limits = _filled(given, dict.fromkeys((*_LIMITS, "min_trades")), "early_stop")
    for name, most in _LIMITS.items():
        value = limits[name]
        if value is not None and (value >= 100 if name == "ruin_pct" else value > most):
            remedy = "give a smaller number"
            raise error(1003, f"{value!r} is out of range", where=f"early_stop.{name}", remedy=remedy)
    if limits["min_trades_by_midpoint"] is not None and limits["min_trades"] is None:
        raise error(1008, "min_trades is missing", where="early_stop", remedy="give min_trades")
    return limits


def _known(given: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            remedy = f"did you mean {near[0]}?" if near else ", ".join(names)
            raise error(1001, f"unknown key {name!r}", where=where, remedy=remedy)


def _filled(given: Mapping[str, Any], defaults: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Defaults overlaid by what is given; every value checked."""
    _known(given, tuple(defaults), where)
    full = {name: given.get(name, default) for name, default in defaults.items()}
    for name, value in full.items():
        if value is None and defaults[name] is not None and name not in ("max_positions",):
            full[name] = defaults[name]
        if full[name] is not None:
            _check(name, full[name], f"{where}.{name}")
    return full


def _check(name: str, value: Any, where: str) -> None:
    if name in _CHOICES and value not in _CHOICES[name]:
        raise error(1001, f"unknown value {value!r}", where=where, remedy=", ".join(_CHOICES[name]))
    if name in _FLAGS and not isinstance(value, bool):
        raise error(1004, f"{value!r} is no bool", where=where, remedy="true or false")
    if name in (*_FROM_ZERO, *_ABOVE_ZERO, "risk_free_annual"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise error(1004, f"{value!r} is no number", where=where, remedy="give a number")
        low_enough = value > 0 if name in _ABOVE_ZERO else value >= 0 or name == "risk_free_annual"
        if not (math.isfinite(value) and low_enough):
            raise error(
                1003, f"{value!r} is out of range", where=where, remedy="give a finite number from 0 on"
            )


def _slots(value: Any, where: str) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise error(1004, f"{value!r} is no integer", where=where, remedy="give an integer or null")
    if value < 1:
        raise error(1003, f"{value} is out of range", where=where, remedy="give 1 or more, null = unlimited")


def _seed(value: Any) -> int:
    seed = int(value) if isinstance(value, str) and value.isdigit() else value
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise error(1004, f"{value!r} is no integer", where="execution.seed", remedy="give an integer")
    if not 0 <= seed < 2**64:
        raise error(1003, f"{seed} is out of range", where="execution.seed", remedy="give 0 to 2**64 - 1")
    return seed


def _rates(rates: Mapping[str, Any], markets: Mapping[str, ReferenceMarket]) -> dict[str, Rate]:
    """Numbers and series in one table; a number wins."""
    table: dict[str, Rate] = {}
    for pair, market in markets.items():
        _pair(pair, "rates.series")
        table[pair] = RateSeries(pair, market, rates["max_rate_age_hours"])
    return {**table, **rates["static"]}


def _pair(pair: str, where: str) -> None:
    if not (len(pair) == 6 and pair.isascii() and pair.isalpha() and pair.isupper()):
        raise error(1001, f"{pair!r} is no pair", where=where, remedy="give six upper-case letters")


def _rate(pair: str, value: Any) -> float:
    _pair(pair, "rates.static")
    if not positive(value):
        raise error(
            1003, f"{value!r} is no rate", where=f"rates.static.{pair}", remedy="give a finite number above 0"
        )
    return float(value)
