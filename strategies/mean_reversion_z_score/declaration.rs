//! The parameters of `mean_reversion_z_score`.

use super::guard::LABELS;
use super::overlay;
use crate::position_rules::{cooldown_bars, direction_filter, round_digits, stop_moves};
use crate::timeframes::{TIMEFRAMES, minutes_of};
use sweep_engine::declare::{
    Constraint, Declaration, Derived, Draft, Parameter, Range, boolean, categorical, float, int,
    optional_float, optional_int, set,
};
use sweep_engine::{Error, Value};

/// Conditions on the enabled scenarios, as in the column "Sc" of the specification.
const ROLLING: &str = "s1 or s2 or s3 or s5 or s6";
const EMA: &str = "s1 or s3";
const KALMAN: &str = "s2 or s3 or s4 or s5 or s6";
const GARCH: &str = "s4 or s5";
const ONLY_4: &str = "s4 and not (s1 or s2 or s3 or s5 or s6)";

/// What the strategy says about itself and its parameters.
pub fn declaration() -> Declaration {
    Declaration::builder("mean_reversion_z_score", "1.2.0", "Mean reversion of stretched closes")
        .doc(
            "Fades closes that are statistically stretched. Scenario 1 measures the stretch from an EMA, scenario 2 \
             from a Kalman mean and asks for a close outside the Bollinger band, scenario 3 is scenario 2 with the \
             EMA as target, scenario 4 measures it in GARCH deviations, scenario 5 is scenario 2 while volatility is \
             of a permitted kind, scenario 6 is scenario 2 while other timeframes are stretched as well. Market orders; meant for one position at a time.",
        )
        .warmup(
            "the smallest of the enabled scenarios: 1: max(window_length, atr_length) − 1; 2, 3, 6: max(window_length, \
             b_b_length, atr_length) − 1; 4: max(garch_min_periods + 1, b_b_length − 1, atr_length − 1); 5: the larger \
             of 2's and garch_min_periods + intraday_vol_min_points (atr_points: atr_length + intraday_vol_min_points \
             − 2). EMA series have no mask: give them 3 periods of history before the window",
        )
        .timeframes(&["htf_tf", "extra_htf_tf", "scenario6_timeframes"])
        .parameters(scenarios())
        .parameters(stretch())
        .parameters(band())
        .parameters(stop_and_target())
        .parameters(trends())
        .parameters(garch())
        .parameters(guard())
        .parameters(overlay::declaration::parameters())
        .families(overlay::declaration::families(&[stretch(), band()].concat()))
        .parameters(management())
        .derived(derived())
        .derived(overlay::declaration::derived())
        .constraints(constraints())
        .constraints(overlay::declaration::constraints())
        .ratio("kalman_q", "kalman_r")
        .normalise(normalise)
        .checked()
}

fn constraints() -> Vec<Constraint> {
    let error = Constraint::error;
    vec![
        error(
            "htf_filter == \"both\" or htf_minutes > 0",
            "the filter has no timeframe and would block everything",
        ),
        error(
            "extra_htf_filter == \"both\" or extra_minutes > 0",
            "the filter has no timeframe and would block everything",
        ),
        error(
            "htf_minutes == 0 or htf_minutes >= primary_minutes",
            "the timeframe of the filter is shorter than the primary one",
        ),
        error(
            "extra_minutes == 0 or extra_minutes >= primary_minutes",
            "the timeframe of the filter is shorter than the primary one",
        ),
        error("garch_alpha + garch_beta < 1", "the GARCH recursion is not stationary"),
        error(
            "local_z_lookback == 0 or local_z_lookback >= garch_min_periods + 2",
            "the local window is too short: there would never be a signal",
        ),
        error(
            "intraday_vol_feature == \"atr_points\" or intraday_vol_garch_lookback >= intraday_vol_min_points + \
             garch_min_periods + 1",
            "the guard never has enough points",
        ),
        error(
            "max(cluster_hysteresis_bars, intraday_vol_cluster_k) <= cluster_window",
            "clusters or hysteresis are longer than the cluster window",
        ),
        error("possible_labels > 0", "no allowed label can occur with so few clusters"),
        error("z_exit > z_score_long and -z_exit < z_score_short", "z_exit would close at once"),
        Constraint::warning(
            "intraday_vol_feature == \"atr_points\" or cluster_window <= intraday_vol_garch_lookback - 1 - \
             garch_min_periods",
            "the cluster window can never be full",
        ),
        Constraint::warning(
            "not (s2 and s3)",
            "scenario 3 can never fire: scenario 2 is tried first, and whatever fires 3 fires 2",
        ),
        Constraint::warning(
            "not (s2 and s5)",
            "scenario 5 can never fire: scenario 2 is tried first, and whatever fires 5 fires 2",
        ),
        Constraint::warning("impossible_labels == 0", "an allowed label cannot occur with so few clusters"),
    ]
}

