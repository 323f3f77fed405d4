//! One position at a time, where a look over many bars could go wrong: its first bar and its last, days, time stops, ruin.

use super::{BARS, plain, session};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use sweep_engine::execution::resolve::resolve;
use sweep_engine::market::{Market, RawTicks, SymbolSpec, TickOptions};
use sweep_engine::orders::{Direction, ExitReason, Signal};
use sweep_engine::run::script::{Reply, Script};
use sweep_engine::run::{Outcome, Prepared, Session, simulation};
use sweep_engine::strategy::Rules;

/// What one position of a script gives, entered on `bar`, jumped and step by step alike. Its stop is `stop` pips away.
fn one(session: &Session, bar: usize, long: bool, stop: f64, rules: Rules) -> Outcome {
    let close = session.instruments[0].view().bid.close[bar];
    let (direction, sign) = if long { (Direction::Long, -1.0) } else { (Direction::Short, 1.0) };
    let run = |stepwise| {
        let signal = Signal::market(direction, close + sign * stop * 1e-4, None);
        let exits = vec![(BARS as usize - 3, (direction, Reply::Close))];
        let script = Script::new(vec![(bar, signal)], exits, rules, None).unwrap();
        plain(simulation::run(session, &[Prepared { decider: script, warmup: 0 }], stepwise).unwrap())
    };
    let jumped = run(false);
    assert_eq!(jumped, run(true), "bar {bar}, long: {long}, stop {stop}");
    jumped
}

/// Entry bars at every place within a block of bars.
const ENTRIES: std::ops::Range<usize> = 250..290;

/// Lots that make an account rich or poor within a day.
fn daring(more: &Json) -> Session {
    let mut options = json!({
        "account": {"initial_balance": 2_000.0, "leverage": 1e6, "sizing": {"mode": "fixed_lots", "lots": 2.0}},
        "execution": {"check_margin": false},
    });
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    session("EURUSD", 3, &options)
}

#[test]
fn a_stop_is_met_on_the_first_bar_of_a_look_and_on_any_other() {
    let session = session("EURUSD", 3, &json!({}));
    let mut held = BTreeSet::new();
    for bar in ENTRIES {
        for (long, stop) in [(true, 2.0), (false, 2.0), (true, 25.0), (false, 25.0)] {
            let outcome = one(&session, bar, long, stop, Rules::default());
            let exit = &outcome.trades[0];
            held.insert((exit.exit_time - exit.entry_time) / 300_000_000);
        }
    }
    assert!(held.contains(&1) && held.contains(&2) && held.iter().any(|&bars| bars > 130), "{held:?}");
}

#[test]
fn time_stops_end_a_position_anywhere_within_a_look() {
    let session = session("EURUSD", 3, &json!({}));
    for bars in 1..140 {
        for rules in [
            Rules { timeout_bars: bars, ..Rules::default() },
            Rules { timeout_minutes: 5 * i64::try_from(bars).unwrap(), tracks: false, ..Rules::default() },
        ] {
            let trade = one(&session, 260, bars % 2 > 0, 900.0, rules).trades.remove(0);
            assert_eq!(trade.reason.unwrap().name(), "timeout");
            assert_eq!((trade.exit_time - trade.entry_time) / 300_000_000, i64::try_from(bars).unwrap());
        }
    }
}

#[test]
fn days_end_within_a_look_with_new_highs_and_deeper_lows() {
    let session = daring(&json!({}));
    for bar in ENTRIES {
        for long in [true, false] {
            let outcome = one(&session, bar, long, 900.0, Rules::default());
            assert!(outcome.daily.len() > 4 && outcome.daily[1..].windows(2).any(|pair| pair[0] != pair[1]));
        }
    }
}

#[test]
fn an_account_is_ruined_and_a_backtest_given_up_while_a_position_is_held() {
    let ruin = |stop_on_ruin: bool| {
        daring(&json!({"execution": {"stop_on_ruin": stop_on_ruin, "check_margin": false}}))
    };
    let limits = [json!({"ruin_pct": 60.0, "min_trades": 0}), json!({"max_drawdown_pct": 30.0})];
    let limited = limits.map(|limits| daring(&json!({"early_stop": limits})));
    let (mut ruined, mut given_up) = (0, 0);
    for session in [ruin(true), ruin(false)] {
        for (bar, long) in ENTRIES.flat_map(|bar| [(bar, true), (bar, false)]) {
            let end = one(&session, bar, long, 900.0, Rules::default());
            ruined += usize::from(end.ruined_at.is_some_and(|at| at < end.trades[0].exit_time));
        }
    }
    for session in &limited {
        for (bar, long) in ENTRIES.flat_map(|bar| [(bar, true), (bar, false)]) {
            let end = one(session, bar, long, 900.0, Rules::default());
            given_up += usize::from(end.stopped.is_some() && end.open.len() == 1);
        }
    }
    assert!(ruined > 40 && given_up > 40, "{ruined} {given_up}");
}

#[test]
fn best_and_worst_prices_are_followed_where_that_is_asked_for() {
    let session = session("EURUSD", 3, &json!({}));
    let best = |tracks| {
        let rules = Rules { tracks, ..Rules::default() };
        let trade = one(&session, 260, true, 900.0, rules).trades.remove(0);
        (trade.best_price - trade.entry_price, trade.entry_price - trade.worst_price)
    };
    assert_eq!(best(false), (0.0, 0.0));
    assert!(best(true).0 > 0.0 && best(true).1 > 0.0);
}

#[test]
fn a_tick_of_the_bar_that_is_still_forming_meets_the_stop() {
    let prices: Vec<f64> = (0..33).map(|bar| if bar == 32 { 1.0 } else { 1.1 }).collect();
    let raw = RawTicks {
        time: (0..33).map(|bar| bar * 300_000_000).collect::<Vec<i64>>().into(),
        bid: prices.clone().into(),
        ask: prices.into(),
        bid_size: None,
        ask_size: None,
    };
    let spec = SymbolSpec::resolve("EURUSD", &Map::new()).unwrap();
    let market = Market::from_ticks(raw, &TickOptions::new(spec, "M5".parse().unwrap())).unwrap();
    // Whole blocks of complete bars: the bar of the last tick is in none.
    assert_eq!(market.len(), 32);
    let resolved = resolve(&json!({}), "EURUSD").unwrap();
    let session = Session::new(&[market], vec![resolved], &BTreeMap::new(), 0).unwrap();
    let signal = Signal::market(Direction::Long, 1.05, None);
    let script = Script::new(vec![(20, signal)], vec![], Rules::default(), None).unwrap();
    let outcome = simulation::run(&session, &[Prepared { decider: script, warmup: 0 }], false).unwrap();
    assert_eq!(outcome.trades[0].reason, Some(ExitReason::StopLoss));
    assert_eq!(outcome.trades[0].exit_price, 1.0);
}
