//! The parameters of `donchian_breakout`, declared once.

use crate::position_rules::{cooldown_bars, direction_filter, max_holding_bars, round_digits, stop_moves};
use crate::trend_ema::trend_ema;
use sweep_engine::declare::{Constraint, Declaration, Parameter, float, int};

/// What the strategy says about itself and its parameters.
pub fn declaration() -> Declaration {
    Declaration::builder("donchian_breakout", "1.0.0", "Channel breakout with a pair of stop orders")
        .doc(
            "Puts a buy stop above the highest ask and a sell stop below the lowest bid of the last bars; the first to \
             fill cancels the other. The stop lies at a multiple of the ATR and then follows the opposite side of a \
             shorter channel.",
        )
        .warmup("max(entry_lookback, atr_period)")
        .order_types(&["stop"])
        .parameters(entry())
        .parameters(exit())
        .constraints([Constraint::error(
            "exit_lookback < entry_lookback",
            "the exit channel must be shorter than the entry channel",
        )])
        .checked()
}

fn entry() -> Vec<Parameter> {
    vec![
        int("entry_lookback", 20)
            .at_least(1)
            .search(10..=120)
            .step(5)
            .unit("bars")
            .group("entry")
            .doc("bars of the entry channel; larger asks for a larger breakout"),
        float("buffer_atr", 0.10)
            .at_least(0)
            .search(0.0..=0.5)
            .step(0.05)
            .unit("ATR")
            .group("entry")
            .doc("distance of the orders beyond the channel; larger skips small breakouts"),
        int("order_valid_bars", 1)
            .at_least(1)
            .search(1..=10)
            .unit("bars")
            .group("entry")
            .doc("bars on which the pair works before it is replaced; larger keeps older levels"),
        trend_ema(),
        direction_filter(),
        cooldown_bars(),
    ]
}

fn exit() -> Vec<Parameter> {
    let mut parameters = vec![
        int("atr_period", 20)
            .at_least(1)
            .search(10..=30)
            .unit("bars")
            .group("risk")
            .doc("period of the ATR of buffer and stop; larger reacts more slowly to volatility"),
        float("sl_atr", 2.0)
            .at_least(0)
            .search(1..=4)
            .step(0.25)
            .unit("ATR")
            .group("risk")
            .doc("distance of the stop from the order; larger stops are hit less often and cost more"),
        int("exit_lookback", 10)
            .at_least(0)
            .search(5..=60)
            .step(5)
            .unit("bars")
            .group("exit")
            .doc("bars of the channel that the stop follows, 0 = off; larger gives more room"),
        float("tp_r", 0.0)
            .at_least(0)
            .search_off_or(2..=10, 1)
            .unit("R")
            .group("exit")
            .doc("distance of the target in multiples of the stop distance, 0 = no target"),
        max_holding_bars(0),
        round_digits(),
    ];
    parameters.extend(stop_moves());
    parameters
}
