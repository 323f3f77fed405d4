//! The parameters of `rsi_reversal_limit`, declared once.

use crate::position_rules::{cooldown_bars, direction_filter, max_holding_bars, round_digits, stop_moves};
use crate::seeds::seed;
use crate::trend_ema::trend_ema;
use sweep_engine::declare::{Constraint, Declaration, Parameter, categorical, float, int};

/// What the strategy says about itself and its parameters.
pub fn declaration() -> Declaration {
    Declaration::builder("rsi_reversal_limit", "1.0.0", "Oscillator reversal entered with a limit order")
        .doc(
            "When the RSI comes back from an extreme, puts a limit order at a better price than the market's, with a \
             stop at a multiple of the ATR and a target at a moving average or at a multiple of the risk. The order is \
             cancelled when the RSI turns the other way.",
        )
        .warmup("max(rsi_period + 1, atr_period, mean_period) + 1")
        .order_types(&["limit"])
        .parameters(entry())
        .parameters(exit())
        .constraints([Constraint::error("oversold < overbought", "the extremes must not overlap")])
        .checked()
}

fn entry() -> Vec<Parameter> {
    vec![
        int("rsi_period", 14)
            .at_least(1)
            .search(2..=30)
            .unit("bars")
            .group("entry")
            .doc("period of the RSI; larger reaches its extremes less often"),
        seed("rsi_seed", "RSI"),
        float("oversold", 30.0)
            .at_least(0)
            .at_most(100)
            .search(5..=40)
            .group("entry")
            .doc("RSI from below which it must come back for a long; larger trades more often"),
        float("overbought", 70.0)
            .at_least(0)
            .at_most(100)
            .search(60..=95)
            .group("entry")
            .doc("RSI from above which it must come back for a short; larger trades less often"),
        float("entry_offset_atr", 0.25)
            .at_least(0)
            .search(0.0..=1.5)
            .step(0.05)
            .unit("ATR")
            .group("entry")
            .doc("how much better than the market the order's price is; larger fills less often"),
        int("order_valid_bars", 3)
            .at_least(1)
            .search(1..=12)
            .unit("bars")
            .group("entry")
            .doc("bars on which the order works; larger fills more often, later"),
        trend_ema(),
        direction_filter(),
        cooldown_bars(),
    ]
}

fn exit() -> Vec<Parameter> {
    let mut parameters = vec![
        int("atr_period", 14)
            .at_least(1)
            .search(7..=28)
            .unit("bars")
            .group("risk")
            .doc("period of the ATR of offset and stop; larger reacts more slowly to volatility"),
        float("sl_atr", 1.5)
            .at_least(0)
            .search(0.5..=4.0)
            .step(0.25)
            .unit("ATR")
            .group("risk")
            .doc("distance of the stop from the order; larger stops are hit less often and cost more"),
        categorical("tp_mode", &["mean", "r"], "mean")
            .search_all()
            .group("exit")
            .doc("target at the moving average, or at a multiple of the risk"),
        int("mean_period", 20)
            .at_least(1)
            .search(10..=100)
            .step(5)
            .when("tp_mode == \"mean\"")
            .unit("bars")
            .group("exit")
            .doc("period of the average that is the target; larger is slower"),
        float("tp_r", 1.5)
            .at_least(0)
            .search(0.5..=4.0)
            .step(0.25)
            .when("tp_mode == \"r\"")
            .unit("R")
            .group("exit")
            .doc("distance of the target in multiples of the stop distance; larger wins more, less often"),
        float("min_rr", 0.5)
            .at_least(0)
            .search(0.0..=2.0)
            .step(0.25)
            .unit("R")
            .group("filter")
            .doc("least reward in multiples of the risk; larger skips near targets"),
        max_holding_bars(48),
        round_digits(),
    ];
    parameters.extend(stop_moves());
    parameters
}
