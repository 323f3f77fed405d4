//! Partial options, as a user writes them, to complete ones. The one owner of presets and defaults.

mod commission;

use super::early_stop::EarlyStop;
use super::options::{
    Account, Costs, Execution, MetricOptions, Options, RateOptions, Sizing, SizingMode, Slippage, UnitValue,
};
use super::rates::check_pair;
use crate::error::{Error, Result};
use crate::gates::GateOptions;
use crate::suggest::suggestion;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

/// A mapping of the input that is read key by key and must be read wholly.
pub(crate) struct Section<'a> {
    name: String,
    map: Option<&'a Map<String, Json>>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(name: impl Into<String>, json: Option<&'a Json>) -> Result<Self> {
        let name = name.into();
        let map = match json {
            None | Some(Json::Null) => None,
            Some(Json::Object(map)) => Some(map),
            Some(other) => {
                return Err(Error::config(1004, format!("a mapping is needed, not {other}")).at(name));
            }
        };
        Ok(Self { name, map, known: Vec::new() })
    }

    fn raw(&mut self, key: &'static str) -> Option<&'a Json> {
        self.known.push(key);
        self.map.and_then(|m| m.get(key))
    }

    /// The value of `key`; null takes the default.
    pub(crate) fn given(&mut self, key: &'static str) -> Option<&'a Json> {
        self.raw(key).filter(|v| !v.is_null())
    }

    pub(crate) fn place(&self, key: &str) -> String {
        format!("{}.{key}", self.name)
    }

    fn number(&mut self, key: &'static str, default: f64, lowest: Bound) -> Result<f64> {
        let Some(json) = self.given(key) else { return Ok(default) };
        let x = json.as_f64().filter(|_| json.is_number()).ok_or_else(|| {
            Error::config(1004, format!("a number is needed, not {json}")).at(self.place(key))
        })?;
        if lowest.admits(x) {
            return Ok(x);
        }
        Err(Error::config(1003, format!("{x} is out of range")).at(self.place(key)).fix(lowest.text()))
    }

    fn flag(&mut self, key: &'static str, default: bool) -> Result<bool> {
        let Some(json) = self.given(key) else { return Ok(default) };
        json.as_bool().ok_or_else(|| {
            Error::config(1004, format!("true or false is needed, not {json}")).at(self.place(key))
        })
    }

    pub(crate) fn text(&mut self, key: &'static str, default: &str) -> Result<String> {
        let Some(json) = self.given(key) else { return Ok(default.to_owned()) };
        json.as_str()
            .map(str::to_owned)
            .ok_or_else(|| Error::config(1004, format!("a text is needed, not {json}")).at(self.place(key)))
    }

    /// A text that has no default.
    pub(crate) fn required_text(&mut self, key: &'static str) -> Result<String> {
        if self.given(key).is_none() {
            return Err(Error::config(1008, format!("{key} is missing")).at(self.place(key)));
        }
        self.text(key, "")
    }

    /// All of it, if it is there.
    pub(crate) fn mapping(&self) -> Option<&'a Map<String, Json>> {
        self.map
    }

    pub(crate) fn whole<T: TryFrom<u64>>(&mut self, key: &'static str, default: T) -> Result<T> {
        let Some(json) = self.given(key) else { return Ok(default) };
        self.to_whole(key, json)
    }

    fn to_whole<T: TryFrom<u64>>(&self, key: &str, json: &Json) -> Result<T> {
        json.as_u64().and_then(|n| T::try_from(n).ok()).ok_or_else(|| {
            let whole = json.as_f64().is_some_and(|x| x.fract() == 0.0);
            let code = if whole { 1003 } else { 1004 };
            let most = 8 * size_of::<T>();
            Error::config(code, format!("a whole number from 0 to 2^{most} - 1 is needed, not {json}"))
                .at(self.place(key))
        })
    }

    /// A number above 0 that has no default.
    fn limit(&mut self, key: &'static str, most: fn(f64) -> bool, fix: &str) -> Result<Option<f64>> {
        if self.given(key).is_none() {
            return Ok(None);
        }
        match self.number(key, 0.0, POSITIVE)? {
            x if most(x) => Ok(Some(x)),
            x => Err(Error::config(1003, format!("{x} is out of range")).at(self.place(key)).fix(fix)),
        }
    }

    /// Slots: null means unlimited, absent takes the default.
    fn slots(&mut self, key: &'static str, default: Option<u32>) -> Result<Option<u32>> {
        match self.raw(key) {
            None => Ok(default),
            Some(Json::Null) => Ok(None),
            Some(json) => match self.to_whole(key, json)? {
                0 => Err(Error::config(1003, "0 slots would never trade").at(self.place(key))),
                n => Ok(Some(n)),
            },
        }
    }

    pub(crate) fn choice<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        default: T,
        choices: &[&str],
    ) -> Result<T> {
        let Some(json) = self.given(key) else { return Ok(default) };
        serde_json::from_value(json.clone()).map_err(|_| {
            Error::config(1001, format!("unknown value {json}"))
                .at(self.place(key))
                .fix(suggestion(json.as_str().unwrap_or_default(), choices.iter().copied()))
        })
    }

    /// Refuses what was not read.
    pub(crate) fn finish(self) -> Result<()> {
        self.unread()
    }

    /// Refuses what has not been read so far.
    fn unread(&self) -> Result<()> {
        for key in self.map.into_iter().flat_map(Map::keys) {
            if !self.known.contains(&key.as_str()) {
                return Err(Error::config(1001, format!("unknown key {key:?}"))
                    .at(self.name.as_str())
                    .fix(suggestion(key, self.known.iter().copied())));
            }
        }
        Ok(())
    }
}

