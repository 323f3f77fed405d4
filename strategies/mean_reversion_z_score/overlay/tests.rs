//! Where the values of the overlay come from, and which parameter sets mean the same.

use rstest::rstest;
use serde_json::{Value as Json, json};
use sweep_engine::declare::{Canonical, Context, canonicalise};
use sweep_engine::{Error, Value};

use super::super::declaration::declaration;

fn canonical(raw: &Json) -> Result<Canonical, Vec<Error>> {
    let context = Context { timeframe: "M15".to_owned(), timeframe_minutes: 15 };
    let mut all = json!({"scenario": 6, "window_length": 60, "std_factor": 1.5});
    all.as_object_mut().unwrap().extend(raw.as_object().unwrap().clone());
    canonicalise(&declaration(), &context, all.as_object().unwrap())
}

fn folded(raw: &Json) -> Json {
    Json::Object(canonical(raw).unwrap().map("scenario6_params"))
}

#[test]
fn values_are_the_strategys_own_unless_given() {
    let own = |z: f64| json!({"b_b_length": 20, "kalman_q": 1, "kalman_r": 0.01, "std_factor": 1.5, "window_length": 60, "z_score": z});
    assert_eq!(
        folded(&json!({"scenario6_timeframes": "H1"})),
        json!({"H1": {"long": own(-2.5), "short": own(2.5)}})
    );
}

/// Key by key: flat name, else the direction's sub-block alone, else the block, else the strategy's own.
#[rstest]
#[case::own(json!({}), [60, 60])]
#[case::block(json!({"scenario6_params": {"H1": {"window_length": 30}}}), [30, 30])]
#[case::sub_block(json!({"scenario6_params": {"H1": {"long": {"window_length": 31}}}}), [31, 60])]
#[case::sub_block_over_block(json!({"scenario6_params": {"H1": {"window_length": 30, "short": {"window_length": 32}}}}), [30, 32])]
#[case::a_sub_block_hides_the_block(json!({"scenario6_params": {"H1": {"window_length": 30, "long": {}}}}), [60, 30])]
#[case::flat(json!({"scenario6_H1_long_window_length": 33}), [33, 60])]
#[case::flat_over_all(json!({"scenario6_H1_short_window_length": 34, "scenario6_params": {"H1": {"window_length": 30, "short": {"window_length": 32}}}}), [30, 34])]
#[case::of_another_timeframe(json!({"scenario6_H4_long_window_length": 33, "scenario6_params": {"H4": {"window_length": 30}}}), [60, 60])]
fn the_nearest_value_wins(#[case] mut raw: Json, #[case] windows: [i64; 2]) {
    raw["scenario6_timeframes"] = json!("H1");
    let map = folded(&raw);
    assert_eq!(
        ["long", "short"].map(|direction| map["H1"][direction]["window_length"].as_i64().unwrap()),
        windows
    );
}

#[rstest]
#[case::own(json!({"z_score_long": -1.5, "z_score_short": 1.25}), [-1.5, 1.25])]
#[case::block(json!({"scenario6_params": {"H1": {"z_score_long": -1.0, "z_score_short": 2.0}}}), [-1.0, 2.0])]
#[case::sub_blocks(json!({"scenario6_params": {"H1": {"long": {"z_score": -0.5}, "short": {"z_score_short": 0.75}}}}), [-0.5, 0.75])]
#[case::flat(json!({"scenario6_H1_long_z_score": -0.25, "scenario6_H1_short_z_score_short": 0.25}), [-0.25, 0.25])]
#[case::of_the_other_direction(json!({"scenario6_H1_long_z_score_short": 0.25}), [-2.5, 2.5])]
fn thresholds_have_several_names(#[case] mut raw: Json, #[case] thresholds: [f64; 2]) {
    raw["scenario6_timeframes"] = json!("H1");
    let map = folded(&raw);
    let found = ["long", "short"].map(|direction| map["H1"][direction]["z_score"].as_f64().unwrap());
    assert_eq!(found, thresholds);
}

#[rstest]
#[case::order(json!({"scenario6_timeframes": "H4+h1+H1"}), json!({"scenario6_timeframes": ["H1", "H4"]}))]
#[case::own_timeframe(json!({"scenario6_timeframes": "primary"}), json!({"scenario6_timeframes": "M15"}))]
#[case::own_timeframe_twice(json!({"scenario6_timeframes": "PRIMARY+M15"}), json!({"scenario6_timeframes": "M15"}))]
#[case::own_block(
    json!({"scenario6_timeframes": "M15", "scenario6_params": {"PRIMARY": {"b_b_length": 7}}}),
    json!({"scenario6_timeframes": "M15", "scenario6_params": {"m15": {"b_b_length": 7}}})
)]
#[case::own_flat_name(
    json!({"scenario6_timeframes": "M15", "scenario6_PRIMARY_long_b_b_length": 7}),
    json!({"scenario6_timeframes": "M15", "scenario6_M15_long_b_b_length": 7})
)]
#[case::flat_or_map(
    json!({"scenario6_timeframes": "H1", "scenario6_H1_long_b_b_length": 7, "scenario6_H1_short_b_b_length": 7}),
    json!({"scenario6_timeframes": "H1", "scenario6_params": {"H1": {"b_b_length": 7.0}}})
)]
#[case::a_default_written_out(
    json!({"scenario6_timeframes": "H1", "scenario6_params": {"H1": {"window_length": 60}}}),
    json!({"scenario6_timeframes": "H1"})
)]
#[case::a_mode_of_one(
    json!({"scenario6_timeframes": "H1", "scenario6_mode": "any"}),
    json!({"scenario6_timeframes": "H1"})
)]
#[case::a_timeframe_that_is_not_enabled(
    json!({"scenario6_timeframes": "H1", "scenario6_params": {"H4": {"window_length": 9}}}),
    json!({"scenario6_timeframes": "H1"})
)]
#[case::text(
    json!({"scenario6_timeframes": "H1", "scenario6_params": "{\"H1\": {\"std_factor\": 2}}"}),
    json!({"scenario6_timeframes": "H1", "scenario6_params": {"H1": {"std_factor": 2.0}}})
)]
fn sets_that_mean_the_same_overlay_are_equal(#[case] one: Json, #[case] other: Json) {
    assert_eq!(canonical(&one).unwrap(), canonical(&other).unwrap());
}

