//! Declarations that are wrong are refused; parameter sets become canonical, or all their problems are named.

use std::ops::RangeInclusive;

use proptest::prelude::*;
use rstest::{fixture, rstest};
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::{Error, Value};

/// One parameter of each kind, a chain of conditions, constraints of both severities, a shorthand and a derived name.
#[fixture]
fn toy() -> Declaration {
    Declaration::builder("toy", "1.0.0", "Toy")
        .doc("For tests.")
        .warmup("slow")
        .parameters([
            float("depth", 0.5)
                .above(0)
                .below(1)
                .when("mode == 'deep' and use_it")
                .group("entry")
                .doc("inner"),
            int("fast", 20).at_least(1).search(5..=60).unit("bars").group("entry").doc("fast"),
            int("slow", 50).at_least(1).search(20..=250).step(5).unit("bars").group("entry").doc("slow"),
            boolean("use_it", true).when("mode != 'off'").search_all().group("filter").doc("outer"),
            categorical("mode", &["off", "flat", "deep"], "flat").group("filter").doc("mode"),
            set("parts", &["low", "mid", "high"], "low+mid").group("filter").doc("parts"),
            optional_int("part").at_least(1).at_most(2).shorthand().group("filter").doc("one part"),
            optional_float("limit").at_least(0).group("exit").doc("limit"),
            int("hold", 30).or_none().at_least(0).search_off_or(10..=30, 10).group("exit").doc("hold"),
        ])
        .families([lengths()])
        .parameters([
            map("lengths").when("has_high").group("filter").doc("side → place → length"),
            set("sides", &["LEFT", "RIGHT"], "").or_empty().any_case().group("filter").doc("sides"),
        ])
        .derived([
            Derived::new("has_high", "high is a part", &["parts"], |draft| {
                Value::Bool(draft.contains("parts", "high"))
            }),
            Derived::new("minutes", "timeframe", &[], |draft| Value::Int(draft.context().timeframe_minutes)),
        ])
        .constraints([
            Constraint::error("fast < slow", "fast must be below slow"),
            Constraint::error("limit * fast <= 100", "limit is too large"),
            Constraint::error("depth < 0.9 or fast > 10", "too deep"),
            Constraint::error("1 / hold > 0", "the quotient is undefined without a holding time"),
            Constraint::warning("not has_high or minutes < 60", "high is noisy on long bars"),
        ])
        .ratio("fast", "slow")
        .normalise(|draft| {
            if let Some(Value::Int(part)) = draft.given("part") {
                let name = if *part == 1 { "low" } else { "mid" };
                if draft.given("parts").is_some() {
                    draft.refuse(Error::config(1006, "part and parts are both given"));
                }
                draft.set("parts", Value::Text(name.to_owned()));
            }
            let given = |name: &String| Some((name.clone(), draft.member(name)?.to_json()));
            let given: Map<String, Json> = lengths().names().iter().filter_map(given).collect();
            if !given.is_empty() {
                draft.set("lengths", Value::Text(crate::json::canonical(&Json::Object(given)).unwrap()));
                draft.warn("lengths are given one by one".to_owned());
            }
        })
        .checked()
}

fn lengths() -> Family {
    let member = int("length_{side}_{place}", 0).at_least(2).group("filter").doc("a length");
    let parts: [(&str, &[&str]); 2] = [("side", &["left", "right"]), ("place", &["A", "B"])];
    Family::new(member, &parts, &["lengths", "{side}", "{place}"])
}

fn context(minutes: i64) -> Context {
    Context { timeframe: format!("M{minutes}"), timeframe_minutes: minutes }
}

fn canonical(declaration: &Declaration, raw: &Json) -> Result<Canonical, Vec<Error>> {
    canonicalise(declaration, &context(5), raw.as_object().expect("a mapping"))
}

fn codes(declaration: &Declaration, raw: &Json) -> Vec<u16> {
    canonical(declaration, raw)
        .map_or_else(|errors| errors.iter().map(|error| error.code).collect(), |_| Vec::new())
}

const DEFAULTS: &str = r#"{"fast":20,"hold":30,"limit":null,"mode":"flat","parts":"low+mid","sides":"","slow":50,"use_it":true}"#;

#[rstest]
fn the_toy_is_sound(toy: Declaration) {
    assert_eq!(toy.self_check(), Vec::<String>::new());
}

