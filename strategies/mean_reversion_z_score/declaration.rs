//! The parameters of `mean_reversion_z_score`, scenarios 1 to 3.

use sweep_engine::declare::{
    Constraint, Declaration, Derived, Draft, Parameter, boolean, categorical, float, int, optional_int, set,
};
use sweep_engine::{Error, Value};

/// Conditions on the enabled scenarios, as in the column "Sc" of the specification.
const ROLLING: &str = "s1 or s2 or s3 or s5 or s6";
const EMA: &str = "s1 or s3";
const KALMAN: &str = "s2 or s3 or s4 or s5 or s6";

/// Parameters of the specification that belong to scenarios and rules which are not built.
const PLANNED: [&str; 30] = [
    "be_r",
    "be_buffer_pips",
    "trail_atr",
    "trail_start_r",
    "cooldown_bars",
    "htf_tf",
    "htf_ema",
    "htf_filter",
    "extra_htf_tf",
    "extra_htf_ema",
    "extra_htf_filter",
    "garch_alpha",
    "garch_beta",
    "garch_omega",
    "garch_use_log_returns",
    "garch_scale",
    "garch_min_periods",
    "garch_sigma_floor",
    "local_z_lookback",
    "intraday_vol_feature",
    "intraday_vol_cluster_window",
    "intraday_vol_cluster_k",
    "intraday_vol_min_points",
    "intraday_vol_log_transform",
    "intraday_vol_garch_lookback",
    "intraday_vol_allowed",
    "cluster_hysteresis_bars",
    "scenario6_*",
    "z_exit",
    "tp_mode",
];

/// What the strategy says about itself and its parameters.
pub fn declaration() -> Declaration {
    Declaration::builder("mean_reversion_z_score", "1.0.0", "Mean reversion of stretched closes")
        .doc(
            "Fades closes that are statistically stretched. Scenario 1 measures the stretch from an EMA, scenario 2 \
             from a Kalman mean and asks for a close outside the Bollinger band, scenario 3 is scenario 2 with the \
             EMA as target. Market orders; meant for one position at a time; stop and target are fixed at the entry.",
        )
        .warmup(
            "the smallest of the enabled scenarios: 1: max(window_length, atr_length) − 1; 2, 3: max(window_length, \
             b_b_length, atr_length) − 1. EMA series have no mask: give them 3 periods of history before the window",
        )
        .parameters(scenarios())
        .parameters(stretch())
        .parameters(band())
        .parameters(stop_and_target())
        .parameters(management())
        .derived(derived())
        .constraints([Constraint::warning(
            "not (s2 and s3)",
            "scenario 3 can never fire: scenario 2 is tried first, and whatever fires 3 fires 2",
        )])
        .planned(&PLANNED)
        .normalise(normalise)
        .checked()
}

/// `scenario` stands for a set of one; a time stop of none is one of 0.
fn normalise(draft: &mut Draft<'_>) {
    if let Some(Value::Int(scenario)) = draft.given("scenario") {
        let only = Value::Text(scenario.to_string());
        if draft.given("enabled_scenarios").is_some() {
            draft.refuse(
                Error::config(1006, "scenario and enabled_scenarios are both given")
                    .at("parameters scenario, enabled_scenarios")
                    .fix("give one of them: scenario = 2 means enabled_scenarios = 2"),
            );
        }
        draft.set("enabled_scenarios", only);
    }
    if draft.given("max_holding_minutes") == Some(&Value::None) {
        draft.set("max_holding_minutes", Value::Int(0));
    }
}

fn derived() -> Vec<Derived> {
    let enabled = |name, doc, compute| Derived::new(name, doc, &["enabled_scenarios"], compute);
    vec![
        enabled("s1", "scenario 1 is enabled", |draft| scenario_is_enabled(draft, "1")),
        enabled("s2", "scenario 2 is enabled", |draft| scenario_is_enabled(draft, "2")),
        enabled("s3", "scenario 3 is enabled", |draft| scenario_is_enabled(draft, "3")),
        enabled("s4", "scenario 4 is enabled", |draft| scenario_is_enabled(draft, "4")),
        enabled("s5", "scenario 5 is enabled", |draft| scenario_is_enabled(draft, "5")),
        enabled("s6", "scenario 6 is enabled", |draft| scenario_is_enabled(draft, "6")),
        Derived::new("primary_minutes", "length of the primary timeframe in minutes", &[], |draft| {
            Value::Int(draft.context().timeframe_minutes)
        }),
    ]
}

fn scenario_is_enabled(draft: &Draft<'_>, scenario: &str) -> Value {
    Value::Bool(draft.contains("enabled_scenarios", scenario))
}

