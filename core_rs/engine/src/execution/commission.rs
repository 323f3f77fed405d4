//! Commission per fill.

use super::options::{Account, Commission, CommissionSchema, Costs, FeeSide};
use super::rates::{Conversion, Rates};
use super::rounding::round_dec;
use super::sizing::UnitMoney;
use crate::error::Result;
use crate::market::SymbolSpec;

/// Which end of a trade pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// The entry.
    Entry,
    /// The exit.
    Exit,
}

/// Commission of one symbol, its conversions resolved.
#[derive(Debug, Clone)]
pub struct CommissionModel {
    terms: Option<Terms>,
    multiplier: f64,
}

#[derive(Debug, Clone)]
struct Terms {
    commission: Commission,
    /// A fill's notional in the fee's currency; `None` where the base fee needs none.
    notional: Option<UnitMoney>,
    to_account: Conversion,
}

impl Terms {
    fn new(commission: &Commission, spec: &SymbolSpec, account: &Account, rates: &Rates) -> Result<Self> {
        let Account { currency, sizing, .. } = account;
        let notional = match commission.schema {
            CommissionSchema::PerLot { .. } => None,
            _ => Some(UnitMoney::converted(spec, sizing.unit_value, currency, &commission.fee_ccy, rates)?),
        };
        let to_account = Conversion::resolve(&commission.fee_ccy, currency, rates)?;
        Ok(Self { commission: commission.clone(), notional, to_account })
    }

    fn pays(&self, fill: Fill) -> bool {
        match self.commission.side {
            FeeSide::Both => true,
            FeeSide::Entry => fill == Fill::Entry,
            FeeSide::Exit => fill == Fill::Exit,
        }
    }

    /// The fee before multiplier and minimum, in its own currency.
    fn base(&self, lots: f64, price: f64, t: i64) -> Result<f64> {
        let notional = match &self.notional {
            None => 0.0,
            Some(unit) => unit.to_account.apply((price * unit.per_lot) * lots, t)?,
        };
        Ok(match self.commission.schema {
            CommissionSchema::PerLot { per_lot } => per_lot * lots,
            CommissionSchema::PerMillionNotional { rate_per_million } => rate_per_million * (notional / 1e6),
            CommissionSchema::PercentOfNotional { pct } => pct * notional,
        })
    }
}

impl CommissionModel {
    /// # Errors
    /// [1008] if the notional or the fee cannot be converted.
    pub fn new(costs: &Costs, account: &Account, spec: &SymbolSpec, rates: &Rates) -> Result<Self> {
        let terms = costs.commission.as_ref().map(|c| Terms::new(c, spec, account, rates)).transpose()?;
        Ok(Self { terms, multiplier: costs.fee_multiplier })
    }

