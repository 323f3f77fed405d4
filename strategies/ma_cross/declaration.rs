//! The parameters of `ma_cross`, declared once.

use crate::position_rules::{cooldown_bars, direction_filter, max_holding_bars, round_digits, stop_moves};
use crate::seeds::seed;
use sweep_engine::declare::{Constraint, Declaration, Parameter, boolean, categorical, float, int};

/// What the strategy says about itself and its parameters.
pub fn declaration() -> Declaration {
    Declaration::builder("ma_cross", "1.0.0", "Moving-average crossover with ATR stop")
        .doc(
            "Buys when the fast moving average of the bid close crosses above the slow one and sells when it crosses \
             below, at the market, with a stop at a multiple of the ATR and an optional target at a multiple of the \
             risk. The opposite cross can close the position and, with reverse, open the opposite one at the same \
             decision.",
        )
        .warmup("max(slow_period, atr_period, 2·adx_period if adx_min > 0) + confirm_bars")
        .parameters(entry())
        .parameters(filter())
        .parameters(exit())
        .constraints([
            Constraint::error("fast_period < slow_period", "the fast average must be faster than the slow one"),
            Constraint::error(
                "exit_on_cross or not reverse",
                "reverse opens the opposite position when the cross closes one, so it needs exit_on_cross",
            ),
        ])
        .checked()
}

fn entry() -> Vec<Parameter> {
    vec![
        int("fast_period", 20)
            .at_least(1)
            .search(5..=60)
            .unit("bars")
            .group("entry")
            .doc("period of the fast average; larger follows the price more slowly"),
        int("slow_period", 50)
            .at_least(1)
            .search(20..=250)
            .step(5)
            .unit("bars")
            .group("entry")
            .doc("period of the slow average; larger trades longer trends, and less often"),
        categorical("ma_type", &["ema", "sma"], "ema")
            .search_all()
            .group("entry")
            .doc("type of both averages: exponential or simple"),
        int("confirm_bars", 0)
            .at_least(0)
            .search(0..=5)
            .unit("bars")
            .group("entry")
            .doc("bars that the averages must stay crossed before the entry; larger enters later and drops short crosses"),
    ]
}

fn filter() -> Vec<Parameter> {
    vec![
        int("adx_period", 14)
            .at_least(1)
            .unit("bars")
            .group("filter")
            .doc("period of the ADX; larger is smoother; read only if adx_min > 0"),
        float("adx_min", 0.0)
            .at_least(0)
            .search(0..=35)
            .step(5)
            .group("filter")
            .doc("least ADX for an entry, 0 = off; larger asks for a stronger trend"),
        seed("adx_seed", "ADX"),
        direction_filter(),
        cooldown_bars(),
    ]
}

fn exit() -> Vec<Parameter> {
    let mut parameters = vec![
        int("atr_period", 14)
            .at_least(1)
            .search(7..=28)
            .unit("bars")
            .group("risk")
            .doc("period of the ATR of the stop; larger reacts more slowly to volatility"),
        float("sl_atr", 2.0)
            .at_least(0)
            .search(1..=5)
            .step(0.25)
            .unit("ATR")
            .group("risk")
            .doc("distance of the stop from the reference price; larger stops are hit less often and cost more"),
        float("tp_r", 3.0)
            .at_least(0)
            .search_off_or(1..=8, 0.5)
            .unit("R")
            .group("exit")
            .doc("distance of the target in multiples of the stop distance, 0 = no target; larger wins more, less often"),
        boolean("exit_on_cross", true)
            .search_all()
            .group("exit")
            .doc("the opposite cross closes the position, without the ADX test"),
        boolean("reverse", true)
            .search_all()
            .group("exit")
            .doc("the cross that closes a position opens the opposite one at the same decision"),
        max_holding_bars(0),
        round_digits(),
    ];
    parameters.extend(stop_moves());
    parameters
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value as Json, json};
    use sweep_engine::declare::{Context, canonicalise};

    use super::declaration;

    fn outcome(raw: &Json) -> Result<String, Vec<u16>> {
        let context = Context { timeframe: "M5".to_owned(), timeframe_minutes: 5 };
        canonicalise(&declaration(), &context, raw.as_object().unwrap())
            .map(|set| set.to_json())
            .map_err(|errors| errors.iter().map(|error| error.code).collect())
    }

    #[test]
    fn it_is_sound() {
        assert_eq!(declaration().self_check(), Vec::<String>::new());
    }

    #[test]
    fn its_defaults_are_those_of_the_specification() {
        assert_eq!(
            outcome(&json!({})).unwrap(),
            r#"{"adx_min":0,"adx_period":14,"adx_seed":"wilder","atr_period":14,"be_r":0,"confirm_bars":0,"cooldown_bars":0,"direction_filter":"both","exit_on_cross":true,"fast_period":20,"ma_type":"ema","max_holding_bars":0,"reverse":true,"round_digits":null,"sl_atr":2,"slow_period":50,"tp_r":3,"trail_atr":0}"#
        );
    }

    #[rstest]
    #[case(json!({"fast_period": 50}), &[1006])]
    #[case(json!({"fast_period": 49}), &[])]
    #[case(json!({"exit_on_cross": false}), &[1006])]
    #[case(json!({"exit_on_cross": false, "reverse": false}), &[])]
    #[case(json!({"fast_period": 0}), &[1003])]
    #[case(json!({"sl_atr": -0.5}), &[1003])]
    #[case(json!({"ma_type": "wma"}), &[1001])]
    #[case(json!({"adx_seed": true}), &[1004])]
    #[case(json!({"be_r": -1.0, "trail_atr": -2.0}), &[1003, 1003])]
    #[case(json!({"be_r": 1.0, "be_buffer_pips": 0.5, "trail_atr": 2.0, "trail_start_r": 1}), &[])]
    #[case(json!({"max_holding_minutes": 30}), &[1001])]
    #[case(json!({"round_digits": "none"}), &[])]
    #[case(json!({"round_digits": 5}), &[])]
    fn sets_are_judged(#[case] raw: Json, #[case] codes: &[u16]) {
        assert_eq!(outcome(&raw).err().unwrap_or_default(), codes);
    }

    #[test]
    fn zero_is_the_first_of_an_off_or_range() {
        let declaration = declaration();
        let choices = |name| declaration.parameter(name).unwrap().ranges[0].choices.clone();
        let json: Vec<Json> = choices("tp_r").iter().map(|value| value.to_json()).collect();
        assert_eq!((json.len(), &json[0], &json[1], &json[15]), (16, &json!(0.0), &json!(1.0), &json!(8.0)));
        assert_eq!(choices("max_holding_bars").len(), 25);
    }
}
