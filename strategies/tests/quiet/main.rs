//! Stretches of bars that are passed at once give what the plain steps of every bar give.

#![allow(clippy::unwrap_used)]

mod held;
mod restless;
mod several;

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use sweep_engine::declare::canonicalise;
use sweep_engine::execution::resolve::resolve;
use sweep_engine::market::{Market, SymbolSpec, SyntheticOptions};
use sweep_engine::orders::{Direction, Labels, OrderType, Signal, StopKind};
use sweep_engine::run::script::{Reply, Script, Trail};
use sweep_engine::run::{Outcome, Prepared, Session, simulation};
use sweep_engine::strategy::{Part, Rules, View};
use sweep_strategies::STRATEGIES;

const BARS: i64 = 1_500;

fn session(symbol: &str, seed: u64, options: &Json) -> Session {
    let spec = SymbolSpec::resolve(symbol, &Map::new()).unwrap();
    let options_of_bars =
        SyntheticOptions { seed, ..SyntheticOptions::new(spec, "M5".parse().unwrap(), BARS) };
    let market = Market::synthetic(&options_of_bars).unwrap();
    let resolved = resolve(options, symbol).unwrap();
    Session::new(&[market], vec![resolved], &BTreeMap::new(), 1 << 26).unwrap()
}

/// Without what only a look at one backtest keeps.
fn plain(mut outcome: Outcome) -> Outcome {
    outcome.curve = None;
    outcome.ended.kept = None;
    outcome
}

/// Limits that some runs reach and others do not; none for half of them.
fn early_stop() -> impl Strategy<Value = Json> {
    let ruin = prop_oneof![Just(None), (50.0..99.9f64).prop_map(Some)];
    let drawdown = prop_oneof![Just(None), (0.01..5.0f64).prop_map(Some)];
    let fraction = prop_oneof![Just(None), (0.01..1.0f64).prop_map(Some)];
    let limits = (ruin, drawdown, fraction, 0..20u32).prop_map(|(ruin, drawdown, fraction, trades)| {
        json!({
            "ruin_pct": ruin, "max_drawdown_pct": drawdown, "min_trades_by_midpoint": fraction, "min_trades": trades,
        })
    });
    prop_oneof![1 => Just(Json::Null), 1 => limits]
}

/// Entry gates, none for half of the runs: windows of the day and pauses, in either order.
fn gates() -> impl Strategy<Value = Json> {
    let hours = (0..24u32, 0..24u32).prop_map(|(start, hours)| {
        let hour = |hour: u32| format!("{:02}:30", hour % 24);
        json!(["sessions", [{"start": hour(start), "end": hour(start + 1 + hours % 23)}]])
    });
    let pause = prop_oneof![1 => Just(0), 1 => 0..150u32];
    let pauses = prop::array::uniform4(pause).prop_map(|[a, b, c, d]| {
        json!(["cooldown", {
            "after_exit_minutes": a, "after_exit_bars": b / 5, "after_signal_minutes": c, "after_signal_bars": d / 5,
        }])
    });
    let some = (hours, pauses, 0..4u32).prop_map(|(hours, pauses, which)| match which {
        0 => json!([hours]),
        1 => json!([pauses]),
        2 => json!([hours, pauses]),
        _ => json!([pauses, hours]),
    });
    prop_oneof![1 => Just(json!([])), 1 => some]
}

fn options() -> impl Strategy<Value = Json> {
    let preset = prop_oneof![Just("realistic"), Just("reference")];
    let slots = prop_oneof![2 => Just(json!(1)), 1 => Just(json!(2)), 1 => Just(json!(null))];
    let equity = prop_oneof![3 => Just("mark_to_market"), 1 => Just("realised")];
    let currency = prop_oneof![3 => Just("USD"), 1 => Just("EUR")];
    // A small balance is ruined on the way.
    let balance = prop_oneof![3 => Just(10_000.0), 1 => Just(400.0), 1 => Just(1_500.0)];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let fill = prop::sample::select(vec!["next_open", "signal_close"]);
    let end = prop::sample::select(vec!["close", "leave_open"]);
    let rest = (early_stop(), gates(), (fill, end), prop_oneof![Just(0.0), 0.0..3.0f64]);
    (preset, slots, equity, currency, balance, flags, rest, 0.0..4.0f64).prop_map(
        |(
            preset,
            slots,
            equity,
            currency,
            balance,
            (stop_on_ruin, reentry, gap_fills),
            (early_stop, gates, (fill, end), buffer),
            cost,
        )| {
            json!({
                "gates": gates,
                "execution": {
                    "preset": preset, "max_positions": slots, "equity": equity, "stop_on_ruin": stop_on_ruin,
                    "reentry_on_exit_bar": reentry, "gap_fills": gap_fills, "market_fill": fill, "end_of_data": end,
                    "trigger_buffer_pips": buffer,
                },
                "account": {"initial_balance": balance, "currency": currency},
                "rates": {"static": {"EURUSD": 1.25}},
                "costs": {"commission": {"schema": "per_lot", "per_lot": cost}, "slippage": {"random_pips": 0.3}},
                "early_stop": early_stop,
            })
        },
    )
}

