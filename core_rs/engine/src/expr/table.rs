//! Runs the table of cases that the Rust and the Python evaluator share, and what a table cannot say.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::Value as Json;

use super::Expr;
use crate::Value;

fn scalar(json: &Json) -> Value {
    Value::from_json(json).expect("a scalar")
}

/// Equal in type and value; floats to the last bit but one, for `log`, `exp` and `**`.
fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Float(a), Value::Float(b)) => {
            a == b && a.is_sign_negative() == b.is_sign_negative() || (a - b).abs() <= 2.3e-16 * b.abs()
        }
        _ => found == expected,
    }
}

/// What is wrong with one row of the table, if anything.
fn complaint(case: &Json) -> Option<String> {
    let text = case["expr"].as_str().expect("expr");
    let env: BTreeMap<String, Value> = case["env"]
        .as_object()
        .expect("env")
        .iter()
        .map(|(name, value)| (name.clone(), scalar(value)))
        .collect();
    let found = Expr::parse(text).map(|expr| expr.evaluate(&|name| env.get(name).cloned()));
    match (found, case.get("error").and_then(Json::as_u64)) {
        (Ok(value), None) if same(&value, &scalar(&case["value"])) => None,
        (Err(error), Some(code)) if u64::from(error.code) == code => None,
        (found, _) => Some(format!("{text:?} with {env:?} gave {found:?}, expected {case}")),
    }
}

#[test]
fn every_case_of_the_shared_table_holds() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/expressions.json");
    let cases: Vec<Json> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.len() >= 80, "{} cases", cases.len());
    let wrong: Vec<String> = cases.iter().filter_map(complaint).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_those_that_are_read() {
    let expr = Expr::parse("abs(b) + a > c and a in [1, 2]").unwrap();
    assert_eq!(expr.names().iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn a_name_without_a_value_is_null() {
    assert_eq!(Expr::parse("a == a").unwrap().evaluate(&|_| None), Value::None);
    assert!(!Expr::parse("a == a").unwrap().holds(&|_| None));
}

#[rstest]
#[case("a.b", "character 2 of `a.b`", "attributes")]
#[case("1 + lambda", "character 5 ", "`lambda`")]
#[case("  x[0]", "character 4 ", "subscripts")]
#[case("x = 1", "character 3 ", "`==`")]
#[case("f(1)", "character 1 ", "`f` is not a function")]
#[case("1 +", "character 4 ", "too early")]
fn an_error_names_the_position_and_the_reason(#[case] text: &str, #[case] place: &str, #[case] what: &str) {
    let error = Expr::parse(text).unwrap_err();
    assert!(error.place.contains(place), "{error}");
    assert!(error.what.contains(what), "{error}");
    assert!(error.remedy.contains("abs min max"), "{error}");
}

#[rstest]
#[case("(".repeat(64) + "1" + &")".repeat(64), true)]
#[case("(".repeat(65) + "1" + &")".repeat(65), false)]
#[case("1 if 1 else (".repeat(49) + &"(".repeat(15) + "1" + &")".repeat(64), true)]
#[case("-".repeat(49) + "1", true)]
#[case("-".repeat(50) + "1", false)]
#[case("not ".repeat(200) + "1", false)]
#[case("2**".repeat(300) + "1", false)]
#[case("1".to_owned() + &"+1".repeat(49), true)]
#[case("1".to_owned() + &"+1".repeat(50), false)]
#[case("1 if a else ".repeat(60) + "1", false)]
#[case("1 ".repeat(500) + " ", false)]
fn depth_and_length_are_bounded(#[case] text: String, #[case] accepted: bool) {
    assert_eq!(Expr::parse(&text).map_err(|e| e.code).err(), (!accepted).then_some(1001));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[a-z0-9_ .,()\\[\\]'\"+*/%<>=!&-]{0,60}|\\PC{0,40}") {
        if let Ok(expr) = Expr::parse(&text) {
            let value = expr.evaluate(&|_| Some(Value::Float(0.5)));
            prop_assert!(value.number().is_none_or(f64::is_finite));
        }
    }

    /// `//` and `%` belong together: the quotient times the divisor plus the remainder is the dividend.
    #[test]
    fn floor_division_and_modulo_agree(a in any::<i64>(), b in any::<i64>()) {
        let env = |name: &str| Some(Value::Int(if name == "a" { a } else { b }));
        let at = |text: &str| Expr::parse(text).unwrap().evaluate(&env);
        if let (Value::Int(q), Value::Int(r)) = (at("a // b"), at("a % b")) {
            prop_assert_eq!(i128::from(q) * i128::from(b) + i128::from(r), i128::from(a));
            prop_assert!(r == 0 || (r < 0) == (b < 0));
        } else {
            prop_assert!(b == 0 || (a, b) == (i64::MIN, -1));
        }
    }

    /// Against the plain reading of "nearest multiple of a power of ten, ties to even".
    #[test]
    fn round_left_of_the_point_is_exact(i in -999_999_i64..1_000_000, half in any::<bool>(), places in 1_u32..5) {
        let x = i as f64 + if half { 0.5 } else { 0.0 };
        let (unit, twice) = (2 * 10_i64.pow(places), 2 * i + i64::from(half));
        let (below, rest) = (twice.div_euclid(unit), twice.rem_euclid(unit));
        let up = 2 * rest > unit || 2 * rest == unit && below % 2 != 0;
        let expected = ((below + i64::from(up)) * unit / 2) as f64;
        let text = format!("round(x, -{places})");
        prop_assert_eq!(Expr::parse(&text).unwrap().evaluate(&|_| Some(Value::Float(x))), Value::Float(expected));
    }
}
