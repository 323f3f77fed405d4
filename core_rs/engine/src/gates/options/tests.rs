//! Which options are gates, and when the compiled gates are open.

use super::*;
use crate::gates::intervals::Intervals;
use crate::gates::table::GateTable;
use crate::market::SymbolSpec;
use crate::market::calendar::iso;
use rstest::rstest;
use serde_json::{Map, json};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// 2024-01-01, a Monday; 2024-07-01, a Monday; 2024-03-31 and 2024-10-27, when London's clocks change.
const WINTER: i64 = 19_723 * DAY;
const SUMMER: i64 = 19_905 * DAY;
const SPRING: i64 = 19_813 * DAY;
const AUTUMN: i64 = 20_023 * DAY;

fn gates(json: Json) -> GateOptions {
    GateOptions::read(Some(&json)).unwrap()
}

fn symbol(name: &str) -> SymbolSpec {
    let plain = SymbolSpec::resolve("EURUSD", &Map::new()).unwrap();
    SymbolSpec { base_currency: name[..3].into(), quote_currency: name[3..].into(), ..plain }
}

/// Parts of [from, from + days) in which sessions or anchored windows are open.
fn open(json: Json, from: i64, days: i64) -> Vec<String> {
    let to = from + days * DAY;
    let intervals = match &gates(json).gates()[0] {
        Gate::Sessions(sessions) => sessions.open(from, to),
        Gate::Anchored(anchored) => anchored.open(from, to),
        other => panic!("{other:?}"),
    };
    texts(&intervals)
}

fn texts(intervals: &Intervals) -> Vec<String> {
    let short = |t: i64| iso(t)[5..16].to_owned();
    intervals.as_slice().iter().map(|&(a, b)| format!("{} {}", short(a), short(b))).collect()
}

/// The first closed gate of EURUSD at each moment.
fn closed(json: Json, moments: &[i64]) -> Vec<Option<&'static str>> {
    let table = GateTable::new(&gates(json), &symbol("EURUSD"), || moments.to_vec()).unwrap();
    (0..moments.len()).map(|k| table.closed(k).map(|(name, _)| name.text())).collect()
}

#[test]
fn a_session_that_wraps_is_open_until_its_end() {
    let night = json!([["sessions", [{"start": "22:00", "end": "02:00"}]]]);
    let minute = 60_000_000;
    let moments = [SUMMER - 2 * HOUR - 1, SUMMER - 2 * HOUR, SUMMER + 2 * HOUR - minute, SUMMER + 2 * HOUR];
    assert_eq!(closed(night, &moments), [Some("sessions"), None, None, Some("sessions")]);
}

#[rstest]
// A window that wraps belongs to the day of its start.
#[case(json!({"start": "22:00", "end": "02:00", "days": ["mon"]}), SUMMER, &["07-01T22:00 07-02T02:00"])]
#[case(json!({"start": "22:00", "end": "02:00", "days": ["sun"]}), SUMMER, &["07-01T00:00 07-01T02:00"])]
#[case(json!({"start": "22:00", "end": "00:00"}), SUMMER,
    &["07-01T22:00 07-02T00:00", "07-02T22:00 07-03T00:00"])]
#[case(json!({"start": "22:00", "end": "24:00", "days": ["tue"]}), SUMMER, &["07-02T22:00 07-03T00:00"])]
#[case(json!({"start": "00:00", "end": "24:00"}), SUMMER, &["07-01T00:00 07-03T00:00"])]
#[case(json!({"start": "09:30", "end": "16:00", "zone": "America/New_York"}), SUMMER,
    &["07-01T13:30 07-01T20:00", "07-02T13:30 07-02T20:00"])]
// At 01:00 the clocks go to 02:00: the local hour from 01:00 does not exist.
#[case(json!({"start": "00:30", "end": "02:30", "zone": "Europe/London", "days": ["sun"]}), SPRING,
    &["03-31T00:30 03-31T01:30"])]
