//! The bar loop allocates nothing: a warm backtest of ten times the bars has the same allocations, but for the doublings
//! of the few lists that hold its results.

#![allow(clippy::unwrap_used)]

use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use sweep_engine::declare::{Context, canonicalise};
use sweep_engine::execution::resolve::resolve;
use sweep_engine::market::{Market, SymbolSpec, SyntheticOptions};
use sweep_engine::run::Session;
use sweep_strategies::find;

/// Lists that grow with the trades and days: each doubles at most four times when its length grows tenfold.
const DOUBLINGS: u64 = 4 * 12;

/// Allocations of a warm backtest, and its trades.
fn backtest(strategy: &str, params: &Json, bars: i64) -> (u64, usize) {
    let spec = SymbolSpec::resolve("EURUSD", &Map::new()).unwrap();
    let market = Market::synthetic(&SyntheticOptions::new(spec, "M5".parse().unwrap(), bars)).unwrap();
    let options = json!({
        "costs": {"slippage": {"fixed_pips": 0.2, "random_pips": 0.3}, "commission": {"schema": "per_lot", "per_lot": 2.5}},
        "gates": [["sessions", [{"start": "06:00", "end": "20:00"}]]],
    });
    let options = resolve(&options, "EURUSD").unwrap();
    let session = Session::new(&[market], vec![options], &BTreeMap::new(), 1 << 30).unwrap();
    let strategy = find(strategy).unwrap();
    let context = Context { timeframe: "M5".to_owned(), timeframe_minutes: 5 };
    let params = canonicalise(strategy.declaration(), &context, params.as_object().unwrap()).unwrap();
    let trades = strategy.run(&session, &params, false).unwrap().trades.len();
    let counted = allocation_counter::measure(|| drop(strategy.run(&session, &params, false).unwrap()));
    (counted.count_total, trades)
}

#[test]
fn ten_times_the_bars_allocate_no_more() {
    let cases = [
        ("ma_cross", json!({"fast_period": 5, "slow_period": 20})),
        (
            "mean_reversion_z_score",
            json!({"enabled_scenarios": "1+2+3+4", "z_score_long": -1.5, "z_score_short": 1.5}),
        ),
        ("donchian_breakout", json!({"trail_atr": 3.0, "be_r": 1.0})),
        ("rsi_reversal_limit", json!({})),
        ("mtf_trend_pullback", json!({"htf": "H1", "htf_ema": 20})),
    ];
    for (strategy, params) in cases {
        let (few, short) = backtest(strategy, &params, 3_000);
        let (many, long) = backtest(strategy, &params, 30_000);
        assert!(short > 5 && long > 3 * short, "{strategy}: {short} and {long} trades");
        assert!(
            many <= few + DOUBLINGS,
            "{strategy}: {few} allocations for {short} trades, {many} for {long}"
        );
    }
}
