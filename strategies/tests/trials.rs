//! Trials alone, in batches and on several symbols; a script whose outcome is known in closed form.

#![allow(clippy::unwrap_used)]

use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use sweep_engine::declare::canonicalise;
use sweep_engine::execution::resolve::resolve;
use sweep_engine::market::higher::NONE;
use sweep_engine::market::{Market, Quote, RawTicks, SymbolSpec, SyntheticOptions, TickOptions};
use sweep_engine::orders::{Direction, ExitReason, OrderType, Position, RejectionReason, Signal, StopKind};
use sweep_engine::run::script::{Reply, Script, Trail};
use sweep_engine::run::{Prepared, Session, Trial, TrialResult, batch, simulation};
use sweep_engine::series::{On, on_named};
use sweep_engine::strategy::{Part, Rules};
use sweep_indicators::ema::Ema;
use sweep_strategies::{STRATEGIES, find};

fn market(symbol: &str, bars: i64) -> Market {
    let spec = SymbolSpec::resolve(symbol, &Map::new()).unwrap();
    Market::synthetic(&SyntheticOptions::new(spec, "M5".parse().unwrap(), bars)).unwrap()
}

fn session(markets: &[Market], options: &Json) -> Session {
    let resolved = markets.iter().map(|m| resolve(options, &m.spec().symbol).unwrap()).collect();
    Session::new(markets, resolved, &BTreeMap::new(), 1 << 28).unwrap()
}

fn rows(sets: &[Json]) -> Vec<Map<String, Json>> {
    sets.iter().map(|set| set.as_object().unwrap().clone()).collect()
}

/// What identifies a result.
fn told(result: &TrialResult) -> String {
    match result {
        TrialResult::Complete { params, identity, digests, .. } => format!("{params} {identity} {digests:?}"),
        TrialResult::InvalidParams { reason } => reason.clone(),
        TrialResult::EngineError { error, .. } => error.to_string(),
    }
}

#[test]
fn a_batch_gives_what_each_trial_gives_alone() {
    let markets = [market("EURUSD", 3_000)];
    let options = json!({
        "execution": {"end_of_data": "leave_open", "market_fill": "signal_close"},
        "costs": {"slippage": {"random_pips": 0.4}, "commission": {"schema": "per_million_notional", "rate_per_million": 30}},
        "account": {"sizing": {"mode": "risk_percent", "percent": 0.5}},
        "gates": [["cooldown", {"after_exit_bars": 2}]],
    });
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    for strategy in STRATEGIES {
        let session = session(&markets, &options);
        let identity = session.identity(strategy.declaration()).unwrap();
        let trial = Trial { session: &session, strategy: *strategy, identity: &identity };
        let digits =
            [json!({}), json!({"round_digits": 4}), json!({"round_digits": -1}), json!({"roundd": 1})];
        let rows = rows(&digits);
        let alone: Vec<String> = rows.iter().map(|row| told(&trial.run(row, true))).collect();
        assert!(alone[2].contains("[1003]") && alone[3].contains("[1001]"), "{alone:?}");
        assert_ne!(alone[0], alone[1]);
        let clock = || 0.0;
        for pool in [None, Some(&pool)] {
            let batch: Vec<String> =
                batch::run(&trial, &rows, pool, &clock).iter().map(|row| told(&row.result)).collect();
            assert_eq!(batch, alone);
        }
    }
}

/// Everything of a trade but its number and its symbol's.
fn trade(p: &Position) -> String {
    format!(
        "{} {} {} {:?} {:?} {} {}",
        p.order_time, p.entry_time, p.entry_price, p.exit_time, p.exit_price, p.size, p.result
    )
}

#[test]
fn with_fixed_lots_and_free_slots_symbols_do_not_touch_each_other() {
    let markets = [market("EURUSD", 2_000), market("GBPUSD", 2_500)];
    let options = json!({
        "account": {"initial_balance": 1e6, "sizing": {"mode": "fixed_lots", "lots": 0.1}},
        "costs": {"slippage": {"fixed_pips": 0.2}},
    });
    for (id, params) in [
        ("ma_cross", json!({"fast_period": 5, "slow_period": 20})),
        ("donchian_breakout", json!({})),
        ("rsi_reversal_limit", json!({})),
    ] {
        let run = |markets: &[Market]| {
            let session = session(markets, &options);
            let strategy = find(id).unwrap();
            let identity = session.identity(strategy.declaration()).unwrap();
            let trial = Trial { session: &session, strategy, identity: &identity };
            match trial.run(params.as_object().unwrap(), false) {
                TrialResult::Complete { outcome, .. } => *outcome,
                other => panic!("{}", told(&other)),
            }
        };
        let both = run(&markets);
        for (symbol, market) in markets.iter().enumerate() {
            let alone: Vec<String> = run(std::slice::from_ref(market)).trades.iter().map(trade).collect();
            let within: Vec<String> = both.trades.iter().filter(|p| p.symbol == symbol).map(trade).collect();
            assert!(alone.len() > 5, "{id}: {}", alone.len());
            assert_eq!(within, alone, "{id}");
        }
    }
}