/// The items of a list.
///
/// # Errors
/// [1004] if it is none.
pub(crate) fn items<'a>(json: &'a Json, place: &str) -> Result<&'a [Json]> {
    json.as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| Error::config(1004, format!("a list is needed, not {json}")).at(place))
}

/// Limit of a number; infinities are never admitted.
#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    Above(f64),
}

impl Bound {
    fn admits(self, x: f64) -> bool {
        x.is_finite()
            && match self {
                Self::AtLeast(low) => x >= low,
                Self::Above(low) => x > low,
            }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(low) => format!("give a finite number of at least {low}"),
            Self::Above(low) => format!("give a finite number above {low}"),
        }
    }
}

const NOT_NEGATIVE: Bound = Bound::AtLeast(0.0);
const POSITIVE: Bound = Bound::Above(0.0);

/// Completes the partial `options` {execution, costs, account, rates, gates, metrics, early_stop} for a symbol.
///
/// # Errors
/// [1001] unknown key or value, [1003] out of range, [1004] wrong type, [1008] a missing number.
pub fn resolve(options: &Json, symbol: &str) -> Result<Options> {
    let mut root = Section::new("options", Some(options))?;
    let account = account(root.raw("account"))?;
    let resolved = Options {
        execution: execution(root.raw("execution"))?,
        costs: costs(root.raw("costs"), symbol, &account.currency)?,
        rates: rates(root.raw("rates"))?,
        gates: GateOptions::read(root.raw("gates"))?,
        metrics: metrics(root.raw("metrics"))?,
        early_stop: early_stop(root.raw("early_stop"))?,
        account,
    };
    root.finish()?;
    Ok(resolved)
}