fn rules() -> impl Strategy<Value = (Rules, Option<Trail>)> {
    let bars = prop_oneof![2 => Just(0), 1 => 1..200usize];
    let minutes = prop_oneof![2 => Just(0), 1 => 1..2_000i64];
    let be = prop_oneof![2 => Just(0.0), 1 => 0.2..2.0f64];
    let trail = prop_oneof![2 => Just(None), 1 => (0.0003..0.004f64).prop_map(Some)];
    let pause = prop_oneof![2 => Just(0), 1 => 1..60usize];
    let buffer = prop_oneof![1 => Just(0.0), 1 => 0.0..5.0f64];
    let start = prop_oneof![1 => Just(0.0), 1 => 0.0..1.5f64];
    (bars, minutes, (be, buffer), trail, start, any::<bool>(), pause).prop_map(
        |(
            timeout_bars,
            timeout_minutes,
            (be_r, be_buffer_pips),
            trail,
            trail_start_r,
            tracks,
            cooldown_bars,
        )| {
            let rules = Rules {
                timeout_bars,
                timeout_minutes,
                be_r,
                be_buffer_pips,
                cooldown_bars,
                trails: trail.is_some(),
                trail_start_r,
                tracks,
                ..Rules::default()
            };
            // Without a distance on some bars, as before an average is there.
            let distance = |far: f64| {
                move |bar: i64| if bar % 7 < 2 { f64::NAN } else { far * (1.0 + (bar % 11) as f64) }
            };
            let by_bar = |far| Trail::ByBar((0..BARS).map(distance(far)).collect());
            (rules, trail.map(|far| if tracks { Trail::Fixed(far) } else { by_bar(far) }))
        },
    )
}

/// A row of a script: an order, with distances of its levels in pips.
#[derive(Debug, Clone)]
struct Row {
    bar: usize,
    long: bool,
    stop: f64,
    target: Option<f64>,
    /// How far a limit or stop order lies from the close.
    pending: Option<(OrderType, f64)>,
    valid_bars: Option<i64>,
    /// For how many hours.
    good: Option<i64>,
    grouped: bool,
}

