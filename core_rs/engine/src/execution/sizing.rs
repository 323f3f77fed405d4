//! From a stop distance to lots on the volume grid.

use super::options::{BelowMinVolume, Sizing, SizingMode, UnitValue};
use super::rates::{Conversion, Rates};
use super::rounding::round8;
use crate::error::Result;
use crate::market::SymbolSpec;
use crate::whole;

/// Lots of a fill and what became of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lots {
    /// Lots on the grid.
    pub lots: f64,
    /// Money at risk, account currency.
    pub risk: f64,
    /// The smallest volume replaced a smaller one.
    pub raised: bool,
    /// The largest volume replaced a larger one.
    pub capped: bool,
}

/// Lots on a grid, whether they were raised and whether they were capped; `None` of a size that is too small.
type Fit = Option<(f64, bool, bool)>;

/// The volume grid of a symbol.
#[derive(Debug, Clone, Copy)]
pub struct VolumeGrid {
    /// Smallest volume; the grid starts here, not at 0.
    pub min: f64,
    /// Step.
    pub step: f64,
    /// Largest volume.
    pub max: f64,
}

impl VolumeGrid {
    /// Lots for `raw` ones: the largest that are not above it. Less than the smallest volume is rejected or raised to it.
    pub fn fit(&self, raw: f64, below: BelowMinVolume) -> Fit {
        if raw + 1e-12 < self.min {
            return match below {
                BelowMinVolume::Reject => None,
                BelowMinVolume::RaiseToMin => Some((round8(self.min), true, false)),
            };
        }
        let steps = whole::floor((raw - self.min + 1e-12) / self.step);
        let lots = self.min + steps * self.step;
        let capped = lots > self.max;
        Some((round8(if capped { self.max } else { lots }), false, capped))
    }
}

/// What one lot is worth per 1.0 of price, and how that reaches a currency.
#[derive(Debug, Clone)]
pub struct UnitMoney {
    /// contract_size, or tick_value/tick_size under unit_value tick.
    pub per_lot: f64,
    /// quote → account, or to another target; under unit_value tick the amounts arise in the account's currency.
    pub to_account: Conversion,
}

impl UnitMoney {
    /// Of a symbol in an account's currency.
    ///
    /// # Errors
    /// [1008] if unit_value contract needs a rate that there is not.
    pub fn new(spec: &SymbolSpec, unit_value: UnitValue, currency: &str, rates: &Rates) -> Result<Self> {
        Self::converted(spec, unit_value, currency, currency, rates)
    }

    /// Of a symbol on an account of one currency, in a `target` currency.
    ///
    /// # Errors
    /// [1008] naming a missing rate.
    pub fn converted(
        spec: &SymbolSpec,
        unit_value: UnitValue,
        account: &str,
        target: &str,
        rates: &Rates,
    ) -> Result<Self> {
        let (per_lot, currency) = match unit_value {
            UnitValue::Contract => (spec.contract_size, spec.quote_currency.as_str()),
            UnitValue::Tick => (spec.tick_value.map_or(spec.contract_size, |v| v / spec.tick_size), account),
        };
        Ok(Self { per_lot, to_account: Conversion::resolve(currency, target, rates)? })
    }
}

/// Sizes fills of one symbol.
#[derive(Debug, Clone)]
pub struct SizingModel {
    sizing: Sizing,
    risk_per_trade: f64,
    grid: VolumeGrid,
    /// What the account's fixed lots, if it has any, are on the grid: the same for every fill.
    fixed: Option<Fit>,
    below: BelowMinVolume,
    pip: f64,
    unit: UnitMoney,
}

impl SizingModel {
    /// Of a symbol under the account's sizing.
    pub fn new(
        spec: &SymbolSpec,
        sizing: &Sizing,
        risk_per_trade: f64,
        below: BelowMinVolume,
        unit: UnitMoney,
    ) -> Self {
        let grid = VolumeGrid { min: spec.volume_min, step: spec.volume_step, max: spec.volume_max };
        let fixed = match sizing.mode {
            SizingMode::FixedLots { lots } => Some(grid.fit(lots, below)),
            _ => None,
        };
        Self { sizing: sizing.clone(), risk_per_trade, grid, fixed, below, pip: spec.pip_size, unit }
    }

    /// Lots for a stop at distance `d` of a fill at moment `t`; `None` = below the smallest volume.
    ///
    /// `own` are the signal's own lots; `equity` is the last equity sample, for risk_percent.
    ///
    /// # Errors
    /// [2008] without a conversion rate at `t`.
    pub fn size(&self, d: f64, own: Option<f64>, equity: f64, t: i64) -> Result<Option<Lots>> {
        let given = own.map(|lots| self.grid.fit(lots, self.below)).or(self.fixed);
        if let Some(fit) = given {
            let Some((lots, raised, capped)) = fit else { return Ok(None) };
            return Ok(Some(Lots { lots, risk: self.money_at_risk(d, lots, t)?, raised, capped }));
        }
        let risk = match self.sizing.mode {
            SizingMode::RiskPercent { percent } => percent / 100.0 * equity,
            _ => self.risk_per_trade,
        };
        let raw = match self.sizing.unit_value {
            UnitValue::Contract => risk / (d / self.pip * self.pip_value(t)?),
            UnitValue::Tick => risk / (d * self.unit.per_lot),
        };
        let fit = self.grid.fit(raw, self.below);
        Ok(fit.map(|(lots, raised, capped)| Lots { lots, risk, raised, capped }))
    }

