//! The parameters of `mtf_trend_pullback`, declared once.

use crate::position_rules::{
    be_buffer_pips, be_r, cooldown_bars, direction_filter, max_holding_bars, round_digits, trail_atr,
    trail_start_r,
};
use crate::seeds::seed;
use crate::timeframes::{minutes_of, timeframe};
use sweep_engine::Value;
use sweep_engine::declare::{Constraint, Declaration, Derived, Parameter, Range, float, int};

/// What the strategy says about itself and its parameters.
pub fn declaration() -> Declaration {
    Declaration::builder("mtf_trend_pullback", "1.0.0", "Pullback in the trend of a higher timeframe")
        .doc(
            "Follows the trend of a higher timeframe: when the price pulls back to an EMA of the primary timeframe and \
             closes beyond it again, enters at the market with the stop beyond the pullback. The stop moves to the \
             entry, then trails; a close of the higher timeframe against its EMA ends the position.",
        )
        .warmup(
            "max(ltf_ema, atr_period, 2·adx_period if adx_min > 0, pullback_bars) + 1; the conditions of the higher \
             timeframe come on top",
        )
        .timeframes(&["htf"])
        .parameters(trend())
        .parameters(entry())
        .parameters(exit())
        .derived([
            Derived::new("primary_minutes", "length of the primary timeframe in minutes", &[], |draft| {
                Value::Int(draft.context().timeframe_minutes)
            }),
            Derived::new("htf_minutes", "length of htf in minutes", &["htf"], |draft| {
                Value::Int(minutes_of(draft.value("htf")))
            }),
        ])
        .constraints([
            Constraint::error(
                "htf_minutes > primary_minutes",
                "the higher timeframe must be longer than the primary one",
            ),
            Constraint::error("min_sl_atr <= max_sl_atr", "the least stop distance is above the largest"),
        ])
        .checked()
}

fn trend() -> Vec<Parameter> {
    vec![
        timeframe("htf", "H4")
            .search_range(Range::of(["H1", "H4", "D1"].map(|t| Value::Text(t.to_owned())).to_vec()))
            .group("entry")
            .doc("timeframe of the trend; larger trends are longer and rarer"),
        int("htf_ema", 50)
            .at_least(1)
            .search(20..=200)
            .step(10)
            .unit("bars")
            .group("entry")
            .doc("period of the trend's EMA, in bars of htf; larger is slower"),
        int("htf_slope_bars", 1)
            .at_least(1)
            .search(1..=10)
            .unit("bars")
            .group("entry")
            .doc("bars of htf over which its EMA must have moved with the trend; larger is steadier"),
        int("adx_period", 14)
            .at_least(1)
            .unit("bars")
            .group("filter")
            .doc("period of the ADX; larger is smoother; read only if adx_min > 0"),
        float("adx_min", 15.0)
            .at_least(0)
            .search(0..=30)
            .step(5)
            .group("filter")
            .doc("least ADX for an entry, 0 = off; larger asks for a stronger trend"),
        seed("adx_seed", "ADX"),
        direction_filter(),
        cooldown_bars(),
    ]
}

fn entry() -> Vec<Parameter> {
    vec![
        int("ltf_ema", 20)
            .at_least(1)
            .search(8..=60)
            .step(2)
            .unit("bars")
            .group("entry")
            .doc("period of the EMA to which the price pulls back; larger asks for deeper pullbacks"),
        int("pullback_bars", 3)
            .at_least(1)
            .search(1..=10)
            .unit("bars")
            .group("entry")
            .doc("bars within which the pullback must have reached the EMA; larger trades more often"),
    ]
}

fn exit() -> Vec<Parameter> {
    vec![
        int("atr_period", 14)
            .at_least(1)
            .search(7..=28)
            .unit("bars")
            .group("risk")
            .doc("period of the ATR of the stop; larger reacts more slowly to volatility"),
        float("sl_buffer_atr", 0.5)
            .at_least(0)
            .search(0..=2)
            .step(0.25)
            .unit("ATR")
            .group("risk")
            .doc("distance of the stop beyond the pullback; larger stops are hit less often"),
        float("min_sl_atr", 1.0)
            .at_least(0)
            .search(0.5..=2.0)
            .step(0.25)
            .unit("ATR")
            .group("risk")
            .doc("least distance of the stop; nearer ones are moved away"),
        float("max_sl_atr", 4.0)
            .at_least(0)
            .search(3..=8)
            .step(0.5)
            .unit("ATR")
            .group("risk")
            .doc("largest distance of the stop; farther ones are not traded"),
        float("tp_r", 0.0)
            .at_least(0)
            .search_off_or(2..=10, 1)
            .unit("R")
            .group("exit")
            .doc("distance of the target in multiples of the stop distance, 0 = no target"),
        be_r(1.0).search(0.5..=2.0).step(0.25),
        be_buffer_pips(),
        trail_atr(3.0).search(1.5..=6.0).step(0.5),
        trail_start_r(1.0),
        max_holding_bars(0),
        round_digits(),
    ]
}