#[case(json!({"start": "01:00", "end": "02:00", "zone": "Europe/London"}), SPRING, &["04-01T00:00 04-01T01:00"])]
// At 02:00 the clocks go back to 01:00: the local hour from 01:00 occurs twice.
#[case(json!({"start": "01:00", "end": "02:00", "zone": "Europe/London", "days": ["sun"]}), AUTUMN,
    &["10-27T00:00 10-27T02:00"])]
#[case(json!({"start": "01:15", "end": "01:45", "zone": "Europe/London", "days": ["sun"]}), AUTUMN,
    &["10-27T00:15 10-27T00:45", "10-27T01:15 10-27T01:45"])]
fn sessions_are_local_wall_time(#[case] window: Json, #[case] from: i64, #[case] expected: &[&str]) {
    assert_eq!(open(json!([["sessions", [window]]]), from, 2), expected);
}

#[test]
fn any_window_opens_and_windows_that_meet_unite() {
    let windows =
        json!([["sessions", [{"start": "12:00", "end": "13:00"}, {"start": "08:00", "end": "12:00"}]]]);
    assert_eq!(open(windows, SUMMER, 1), ["07-01T08:00 07-01T13:00"]);
}

#[rstest]
#[case("london", "-03:00", "-01:00", WINTER, "01-01T05:00 01-01T07:00")]
#[case("europe", "-03:00", "-01:00", SUMMER, "07-01T04:00 07-01T06:00")]
#[case("new_york", "00:00", "+06:30", SUMMER, "07-01T13:30 07-01T20:00")]
#[case("sydney", "00:00", "+01:00", SUMMER - DAY, "06-30T22:00 06-30T23:00")]
#[case("tokyo", "+00:00", "01:00", SUMMER, "07-01T00:00 07-01T01:00")]
#[case("asia", "+00:00", "01:00", SUMMER, "07-01T00:00 07-01T01:00")]
#[case("frankfurt", "+00:00", "01:00", WINTER, "01-01T07:00 01-01T08:00")]
fn anchored_windows(
    #[case] anchor: &str,
    #[case] start: &str,
    #[case] end: &str,
    #[case] day: i64,
    #[case] expected: &str,
) {
    let window = json!([["anchored", [{"anchor": anchor, "from": start, "to": end}]]]);
    let found = open(window, day, 1);
    assert!(found.contains(&expected.to_owned()), "{found:?}");
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn offsets_count_real_hours_across_a_change_of_clocks() {
    // London opens at 08:00 UTC on the 30th and at 07:00 UTC on the 31st; twenty hours later is another date.
    let window = json!([["anchored", [{"anchor": "london", "from": "+15:00", "to": "+20:00"}]]]);
    let expected = ["03-29T23:00 03-30T04:00", "03-30T23:00 03-31T04:00", "03-31T22:00 04-01T03:00"];
    assert_eq!(open(window, SPRING - DAY, 2), expected);
}

fn news_closed(mut news: Json, pair: &str) -> Vec<String> {
    news["events"] = json!([
        {"time": SUMMER + 12 * HOUR, "currency": "USD", "impact": "high"},
        {"time": SUMMER + 13 * HOUR, "currency": "EUR", "impact": "low"},
        {"time": SUMMER + 18 * HOUR, "currency": "AUD"},
    ]);
    match &gates(json!([["news", news]])).gates()[0] {
        Gate::News(news) => texts(&news.closed(&symbol(pair))),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case(json!({}), "EURUSD", &["07-01T11:00 07-01T13:30"])]
#[case(json!({"min_impact": "medium"}), "EURUSD", &["07-01T11:00 07-01T12:30"])]
#[case(json!({"before_minutes": 0, "after_minutes": 5}), "EURUSD",
    &["07-01T12:00 07-01T12:05", "07-01T13:00 07-01T13:05"])]