    /// Fee of one fill of `lots` at `price` at moment `t`, account currency.
    ///
    /// # Errors
    /// [2008] without a conversion rate at `t`.
    pub fn fee(&self, fill: Fill, lots: f64, price: f64, t: i64) -> Result<f64> {
        let Some(terms) = self.terms.as_ref().filter(|terms| terms.pays(fill)) else { return Ok(0.0) };
        let base = terms.base(lots, price, t)? * self.multiplier;
        let smallest = terms.commission.min_fee * self.multiplier;
        let fee = terms.to_account.apply(base.max(smallest), t)?;
        Ok(terms.commission.decimals.map_or(fee, |places| round_dec(fee, places)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::resolve::resolve;
    use rstest::rstest;
    use serde_json::{Value as Json, json};
    use std::collections::BTreeMap;

    /// A model with the rates of the specification's examples: EURUSD 1.25, USDJPY 150.
    fn model(symbol: &str, currency: &str, costs: &Json, spec: &Json) -> CommissionModel {
        let options = json!({"costs": costs, "rates": {"static": {"EURUSD": 1.25, "USDJPY": 150}},
            "account": {"currency": currency, "sizing": {"unit_value": spec["unit_value"]}}});
        let options = resolve(&options, symbol).unwrap();
        let overrides = spec["overrides"].as_object().cloned().unwrap_or_default();
        let spec = SymbolSpec::resolve(symbol, &overrides).unwrap();
        let rates = Rates::new(&options.rates, &BTreeMap::new()).unwrap();
        CommissionModel::new(&options.costs, &options.account, &spec, &rates).unwrap()
    }

    fn fee(symbol: &str, currency: &str, commission: &Json, lots: f64, price: f64) -> f64 {
        let model = model(symbol, currency, &json!({"commission": commission}), &Json::Null);
        let fees = [Fill::Entry, Fill::Exit].map(|fill| model.fee(fill, lots, price, 0).unwrap());
        assert_eq!(fees[0], fees[1]);
        fees[0]
    }

    #[rstest]
    #[case("EURUSD", "EUR", json!({"schema": "per_lot", "per_lot": 2.5}), 0.25, 1.1, 0.62)]
    #[case("USDJPY", "EUR", million(6.0, json!({"fee_ccy": "USD", "min_fee": 1})), 0.5, 150.0, 0.80)]
    #[case("USDJPY", "EUR", million(6.0, json!({"fee_ccy": "USD", "min_fee": 1})), 0.01, 150.0, 0.80)]
    #[case("EURUSD", "EUR", json!({"schema": "percent_of_notional", "pct": 0.00015, "fee_ccy": "EUR", "min_fee": 1}),
        0.2, 1.1, 2.64)]
    #[case("EURUSD", "USD", million(25.0, json!({"decimals": null})), 0.2, 1.1, 0.55)]
    #[case("EURUSD", "USD", million(30.0, json!({"decimals": null})), 1.0, 1.1, 3.300_000_000_000_000_3)]
    fn documented_fees(
        #[case] symbol: &str,
        #[case] currency: &str,
        #[case] commission: Json,
        #[case] lots: f64,
        #[case] price: f64,
        #[case] wanted: f64,
    ) {
        assert_eq!(fee(symbol, currency, &commission, lots, price), wanted);
    }

    /// per_million_notional at this rate, and more keys.
    fn million(rate: f64, mut more: Json) -> Json {
        more["schema"] = "per_million_notional".into();
        more["rate_per_million"] = rate.into();
        more
    }

    #[test]
    fn the_minimum_is_converted_and_scaled_and_the_other_side_is_free() {
        let commission =
            json!({"schema": "per_lot", "per_lot": 0, "fee_ccy": "USD", "min_fee": 1, "side": "exit"});
        let costs = json!({"commission": commission, "fee_multiplier": 3});
        let model = model("EURUSD", "EUR", &costs, &Json::Null);
        assert_eq!(model.fee(Fill::Exit, 0.01, 1.1, 0).unwrap(), 2.4);
        assert_eq!(model.fee(Fill::Entry, 0.01, 1.1, 0).unwrap(), 0.0);
    }

    #[test]
    fn under_ticks_the_notional_arises_in_the_account_currency() {
        let overrides = json!({"tick_value": 0.5, "tick_size": 0.001});
        let tick = json!({"unit_value": "tick", "overrides": overrides});
        let costs = json!({"commission": million(1_000.0, json!({"fee_ccy": "USD", "decimals": null}))});
        let model = model("USDJPY", "EUR", &costs, &tick);
        // 0.5 / 0.001 = 500 EUR per lot and 1.0 of price: 150 000 EUR, 187 500 USD, 187.5 USD, 150 EUR.
        assert!((model.fee(Fill::Entry, 2.0, 150.0, 0).unwrap() - 150.0).abs() < 1e-9);
    }

    #[test]
    fn a_missing_rate_is_an_error_only_where_a_notional_is_converted() {
        let resolved = |commission: Json| {
            let options = json!({"costs": {"commission": commission}});
            let options = resolve(&options, "EURCHF").unwrap();
            let spec = SymbolSpec::resolve("EURCHF", &serde_json::Map::new()).unwrap();
            CommissionModel::new(&options.costs, &options.account, &spec, &Rates::default())
        };
        assert!(resolved(json!({"schema": "per_lot", "per_lot": 1})).is_ok());
        let e = resolved(million(1.0, json!({}))).unwrap_err();
        assert_eq!(e.code, 1008);
        assert!(e.to_string().contains("CHFUSD"), "{e}");
    }
}
