//! Currency conversion by static rates, resolved before the first bar.

use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// A conversion that a backtest needs, reduced to what has to be computed per amount.
#[derive(Debug, Clone, PartialEq)]
pub enum Conversion {
    /// Same currency.
    Identity,
    /// Times the rate.
    Times(f64),
    /// Divided by the rate.
    Over(f64),
    /// Through US dollars.
    Through(Box<Conversion>, Box<Conversion>),
}

impl Conversion {
    /// The amount in the target currency.
    #[inline]
    pub fn apply(&self, x: f64) -> f64 {
        match self {
            Self::Identity => x,
            Self::Times(rate) => x * rate,
            Self::Over(rate) => x / rate,
            Self::Through(first, second) => second.apply(first.apply(x)),
        }
    }

    /// The first rule that applies: equal, pair FT, pair TF, through USD.
    ///
    /// # Errors
    /// [1008] naming the missing pair.
    pub fn resolve(from: &str, to: &str, rates: &BTreeMap<String, f64>) -> Result<Self> {
        if let Some(direct) = Self::direct(from, to, rates) {
            return Ok(direct);
        }
        match (Self::direct(from, "USD", rates), Self::direct("USD", to, rates)) {
            (Some(first), Some(second)) => Ok(Self::Through(Box::new(first), Box::new(second))),
            _ => Err(Error::config(1008, format!("no rate from {from} to {to}"))
                .at("rates.static")
                .fix(format!("add {from}{to} or {to}{from}, or both legs through USD"))),
        }
    }

    fn direct(from: &str, to: &str, rates: &BTreeMap<String, f64>) -> Option<Self> {
        if from == to {
            return Some(Self::Identity);
        }
        let pair = |a: &str, b: &str| rates.get(&format!("{a}{b}")).copied();
        pair(from, to).map(Self::Times).or_else(|| pair(to, from).map(Self::Over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates() -> BTreeMap<String, f64> {
        [("EURUSD", 1.25), ("AUDUSD", 0.65), ("USDJPY", 150.0)].map(|(k, v)| (k.to_owned(), v)).into()
    }

    #[test]
    fn conversion_goes_through_dollars() {
        let aud = Conversion::resolve("AUD", "EUR", &rates()).unwrap();
        assert_eq!(aud.apply(1.0), 0.52);
        let jpy = Conversion::resolve("JPY", "EUR", &rates()).unwrap();
        assert_eq!(jpy.apply(1000.0), 5.333_333_333_333_334);
    }

    #[test]
    fn a_missing_pair_is_named() {
        let e = Conversion::resolve("CHF", "EUR", &rates()).unwrap_err();
        assert_eq!(e.code, 1008);
        assert!(e.to_string().contains("CHFEUR"), "{e}");
    }
}