fn scenarios() -> Vec<Parameter> {
    vec![
        set("enabled_scenarios", &["1", "2", "3"], "1+2+3")
            .not_built(&["4", "5", "6"])
            .group("entry")
            .doc("which scenarios are tried, in the order 1, 2, 3; the first hit is the bar's signal"),
        optional_int("scenario")
            .at_least(1)
            .at_most(3)
            .not_built(&["4", "5", "6"])
            .shorthand()
            .group("entry")
            .doc("shorthand for one enabled scenario; for searches over scenarios"),
    ]
}

fn stretch() -> Vec<Parameter> {
    vec![
        int("window_length", 100)
            .at_least(2)
            .search(40..=250)
            .step(10)
            .when(ROLLING)
            .unit("bars")
            .group("entry")
            .doc("window of the rolling deviation in the z-score; larger is steadier and needs more warm-up"),
        float("z_score_long", -2.5)
            .below(0)
            .search(-4.5..=-0.5)
            .step(0.1)
            .group("entry")
            .doc("long if the z-score is at or below this; nearer to 0 trades more often"),
        float("z_score_short", 2.5)
            .above(0)
            .search(0.5..=4.5)
            .step(0.1)
            .group("entry")
            .doc("short if the z-score is at or above this; larger asks for more stretch"),
        int("ema_length", 30)
            .at_least(1)
            .search(10..=50)
            .step(2)
            .when(EMA)
            .unit("bars")
            .group("entry")
            .doc("period of the EMA, mean of scenario 1 and target of 1 and 3; larger is slower"),
        float("kalman_r", 0.01)
            .above(0)
            .when(KALMAN)
            .group("entry")
            .doc("measurement noise of the Kalman mean, larger is smoother; only kalman_q/kalman_r matters"),
        float("kalman_q", 1.0)
            .at_least(0)
            .search_log(1e-4..=1.0)
            .when(KALMAN)
            .group("entry")
            .doc("process noise of the Kalman mean; larger follows the price more closely"),
    ]
}

fn band() -> Vec<Parameter> {
    vec![
        int("b_b_length", 20)
            .at_least(2)
            .search(16..=64)
            .step(2)
            .when(KALMAN)
            .unit("bars")
            .group("entry")
            .doc("period of the Bollinger band, whose middle is the target of scenario 2; larger is slower"),
        float("std_factor", 2.0)
            .at_least(0)
            .search(1.0..=3.0)
            .step(0.1)
            .when(KALMAN)
            .group("entry")
            .doc("half width of the Bollinger band in deviations; larger trades less often"),
    ]
}

fn stop_and_target() -> Vec<Parameter> {
    vec![
        int("atr_length", 14)
            .at_least(1)
            .search(7..=21)
            .unit("bars")
            .group("risk")
            .doc("period of the ATR of the stop; larger reacts more slowly to volatility"),
        float("atr_mult", 2.0).above(0).search(1.0..=4.0).step(0.2).unit("ATR").group("risk").doc(
            "distance of the stop beyond the extreme of the signal bar; larger stops are hit less often",
        ),
        float("tp_min_distance", 1.0)
            .at_least(0)
            .search(0..=20)
            .step(1)
            .when("s3")
            .unit("pips")
            .group("filter")
            .doc("the EMA must be at least this far beyond the entry; larger skips small targets"),
    ]
}