#[rstest]
fn defaults_are_filled_in_and_inactive_parameters_are_absent(toy: Declaration) {
    let set = canonical(&toy, &json!({})).unwrap();
    assert_eq!(set.to_json(), DEFAULTS);
    assert_eq!(crate::json::canonical(&serde_json::from_str(DEFAULTS).unwrap()).unwrap(), DEFAULTS);
    assert_eq!(set.derived["has_high"], Value::Bool(false));
    assert_eq!(set.derived["minutes"], Value::Int(5));
}

#[rstest]
fn getters_read_parameters_derived_names_and_defaults_of_the_inactive(toy: Declaration) {
    let set = canonical(&toy, &json!({"fast": 7.0, "limit": 3, "mode": "off", "parts": "mid+high"})).unwrap();
    assert_eq!((set.int("fast"), set.count("slow"), set.int("minutes")), (7, 50, 5));
    assert_eq!((set.float("limit"), set.float("depth")), (3.0, 0.5));
    assert_eq!((set.optional_int("hold"), set.optional_int("part")), (Some(30), None));
    assert_eq!((set.boolean("use_it"), set.boolean("has_high")), (true, true));
    assert_eq!((set.text("parts"), set.text("mode")), ("mid+high", "off"));
}

#[rstest]
#[should_panic(expected = "no parameter or derived name fats")]
fn a_getter_does_not_invent_names(toy: Declaration) {
    canonical(&toy, &json!({})).unwrap().int("fats");
}

/// Sets that mean the same trial have the same key.
#[rstest]
#[case(json!({"fast": 20, "slow": 50.0}), DEFAULTS)]
#[case(json!({"parts": ["mid", "low", "mid"]}), DEFAULTS)]
#[case(json!({"parts": " mid + low"}), DEFAULTS)]
#[case(json!({"depth": 0.25}), DEFAULTS)]
#[case(json!({"limit": "none", "part": null}), DEFAULTS)]
#[case(json!({"limit": 5}), r#"{"fast":20,"hold":30,"limit":5,"mode":"flat","parts":"low+mid","sides":"","slow":50,"use_it":true}"#)]
#[case(json!({"limit": -0.0}), r#"{"fast":20,"hold":30,"limit":0,"mode":"flat","parts":"low+mid","sides":"","slow":50,"use_it":true}"#)]
#[case(json!({"part": 2}), r#"{"fast":20,"hold":30,"limit":null,"mode":"flat","parts":"mid","sides":"","slow":50,"use_it":true}"#)]
#[case(json!({"parts": ["mid"]}), r#"{"fast":20,"hold":30,"limit":null,"mode":"flat","parts":"mid","sides":"","slow":50,"use_it":true}"#)]
#[case(json!({"mode": "off", "use_it": false}), r#"{"fast":20,"hold":30,"limit":null,"mode":"off","parts":"low+mid","sides":"","slow":50}"#)]
#[case(json!({"mode": "deep", "use_it": false, "depth": 0.3}), r#"{"fast":20,"hold":30,"limit":null,"mode":"deep","parts":"low+mid","sides":"","slow":50,"use_it":false}"#)]
#[case(json!({"mode": "deep"}), r#"{"depth":0.5,"fast":20,"hold":30,"limit":null,"mode":"deep","parts":"low+mid","sides":"","slow":50,"use_it":true}"#)]
fn equal_meanings_have_one_key(toy: Declaration, #[case] raw: Json, #[case] key: &str) {
    assert_eq!(canonical(&toy, &raw).unwrap().to_json(), key);
}