/// `scenario` stands for a set of one, a time stop of none for one of 0, AUTO and auto for what they resolve to; the
/// overlay is folded into one map.
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
    if *draft.value("extra_htf_tf") == Value::Text("AUTO".to_owned()) {
        let timeframe = extra_timeframe(&draft.context().timeframe);
        draft.set("extra_htf_tf", Value::Text(timeframe.to_owned()));
    }
    if *draft.value("intraday_vol_cluster_window") == Value::None {
        let window = cluster_window(&draft.context().timeframe);
        draft.set("intraday_vol_cluster_window", Value::Int(window));
    }
    overlay::fold(draft);
}

/// What AUTO stands for.
fn extra_timeframe(primary: &str) -> &'static str {
    match primary {
        "M5" => "H1",
        "M15" | "M30" => "H4",
        _ => "NONE",
    }
}

/// What auto stands for.
fn cluster_window(primary: &str) -> i64 {
    match primary {
        "M5" => 300,
        "M30" | "H1" => 240,
        _ => 200,
    }
}

/// How many allowed labels the clusters can (or cannot) produce.
fn labels(draft: &Draft<'_>, possible: bool) -> Value {
    let Value::Int(k) = draft.value("intraday_vol_cluster_k") else { return Value::None };
    let allowed = |label: &&str| draft.contains("intraday_vol_allowed", label);
    let known = |rank: i64| (rank < *k) == possible;
    let count = LABELS.iter().zip(0..).filter(|(label, rank)| allowed(label) && known(*rank)).count();
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
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
        Derived::new("htf_minutes", "length of htf_tf in minutes, 0 for NONE", &["htf_tf"], |draft| {
            Value::Int(minutes_of(draft.value("htf_tf")))
        }),
        Derived::new(
            "extra_minutes",
            "length of extra_htf_tf in minutes, 0 for NONE",
            &["extra_htf_tf"],
            |draft| Value::Int(minutes_of(draft.value("extra_htf_tf"))),
        ),
        Derived::new("cluster_window", "points clustered", &["intraday_vol_cluster_window"], |draft| {
            draft.value("intraday_vol_cluster_window").clone()
        }),
        Derived::new(
            "possible_labels",
            "allowed labels that the clusters can produce",
            &["intraday_vol_cluster_k", "intraday_vol_allowed"],
            |draft| labels(draft, true),
        ),
        Derived::new(
            "impossible_labels",
            "allowed labels that the clusters cannot produce",
            &["intraday_vol_cluster_k", "intraday_vol_allowed"],
            |draft| labels(draft, false),
        ),
    ]
}

fn scenario_is_enabled(draft: &Draft<'_>, scenario: &str) -> Value {
    Value::Bool(draft.contains("enabled_scenarios", scenario))
}

