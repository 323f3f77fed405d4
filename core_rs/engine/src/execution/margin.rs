//! What a position ties up.

use super::sizing::UnitMoney;
use crate::error::Result;

/// Margin of one symbol at a leverage.
#[derive(Debug, Clone)]
pub struct Margin {
    unit: UnitMoney,
    leverage: f64,
}

impl Margin {
    /// Of a symbol whose lots are worth `unit`, at a leverage above 0.
    pub fn new(unit: UnitMoney, leverage: f64) -> Self {
        Self { unit, leverage }
    }

    /// ((size · contract_size) · price) / leverage at moment `t`, account currency.
    ///
    /// # Errors
    /// [2008] without a conversion rate at `t`.
    pub fn of(&self, size: f64, price: f64, t: i64) -> Result<f64> {
        self.unit.to_account.apply(((size * self.unit.per_lot) * price) / self.leverage, t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::options::{RateOptions, UnitValue};
    use crate::execution::rates::Rates;
    use crate::market::SymbolSpec;
    use std::collections::BTreeMap;

    fn margin(currency: &str, unit_value: UnitValue, leverage: f64) -> f64 {
        let fixed = BTreeMap::from([("EURUSD".to_owned(), 1.25)]);
        let options = RateOptions { fixed, ..RateOptions::default() };
        let rates = Rates::new(&options, &BTreeMap::new()).unwrap();
        let overrides = serde_json::json!({"tick_value": 2.0, "tick_size": 0.00001});
        let spec = SymbolSpec::resolve("EURUSD", overrides.as_object().unwrap()).unwrap();
        let unit = UnitMoney::new(&spec, unit_value, currency, &rates).unwrap();
        Margin::new(unit, leverage).of(0.2, 1.1, 0).unwrap()
    }

    #[test]
    fn documented_margins() {
        assert_eq!(margin("USD", UnitValue::Contract, 30.0), 733.333_333_333_333_4);
        assert_eq!(margin("EUR", UnitValue::Contract, 30.0), 586.666_666_666_666_7);
    }

    #[test]
    fn under_ticks_nothing_is_converted() {
        assert!((margin("EUR", UnitValue::Tick, 100.0) - 440.0).abs() < 1e-9);
    }
}