#[rstest]
#[case::unknown(json!({"fasst": 1}), &[1001])]
#[case::derived(json!({"has_high": true}), &[1001])]
#[case::bool_is_no_int(json!({"fast": true}), &[1004])]
#[case::text_is_no_int(json!({"fast": "20"}), &[1004])]
#[case::fraction_is_no_int(json!({"fast": 20.5}), &[1004])]
#[case::int_is_no_bool(json!({"use_it": 1}), &[1004])]
#[case::none_where_none_is_not_allowed(json!({"fast": null}), &[1004])]
#[case::list_is_no_number(json!({"limit": [1]}), &[1004])]
#[case::mapping_is_no_set(json!({"parts": {"low": 1}}), &[1004])]
#[case::bool_in_a_set(json!({"parts": [true]}), &[1004])]
#[case::below_the_domain(json!({"fast": 0}), &[1003])]
#[case::open_end(json!({"mode": "deep", "depth": 1}), &[1003])]
#[case::inactive_but_outside(json!({"depth": 0}), &[1003])]
#[case::beyond_2_53(json!({"slow": 9_007_199_254_740_992_i64}), &[1003])]
#[case::unknown_choice(json!({"mode": "Flat"}), &[1001])]
#[case::empty_set(json!({"parts": []}), &[1001])]
#[case::empty_text(json!({"parts": " "}), &[1001])]
#[case::unknown_member(json!({"parts": "low+top"}), &[1001])]
#[case::member_below_its_domain(json!({"length_left_A": 1}), &[1003])]
#[case::member_of_another_type(json!({"length_left_A": "x"}), &[1004])]
#[case::no_member(json!({"length_left_C": 2}), &[1001])]
#[case::no_mapping(json!({"lengths": [1]}), &[1004])]
#[case::text_that_is_no_mapping(json!({"lengths": "[1]"}), &[1004])]
#[case::unknown_member_in_any_case(json!({"sides": "up"}), &[1001])]
#[case::constraint(json!({"fast": 50}), &[1006])]
#[case::shorthand_and_what_it_stands_for(json!({"part": 1, "parts": "low"}), &[1006])]
#[case::a_null_constraint_is_violated(json!({"hold": 0}), &[1006])]
#[case::all_together(json!({"fast": 60, "mode": "x", "limit": 2.0, "zz": 1}), &[1001, 1001, 1006, 1006])]
#[case::an_invalid_parameter_breaks_no_constraint(json!({"fast": 0, "slow": 0}), &[1003, 1003])]
fn problems_have_their_codes(toy: Declaration, #[case] raw: Json, #[case] expected: &[u16]) {
    assert_eq!(codes(&toy, &raw), expected, "{:?}", canonical(&toy, &raw));
}

#[rstest]
#[case::limit_is_none(json!({"fast": 49}))]
#[case::depth_is_inactive(json!({"fast": 5, "depth": 0.95}))]
#[case::hold_is_none(json!({"hold": null}))]
fn a_constraint_on_a_parameter_without_a_value_does_not_apply(toy: Declaration, #[case] raw: Json) {
    assert_eq!(codes(&toy, &raw), Vec::<u16>::new());
}

#[rstest]
fn a_warning_is_told_and_does_not_reject(toy: Declaration) {
    let raw = json!({"parts": "high"});
    let at = |minutes| canonicalise(&toy, &context(minutes), raw.as_object().unwrap()).unwrap().warnings;
    assert_eq!(at(5), Vec::<String>::new());
    assert_eq!(at(60), ["high is noisy on long bars"]);
}

#[rstest]
fn messages_say_what_where_and_what_to_do(toy: Declaration) {
    let text = |raw: Json| canonical(&toy, &raw).unwrap_err()[0].to_string();
    assert_eq!(text(json!({"fasst": 1})), "[1001] unknown parameter fasst; strategy toy; did you mean fast?");
    assert_eq!(
        text(json!({"fast": 0})),
        "[1003] fast = 0 is outside its domain; parameter fast; valid: at least 1"
    );
    assert_eq!(
        text(json!({"slow": 20})),
        "[1006] fast must be below slow; constraint `fast < slow` with fast = 20, slow = 20; change one of these \
         parameters"
    );
    assert_eq!(
        text(json!({"mode": "deeep"})),
        "[1001] mode has no value `deeep`; parameter mode; did you mean deep?"
    );
}

fn minimal(parameter: Parameter) -> Builder {
    Declaration::builder("x", "1", "x").parameters([parameter])
}

