use super::*;
use crate::gates::clock::MINUTE;
use rstest::rstest;
use serde_json::{Map, Value as Json, json};

/// 2024-01-01 00:00 UTC, a Monday.
const MONDAY: i64 = 1_704_067_200_000_000;

fn table(gates: &Json, closes: impl FnOnce() -> Vec<i64>) -> Option<GateTable> {
    let spec = SymbolSpec::resolve("EURUSD", &Map::new()).unwrap();
    GateTable::new(&GateOptions::read(Some(gates)).unwrap(), &spec, closes)
}

/// Closes every ten minutes from 08:00 on: the session ends at 08:20, the event blocks from 08:10 up to 08:40.
fn day(order: &[&str]) -> GateTable {
    let closes = || (0..6).map(|k| MONDAY + (480 + 10 * k) * MINUTE).collect();
    let value = |name: &str| match name {
        "sessions" => json!([{"start": "08:00", "end": "08:20"}]),
        "news" => json!({
            "events": [{"time": MONDAY + 500 * MINUTE, "currency": "USD"}],
            "before_minutes": 10, "after_minutes": 20,
        }),
        _ => json!({"after_exit_bars": 2}),
    };
    let gates: Json = order.iter().map(|name| json!([name, value(name)])).collect();
    table(&gates, closes).unwrap()
}

#[rstest]
#[case(&["sessions", "news", "cooldown"], ["", "news", "sessions", "sessions", "sessions", "sessions"])]
#[case(&["news", "sessions", "cooldown"], ["", "news", "news", "news", "sessions", "sessions"])]
#[case(&["cooldown", "news", "sessions"], ["", "news", "news", "news", "sessions", "sessions"])]
#[case(&["sessions", "cooldown"], ["", "", "sessions", "sessions", "sessions", "sessions"])]
fn the_first_closed_gate_in_configured_order_is_named(#[case] order: &[&str], #[case] expected: [&str; 6]) {
    let table = day(order);
    assert_eq!(table.names().iter().map(|name| name.text()).collect::<Vec<_>>(), order);
    assert_eq!([0, 1, 2, 3, 4, 5].map(|bar| table.closed(bar).map_or("", |(name, _)| name.text())), expected);
    assert_eq!(table.cooldown().after_exit_bars, 2);
}

#[rstest]
#[case(&["sessions", "news", "cooldown"], [true, true])]
#[case(&["sessions", "cooldown", "news"], [false, true])]
#[case(&["cooldown", "sessions", "news"], [false, false])]
#[case(&["sessions", "news"], [true, true])]
fn it_tells_whether_the_closed_gate_comes_before_the_cooldown(
    #[case] order: &[&str],
    #[case] before: [bool; 2],
) {
    let table = day(order);
    assert_eq!(
        [1, 2].map(|bar| table.closed(bar).unwrap()),
        [(Name::News, before[0]), (Name::Sessions, before[1])]
    );
}

#[test]
fn without_gates_nothing_is_compiled() {
    for nothing in [json!(null), json!([]), json!([["news", null], ["cooldown", {}]])] {
        assert!(table(&nothing, || panic!("no gate asks")).is_none());
    }
}
