//! A strategy that is asked at some bars, in any order and more than once, answers as one that is asked at all of them.

#![allow(clippy::unwrap_used)]

use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use sweep_engine::declare::canonicalise;
use sweep_engine::execution::resolve::resolve;
use sweep_engine::market::{Market, SymbolSpec, SyntheticOptions};
use sweep_engine::orders::{Order, Position, Signal};
use sweep_engine::run::Session;
use sweep_engine::strategy::{Actions, Strategy, View};
use sweep_strategies::STRATEGIES;
use sweep_strategies::donchian_breakout::DonchianBreakout;
use sweep_strategies::ma_cross::MaCross;
use sweep_strategies::mean_reversion_z_score::MeanReversionZScore;
use sweep_strategies::mtf_trend_pullback::MtfTrendPullback;
use sweep_strategies::rsi_reversal_limit::RsiReversalLimit;

const BARS: i64 = 1_200;

/// All that a strategy says at one bar.
#[derive(Debug, PartialEq)]
struct Answer {
    signals: Vec<Signal>,
    actions: Vec<Actions>,
    cancels: Vec<bool>,
    trail_distance: u64,
}

/// What it says at bar `i`, asked also about an order and a position of each of `known`.
fn ask<S: Strategy>(strategy: &S, i: usize, view: &View<'_>, known: &[(usize, Signal)]) -> Answer {
    let mut answer = Answer {
        signals: Vec::new(),
        actions: Vec::new(),
        cancels: Vec::new(),
        trail_distance: strategy.trail_distance(i).to_bits(),
    };
    strategy.evaluate(i, view, &mut answer.signals);
    for (bar, signal) in known.iter().filter(|(bar, _)| *bar < i) {
        let (order_time, signal) = (view.label[*bar], signal.clone());
        let order = Order { id: 1, symbol: 0, order_time, order_bar: *bar, signal };
        answer.cancels.push(strategy.cancel(&order, i, view));
        let position = Position::filled(order, view.label[bar + 1], view.bid.open[bar + 1]);
        let mut actions = Actions::default();
        strategy.manage(&position, i, view, &mut actions);
        answer.actions.push(actions);
    }
    answer
}

/// Asks one strategy at every bar and another, with a cache of its own, at a shuffled half of them. Returns how many
/// signals there were.
fn check<S: Strategy>(market: &Market, params: &Json) -> usize {
    let set =
        |session: &Session| canonicalise(&S::declaration(), &session.context(), params.as_object().unwrap());
    let sessions = [0, 1].map(|_| {
        let options = resolve(&json!({}), &market.spec().symbol).unwrap();
        Session::new(std::slice::from_ref(market), vec![options], &BTreeMap::new(), 1 << 28).unwrap()
    });
    let [first, second] = sessions.each_ref().map(|session| {
        let instrument = &session.instruments[0];
        let params = set(session).unwrap();
        (S::prepare(&instrument.view(), &instrument.indicators(), &params).unwrap(), instrument.view())
    });
    let bars = S::warmup(&set(&sessions[0]).unwrap())..market.len();
    let mut known: Vec<(usize, Signal)> = Vec::new();
    let mut everywhere = BTreeMap::new();
    for i in bars.clone() {
        let answer = ask(&first.0, i, &first.1, &known);
        everywhere.insert(i, (answer, known.clone()));
        known.extend(everywhere[&i].0.signals.iter().map(|signal| (i, signal.clone())));
        known = known.split_off(known.len().saturating_sub(4));
    }
    // Steps by a large prime visit bars far apart, forwards and backwards; every tenth is asked twice.
    for k in 0..bars.len() / 2 {
        let i = bars.start + (k - usize::from(k % 10 == 9)) * 7_919 % bars.len();
        let (answer, known) = &everywhere[&i];
        assert_eq!(&ask(&second.0, i, &second.1, known), answer, "bar {i} with {params}");
    }
    everywhere.values().map(|(answer, _)| answer.signals.len()).sum()
}

#[test]
fn answers_do_not_depend_on_what_was_asked_before() {
    let spec = SymbolSpec::resolve("EURUSD", &Map::new()).unwrap();
    let market = Market::synthetic(&SyntheticOptions::new(spec, "M5".parse().unwrap(), BARS)).unwrap();
    let fade = |scenario: u8, more: &Json| {
        let mut params = json!({
            "scenario": scenario, "z_score_long": -0.8, "z_score_short": 0.8, "window_length": 60, "std_factor": 1.0,
            "kalman_r": 0.5, "kalman_q": 0.1, "z_exit": 0.1, "tp_mode": "dynamic", "trail_atr": 2.0,
        });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        (format!("mean_reversion_z_score {scenario}"), check::<MeanReversionZScore>(&market, &params))
    };
    let trend = json!({"htf_tf": "H1", "htf_ema": 10, "htf_filter": "above"});
    let overlay = json!({"scenario6_timeframes": "M15+H1", "scenario6_mode": "any", "scenario6_params": {"H1": {"window_length": 9, "b_b_length": 9}}});
    let counts = [
        fade(1, &json!({})),
        fade(2, &trend),
        fade(3, &json!({})),
        fade(4, &json!({})),
        fade(4, &json!({"local_z_lookback": 120})),
        fade(5, &json!({"intraday_vol_garch_lookback": 200, "intraday_vol_cluster_window": 120})),
        fade(5, &json!({"intraday_vol_feature": "atr_points", "cluster_hysteresis_bars": 2})),
        fade(6, &overlay),
        ("ma_cross".to_owned(), check::<MaCross>(&market, &json!({"fast_period": 5, "trail_atr": 2.0}))),
        ("donchian_breakout".to_owned(), check::<DonchianBreakout>(&market, &json!({"trend_ema": 50}))),
        ("rsi_reversal_limit".to_owned(), check::<RsiReversalLimit>(&market, &json!({"rsi_period": 7}))),
        (
            "mtf_trend_pullback".to_owned(),
            check::<MtfTrendPullback>(&market, &json!({"htf": "H1", "htf_ema": 10})),
        ),
    ];
    for (name, count) in &counts {
        assert!(*count > 10, "{name}: {count} signals");
    }
    let asked: BTreeSet<&str> = counts.iter().filter_map(|(name, _)| name.split(' ').next()).collect();
    let shipped = STRATEGIES.iter().map(|s| s.declaration().id.as_str()).filter(|id| *id != "faults");
    assert_eq!(asked, shipped.collect());
}