    /// What a stop at distance `d` costs with these lots at moment `t`, account currency.
    ///
    /// # Errors
    /// [2008] without a conversion rate at `t`.
    pub fn money_at_risk(&self, d: f64, lots: f64, t: i64) -> Result<f64> {
        Ok(match self.sizing.unit_value {
            UnitValue::Contract => (d / self.pip) * self.pip_value(t)? * lots,
            UnitValue::Tick => d * self.unit.per_lot * lots,
        })
    }

    /// Account currency that one lot earns per pip.
    fn pip_value(&self, t: i64) -> Result<f64> {
        self.unit.to_account.apply(self.unit.per_lot * self.pip, t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::options::Account;
    use crate::execution::resolve::resolve;
    use rstest::rstest;
    use serde_json::{Value as Json, json};
    use std::collections::BTreeMap;

    const GRID: VolumeGrid = VolumeGrid { min: 0.01, step: 0.01, max: 200.0 };

    #[rstest]
    #[case(0.019_999_999_999_9, 0.02)]
    #[case(0.105, 0.10)]
    #[case(0.07, 0.07)]
    #[case(0.57, 0.57)]
    #[case(250.0, 200.0)]
    fn documented_grid_fits(#[case] raw: f64, #[case] lots: f64) {
        assert_eq!(GRID.fit(raw, BelowMinVolume::Reject).unwrap().0, lots);
    }

    /// Lots for a stop at distance `d` in an account with these rates, and the money at risk.
    fn sized(symbol: &str, account: &Json, rates: &Json, d: f64) -> Lots {
        let options = json!({"account": account, "rates": {"static": rates}});
        let options = resolve(&options, symbol).unwrap();
        let spec = SymbolSpec::resolve(symbol, &serde_json::Map::new()).unwrap();
        let rates = Rates::new(&options.rates, &BTreeMap::new()).unwrap();
        let Account { currency, risk_per_trade, sizing, .. } = &options.account;
        let unit = UnitMoney::new(&spec, sizing.unit_value, currency, &rates).unwrap();
        let model = SizingModel::new(&spec, sizing, *risk_per_trade, BelowMinVolume::Reject, unit);
        model.size(d, None, 8_000.0, 0).unwrap().unwrap()
    }

    #[rstest]
    #[case("EURUSD", json!({"currency": "EUR"}), json!({"EURUSD": 1.25}), 0.0050, 0.25)]
    #[case("EURUSD", json!({"currency": "EUR"}), json!({"EURUSD": 1.25}), 0.00502, 0.24)]
    #[case("USDJPY", json!({}), json!({"USDJPY": 150}), 1.002, 0.14)]
    #[case("EURUSD", json!({"sizing": {"mode": "risk_percent", "percent": 2}}), json!({}), 0.005, 0.32)]
    #[case("EURUSD", json!({"sizing": {"mode": "fixed_lots", "lots": 0.3}}), json!({}), 0.005, 0.3)]
    fn documented_sizes(
        #[case] symbol: &str,
        #[case] account: Json,
        #[case] rates: Json,
        #[case] d: f64,
        #[case] lots: f64,
    ) {
        assert_eq!(sized(symbol, &account, &rates, d).lots, lots);
    }

    #[test]
    fn fixed_lots_carry_the_money_at_risk() {
        let fixed = json!({"sizing": {"mode": "fixed_lots", "lots": 0.3}});
        assert!((sized("EURUSD", &fixed, &json!({}), 0.005).risk - 150.0).abs() < 1e-9);
        assert_eq!(sized("EURUSD", &json!({"risk_per_trade": 70}), &json!({}), 0.005).risk, 70.0);
    }

    #[rstest]
    #[case(0.009, BelowMinVolume::Reject, None)]
    #[case(0.009, BelowMinVolume::RaiseToMin, Some((0.01, true, false)))]
    #[case(250.0, BelowMinVolume::Reject, Some((200.0, false, true)))]
    fn fixed_lots_are_fitted_as_those_of_a_signal(
        #[case] lots: f64,
        #[case] below: BelowMinVolume,
        #[case] expected: Fit,
    ) {
        let spec = SymbolSpec::resolve("EURUSD", &serde_json::Map::new()).unwrap();
        let model = |mode| {
            let sizing = Sizing { mode, unit_value: UnitValue::Contract };
            let unit = UnitMoney { per_lot: 100_000.0, to_account: Conversion::IDENTITY };
            SizingModel::new(&spec, &sizing, 100.0, below, unit)
        };
        let fit = |model: &SizingModel, own| {
            let lots = model.size(0.005, own, 8_000.0, 0).unwrap();
            lots.map(|l| (l.lots, l.raised, l.capped))
        };
        let fixed = model(SizingMode::FixedLots { lots });
        assert_eq!(fit(&fixed, None), expected);
        assert_eq!(fit(&model(SizingMode::FixedLots { lots: 0.5 }), Some(lots)), expected);
        assert_eq!(fit(&fixed, Some(0.07)), Some((0.07, false, false)));
    }

    #[test]
    fn too_small_is_rejected_or_raised() {
        assert_eq!(GRID.fit(0.009, BelowMinVolume::Reject), None);
        assert_eq!(GRID.fit(0.009, BelowMinVolume::RaiseToMin), Some((0.01, true, false)));
    }
}