#[test]
fn a_script_of_parts_and_moves_has_the_known_outcome() {
    let markets = [market("EURUSD", 300)];
    let session = session(
        &markets,
        &json!({"account": {"sizing": {"mode": "fixed_lots", "lots": 0.4}}, "execution": {"max_positions": null}}),
    );
    let view = session.instruments[0].view();
    let far = |sign: f64| view.bid.close[10] + sign * 0.2;
    let signals = vec![
        (10, Signal::market(Direction::Long, far(-1.0), None)),
        (12, Signal::market(Direction::Short, far(1.0), Some(far(-1.0)))),
        (290, Signal::market(Direction::Long, far(1.0), None)),
    ];
    let exits = vec![
        (20, (Direction::Long, Reply::PartialClose(Part::Fraction(0.25)))),
        (21, (Direction::Short, Reply::ModifyTarget(None))),
        (22, (Direction::Short, Reply::ModifyStop(far(0.9), StopKind::Manual))),
        (23, (Direction::Short, Reply::ModifyStop(far(-0.9), StopKind::Manual))),
        (30, (Direction::Long, Reply::Close)),
        (40, (Direction::Short, Reply::Cancel)),
    ];
    let script = Script::new(signals, exits, Rules::default(), None).unwrap();
    let outcome = simulation::run(&session, &[Prepared { decider: script, warmup: 0 }], true).unwrap();
    // Orders of bar i fill at the open of bar i + 1; one lot is worth 100,000 per unit of price.
    let entry = view.ask.open[11];
    let part = (view.bid.open[21] - entry) * 0.1 * 1e5;
    let rest = (view.bid.open[31] - entry) * 0.3 * 1e5;
    assert_eq!((outcome.partials.len(), outcome.trades.len()), (1, 2));
    assert!((outcome.partials[0].result - part).abs() < 1e-8);
    assert!((outcome.trades[0].result - rest).abs() < 1e-8);
    let short = &outcome.trades[1];
    assert!((short.result - (view.bid.open[13] - view.ask.close[299]) * 0.4 * 1e5).abs() < 1e-8);
    assert_eq!((short.take_profit, short.stop_loss), (None, far(0.9)));
    assert_eq!(outcome.invalid_modify, 1, "the stop on the wrong side");
    assert_eq!(outcome.rejections.total(), 1, "the signal with its stop above");
    let cash = 10_000.0 + part + rest + short.result;
    assert!((outcome.metrics[0].unwrap() - (cash - 10_000.0)).abs() < 1e-7, "net profit");
}

#[test]
fn ticks_fill_and_end_positions_at_their_own_quotes() {
    // A tick every ten seconds, each 0.00010 lower than the last, with a spread of 0.00002.
    let start = 1_704_110_400_000_000_i64;
    let time: Vec<i64> = (0..120).map(|k| start + 10_000_000 * k).collect();
    let bid: Vec<f64> = (0..120).map(|k| f64::from(110_000 - 10 * k) / 1e5).collect();
    let ask: Vec<f64> = (0..120).map(|k| f64::from(110_002 - 10 * k) / 1e5).collect();
    let raw = RawTicks {
        time: time.into(),
        bid: bid.clone().into(),
        ask: ask.clone().into(),
        bid_size: None,
        ask_size: None,
    };
    let spec = json!({"spec": SymbolSpec::resolve("EURUSD", &Map::new()).unwrap(), "timeframe": "M1"});
    let market = Market::from_ticks(raw, &TickOptions::from_json(&spec.to_string()).unwrap()).unwrap();
    let options = json!({"account": {"sizing": {"mode": "fixed_lots", "lots": 0.1}}, "execution": {"max_positions": null}});
    let session = session(&[market], &options);
    let limit = Signal {
        order_type: OrderType::Limit,
        entry: Some(1.0930),
        valid_bars: Some(12),
        ..Signal::market(Direction::Long, 1.0920, None)
    };
    let signals = vec![
        (0, Signal::market(Direction::Long, 1.09805, None)),
        (0, Signal::market(Direction::Short, 1.12, Some(1.09705))),
        (0, limit),
        (1, Signal::market(Direction::Long, 1.12, None)),
    ];
    let script = Script::new(signals, Vec::new(), Rules::default(), None).unwrap();
    let outcome = simulation::run(&session, &[Prepared { decider: script, warmup: 0 }], true).unwrap();
    let told: Vec<_> =
        outcome.trades.iter().map(|p| (p.direction(), p.entry_price, p.exit_price, p.reason)).collect();
    // Bar 0 closes before tick 6, which fills the market orders; each level is passed by the tick after it.
    assert_eq!(
        told,
        [
            (Direction::Long, ask[6], bid[20], Some(ExitReason::StopLoss)),
            (Direction::Short, bid[6], ask[30], Some(ExitReason::TakeProfit)),
            (Direction::Long, ask[71], bid[80], Some(ExitReason::StopLoss)),
        ]
    );
    assert_eq!(outcome.rejections.count(RejectionReason::InvalidSide), 1);
}