fn scenarios() -> Vec<Parameter> {
    vec![
        set("enabled_scenarios", &["1", "2", "3", "4", "5", "6"], "1+2+3+4+5+6")
            .group("entry")
            .doc("which scenarios are tried, in ascending order; the first hit is the bar's signal"),
        optional_int("scenario")
            .at_least(1)
            .at_most(6)
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
            .search_range(Range {
                when: Some(ONLY_4.to_owned()),
                step: Some(0.1),
                ..Range::between(-2.0..=-0.1)
            })
            .search_range(Range { step: Some(0.1), ..Range::between(-4.5..=-0.5) })
            .group("entry")
            .doc("long if the z-score is at or below this; nearer to 0 trades more often"),
        float("z_score_short", 2.5)
            .above(0)
            .search_range(Range {
                when: Some(ONLY_4.to_owned()),
                step: Some(0.1),
                ..Range::between(0.1..=2.0)
            })
            .search_range(Range { step: Some(0.1), ..Range::between(0.5..=4.5) })
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

/// The two trend filters by a higher timeframe.
fn trends() -> Vec<Parameter> {
    let mut parameters = filter("htf", &["NONE"], "D1", 100);
    parameters.extend(filter("extra_htf", &["NONE", "AUTO"], "AUTO", 50));
    parameters
}

fn filter(prefix: &str, words: &[&str], timeframe: &str, period: i64) -> Vec<Parameter> {
    let choices: Vec<&str> = words.iter().chain(&TIMEFRAMES).copied().collect();
    let searched = ["H4", "D1"].map(|t| Value::Text(t.to_owned())).to_vec();
    vec![
        categorical(&format!("{prefix}_tf"), &choices, timeframe)
            .search_range(Range::of(searched))
            .when(KALMAN)
            .group("filter")
            .doc(
                "timeframe of a trend filter, NONE = off; AUTO: M5 has H1, M15 and M30 have H4, others none",
            ),
        int(&format!("{prefix}_ema"), period)
            .at_least(1)
            .search(20..=200)
            .step(10)
            .when(KALMAN)
            .unit("bars")
            .group("filter")
            .doc("period of the filter's EMA, in bars of its timeframe; larger is slower"),
        categorical(&format!("{prefix}_filter"), &["both", "above", "below"], "both")
            .synonym("none", "both")
            .search_all()
            .when(KALMAN)
            .group("filter")
            .doc("side of that EMA on which the last complete close must lie, for longs and shorts alike; none = both"),
    ]
}

fn garch() -> Vec<Parameter> {
    let garch = |parameter: Parameter| parameter.when(GARCH).group("entry");
    vec![
        garch(float("garch_alpha", 0.05).at_least(0).search(0.02..=0.20).step(0.01))
            .doc("weight of the last shock in the GARCH forecast; larger reacts faster"),
        garch(float("garch_beta", 0.90).at_least(0).search(0.70..=0.95).step(0.01))
            .doc("weight of the last variance in the GARCH forecast; larger is steadier"),
        garch(optional_float("garch_omega").at_least(0)).doc("level term of the forecast; none derives it"),
        garch(boolean("garch_use_log_returns", true)).doc("log returns, else simple ones"),
        garch(float("garch_scale", 100.0).above(0)).doc("what returns are multiplied with"),
        garch(int("garch_min_periods", 50).at_least(1).search(40..=170).step(10).unit("bars"))
            .doc("bars after the first return without a forecast; larger needs more warm-up"),
        garch(float("garch_sigma_floor", 1e-6).at_least(0)).doc("smallest deviation, in scaled units"),
        int("local_z_lookback", 0)
            .at_least(0)
            .search_range(Range {
                ordered: true,
                ..Range::of([0, 200, 250, 300, 350, 400, 450, 500, 550, 600].map(Value::Int).to_vec())
            })
            .when("s4")
            .unit("bars")
            .group("entry")
            .doc(
                "Kalman mean and GARCH restart on so many bars at every bar, 0 = off; larger remembers more",
            ),
    ]
}

fn guard() -> Vec<Parameter> {
    let guard = |parameter: Parameter| parameter.when("s5").group("filter");
    let words = |choices: &[&str]| Range::of(choices.iter().map(|c| Value::Text((*c).to_owned())).collect());
    vec![
        guard(
            categorical("intraday_vol_feature", &["garch_forecast", "atr_points"], "garch_forecast")
                .search_all(),
        )
        .doc("what the volatility guard clusters; with garch_forecast labels flicker as the window slides"),
        guard(
            optional_int("intraday_vol_cluster_window")
                .or_word("auto")
                .at_least(1)
                .search(100..=300)
                .step(10)
                .unit("bars"),
        )
        .doc("points clustered; auto: M5 300, M15 200, M30 and H1 240, else 200"),
        guard(int("intraday_vol_cluster_k", 3).at_least(1).at_most(5).search(2..=4))
            .doc("clusters; larger tells more kinds of volatility apart"),
        guard(int("intraday_vol_min_points", 60).at_least(1).search(60..=140).step(10).unit("bars"))
            .doc("fewest points; fewer keep the guard closed"),
        guard(boolean("intraday_vol_log_transform", true)).doc("clusters the logarithms"),
        guard(int("intraday_vol_garch_lookback", 500).at_least(3).search(300..=800).step(50).unit("bars"))
            .doc("bars of the local forecast; larger remembers more"),
        guard(
            set("intraday_vol_allowed", &LABELS, "low+mid")
                .search_range(words(&["low", "mid", "high", "low+mid", "mid+high"])),
        )
        .doc("kinds of volatility in which entries are allowed"),
        guard(int("cluster_hysteresis_bars", 0).at_least(0).search(0..=6).unit("bars"))
            .doc("points that must carry the label, if more than one; larger skips short visits"),
    ]
}

fn management() -> Vec<Parameter> {
    let mut parameters = vec![
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
        optional_float("z_exit")
            .when("use_position_manager")
            .group("exit")
            .doc("closes a long when the score is at least this, a short when it is at most minus this; none = off"),
        categorical("tp_mode", &["static", "dynamic"], "static")
            .search_all()
            .when("use_position_manager")
            .group("exit")
            .doc("dynamic: the target follows the mean"),
        direction_filter(),
        cooldown_bars(),
        round_digits(),
    ];
    parameters.extend(stop_moves());
    parameters
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
    #[case(json!({"scenario": 1}), r#"{"atr_length":14,"atr_mult":2,"be_r":0,"cooldown_bars":0,"direction_filter":"both","ema_length":30,"enabled_scenarios":"1","max_holding_minutes":30,"round_digits":null,"tp_mode":"static","trail_atr":0,"use_position_manager":true,"window_length":100,"z_exit":null,"z_score_long":-2.5,"z_score_short":2.5}"#)]
    #[case(json!({"enabled_scenarios": [2]}), r#"{"atr_length":14,"atr_mult":2,"b_b_length":20,"be_r":0,"cooldown_bars":0,"direction_filter":"both","enabled_scenarios":"2","extra_htf_ema":50,"extra_htf_filter":"both","extra_htf_tf":"H1","htf_ema":100,"htf_filter":"both","htf_tf":"D1","kalman_q":1,"kalman_r":0.01,"max_holding_minutes":30,"round_digits":null,"std_factor":2,"tp_mode":"static","trail_atr":0,"use_position_manager":true,"window_length":100,"z_exit":null,"z_score_long":-2.5,"z_score_short":2.5}"#)]
    #[case(json!({"scenario": 3, "max_holding_minutes": null}), r#"{"atr_length":14,"atr_mult":2,"b_b_length":20,"be_r":0,"cooldown_bars":0,"direction_filter":"both","ema_length":30,"enabled_scenarios":"3","extra_htf_ema":50,"extra_htf_filter":"both","extra_htf_tf":"H1","htf_ema":100,"htf_filter":"both","htf_tf":"D1","kalman_q":1,"kalman_r":0.01,"max_holding_minutes":0,"round_digits":null,"std_factor":2,"tp_min_distance":1,"tp_mode":"static","trail_atr":0,"use_position_manager":true,"window_length":100,"z_exit":null,"z_score_long":-2.5,"z_score_short":2.5}"#)]
    fn a_scenario_has_the_parameters_it_reads(#[case] raw: Json, #[case] key: &str) {
        assert_eq!(canonical(&raw).unwrap().to_json(), key);
    }

    #[rstest]
    #[case(json!({"scenario": 2}), json!({"enabled_scenarios": "2"}))]
    #[case(json!({"scenario": 2}), json!({"enabled_scenarios": 2}))]
    #[case(json!({"scenario": "none"}), json!({"enabled_scenarios": "6+5+4+3+2+1"}))]
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
    #[case(json!({"enabled_scenarios": "1+6"}), &[])]
    #[case(json!({"scenario": 6}), &[1006])]
    #[case(json!({"scenario": 6, "scenario6_timeframes": "M5"}), &[])]
    #[case(json!({"scenario": 6, "scenario6_timeframes": "M1"}), &[1006])]
    #[case(json!({"scenario": 6, "scenario6_timeframes": "M1+H1"}), &[1006])]
    #[case(json!({"scenario": 6, "scenario6_timeframes": "H1+H5"}), &[1001])]
    #[case(json!({"scenario": 6, "scenario6_timeframes": "H1", "scenario6_mode": "some"}), &[1001])]
    #[case(json!({"scenario": 7}), &[1003])]
    #[case(json!({"scenario": 1, "enabled_scenarios": "1"}), &[1006])]
    #[case(json!({"scenario": null, "enabled_scenarios": "1"}), &[])]
    #[case(json!({"kalman_r": 0}), &[1003])]
    #[case(json!({"kalman_q": 0}), &[])]
    #[case(json!({"window_length": 1, "b_b_length": 1}), &[1003, 1003])]
    #[case(json!({"scenario6_H1_long_z_score": -1}), &[])]
    #[case(json!({"scenario6_H1_long_z_score": 1}), &[1003])]
    #[case(json!({"scenario6_H1_short_z_score": -1}), &[1003])]
    #[case(json!({"scenario6_H1_long_window_length": 1}), &[1003])]
    #[case(json!({"scenario6_H1_long_window_length": 2.5}), &[1004])]
    #[case(json!({"scenario6_H1_long_atr_length": 5}), &[1001])]
    #[case(json!({"scenario6_H5_long_window_length": 5}), &[1001])]
    #[case(json!({"scenario6_params": {"H5": {}}}), &[1001])]
    #[case(json!({"scenario6_params": {"h1": {}}}), &[])]
    #[case(json!({"scenario6_params": {"h1": {}, "H1": {}}}), &[1006])]
    #[case(json!({"scenario6_params": {"H1": 5}}), &[1004])]
    #[case(json!({"scenario6_params": {"H1": {"long": 5}}}), &[1004])]
    #[case(json!({"scenario6_params": {"H1": {"atr_length": 5}}}), &[1001])]
    #[case(json!({"scenario6_params": {"H1": {"long": {"atr_length": 5}}}}), &[1001])]
    #[case(json!({"scenario6_params": {"H1": {"z_score": -1}}}), &[1006])]
    #[case(json!({"scenario6_params": {"H1": {"long": {"z_score": -1}}}}), &[])]
    #[case(json!({"scenario6_params": {"H1": {"long": {"z_score": 1}}}}), &[1003])]
    #[case(json!({"scenario6_params": {"H1": {"z_score_long": 1}}}), &[1003])]
    #[case(json!({"scenario6_params": {"H1": {"long": {"z_score": -1, "z_score_long": -1}}}}), &[1006])]
    #[case(json!({"scenario6_params": {"H1": {"window_length": 1, "kalman_r": "x"}}}), &[1004, 1003])]
    #[case(json!({"scenario": 2, "htf_filter": "above", "htf_tf": "NONE"}), &[1006])]
    #[case(json!({"scenario": 1, "htf_filter": "above", "htf_tf": "NONE"}), &[])]
    #[case(json!({"scenario": 2, "htf_filter": "above", "htf_tf": "H1"}), &[])]
    #[case(json!({"scenario": 2, "htf_filter": "above", "htf_tf": "M1"}), &[1006])]
    #[case(json!({"scenario": 2, "extra_htf_filter": "below", "extra_htf_tf": "NONE"}), &[1006])]
    #[case(json!({"scenario": 2, "htf_tf": "H5"}), &[1001])]
    #[case(json!({"scenario": 4, "garch_alpha": 0.1, "garch_beta": 0.9}), &[1006])]
    #[case(json!({"scenario": 2, "garch_alpha": 0.1, "garch_beta": 0.9}), &[])]
    #[case(json!({"scenario": 4, "local_z_lookback": 51}), &[1006])]
    #[case(json!({"scenario": 4, "local_z_lookback": 52}), &[])]
    #[case(json!({"scenario": 5, "intraday_vol_garch_lookback": 110}), &[1006])]
    #[case(json!({"scenario": 5, "intraday_vol_garch_lookback": 111}), &[])]
    #[case(json!({"scenario": 5, "intraday_vol_garch_lookback": 110, "intraday_vol_feature": "atr_points"}), &[])]
    #[case(json!({"scenario": 5, "intraday_vol_cluster_window": 2}), &[1006])]
    #[case(json!({"scenario": 5, "cluster_hysteresis_bars": 301}), &[1006])]
    #[case(json!({"scenario": 5, "intraday_vol_cluster_k": 2, "intraday_vol_allowed": "high"}), &[1006])]
    #[case(json!({"scenario": 5, "intraday_vol_cluster_k": 2, "intraday_vol_allowed": "mid+high"}), &[])]
    #[case(json!({"scenario": 5, "intraday_vol_allowed": []}), &[1001])]
    #[case(json!({"scenario": 2, "z_exit": -2.5}), &[1006])]
    #[case(json!({"scenario": 2, "z_exit": 0.5}), &[])]
    #[case(json!({"scenario": 2, "z_exit": -2.5, "use_position_manager": false}), &[])]
    #[case(json!({"max_holding_bars": 12}), &[1001])]
    #[case(json!({"s1": true}), &[1001])]
    fn sets_are_judged(#[case] raw: Json, #[case] expected: &[u16]) {
        let codes: Vec<u16> =
            canonical(&raw).err().unwrap_or_default().iter().map(|error| error.code).collect();
        assert_eq!(codes, expected);
    }

    #[rstest]
    #[case(json!({}), 3)]
    #[case(json!({"enabled_scenarios": "2+6"}), 1)]
    #[case(json!({"enabled_scenarios": "1+6"}), 0)]
    #[case(json!({"enabled_scenarios": "2+3"}), 1)]
    #[case(json!({"enabled_scenarios": "2+5"}), 1)]
    #[case(json!({"scenario": 5, "intraday_vol_cluster_k": 2, "intraday_vol_allowed": "mid+high"}), 1)]
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
