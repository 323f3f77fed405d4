//! Commission per fill.

use super::options::{Commission, CommissionSchema, Costs, FeeSide};
use super::rates::{Conversion, Rates};
use super::rounding::round_dec;
use crate::error::Result;

/// Which end of a trade pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// The entry.
    Entry,
    /// The exit.
    Exit,
}

/// Commission of one symbol, its conversion to the account currency resolved.
#[derive(Debug, Clone)]
pub struct CommissionModel {
    terms: Option<(Commission, Conversion)>,
    multiplier: f64,
}

impl CommissionModel {
    /// # Errors
    /// [1008] if the fee currency cannot be converted.
    pub fn new(costs: &Costs, account_currency: &str, rates: &Rates) -> Result<Self> {
        let terms = match &costs.commission {
            None => None,
            Some(c) => Some((c.clone(), Conversion::resolve(&c.fee_ccy, account_currency, rates)?)),
        };
        Ok(Self { terms, multiplier: costs.fee_multiplier })
    }

    /// Fee of one fill of `lots` at moment `t`, account currency.
    ///
    /// # Errors
    /// [2008] without a conversion rate at `t`.
    pub fn fee(&self, fill: Fill, lots: f64, t: i64) -> Result<f64> {
        let Some((terms, to_account)) = &self.terms else { return Ok(0.0) };
        let pays = match terms.side {
            FeeSide::Both => true,
            FeeSide::Entry => fill == Fill::Entry,
            FeeSide::Exit => fill == Fill::Exit,
        };
        if !pays {
            return Ok(0.0);
        }
        let base = match terms.schema {
            CommissionSchema::PerLot => terms.per_lot * lots,
        };
        let fee = to_account.apply((base * self.multiplier).max(terms.min_fee * self.multiplier), t)?;
        Ok(terms.decimals.map_or(fee, |places| round_dec(fee, places)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::options::{RateOptions, Slippage};
    use std::collections::BTreeMap;

    fn model(currency: &str, min_fee: f64) -> CommissionModel {
        let costs = Costs {
            slippage: Slippage { fixed_pips: 0.0, random_pips: 0.0 },
            slippage_multiplier: 1.0,
            commission: Some(Commission {
                schema: CommissionSchema::PerLot,
                per_lot: 2.5,
                fee_ccy: currency.to_owned(),
                side: FeeSide::Entry,
                min_fee,
                decimals: Some(2),
            }),
            fee_multiplier: 1.0,
            spread_multiplier: 1.0,
        };
        let fixed = BTreeMap::from([("EURUSD".to_owned(), 1.25)]);
        let options = RateOptions { fixed, ..RateOptions::default() };
        let rates = Rates::new(&options, &BTreeMap::new()).unwrap();
        CommissionModel::new(&costs, "EUR", &rates).unwrap()
    }

    #[test]
    fn an_exact_tie_rounds_to_even() {
        assert_eq!(model("EUR", 0.0).fee(Fill::Entry, 0.25, 0).unwrap(), 0.62);
    }

    #[test]
    fn the_minimum_is_converted_and_the_other_side_is_free() {
        assert_eq!(model("USD", 1.0).fee(Fill::Entry, 0.01, 0).unwrap(), 0.8);
        assert_eq!(model("USD", 1.0).fee(Fill::Exit, 0.01, 0).unwrap(), 0.0);
    }
}
