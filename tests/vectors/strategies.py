"""Golden signals of the shipped strategies on dataset G: counts, sums to five decimals, first rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class GoldenSignals:
    """One configuration; `first` rows are (bar, tag or side, entry, stop, target)."""

    strategy: str
    name: str
    params: Mapping[str, Any]
    """Canonical parameter set."""
    long: int
    short: int
    entry: float = 0.0
    stop: float = 0.0
    target: float = 0.0
    first: tuple[tuple[int, str, float, float, float], ...] = ()


_COMMON = {
    "window_length": 60,
    "z_score_long": -1.0,
    "z_score_short": 1.0,
    "atr_length": 14,
    "atr_mult": 1.5,
    "max_holding_minutes": 30,
    "use_position_manager": True,
    "direction_filter": "both",
    "round_digits": None,
}
_EMA = {"ema_length": 20}
_KALMAN = {"b_b_length": 20, "std_factor": 1.5, "kalman_r": 0.5, "kalman_q": 0.1}


def mean_reversion(scenarios: str, **changes: Any) -> dict[str, Any]:
    """Canonical base parameters of the golden table for these scenarios, with changes."""
    enabled = set(scenarios.split("+"))
    params: dict[str, Any] = {"enabled_scenarios": scenarios, **_COMMON}
    params |= _EMA if enabled & {"1", "3"} else {}
    params |= _KALMAN if enabled & {"2", "3"} else {}
    params |= {"tp_min_distance": 3.0} if "3" in enabled else {}
    return params | changes


def ma_cross(**changes: Any) -> dict[str, Any]:
    """Canonical default parameters, with changes; adx_seed is there for an active ADX only."""
    params = {
        "fast_period": 20,
        "slow_period": 50,
        "ma_type": "ema",
        "confirm_bars": 0,
        "atr_period": 14,
        "sl_atr": 2.0,
        "tp_r": 3.0,
        "adx_period": 14,
        "adx_min": 0,
        "adx_seed": "wilder",
        "exit_on_cross": True,
        "reverse": True,
        "max_holding_bars": 0,
        "direction_filter": "both",
        "round_digits": None,
    }
    return params | changes


MEAN_REVERSION = [
    GoldenSignals(
        "mean_reversion_z_score", "1", mean_reversion("1"), 113, 113, 248.61064, 248.59549, 248.59835,
        (
            (60, "short_1", 1.10160340, 1.10431, 1.09944),
            (63, "short_1", 1.10236435, 1.10490, 1.10000),
            (64, "short_1", 1.10255109, 1.10517, 1.10024),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score", "2", mean_reversion("2"), 84, 83, 183.71706, 183.70387, 183.70803,
        (
            (59, "short_2", 1.10087737, 1.10347, 1.09833),
            (60, "short_2", 1.10160340, 1.10431, 1.09854),
            (63, "short_2", 1.10236435, 1.10490, 1.09915),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score", "3", mean_reversion("3"), 84, 83, 183.71706, 183.70387, 183.70792,
        (
            (59, "short_3", 1.10087737, 1.10347, 1.09922),
            (60, "short_3", 1.10160340, 1.10431, 1.09944),
            (63, "short_3", 1.10236435, 1.10490, 1.10000),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score", "3, tp_min_distance 20", mean_reversion("3", tp_min_distance=20.0), 58, 62,
        132.00999, 132.01365, 131.99551,
        (
            (60, "short_3", 1.10160340, 1.10431, 1.09944),
            (63, "short_3", 1.10236435, 1.10490, 1.10000),
            (64, "short_3", 1.10255109, 1.10517, 1.10024),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score", "3, tp_min_distance 10000", mean_reversion("3", tp_min_distance=10000.0), 0, 0
    ),
]  # fmt: skip

MA_CROSS = [
    GoldenSignals(
        "ma_cross", "defaults", ma_cross(), 10, 10, 22.00487, 22.00489, 22.00480,
        (
            (67, "long", 1.10341, 1.10046, 1.11225),
            (83, "short", 1.09902, 1.10196, 1.09021),
            (121, "long", 1.10047, 1.09759, 1.10912),
            (151, "short", 1.09737, 1.10027, 1.08867),
        ),
    ),
    GoldenSignals(
        "ma_cross", "sma 10/30, confirm_bars 2, adx_min 20",
        ma_cross(fast_period=10, slow_period=30, ma_type="sma", confirm_bars=2, adx_min=20), 10, 10,
        22.00048, 22.00056, 22.00026,
        (
            (60, "long", 1.10173, 1.09876, 1.11062),
            (84, "short", 1.09812, 1.10111, 1.08913),
            (115, "long", 1.09887, 1.09581, 1.10804),
            (146, "short", 1.09862, 1.10157, 1.08978),
        ),
    ),
    GoldenSignals(
        "ma_cross", "defaults, adx_min 35", ma_cross(adx_min=35), 2, 2, 4.40021, 4.40033, 4.39983,
        (
            (121, "long", 1.10047, 1.09759, 1.10912),
            (206, "short", 1.09877, 1.10178, 1.08973),
            (292, "long", 1.10130, 1.09833, 1.11022),
            (377, "short", 1.09966, 1.10263, 1.09076),
        ),
    ),
    GoldenSignals(
        "ma_cross", "defaults, adx_min 35, adx_seed first", ma_cross(adx_min=35, adx_seed="first"), 3, 2,
        5.50361, 5.50079, 5.51208,
        (
            (67, "long", 1.10341, 1.10046, 1.11225),
            (121, "long", 1.10047, 1.09759, 1.10912),
            (206, "short", 1.09877, 1.10178, 1.08973),
            (292, "long", 1.10130, 1.09833, 1.11022),
        ),
    ),
]  # fmt: skip

GOLDEN_SIGNALS = [*MEAN_REVERSION, *MA_CROSS]
