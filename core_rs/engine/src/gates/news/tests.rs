use super::*;
use rstest::rstest;

const HOUR: i64 = 60 * MINUTE;

fn spec(symbol: &str) -> SymbolSpec {
    SymbolSpec::resolve(symbol, &Map::new()).unwrap()
}

fn news(keys: &Json) -> News {
    News::read(keys).unwrap()
}

#[test]
fn the_default_is_an_hour_before_and_half_an_hour_after() {
    let gate = news(&json!({"events": [{"time": 10 * HOUR, "currency": "USD"}]}));
    assert_eq!(gate.closed(&spec("EURUSD")).as_slice(), [(9 * HOUR, 10 * HOUR + 30 * MINUTE)]);
}

#[test]
fn overlapping_events_unite_and_the_order_does_not_matter() {
    let events = json!([
        {"time": 20 * HOUR, "currency": "EUR"},
        {"time": 11 * HOUR, "currency": "USD"},
        {"time": 10 * HOUR, "currency": "USD"},
        {"time": 11 * HOUR, "currency": "USD"},
    ]);
    let gate = news(&json!({"events": events, "before_minutes": 60, "after_minutes": 0}));
    assert_eq!(gate.closed(&spec("EURUSD")).as_slice(), [(9 * HOUR, 11 * HOUR), (19 * HOUR, 20 * HOUR)]);
}

/// The example of the documentation: AUD and NZD each block both, USD blocks all.
#[rstest]
#[case("EUR", "EURUSD", true)]
#[case("USD", "EURUSD", true)]
#[case("GBP", "EURUSD", false)]
#[case("AUD", "NZDUSD", true)]
#[case("NZD", "AUDUSD", true)]
#[case("AUD", "EURUSD", false)]
#[case("USD", "EURGBP", true)]
#[case("DE40", "DE40", true)]
#[case("JPY", "DE40", true)]
#[case("JPY", "US500", false)]
fn a_currency_blocks_its_symbols_and_those_of_the_map(
    #[case] currency: &str,
    #[case] symbol: &str,
    #[case] blocked: bool,
) {
    let blocks = json!({"AUD": ["AUD", "NZD"], "NZD": ["AUD", "NZD"], "USD": "*", "JPY": ["DE40"]});
    let gate = news(&json!({"events": [{"time": HOUR, "currency": currency}], "blocks": blocks}));
    assert_eq!(!gate.closed(&spec(symbol)).as_slice().is_empty(), blocked);
}

#[rstest]
#[case(None, [true, true, true, true])]
#[case(Some("low"), [true, true, true, true])]
#[case(Some("medium"), [true, false, true, true])]
#[case(Some("high"), [true, false, false, true])]
fn smaller_events_do_not_count_and_unknown_ones_do(#[case] least: Option<&str>, #[case] blocked: [bool; 4]) {
    let found = [None, Some("low"), Some("medium"), Some("high")].map(|impact| {
        let event = json!({"time": HOUR, "currency": "USD", "impact": impact});
        let gate = news(&json!({"events": [event], "min_impact": least}));
        !gate.closed(&spec("EURUSD")).as_slice().is_empty()
    });
    assert_eq!(found, blocked);
}

#[test]
fn the_identity_has_the_digest_of_the_events_whatever_their_order() {
    let identity = |events: Json| news(&json!({ "events": events })).identity().unwrap();
    let (a, b) =
        (json!({"time": 2, "currency": "USD"}), json!({"time": 1, "currency": "USD", "impact": "high"}));
    let both = identity(json!([a, b]));
    assert_eq!(both, identity(json!([b, a, b])));
    assert_ne!(both, identity(json!([b])));
    // SHA-256 of [{"currency":"USD","impact":"high","time":1},{"currency":"USD","time":2}]
    let digest = "87d629850cbe962878f7d876a728cd3c4427c3ebe82f63f91a0b125d30df4920";
    assert_eq!(both, json!({"events": digest, "before_minutes": 60, "after_minutes": 30}));
}

#[rstest]
#[case(json!({}), 1008, "events")]
#[case(json!({"events": "news.csv"}), 1004, "gates.news.events")]
#[case(json!({"events": [{"currency": "USD"}]}), 1008, "gates.news.events.0.time")]
#[case(json!({"events": [{"time": "2024-01-01", "currency": "USD"}]}), 1004, "gates.news.events.0.time")]
#[case(json!({"events": [{"time": i64::MAX, "currency": "USD"}]}), 1003, "gates.news.events.0.time")]
#[case(json!({"events": [{"time": 1, "currency": "usd"}]}), 1001, "gates.news.events.0.currency")]
#[case(json!({"events": [{"time": 1, "currency": "USD", "impact": "hihg"}]}), 1001, "did you mean high")]
#[case(json!({"events": [], "before_minutes": -1}), 1003, "gates.news.before_minutes")]
#[case(json!({"events": [], "blocks": {"USD": "EUR"}}), 1004, "gates.news.blocks.USD")]
#[case(json!({"events": [], "blocks": {"USD": ["eur"]}}), 1001, "gates.news.blocks.USD.0")]
#[case(json!({"events": [], "min_inpact": "high"}), 1001, "did you mean min_impact")]
fn mistakes_are_named(#[case] keys: Json, #[case] code: u16, #[case] mentions: &str) {
    let error = News::read(&keys).unwrap_err();
    assert_eq!(error.code, code, "{error}");
    assert!(error.to_string().contains(mentions), "{error}");
}
