//! Parts of a window, each run from a flat start: pooled they are what the parts are one by one.

#![allow(clippy::unwrap_used)]

use rstest::rstest;
use serde_json::{Map, json};
use std::collections::BTreeMap;
use sweep_engine::declare::canonicalise;
use sweep_engine::execution::resolve::resolve;
use sweep_engine::market::{Market, SymbolSpec, SyntheticOptions};
use sweep_engine::orders::Position;
use sweep_engine::run::{Outcome, Session};
use sweep_strategies::find;

fn session() -> Session {
    let spec = SymbolSpec::resolve("EURUSD", &Map::new()).unwrap();
    let market = Market::synthetic(&SyntheticOptions::new(spec, "M15".parse().unwrap(), 4_000)).unwrap();
    let options = json!({
        "execution": {"end_of_data": "leave_open"},
        "costs": {"commission": {"schema": "per_lot", "per_lot": 2.5}, "slippage": {"random_pips": 0.2}},
        "account": {"initial_balance": 1e6},
    });
    Session::new(&[market], vec![resolve(&options, "EURUSD").unwrap()], &BTreeMap::new(), 1 << 26).unwrap()
}

fn run(session: &Session, id: &str, bounds: &[(i64, i64)], keep: bool) -> Outcome {
    let strategy = find(id).unwrap();
    let params = canonicalise(strategy.declaration(), &session.context(), &Map::new()).unwrap();
    strategy.run(&session.level(1, bounds).unwrap(), &params, keep).unwrap()
}

/// Everything of a trade but its number.
fn trade(p: &Position) -> (i64, i64, String) {
    (p.entry_time, p.exit_time, format!("{} {} {} {:?}", p.entry_price, p.exit_price, p.result, p.reason))
}

#[rstest]
#[case("ma_cross", true)]
#[case("ma_cross", false)]
#[case("donchian_breakout", true)]
#[case("rsi_reversal_limit", true)]
fn pooled_parts_are_the_parts(#[case] id: &str, #[case] keep: bool) {
    let session = session();
    let label = session.instruments[0].view().label;
    let parts = [(label[500], label[1_500]), (label[2_000], label[3_700])];
    let pooled = run(&session, id, &parts, keep);
    let alone = parts.map(|part| run(&session, id, &[part], keep));
    let joined = |of: fn(&Outcome) -> &[Position]| alone.iter().flat_map(of).map(trade).collect::<Vec<_>>();
    assert!(alone.iter().all(|outcome| outcome.trades.len() > 3), "{id}");
    assert_eq!(pooled.trades.iter().map(trade).collect::<Vec<_>>(), joined(|outcome| &outcome.trades));
    assert_eq!(pooled.open.iter().map(trade).collect::<Vec<_>>(), joined(|outcome| &outcome.open));
    let numbers: Vec<u64> = pooled.trades.iter().map(|p| p.id).collect();
    assert_eq!(numbers.iter().collect::<std::collections::BTreeSet<_>>().len(), numbers.len(), "each once");
    assert_eq!(pooled.pending.len(), alone.iter().map(|outcome| outcome.pending.len()).sum::<usize>());
    assert_eq!(pooled.returns, alone.iter().flat_map(|outcome| outcome.returns.clone()).collect::<Vec<_>>());
    let rejected = |outcome: &Outcome| outcome.rejections.total();
    assert_eq!(rejected(&pooled), alone.iter().map(rejected).sum::<u64>());
    let ended =
        |outcome: &Outcome| (outcome.ended.expired, outcome.ended.cancelled, outcome.ended.end_of_data);
    let [(a, b, c), (d, e, f)] = [ended(&alone[0]), ended(&alone[1])];
    assert_eq!(ended(&pooled), (a + d, b + e, c + f));
    for ((cause, all), (one, other)) in
        pooled.blocked.by_cause().zip(alone[0].blocked.by_cause().zip(alone[1].blocked.by_cause()))
    {
        assert_eq!(all, one.1 + other.1, "{cause:?}");
    }
    let last = |outcome: &Outcome| *outcome.daily.last().unwrap();
    let earned = last(&alone[0]) + last(&alone[1]) - 1e6;
    assert!((last(&pooled) - earned).abs() < 1e-6);
    if keep {
        let rows = |outcome: &Outcome| outcome.curve.as_ref().unwrap().time.len();
        assert!(rows(&pooled) >= rows(&alone[0]) + rows(&alone[1]) - 1);
    }
}

#[test]
fn parts_that_cannot_be_are_refused() {
    let session = session();
    let label = session.instruments[0].view().label;
    let code = |bounds: &[(i64, i64)]| session.level(0, bounds).err().map(|error| error.code);
    assert_eq!(code(&[]), Some(1001));
    assert_eq!(code(&[(label[9], label[9])]), Some(1001));
    assert_eq!(code(&[(label[500], label[900]), (label[800], label[950])]), Some(1001));
    assert_eq!(code(&[(label[0] - 10, label[0] - 5)]), Some(1010));
    assert_eq!(code(&[(label[500], label[900]), (label[900], label[950])]), None);
}