#[rstest]
#[case::cycle(minimal(int("a", 1).when("b > 0")).parameters([int("b", 1).when("c > 0"), int("c", 1).when("a > 0")]), "cyclic")]
#[case::itself(minimal(int("a", 1).when("a > 0")), "cyclic")]
#[case::unknown_in_when(minimal(int("a", 1).when("q > 0")), "unknown name q")]
#[case::unknown_in_range(minimal(int("a", 1).search_range(Range { when: Some("q".to_owned()), ..Range::between(1..=2) })), "unknown name q")]
#[case::unknown_in_constraint(minimal(int("a", 1)).constraints([Constraint::error("a < b", "m")]), "unknown name b")]
#[case::no_expression(minimal(int("a", 1)).constraints([Constraint::error("a <", "m")]), "too early")]
#[case::twice(minimal(int("a", 1)).parameters([int("a", 2)]), "declared twice")]
#[case::derived_like_a_parameter(minimal(int("a", 1)).derived([Derived::new("a", "d", &[], |_| Value::Int(1))]), "declared twice")]
#[case::derived_reads_unknown(minimal(int("a", 1)).derived([Derived::new("d", "d", &["b"], |_| Value::Int(1))]), "unknown name b")]
#[case::ratio_of_unknown(minimal(int("a", 1)).ratio("a", "b"), "unknown name b")]
#[case::derived_reads_conditional(
    minimal(int("a", 1)).parameters([int("b", 1).when("a > 0")]).parameters([int("c", 1).when("d > 0")]).derived([Derived::new("d", "d", &["b"], |_| Value::Int(1))]),
    "conditional"
)]
#[case::family_without_a_map(minimal(int("a", 1)).families([Family::new(int("b_{x}", 0), &[("x", &["y"])], &["a"])]), "unknown name a; family b_{x}: no map")]
#[case::member_twice(minimal(map("a")).families([Family::new(int("b_{x}", 0), &[("x", &["y", "y"])], &["a"])]), "declared twice")]
#[case::member_like_a_parameter(minimal(map("a")).parameters([int("b_y", 1)]).families([Family::new(int("b_{x}", 0), &[("x", &["y"])], &["a"])]), "declared twice")]
#[case::unknown_in_the_when_of_a_family(minimal(map("a")).families([Family::new(int("b_{x}", 0).when("q > 0"), &[("x", &["y"])], &["a"])]), "unknown name q")]
#[case::default_outside(minimal(int("a", 0).at_least(1)), "outside its domain")]
#[case::default_of_another_choice(minimal(categorical("a", &["x"], "y")), "no value `y`")]
fn unsound_declarations_are_refused(#[case] builder: Builder, #[case] what: &str) {
    let error = builder.build().unwrap_err();
    assert!(error.to_string().contains(what), "{error}");
}

#[rstest]
#[case(int("a", 1), "a: one line of doc")]
#[case(int("a", 1).unit("miles"), "a: unknown unit miles")]
#[case(int("a", 1).group("magic"), "a: unknown group magic")]
#[case(int("a", 1).at_least(1).search(0..=5), "a: range: [1003]")]
#[case(int("a", 1).search(RangeInclusive::new(5, 1)), "a: the range is contradictory")]
#[case(int("a", 1).search(1..=5).step(0.5), "a: the step of an int is whole")]
#[case(float("a", 1.0).search_log(0.0..=1.0), "a: the range is contradictory")]
#[case(float("a", 1.0).search_log(0.1..=1.0).step(0.1), "a: a step excludes log")]
#[case(boolean("a", true).search(0..=1), "a: a range has either")]
#[case(int("A", 1), "A: the name is not snake_case")]
fn the_self_check_finds(#[case] parameter: Parameter, #[case] complaint: &str) {
    let found = minimal(parameter).build().unwrap().self_check();
    assert!(found.iter().any(|text| text.starts_with(complaint)), "{found:?}");
}

