//! Several symbols, or moving rates: stretches on which no symbol does anything, and steps of those alone that do.

use super::restless::{Habits, Restless, habits};
use super::{BARS, options, plain, rules};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use sweep_engine::declare::canonicalise;
use sweep_engine::execution::resolve::resolve;
use sweep_engine::market::{Market, SymbolSpec, SyntheticOptions};
use sweep_engine::run::script::Trail;
use sweep_engine::run::{Outcome, Prepared, Session, simulation};
use sweep_engine::strategy::Rules;
use sweep_strategies::STRATEGIES;

/// Some of the bars of a symbol: from which on, how often one is missing, how many there are.
#[derive(Debug, Clone)]
struct Rows {
    seed: u64,
    late: i64,
    bars: i64,
    gaps: f64,
}

fn rows() -> impl Strategy<Value = Rows> {
    let late = prop_oneof![1 => Just(0), 1 => 0..200i64];
    let gaps = prop_oneof![1 => Just(0.0), 1 => 0.0..0.2f64];
    (0..50u64, late, 200..BARS / 2, gaps).prop_map(|(seed, late, bars, gaps)| Rows { seed, late, bars, gaps })
}

const SYMBOLS: [&str; 3] = ["EURUSD", "GBPUSD", "AUDUSD"];

fn markets(rows: &[Rows]) -> Vec<Market> {
    let market = |(symbol, rows): (&&str, &Rows)| {
        let spec = SymbolSpec::resolve(symbol, &Map::new()).unwrap();
        let base = SyntheticOptions::new(spec, "M5".parse().unwrap(), rows.bars);
        let start = base.start + rows.late * 300_000_000;
        Market::synthetic(&SyntheticOptions { seed: rows.seed, start, gap_rate: rows.gaps, ..base }).unwrap()
    };
    SYMBOLS.iter().zip(rows).map(market).collect()
}

/// `moving`: the account's currency is worth more or less from bar to bar.
fn session(rows: &[Rows], mut options: Json, moving: bool) -> Session {
    let markets = markets(rows);
    let mut rates = BTreeMap::new();
    if moving {
        options["account"]["currency"] = json!("EUR");
        options["rates"] = json!({"max_rate_age_hours": 1e6});
        let early = Rows { seed: 99, late: -500, bars: 3 * BARS, gaps: 0.0 };
        rates.insert("EURUSD".to_owned(), self::markets(&[early]).remove(0));
    }
    let resolved = markets.iter().map(|m| resolve(&options, &m.spec().symbol).unwrap()).collect();
    Session::new(&markets, resolved, &rates, 1 << 26).unwrap()
}

/// Rows of the symbols, options with a limit of positions in all or without, whether rates move.
fn cases() -> impl Strategy<Value = (Vec<Rows>, Json, bool)> {
    let total = prop_oneof![2 => Just(None), 1 => (1..4u32).prop_map(Some)];
    let all = (prop::collection::vec(rows(), 1..4), options(), total, prop::bool::weighted(0.3));
    all.prop_map(|(rows, mut options, total, moving)| {
        options["execution"]["max_total_positions"] = json!(total);
        (rows, options, moving)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, ..ProptestConfig::default() })]

    #[test]
    fn of_restless_strategies(
        (rows, options, moving) in cases(),
        all in prop::array::uniform3((rules(), habits(), any::<u64>())),
    ) {
        let session = session(&rows, options, moving);
        let strategies = || -> Vec<Prepared<Restless>> {
            let one = |((rules, trail), habits, seed): ((Rules, Option<Trail>), Habits, u64)| {
                Prepared { decider: Restless { seed, habits, rules, trail }, warmup: 20 }
            };
            all.clone().into_iter().take(rows.len()).map(one).collect()
        };
        let run = |stepwise| -> Outcome { plain(simulation::run(&session, &strategies(), stepwise).unwrap()) };
        prop_assert_eq!(run(false), run(true));
    }

    #[test]
    fn of_strategies(
        (rows, options, moving) in cases(),
        which in 0..STRATEGIES.len(),
        (be, pause, hold) in (0..3i64, 0..9i64, prop_oneof![Just(0), 5..100i64]),
        trail in prop_oneof![Just(0.0), 0.5..4.0f64],
    ) {
        let session = session(&rows, options, moving);
        let strategy = STRATEGIES[which];
        let raw = match strategy.declaration().id.as_str() {
            "mean_reversion_z_score" => json!({
                "enabled_scenarios": "2+4", "window_length": 40, "garch_min_periods": 20, "z_score_long": -0.7,
                "z_score_short": 0.7, "use_position_manager": be > 0, "z_exit": 0.1 * be as f64,
            }),
            _ => json!({"be_r": be, "trail_atr": trail, "cooldown_bars": pause, "max_holding_bars": hold}),
        };
        let params = canonicalise(strategy.declaration(), &session.context(), raw.as_object().unwrap()).unwrap();
        let run = |stepwise| plain(strategy.run(&session, &params, stepwise).unwrap());
        prop_assert_eq!(run(false), run(true));
    }
}