#[test]
fn signals_of_several_symbols_are_in_order_of_time() {
    let markets = [market("EURUSD", 2_000), market("GBPUSD", 2_000)];
    let session = session(&markets, &json!({}));
    for strategy in STRATEGIES {
        let raw =
            if strategy.declaration().id == "mtf_trend_pullback" { json!({"htf": "H1"}) } else { json!({}) };
        let params =
            canonicalise(strategy.declaration(), &session.context(), raw.as_object().unwrap()).unwrap();
        let said = strategy.signals(&session, &params).unwrap();
        let labels = |symbol: usize| session.instruments[symbol].market.label();
        assert!(said.is_sorted_by_key(|row| labels(row.symbol)[row.bar]));
        assert_eq!(said.iter().map(|row| row.symbol).max(), Some(1), "{}", strategy.declaration().id);
    }
}

#[test]
fn every_rejection_has_a_name_of_its_own_and_a_code() {
    let names: std::collections::BTreeSet<_> = RejectionReason::ALL.iter().map(|r| r.name()).collect();
    assert_eq!(names.len(), RejectionReason::ALL.len());
    assert!(RejectionReason::ALL.iter().all(|r| [1001, 1006, 1007, 6004].contains(&r.code())));
}

#[test]
fn series_of_a_higher_timeframe_show_its_newest_known_bar() {
    let session = session(&[market("EURUSD", 600)], &json!({}));
    let indicators = session.instruments[0].indicators();
    assert_eq!(indicators.timeframe("M5").unwrap(), None);
    let hour = indicators.timeframe("H1").unwrap().unwrap();
    assert_eq!(on_named("daily").unwrap_err().code, 1001);
    for quote in [Quote::Bid, Quote::Ask] {
        let bars = indicators.higher(quote, hour, on_named("bars").unwrap()).unwrap();
        let raster = indicators.higher(quote, hour, on_named(" Raster").unwrap()).unwrap();
        let native = bars.scope().get(&Ema { period: 3 });
        let shown = bars.get(&Ema { period: 3 });
        let last = raster.get(&Ema { period: 1 });
        assert_eq!(raster.expand(last.clone())[..].len(), 600);
        let known = bars.bars().newest();
        for i in 0..600 {
            let Ok(bar) = usize::try_from(known[i]) else {
                assert_eq!(known[i], NONE);
                assert!(shown[i].is_nan() && last[i].is_nan());
                continue;
            };
            assert_eq!(shown[i], native[bar]);
            assert_eq!(last[i], bars.bars().quotes(quote).close[bar]);
        }
        assert!(known[599] > 40);
    }
    assert_eq!(indicators.higher(Quote::Bid, "M1".parse().unwrap(), On::Bars).err().unwrap().code, 1001);
}

#[test]
fn stops_trail_by_the_distance_of_each_bar_and_working_orders_can_be_cancelled() {
    let session = session(&[market("EURUSD", 300)], &json!({"execution": {"max_positions": null}}));
    let view = session.instruments[0].view();
    let close = view.bid.close[10];
    let far = Signal {
        order_type: OrderType::Stop,
        entry: Some(close + 0.3),
        ..Signal::market(Direction::Long, close, None)
    };
    let signals = vec![(10, Signal::market(Direction::Long, close - 0.005, None)), (10, far)];
    let exits = vec![
        (15, (Direction::Long, Reply::Cancel)),
        (15, (Direction::Long, Reply::ModifyTarget(Some(close + 0.2)))),
    ];
    // No proposal up to bar 19, then one that any best price reaches.
    let distances = (0..300).map(|i| if i < 20 { f64::NAN } else { 0.0001 }).collect();
    let rules = Rules { trail_start_r: 0.0, ..Rules::default() };
    let script = Script::new(signals, exits, rules, Some(Trail::ByBar(distances))).unwrap();
    let outcome = simulation::run(&session, &[Prepared { decider: script, warmup: 0 }], true).unwrap();
    assert_eq!(outcome.ended.kept.as_ref().map_or(0, Vec::len), 1);
    let position = &outcome.trades[0];
    assert_eq!(position.take_profit, Some(close + 0.2));
    assert_eq!(position.reason, Some(ExitReason::TrailingStopLoss));
    assert!(position.exit_time > view.label[20]);
}