impl Row {
    fn signal(&self, view: &View<'_>) -> Signal {
        let (direction, s) = if self.long { (Direction::Long, 1.0) } else { (Direction::Short, -1.0) };
        let close = view.bid.close[self.bar];
        let Some((order_type, distance)) = self.pending else {
            let target = self.target.map(|target| close + s * target * 1e-4);
            return Signal::market(direction, close - s * self.stop * 1e-4, target);
        };
        let ahead = if order_type == OrderType::Stop { s } else { -s };
        let price = close + ahead * distance * 1e-4;
        let target = self.target.map(|target| price + s * target * 1e-4);
        let order = Signal::pending(order_type, direction, price, price - s * self.stop * 1e-4, target);
        let labels = Labels { oco_group: self.grouped.then(|| "pair".into()), ..Labels::default() };
        Signal {
            valid_bars: self.valid_bars,
            good_till: self.good.map(|hours| view.label[self.bar] + hours * 3_600_000_000),
            labels: labels.shared(),
            ..order
        }
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let target = prop_oneof![Just(None), (3.0..120.0f64).prop_map(Some)];
    let kind = prop_oneof![Just(OrderType::Limit), Just(OrderType::Stop)];
    let pending = prop_oneof![1 => Just(None), 1 => (kind, 1.0..60.0f64).prop_map(Some)];
    let until = (prop::option::of(0..300i64), prop::option::of(0..40i64), any::<bool>());
    let row = (0..BARS as usize, any::<bool>(), 3.0..120.0f64, target, pending, until).prop_map(
        |(bar, long, stop, target, pending, (valid_bars, good, grouped))| Row {
            bar,
            long,
            stop,
            target,
            pending,
            valid_bars,
            good,
            grouped,
        },
    );
    prop::collection::vec(row, 0..40).prop_map(|mut rows| {
        rows.sort_by_key(|row| row.bar);
        rows
    })
}

fn exits() -> impl Strategy<Value = Vec<(usize, (Direction, Reply))>> {
    let direction = prop_oneof![Just(Direction::Long), Just(Direction::Short)];
    let reply = prop_oneof![
        3 => Just(Reply::Close),
        1 => Just(Reply::Cancel),
        1 => (0.9..1.3f64).prop_map(|price| Reply::ModifyStop(price, StopKind::Manual)),
        1 => Just(Reply::ModifyTarget(None)),
        1 => Just(Reply::PartialClose(Part::Fraction(0.5))),
    ];
    prop::collection::vec((0..BARS as usize, (direction, reply)), 0..6).prop_map(|mut rows| {
        rows.sort_by_key(|row| row.0);
        rows
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn of_scripts(seed in 0..50u64, options in options(), (rules, trail) in rules(), rows in rows(), exits in exits()) {
        let session = session("EURUSD", seed, &options);
        let signals = || rows.iter().map(|row| (row.bar, row.signal(&session.instruments[0].view())));
        let run = |stepwise| {
            let script = Script::new(signals().collect(), exits.clone(), rules, trail.clone()).unwrap();
            plain(simulation::run(&session, &[Prepared { decider: script, warmup: 20 }], stepwise).unwrap())
        };
        prop_assert_eq!(run(false), run(true));
    }

    #[test]
    fn of_strategies(
        seed in 0..50u64,
        options in options(),
        which in 0..STRATEGIES.len(),
        periods in (3..20i64, 25..80i64),
        (be, confirm, pause) in (0..3i64, 0..3i64, 0..9i64),
        trail in prop_oneof![Just(0.0), 0.5..4.0f64],
    ) {
        let session = session("EURUSD", seed, &options);
        let strategy = STRATEGIES[which];
        let raw = match strategy.declaration().id.as_str() {
            "ma_cross" => json!({
                "fast_period": periods.0, "slow_period": periods.1, "be_r": be, "confirm_bars": confirm,
                "trail_atr": trail, "cooldown_bars": pause, "adx_min": if seed % 2 > 0 { 20.0 } else { 0.0 },
                "exit_on_cross": seed % 3 > 0, "reverse": seed % 3 == 1,
            }),
            "mean_reversion_z_score" => json!({"enabled_scenarios": "1+2", "window_length": periods.1}),
            "mtf_trend_pullback" => json!({"htf": "H1", "be_r": be, "trail_atr": trail, "cooldown_bars": pause}),
            "donchian_breakout" => json!({
                "entry_lookback": periods.1, "exit_lookback": if seed % 4 > 0 { periods.0 } else { 0 },
                "order_valid_bars": 1 + seed % 10, "buffer_atr": 0.1 * (seed % 3) as f64, "be_r": be,
                "trail_atr": trail, "cooldown_bars": pause, "trend_ema": if seed % 2 > 0 { 100 } else { 0 },
            }),
            _ => json!({"be_r": be, "trail_atr": trail, "cooldown_bars": pause}),
        };
        let params = canonicalise(strategy.declaration(), &session.context(), raw.as_object().unwrap()).unwrap();
        let run = |stepwise| plain(strategy.run(&session, &params, stepwise).unwrap());
        prop_assert_eq!(run(false), run(true));
    }

    #[test]
    fn of_scenarios(
        seed in 0..50u64,
        options in options(),
        scenarios in prop::sample::select(vec!["1", "2", "3", "1+2", "4", "2+4", "5", "1+2+3+4+5+6"]),
        directions in prop::sample::select(vec!["both", "long", "short"]),
        filter in prop::sample::select(vec!["both", "above", "below"]),
        managed in prop::option::of((any::<bool>(), prop::option::of(-0.5..0.5f64), 0..3i64)),
        (z, width, lookback) in (0.3..2.5f64, 0.5..2.5f64, prop_oneof![Just(0), Just(40)]),
    ) {
        let session = session("EURUSD", seed, &options);
        let minutes = [0, 30, 600][usize::try_from(seed % 3).unwrap()];
        let mut raw = json!({
            "enabled_scenarios": scenarios, "window_length": 40, "z_score_long": -z, "z_score_short": 1.1 * z,
            "std_factor": width, "local_z_lookback": lookback, "garch_min_periods": 20, "direction_filter": directions,
            "htf_filter": "both", "extra_htf_tf": "H1", "extra_htf_filter": filter, "extra_htf_ema": 5,
            "use_position_manager": managed.is_some(), "max_holding_minutes": minutes,
        });
        if let Some((dynamic, z_exit, be)) = managed {
            let more = json!({
                "tp_mode": if dynamic { "dynamic" } else { "static" }, "z_exit": z_exit.map(|exit: f64| exit * z), "be_r": be,
            });
            raw.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        }
        let strategy = sweep_strategies::find("mean_reversion_z_score").unwrap();
        let params = canonicalise(strategy.declaration(), &session.context(), raw.as_object().unwrap()).unwrap();
        let run = |stepwise| plain(strategy.run(&session, &params, stepwise).unwrap());
        prop_assert_eq!(run(false), run(true));
    }
}