#[case(json!({"min_impact": "high"}), "AUDUSD", &["07-01T11:00 07-01T12:30", "07-01T17:00 07-01T18:30"])]
#[case(json!({}), "NZDJPY", &[])]
#[case(json!({"blocks": {"AUD": ["AUD", "NZD"], "NZD": ["AUD", "NZD"]}}), "NZDJPY", &["07-01T17:00 07-01T18:30"])]
#[case(json!({"blocks": {"USD": "*"}}), "NZDJPY", &["07-01T11:00 07-01T12:30"])]
fn news_block_the_symbols_they_concern(#[case] news: Json, #[case] pair: &str, #[case] expected: &[&str]) {
    assert_eq!(news_closed(news, pair), expected);
}

#[test]
fn the_first_closed_gate_in_configured_order_counts() {
    let sessions = json!(["sessions", [{"start": "08:00", "end": "12:00"}]]);
    let news = json!(["news", {"events": [{"time": SUMMER + 12 * HOUR, "currency": "EUR"}]}]);
    let pause = json!(["cooldown", {"after_exit_bars": 1}]);
    let moments: Vec<i64> = (10..15).map(|h| SUMMER + h * HOUR).collect();
    let (s, n) = (Some("sessions"), Some("news"));
    assert_eq!(closed(json!([sessions, pause, news]), &moments), [None, n, s, s, s]);
    assert_eq!(closed(json!([news, sessions]), &moments), [None, n, n, s, s]);
    let place = |order: Json| {
        let table = GateTable::new(&gates(order), &symbol("EURUSD"), || moments.clone()).unwrap();
        (table.closed(1).unwrap(), table.closed(2).unwrap())
    };
    assert_eq!(place(json!([sessions, pause, news])), ((Name::News, false), (Name::Sessions, true)));
    assert_eq!(place(json!([sessions, news])), ((Name::News, true), (Name::Sessions, true)));
}

#[test]
fn what_is_not_set_is_no_gate_and_costs_nothing() {
    for nothing in
        [json!(null), json!([]), json!([["news", null]]), json!([["cooldown", {"after_exit_bars": 0}]])]
    {
        assert!(gates(nothing).is_empty());
    }
    assert!(GateTable::new(&GateOptions::default(), &symbol("EURUSD"), || panic!("no gate asks")).is_none());
}

fn all_of_them() -> Json {
    json!([
        ["cooldown", {"after_exit_minutes": 5, "after_exit_bars": 2, "after_signal_minutes": 0, "after_signal_bars": 1}],
        ["sessions", [{"start": "22:00", "end": "24:00", "days": ["mon", "sun"], "zone": "Europe/London"}]],
        ["anchored", [{"anchor": "london", "from": "-01:30", "to": "+00:00"}]],
        ["news", {"events": [{"time": 5, "currency": "USD"}, {"time": 7, "currency": "EUR", "impact": "low"}],
                  "before_minutes": 60, "after_minutes": 30, "min_impact": "medium",
                  "blocks": {"AUD": ["AUD", "NZD"], "USD": "*"}}],
    ])
}

#[test]
fn complete_options_read_as_themselves() {
    assert_eq!(gates(all_of_them()).to_json(), all_of_them());
}

#[test]
fn the_identity_holds_the_digest_of_the_events_whatever_their_order() {
    let mut expected = all_of_them();
    // printf '%s' '[{"currency":"USD","time":5},{"currency":"EUR","impact":"low","time":7}]' | sha256sum
    expected[3][1]["events"] = "f5c5c6a794dbbffbfebc3f1b464bc463ae3728bac472b89104433bd4bfbf1d83".into();
    assert_eq!(gates(all_of_them()).identity().unwrap(), expected);
    let mut other = all_of_them();
    other[3][1]["events"] = json!([
        {"time": 7, "currency": "EUR", "impact": "low"}, {"time": 5, "currency": "USD"}, {"time": 5, "currency": "USD"},
    ]);
    assert_eq!(gates(other).identity().unwrap(), expected);
    let mut later = all_of_them();
    later[3][1]["events"][0]["time"] = 6.into();
    assert_ne!(gates(later).identity().unwrap(), expected);
}