#[rstest]
#[case(json!({"scenario6_timeframes": "H1+H4", "scenario6_mode": "any", "scenario6_params": {"H1": {"kalman_q": 0.3}}, "scenario6_H4_short_z_score": 1}))]
#[case(json!({"scenario6_timeframes": "PRIMARY"}))]
fn a_canonical_set_given_again_is_itself(#[case] raw: Json) {
    let once = canonical(&raw).unwrap();
    let mut again: Json = serde_json::from_str(&once.to_json()).unwrap();
    again["scenario"] = Json::Null;
    assert_eq!(canonical(&again).unwrap(), once);
}

#[test]
fn without_scenario_6_nothing_of_the_overlay_is_in_the_set() {
    let raw = json!({"scenario": 2, "scenario6_timeframes": "H1", "scenario6_H1_long_kalman_r": 1, "scenario6_params": {"H1": {"std_factor": 3, "long": {}}}});
    let set = canonical(&raw).unwrap();
    assert!(!set.params.keys().any(|name| name.starts_with("scenario6")), "{}", set.to_json());
    assert_eq!(set.warnings, Vec::<String>::new());
}

#[test]
fn the_overlay_has_derived_names() {
    let derived = |timeframes: &str| {
        let set = canonical(
            &json!({"scenario": null, "enabled_scenarios": "1+6", "scenario6_timeframes": timeframes}),
        )
        .unwrap();
        ["overlay_count", "overlay_minutes"].map(|name| set.int(name))
    };
    assert_eq!(derived(""), [0, 0]);
    assert_eq!(derived("H1+D1"), [2, 60]);
    assert_eq!(derived("PRIMARY+H4"), [2, 15]);
}

#[rstest]
#[case(json!({"PRIMARY": {}, "M15": {}}), "names M15 twice")]
#[case(json!({"H1": {"z_score": 1}}), "one signed number")]
#[case(json!({"H1": {"window_lenght": 9}}), "did you mean window_length?")]
#[case(json!({"H1": {"long": {"window_length": 1}}}), "scenario6_params.H1.long.window_length = 1 is outside its domain")]
fn messages_name_the_place(#[case] map: Json, #[case] what: &str) {
    let problems = canonical(&json!({"scenario6_timeframes": "M15", "scenario6_params": map})).unwrap_err();
    assert!(problems[0].to_string().contains(what), "{}", problems[0]);
}

#[test]
fn one_value_has_one_name() {
    let both = json!({"scenario6_timeframes": "M15", "scenario6_PRIMARY_long_z_score": -1, "scenario6_M15_long_z_score_long": -1});
    let problems = canonical(&both).unwrap_err();
    assert_eq!(problems[0].code, 1006);
    assert!(problems[0].to_string().contains("the same and both given"), "{}", problems[0]);
}

#[rstest]
#[case(json!({"H1": {"window_length": 30}}), &[])]
#[case(json!({"H1": {"long": {"window_length": 30}, "z_score_short": 1}}), &[])]
#[case(json!({"H1": {"long": {}, "window_length": 30, "z_score_short": 1}}), &["hides window_length"])]
#[case(json!({"H1": {"long": {}, "short": {}, "window_length": 30}}), &["longs", "shorts"])]
#[case(json!({"H1": {"long": {"z_score_short": 1}}}), &["z_score_short is not read"])]
#[case(json!({"H4": {"long": {}, "window_length": 30}}), &[])]
fn keys_that_are_not_read_are_a_warning(#[case] map: Json, #[case] expected: &[&str]) {
    let set = canonical(&json!({"scenario6_timeframes": "H1", "scenario6_params": map})).unwrap();
    assert_eq!(set.warnings.len(), expected.len(), "{:?}", set.warnings);
    assert!(set.warnings.iter().zip(expected).all(|(text, part)| text.contains(part)), "{:?}", set.warnings);
}

#[test]
fn a_timeframe_that_has_no_name_in_the_list_stays_the_primary_one() {
    let context = Context { timeframe: "M7".to_owned(), timeframe_minutes: 7 };
    let raw = json!({"scenario": 6, "scenario6_timeframes": "PRIMARY"});
    let set = canonicalise(&declaration(), &context, raw.as_object().unwrap()).unwrap();
    assert_eq!(set.value("scenario6_timeframes"), &Value::Text("PRIMARY".to_owned()));
    assert_eq!(set.int("overlay_minutes"), 7);
}
