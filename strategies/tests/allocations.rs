//! The bar loop allocates nothing: a warm backtest of ten times the bars has the same allocations, but for the doublings
//! of the few lists that hold its results, and messages of the first rejections. So it is for one symbol, for several and for ticks, under either preset.

#![allow(clippy::unwrap_used)]

use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use sweep_engine::declare::{Context, canonicalise};
use sweep_engine::execution::resolve::resolve;
use sweep_engine::market::{Market, Quotes, RawTicks, SymbolSpec, SyntheticOptions, TickOptions};
use sweep_engine::run::Session;
use sweep_strategies::find;

/// Lists that grow with the trades and days: each doubles at most four times when its length grows tenfold.
const DOUBLINGS: u64 = 4 * 12;

/// Each of the first hundred rejections is told in a message, a text that grows and a number in it.
const MESSAGE: u64 = 5;

/// What a backtest runs on.
#[derive(Debug, Clone, Copy, PartialEq)]
enum On {
    OneSymbol,
    ThreeSymbols,
    Ticks,
}

fn synthetic(symbol: &str, bars: i64) -> Market {
    let spec = SymbolSpec::resolve(symbol, &Map::new()).unwrap();
    Market::synthetic(&SyntheticOptions::new(spec, "M5".parse().unwrap(), bars)).unwrap()
}

/// Four quotes of every bar as ticks: open, low, high and close.
fn ticks(bars: &Market) -> Market {
    let quotes = |side: &Quotes| -> Vec<f64> {
        (0..side.open.len()).flat_map(|k| [side.open[k], side.low[k], side.high[k], side.close[k]]).collect()
    };
    let time: Vec<i64> =
        bars.label().iter().flat_map(|label| (0..4).map(move |k| label + k * 75_000_000)).collect();
    let raw = RawTicks {
        time: time.into(),
        bid: quotes(bars.bid()).into(),
        ask: quotes(bars.ask()).into(),
        bid_size: None,
        ask_size: None,
    };
    Market::from_ticks(raw, &TickOptions::new(bars.spec().clone(), "M5".parse().unwrap())).unwrap()
}

fn markets(on: On, bars: i64) -> Vec<Market> {
    match on {
        On::OneSymbol => vec![synthetic("EURUSD", bars)],
        On::ThreeSymbols => ["EURUSD", "GBPUSD", "AUDUSD"].map(|symbol| synthetic(symbol, bars)).into(),
        On::Ticks => vec![ticks(&synthetic("EURUSD", bars))],
    }
}

/// Allocations of a warm backtest, those of its messages left out, and its trades.
fn backtest(on: On, preset: &str, strategy: &str, params: &Json, bars: i64) -> (u64, usize) {
    let markets = markets(on, bars);
    let options = json!({
        "account": {"initial_balance": 1e7},
        "execution": {"preset": preset},
        "costs": {"slippage": {"fixed_pips": 0.2, "random_pips": 0.3}, "commission": {"schema": "per_lot", "per_lot": 2.5}},
        "gates": [["sessions", [{"start": "06:00", "end": "20:00"}]]],
    });
    let options = markets.iter().map(|market| resolve(&options, &market.spec().symbol).unwrap()).collect();
    let session = Session::new(&markets, options, &BTreeMap::new(), 1 << 30).unwrap();
    let strategy = find(strategy).unwrap();
    let context = Context { timeframe: "M5".to_owned(), timeframe_minutes: 5 };
    let params = canonicalise(strategy.declaration(), &context, params.as_object().unwrap()).unwrap();
    let outcome = strategy.run(&session, &params, false).unwrap();
    let messages = MESSAGE * u64::try_from(outcome.rejections.details().len()).unwrap();
    let counted = allocation_counter::measure(|| drop(strategy.run(&session, &params, false).unwrap()));
    (counted.count_total.saturating_sub(messages), outcome.trades.len())
}

#[test]
fn ten_times_the_bars_allocate_no_more() {
    let strategies = [
        ("ma_cross", json!({"fast_period": 5, "slow_period": 20})),
        (
            "mean_reversion_z_score",
            json!({"enabled_scenarios": "1+2+3+4", "z_score_long": -1.5, "z_score_short": 1.5}),
        ),
        ("donchian_breakout", json!({"trail_atr": 3.0, "be_r": 1.0})),
        ("rsi_reversal_limit", json!({})),
        ("mtf_trend_pullback", json!({"htf": "H1", "htf_ema": 20})),
    ];
    let runs = [
        (On::OneSymbol, "realistic"),
        (On::OneSymbol, "reference"),
        (On::ThreeSymbols, "realistic"),
        (On::Ticks, "realistic"),
    ];
    for (strategy, params) in &strategies {
        for (on, preset) in runs {
            // Three symbols have three times the bars, and a bar has four ticks.
            let bars = if on == On::OneSymbol { 3_000 } else { 1_000 };
            let (few, short) = backtest(on, preset, strategy, params, bars);
            let (many, long) = backtest(on, preset, strategy, params, 10 * bars);
            let what = format!("{strategy} on {on:?}, {preset}");
            assert!(short > 5 && long > 3 * short, "{what}: {short} and {long} trades");
            assert!(
                many <= few + DOUBLINGS,
                "{what}: {few} allocations for {short} trades, {many} for {long}"
            );
        }
    }
}
