"""The position rules that all strategies share, from their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweep.reference.context import Series
from sweep.reference.strategy import Rules


def position_rules(params: Mapping[str, Any], atr: Series, *, same_bar_reentry: bool = True) -> Rules:
    """Rules of a canonical parameter set; `atr` is the strategy's own ATR on bid."""
    trail = params.get("trail_atr", 0.0)
    return Rules(
        timeout_minutes=params.get("max_holding_minutes"),
        timeout_bars=params.get("max_holding_bars"),
        same_bar_reentry=same_bar_reentry,
        be_r=params.get("be_r", 0.0),
        be_buffer_pips=params.get("be_buffer_pips", 0.0),
        trail_start_r=params.get("trail_start_r", 0.0),
        trail_distance=atr if trail > 0 else None,
        trail_factor=trail,
        cooldown_bars=params.get("cooldown_bars", 0),
    )