fn management() -> Vec<Parameter> {
    vec![
        int("max_holding_minutes", 30)
            .or_none()
            .at_least(0)
            .search_off_or(30..=2160, 30)
            .unit("minutes")
            .group("management")
            .doc("time stop, 0 or none = off; larger holds longer"),
        boolean("use_position_manager", true)
            .group("management")
            .doc("false: no time stop and no other position rule, only stop and target"),
        categorical("direction_filter", &["both", "long", "short"], "both")
            .group("filter")
            .doc("directions that are traded; entries of the other one are not evaluated"),
        optional_int("round_digits").at_least(0).at_most(15).group("risk").doc(
            "decimals of stop and target, for parity with other systems; none rounds to the symbol's tick",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value as Json, json};
    use sweep_engine::declare::{Canonical, Context, canonicalise};

    use super::*;

    fn canonical(raw: &Json) -> Result<Canonical, Vec<Error>> {
        let context = Context { timeframe: "M5".to_owned(), timeframe_minutes: 5 };
        canonicalise(&declaration(), &context, raw.as_object().unwrap())
    }

    #[test]
    fn it_is_sound() {
        assert_eq!(declaration().self_check(), Vec::<String>::new());
    }

    /// The defaults of the specification, and the column "Sc": which scenarios read which parameters.
    #[rstest]
    #[case(json!({"scenario": 1}), r#"{"atr_length":14,"atr_mult":2,"direction_filter":"both","ema_length":30,"enabled_scenarios":"1","max_holding_minutes":30,"round_digits":null,"use_position_manager":true,"window_length":100,"z_score_long":-2.5,"z_score_short":2.5}"#)]
    #[case(json!({"enabled_scenarios": [2]}), r#"{"atr_length":14,"atr_mult":2,"b_b_length":20,"direction_filter":"both","enabled_scenarios":"2","kalman_q":1,"kalman_r":0.01,"max_holding_minutes":30,"round_digits":null,"std_factor":2,"use_position_manager":true,"window_length":100,"z_score_long":-2.5,"z_score_short":2.5}"#)]
    #[case(json!({"scenario": 3, "max_holding_minutes": null}), r#"{"atr_length":14,"atr_mult":2,"b_b_length":20,"direction_filter":"both","ema_length":30,"enabled_scenarios":"3","kalman_q":1,"kalman_r":0.01,"max_holding_minutes":0,"round_digits":null,"std_factor":2,"tp_min_distance":1,"use_position_manager":true,"window_length":100,"z_score_long":-2.5,"z_score_short":2.5}"#)]
    fn a_scenario_has_the_parameters_it_reads(#[case] raw: Json, #[case] key: &str) {
        assert_eq!(canonical(&raw).unwrap().to_json(), key);
    }

    #[rstest]
    #[case(json!({"scenario": 2}), json!({"enabled_scenarios": "2"}))]
    #[case(json!({"scenario": 2}), json!({"enabled_scenarios": 2}))]
    #[case(json!({"scenario": "none"}), json!({"enabled_scenarios": "3+2+1"}))]
    #[case(json!({"scenario": 1, "kalman_q": 0.5}), json!({"scenario": 1}))]
    #[case(json!({"max_holding_minutes": "none"}), json!({"max_holding_minutes": 0}))]
    fn sets_that_mean_the_same_trial_are_equal(#[case] one: Json, #[case] other: Json) {
        assert_eq!(canonical(&one).unwrap(), canonical(&other).unwrap());
    }

    #[rstest]
    #[case(json!({"z_score_long": 0}), &[1003])]
    #[case(json!({"z_score_long": -0.1}), &[])]
    #[case(json!({"z_score_short": 0.0}), &[1003])]
    #[case(json!({"enabled_scenarios": []}), &[1001])]
    #[case(json!({"enabled_scenarios": "1+7"}), &[1001])]
    #[case(json!({"enabled_scenarios": "1+4"}), &[4001])]
    #[case(json!({"scenario": 5}), &[4001])]
    #[case(json!({"scenario": 7}), &[1003])]
    #[case(json!({"scenario": 1, "enabled_scenarios": "1"}), &[1006])]
    #[case(json!({"scenario": null, "enabled_scenarios": "1"}), &[])]
    #[case(json!({"kalman_r": 0}), &[1003])]
    #[case(json!({"kalman_q": 0}), &[])]
    #[case(json!({"window_length": 1, "b_b_length": 1}), &[1003, 1003])]
    #[case(json!({"htf_tf": "D1", "tp_mode": "dynamic", "scenario6_H1_long_z_score": -1}), &[4001, 4001, 4001])]
    #[case(json!({"max_holding_bars": 12}), &[1001])]
    #[case(json!({"s1": true}), &[1001])]
    fn sets_are_judged(#[case] raw: Json, #[case] expected: &[u16]) {
        let codes: Vec<u16> =
            canonical(&raw).err().unwrap_or_default().iter().map(|error| error.code).collect();
        assert_eq!(codes, expected);
    }

    #[rstest]
    #[case(json!({}), 1)]
    #[case(json!({"enabled_scenarios": "2+3"}), 1)]
    #[case(json!({"enabled_scenarios": "1+2"}), 0)]
    #[case(json!({"enabled_scenarios": "1+3"}), 0)]
    fn a_shadowed_scenario_is_a_warning(#[case] raw: Json, #[case] warnings: usize) {
        assert_eq!(canonical(&raw).unwrap().warnings.len(), warnings);
    }

    #[test]
    fn derived_names_say_what_is_enabled() {
        let set = canonical(&json!({"enabled_scenarios": "1+3"})).unwrap();
        let enabled = ["s1", "s2", "s3", "s4", "s5", "s6"].map(|name| set.boolean(name));
        assert_eq!(enabled, [true, false, true, false, false, false]);
        assert_eq!(set.int("primary_minutes"), 5);
        assert_eq!(set.float("tp_min_distance"), 1.0);
    }
}