#[rstest]
fn json_names_every_field_in_the_parameters_type(toy: Declaration) {
    let json = toy.to_json();
    let parameter = |name: &str| {
        let all = json["parameters"].as_array().unwrap();
        all.iter().find(|parameter| parameter["name"] == name).unwrap().clone()
    };
    let open = json!({"low": null, "high": null, "low_open": false, "high_open": false, "choices": null});
    let mut domain = open.clone();
    domain["low"] = json!(1);
    assert_eq!(
        parameter("slow"),
        json!({"name": "slow", "type": "int", "optional": false, "default": 50, "domain": domain, "when": null,
               "ranges": [{"when": null, "low": 20, "high": 250, "step": 5, "log": false, "points": null,
                           "choices": null, "ordered": false}],
               "unit": "bars", "doc": "slow", "group": "entry", "shorthand": false})
    );
    assert_eq!(parameter("hold")["ranges"][0]["choices"], json!([0, 10, 20, 30]));
    assert_eq!(parameter("hold")["ranges"][0]["ordered"], json!(true));
    assert_eq!(parameter("use_it")["ranges"][0]["choices"], json!([false, true]));
    assert_eq!(parameter("depth")["domain"]["low_open"], json!(true));
    assert_eq!(parameter("depth")["domain"]["high"].to_string(), "1.0");
    assert_eq!(parameter("limit")["default"], Json::Null);
    assert_eq!(json["derived"][0], json!({"name": "has_high", "doc": "high is a part"}));
    assert_eq!(json["constraints"][4]["severity"], json!("warning"));
    let family = &json["families"][0];
    assert_eq!(family["name"], json!("length_{side}_{place}"));
    assert_eq!(family["domain"]["low"], json!(2));
    assert_eq!(family["parts"][1], json!({"name": "place", "texts": ["A", "B"]}));
    assert_eq!(family["inside"], json!(["lengths", "{side}", "{place}"]));
    assert_eq!(json["ratios"], json!([["fast", "slow"]]));
}

#[rstest]
fn members_of_a_family_are_folded_into_its_map(toy: Declaration) {
    let flat = json!({"parts": "high", "length_right_B": 3.0, "length_left_A": 2});
    let mapped = json!({"parts": "high", "lengths": {"length_right_B": 3, "length_left_A": 2}});
    let text = json!({"parts": "high", "lengths": "{\"length_right_B\": 3.0, \"length_left_A\": 2}"});
    let (folded, plain) = (canonical(&toy, &flat).unwrap(), canonical(&toy, &mapped).unwrap());
    assert_eq!(folded.to_json(), plain.to_json());
    assert_eq!(canonical(&toy, &text).unwrap().to_json(), plain.to_json());
    assert_eq!(folded.text("lengths"), r#"{"length_left_A":2,"length_right_B":3}"#);
    assert_eq!(folded.map("lengths")["length_right_B"], json!(3));
    assert_eq!((folded.warnings.len(), plain.warnings.len()), (1, 0));
    assert!(!canonical(&toy, &json!({"length_left_A": 2})).unwrap().params.contains_key("lengths"));
}

#[rstest]
fn a_member_is_suggested_for_a_name_like_it(toy: Declaration) {
    let text = canonical(&toy, &json!({"length_left_C": 2})).unwrap_err()[0].to_string();
    assert!(text.contains("did you mean length_left_A or length_left_B"), "{text}");
}

#[rstest]
#[case(json!([]), "")]
#[case(json!(""), "")]
#[case(json!(["right", "LEFT", "Right"]), "LEFT+RIGHT")]
fn a_set_may_be_empty_or_in_any_case_where_it_says_so(
    toy: Declaration,
    #[case] raw: Json,
    #[case] text: &str,
) {
    assert_eq!(canonical(&toy, &json!({"sides": raw})).unwrap().text("sides"), text);
}

#[test]
fn numbers_of_a_range_are_decimals() {
    assert_eq!(Range::numbers(0.1..=0.5, 0.1), [0.1, 0.2, 0.3, 0.4, 0.5]);
    assert_eq!(Range::numbers(0..=10, 4), [0.0, 4.0, 8.0]);
}

proptest! {
    /// A canonical set is a fixed point: given again it is itself.
    #[test]
    fn canonicalising_twice_changes_nothing(
        fast in 1_i64..40, slow in 40_i64..200, use_it in any::<bool>(), mode in prop::sample::select(vec!["off", "flat", "deep"]), parts in 1_usize..8,
        depth in 0.01_f64..0.99, limit in proptest::option::of(0.0_f64..2.0),
    ) {
        let toy = toy();
        let parts: Vec<&str> = ["high", "low", "mid"].into_iter().enumerate()
            .filter(|(bit, _)| parts >> bit & 1 == 1).map(|(_, name)| name).collect();
        let raw = json!({"fast": fast, "slow": slow, "use_it": use_it, "mode": mode,
                         "parts": parts, "depth": depth, "limit": limit});
        if let Ok(once) = canonical(&toy, &raw) {
            let again: Map<String, Json> = serde_json::from_str(&once.to_json()).unwrap();
            prop_assert_eq!(canonical(&toy, &Json::Object(again)).unwrap(), once);
        }
    }
}
