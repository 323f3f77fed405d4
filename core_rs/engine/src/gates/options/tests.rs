use super::*;
use rstest::rstest;

fn read(json: &Json) -> Result<GateOptions> {
    GateOptions::read(Some(json))
}

fn all() -> Json {
    json!([
        ["news", {"events": [{"time": 5, "currency": "USD"}], "min_impact": "high", "blocks": {"USD": "*"}}],
        ["cooldown", {"after_signal_bars": 2}],
        ["sessions", [{"start": "22:00", "end": "02:00", "days": ["sun", "mon"], "zone": "Asia/Tokyo"}]],
        ["anchored", [{"anchor": "europe", "from": "-03:00", "to": "01:00"}]],
    ])
}

#[test]
fn complete_pairs_keep_their_order_and_read_as_the_same() {
    let options = read(&all()).unwrap();
    let names: Vec<&str> = options.gates().iter().map(|gate| gate.name().text()).collect();
    assert_eq!(names, ["news", "cooldown", "sessions", "anchored"]);
    assert_eq!(read(&options.to_json()).unwrap(), options);
    let text = serde_json::to_string(&options).unwrap();
    assert_eq!(serde_json::from_str::<GateOptions>(&text).unwrap(), options);
}

#[test]
fn every_default_is_written_out() {
    let options =
        json!([["sessions", [{"start": "08:00", "end": "09:00"}]], ["cooldown", {"after_exit_bars": 1}]]);
    let complete = json!([
        [
            "sessions",
            [{"start": "08:00", "end": "09:00", "zone": "UTC",
              "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
        ],
        [
            "cooldown",
            {"after_exit_minutes": 0, "after_exit_bars": 1, "after_signal_minutes": 0, "after_signal_bars": 0},
        ],
    ]);
    assert_eq!(read(&options).unwrap().to_json(), complete);
}

#[test]
fn aliases_and_signs_do_not_change_the_identity() {
    let one = json!([["anchored", [{"anchor": "asia", "from": "01:00", "to": "+02:00"}]]]);
    let other = json!([["anchored", [{"anchor": "tokyo", "from": "+01:00", "to": "02:00"}]]]);
    assert_eq!(read(&one).unwrap().identity().unwrap(), read(&other).unwrap().identity().unwrap());
}

#[test]
fn the_identity_names_events_by_their_digest_and_the_rest_in_full() {
    let options = read(&all()).unwrap();
    let (full, short) = (options.to_json(), options.identity().unwrap());
    assert_eq!(short[0][1]["events"].as_str().map(str::len), Some(64));
    assert_eq!(full[0][1]["blocks"], short[0][1]["blocks"]);
    assert_eq!(full.as_array().unwrap()[1..], short.as_array().unwrap()[1..]);
}

#[rstest]
#[case(json!([]))]
#[case(json!(null))]
#[case(json!([["news", null], ["cooldown", {}]]))]
#[case(json!([["cooldown", {"after_exit_bars": 0}]]))]
fn what_is_off_is_no_gate(#[case] options: Json) {
    assert!(read(&options).unwrap().is_empty());
}

#[rstest]
#[case(json!({}), 1004, "a list is needed")]
#[case(json!([["news"]]), 1004, "a pair is needed")]
#[case(json!([["session", []]]), 1001, "did you mean sessions")]
#[case(json!([["cooldown", {"after_exit_bars": 1}], ["cooldown", {"after_exit_bars": 2}]]), 1001, "twice")]
#[case(json!([["cooldown", {"after_exit_bar": 1}]]), 1001, "did you mean after_exit_bars")]
#[case(json!([["cooldown", {"after_exit_bars": 1.5}]]), 1004, "gates.cooldown.after_exit_bars")]
#[case(json!([["cooldown", []]]), 1004, "gates.cooldown")]
fn mistakes_are_named(#[case] options: Json, #[case] code: u16, #[case] mentions: &str) {
    let error = read(&options).unwrap_err();
    assert_eq!(error.code, code, "{error}");
    assert!(error.to_string().contains(mentions), "{error}");
}