#[rstest]
#[case(json!({}), 1004, "gates")]
#[case(json!([["session", []]]), 1001, "sessions")]
#[case(json!([["sessions", []]]), 1001, "gates.sessions")]
#[case(json!([["sessions"]]), 1004, "pair")]
#[case(json!([["cooldown", {"after_exit_bars": 1}], ["cooldown", {"after_exit_bars": 1}]]), 1001, "twice")]
#[case(json!([["sessions", [{"end": "10:00"}]]]), 1008, "gates.sessions.0.start")]
#[case(json!([["sessions", [{"start": "10:00", "end": "10:00"}]]]), 1001, "empty")]
#[case(json!([["sessions", [{"start": "24:00", "end": "10:00"}]]]), 1001, "gates.sessions.0.start")]
#[case(json!([["sessions", [{"start": "10:00", "end": "25:00"}]]]), 1009, "gates.sessions.0.end")]
#[case(json!([["sessions", [{"start": "1:00", "end": "2:00"}]]]), 1009, "HH:MM")]
#[case(json!([["sessions", [{"start": 600, "end": "12:00"}]]]), 1004, "gates.sessions.0.start")]
#[case(json!([["sessions", [{"start": "01:00", "end": "02:00", "zone": "London"}]]]), 1001, "IANA")]
#[case(json!([["sessions", [{"start": "01:00", "end": "02:00", "days": ["monday"]}]]]), 1001, "mon")]
#[case(json!([["sessions", [{"start": "01:00", "end": "02:00", "days": []}]]]), 1001, "days")]
#[case(json!([["sessions", [{"start": "01:00", "end": "02:00", "day": []}]]]), 1001, "days")]
#[case(json!([["anchored", []]]), 1001, "gates.anchored")]
#[case(json!([["anchored", [{"anchor": "paris", "from": "00:00", "to": "01:00"}]]]), 1001, "frankfurt")]
#[case(json!([["anchored", [{"anchor": "tokyo", "from": "01:00", "to": "-01:00"}]]]), 1001, "gates.anchored.0")]
#[case(json!([["anchored", [{"anchor": "tokyo", "from": "1h", "to": "+20:00"}]]]), 1009, "gates.anchored.0.from")]
#[case(json!([["news", {}]]), 1008, "gates.news.events")]
#[case(json!([["news", {"events": [{"currency": "USD"}]}]]), 1008, "gates.news.events.0.time")]
#[case(json!([["news", {"events": [{"time": 1.5, "currency": "USD"}]}]]), 1004, "gates.news.events.0.time")]
#[case(json!([["news", {"events": [{"time": i64::MAX, "currency": "USD"}]}]]), 1003, "gates.news.events.0.time")]
#[case(json!([["news", {"events": [{"time": 1, "currency": "usd"}]}]]), 1001, "gates.news.events.0.currency")]
#[case(json!([["news", {"events": [{"time": 1, "currency": "USD", "impact": "huge"}]}]]), 1001, "high")]
#[case(json!([["news", {"events": [], "before_minutes": -1}]]), 1004, "gates.news.before_minutes")]
#[case(json!([["news", {"events": [], "min_impact": 3}]]), 1001, "gates.news.min_impact")]
#[case(json!([["news", {"events": [], "blocks": {"USD": "EUR"}}]]), 1004, "gates.news.blocks.USD")]
#[case(json!([["news", {"events": [], "blocks": {"USD": ["EURUSD"]}}]]), 1001, "gates.news.blocks.USD.0")]
#[case(json!([["cooldown", {"after_exit_bars": 1.5}]]), 1004, "gates.cooldown.after_exit_bars")]
#[case(json!([["cooldown", {"after_exits": 1}]]), 1001, "after_exit_bars")]
fn mistakes_are_named(#[case] options: Json, #[case] code: u16, #[case] mentions: &str) {
    let e = GateOptions::read(Some(&options)).unwrap_err();
    let full = format!("{e} {}", e.place);
    assert_eq!(e.code, code, "{full}");
    assert!(full.contains(mentions), "{full}");
}