fn execution(json: Option<&Json>) -> Result<Execution> {
    let named = json.and_then(Json::as_str);
    let mut s = Section::new("execution", if named.is_some() { None } else { json })?;
    let preset = match named {
        Some(name) => name.to_owned(),
        None => s.text("preset", "realistic")?,
    };
    let d = Execution::preset(&preset).ok_or_else(|| {
        Error::config(1001, format!("unknown preset {preset:?}"))
            .at("execution.preset")
            .fix(suggestion(&preset, ["realistic", "reference"]))
    })?;
    let e = Execution {
        market_fill: s.choice("market_fill", d.market_fill, &["next_open", "signal_close"])?,
        gap_fills: s.flag("gap_fills", d.gap_fills)?,
        trigger_buffer_pips: s.number("trigger_buffer_pips", d.trigger_buffer_pips, NOT_NEGATIVE)?,
        entry_bar_tp_confirmation: s.choice(
            "entry_bar_tp_confirmation",
            d.entry_bar_tp_confirmation,
            &["limit_and_stop", "limit_only"],
        )?,
        reentry_on_exit_bar: s.flag("reentry_on_exit_bar", d.reentry_on_exit_bar)?,
        pnl: s.choice("pnl", d.pnl, &["lots", "r_multiple"])?,
        equity: s.choice("equity", d.equity, &["mark_to_market", "realised"])?,
        below_min_volume: s.choice("below_min_volume", d.below_min_volume, &["reject", "raise_to_min"])?,
        end_of_data: s.choice("end_of_data", d.end_of_data, &["close", "leave_open"])?,
        stop_on_ruin: s.flag("stop_on_ruin", d.stop_on_ruin)?,
        max_positions: s.slots("max_positions", d.max_positions)?,
        max_total_positions: s.slots("max_total_positions", d.max_total_positions)?,
        min_stop_pips: s.number("min_stop_pips", d.min_stop_pips, NOT_NEGATIVE)?,
        check_margin: s.flag("check_margin", d.check_margin)?,
        seed: s.whole("seed", d.seed)?,
    };
    s.finish()?;
    Ok(e)
}

fn costs(json: Option<&Json>, symbol: &str, account_currency: &str) -> Result<Costs> {
    let mut s = Section::new("costs", json)?;
    let mut slip = Section::new("costs.slippage", s.raw("slippage"))?;
    let slippage = Slippage {
        fixed_pips: slip.number("fixed_pips", 0.0, NOT_NEGATIVE)?,
        random_pips: slip.number("random_pips", 0.0, NOT_NEGATIVE)?,
    };
    slip.finish()?;
    let costs = Costs {
        slippage,
        slippage_multiplier: s.number("slippage_multiplier", 1.0, NOT_NEGATIVE)?,
        commission: match s.given("commission") {
            None => None,
            Some(json) => Some(commission::resolve(json, symbol, account_currency)?),
        },
        fee_multiplier: s.number("fee_multiplier", 1.0, NOT_NEGATIVE)?,
        spread_multiplier: s.number("spread_multiplier", 1.0, NOT_NEGATIVE)?,
    };
    s.finish()?;
    Ok(costs)
}

fn account(json: Option<&Json>) -> Result<Account> {
    let mut s = Section::new("account", json)?;
    let account = Account {
        currency: s.text("currency", "USD")?,
        initial_balance: s.number("initial_balance", 10_000.0, POSITIVE)?,
        risk_per_trade: s.number("risk_per_trade", 100.0, POSITIVE)?,
        leverage: s.number("leverage", 100.0, POSITIVE)?,
        sizing: sizing(s.raw("sizing"))?,
    };
    s.finish()?;
    check_currency(&account.currency, "account.currency")?;
    Ok(account)
}

fn check_currency(code: &str, place: impl Into<String>) -> Result<()> {
    if code.len() == 3 && code.chars().all(|c| c.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(Error::config(1001, format!("{code:?} is no currency"))
        .at(place)
        .fix("use three capital letters, for example USD"))
}

fn sizing(json: Option<&Json>) -> Result<Sizing> {
    let mut s = Section::new("account.sizing", json)?;
    let mode = match s.text("mode", "risk_amount")?.as_str() {
        "risk_amount" => SizingMode::RiskAmount,
        "risk_percent" => SizingMode::RiskPercent { percent: required(&mut s, "percent")? },
        "fixed_lots" => SizingMode::FixedLots { lots: required(&mut s, "lots")? },
        other => {
            return Err(Error::config(1001, format!("unknown mode {other:?}"))
                .at("account.sizing.mode")
                .fix(suggestion(other, ["risk_amount", "risk_percent", "fixed_lots"])));
        }
    };
    let unit_value = s.choice("unit_value", UnitValue::Contract, &["contract", "tick"])?;
    s.finish()?;
    Ok(Sizing { mode, unit_value })
}

fn required(s: &mut Section<'_>, key: &'static str) -> Result<f64> {
    if s.given(key).is_none() {
        return Err(Error::config(1008, format!("{key} is needed for this sizing mode")).at(s.place(key)));
    }
    s.number(key, 0.0, POSITIVE)
}

fn rates(json: Option<&Json>) -> Result<RateOptions> {
    let mut s = Section::new("rates", json)?;
    let max_rate_age_hours =
        s.number("max_rate_age_hours", RateOptions::default().max_rate_age_hours, POSITIVE)?;
    let pairs = Section::new("rates.static", s.raw("static"))?;
    s.finish()?;
    let mut fixed = std::collections::BTreeMap::new();
    for (pair, rate) in pairs.map.into_iter().flatten() {
        check_pair(pair, "rates.static")?;
        let value = rate.as_f64().filter(|x| POSITIVE.admits(*x)).ok_or_else(|| {
            Error::config(1003, format!("{rate} is no rate"))
                .at(format!("rates.static.{pair}"))
                .fix(POSITIVE.text())
        })?;
        fixed.insert(pair.clone(), value);
    }
    Ok(RateOptions { fixed, max_rate_age_hours })
}

fn metrics(json: Option<&Json>) -> Result<MetricOptions> {
    let mut s = Section::new("metrics", json)?;
    let options = MetricOptions {
        calendar: s.choice("calendar", None, &["continuous", "business_day"])?,
        periods_per_year: match s.given("periods_per_year") {
            None => None,
            Some(_) => Some(s.number("periods_per_year", 0.0, POSITIVE)?),
        },
        risk_free_annual: s.number("risk_free_annual", 0.0, Bound::Above(-1.0))?,
    };
    s.finish()?;
    Ok(options)
}

fn early_stop(json: Option<&Json>) -> Result<EarlyStop> {
    let mut s = Section::new("early_stop", json)?;
    let limits = EarlyStop {
        ruin_pct: s.limit("ruin_pct", |x| x < 100.0, "give a percentage above 0 and below 100")?,
        max_drawdown_pct: s.limit("max_drawdown_pct", f64::is_finite, "give a percentage above 0")?,
        min_trades_by_midpoint: s.limit("min_trades_by_midpoint", |x| x <= 1.0, "give a fraction of 1")?,
        min_trades: match s.given("min_trades") {
            None => None,
            Some(_) => Some(s.whole("min_trades", 0)?),
        },
    };
    let missing = s.place("min_trades");
    s.finish()?;
    match (limits.min_trades_by_midpoint, limits.min_trades) {
        (Some(_), None) => {
            Err(Error::config(1008, "min_trades is needed for min_trades_by_midpoint").at(missing))
        }
        (None, _) => Ok(EarlyStop { min_trades: None, ..limits }),
        (Some(_), Some(_)) => Ok(limits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn a_preset_is_a_set_of_values_and_every_option_overrides_it() {
        let plain = resolve(&json!({"execution": "reference"}), "EURUSD").unwrap();
        assert_eq!(plain.execution, Execution::reference());
        let mixed = resolve(
            &json!({"execution": {"preset": "reference", "gap_fills": true, "max_positions": null}}),
            "X",
        );
        assert_eq!(
            mixed.unwrap().execution,
            Execution { gap_fills: true, max_positions: None, ..Execution::reference() }
        );
    }

    #[test]
    fn resolved_options_resolve_to_themselves() {
        let first = resolve(
            &json!({"costs": {"slippage": {"fixed_pips": 0.2}, "commission":
                        {"schema": "percent_of_notional", "pct": 0.0002, "decimals": null}},
                    "execution": {"check_margin": true, "max_total_positions": 3},
                    "account": {"sizing": {"mode": "risk_percent", "percent": 1}},
                    "early_stop": {"ruin_pct": 20, "min_trades_by_midpoint": 0.5, "min_trades": 30}}),
            "EURUSD",
        )
        .unwrap();
        let text = serde_json::to_value(&first).unwrap();
        assert_eq!(resolve(&text, "EURUSD").unwrap(), first);
    }

    #[rstest]
    #[case(json!({"execution": {"gap_fill": true}}), 1001, "gap_fills")]
    #[case(json!({"execution": "realistc"}), 1001, "realistic")]
    #[case(json!({"execution": {"market_fill": "now"}}), 1001, "next_open")]
    #[case(json!({"execution": {"gap_fills": 1}}), 1004, "execution.gap_fills")]
    #[case(json!({"execution": {"max_positions": 0}}), 1003, "max_positions")]
    #[case(json!({"execution": {"check_margin": 1}}), 1004, "execution.check_margin")]
    #[case(json!({"execution": {"max_total_positions": 0}}), 1003, "max_total_positions")]
    #[case(json!({"execution": {"max_total_positions": 1.5}}), 1004, "max_total_positions")]
    #[case(json!({"execution": {"below_min_volume": "raise"}}), 1001, "raise_to_min")]
    #[case(json!({"account": {"leverage": 0}}), 1003, "account.leverage")]
    #[case(json!({"account": {"sizing": {"mode": "fixed_lot", "lots": 1}}}), 1001, "fixed_lots")]
    #[case(json!({"account": {"sizing": {"mode": "risk_percent", "percent": 0}}}), 1003, "percent")]
    #[case(json!({"account": {"sizing": {"unit_value": "ticks"}}}), 1001, "tick")]
    #[case(json!({"costs": {"slippage": {"fixed_pips": -1}}}), 1003, "costs.slippage.fixed_pips")]
    #[case(json!({"account": {"initial_balance": true}}), 1004, "account.initial_balance")]
    #[case(json!({"account": {"sizing": {"mode": "fixed_lots"}}}), 1008, "lots")]
    #[case(json!({"account": {"currency": "usd"}}), 1001, "USD")]
    #[case(json!({"rates": {"static": {"EURUSD": 0}}}), 1003, "EURUSD")]
    #[case(json!({"rates": {"static": {"EURusd": 1}}}), 1001, "EURusd")]
    #[case(json!({"rates": {"max_rate_age_hours": 0}}), 1003, "rates.max_rate_age_hours")]
    #[case(json!({"rates": {"serie": {}}}), 1001, "serie")]
    #[case(json!({"early_stop": {"ruin_pct": 100}}), 1003, "early_stop.ruin_pct")]
    #[case(json!({"early_stop": {"max_drawdown_pct": 0}}), 1003, "early_stop.max_drawdown_pct")]
    #[case(json!({"early_stop": {"min_trades_by_midpoint": 1.5, "min_trades": 30}}), 1003, "midpoint")]
    #[case(json!({"early_stop": {"min_trades_by_midpoint": 0.5}}), 1008, "min_trades")]
    #[case(json!({"early_stop": {"ruin": 20}}), 1001, "ruin_pct")]
    #[case(json!({"gates": {}}), 1004, "gates")]
    #[case(json!({"gate": []}), 1001, "gates")]
    fn mistakes_are_named(#[case] options: Json, #[case] code: u16, #[case] mentions: &str) {
        let e = resolve(&options, "EURUSD").unwrap_err();
        assert_eq!(e.code, code, "{e}");
        assert!(e.to_string().contains(mentions), "{e}");
    }
}
