//! The ask side of a market: as it was read, or the bid with a constant spread.

use std::sync::OnceLock;

use super::quotes::Quotes;

/// Ask quotes. Those of one-sided data take no memory before they are looked at: an import only hashes and stores
/// them, value by value.
#[derive(Debug, Clone)]
pub(super) struct AskSide {
    spread: Option<f64>,
    quotes: OnceLock<Quotes>,
}

impl AskSide {
    /// Those of one-sided data: `bid` with a spread in price.
    pub fn of_spread(bid: &Quotes, spread: f64) -> Self {
        if spread == 0.0 {
            return bid.clone().into();
        }
        Self { spread: Some(spread), quotes: OnceLock::new() }
    }

    /// The quotes; `bid` is the other side of the same market.
    pub fn quotes(&self, bid: &Quotes) -> &Quotes {
        self.quotes.get_or_init(|| {
            let spread = self.spread.unwrap_or_default();
            bid.with_prices(|_, column| column.iter().map(|price| price + spread).collect())
        })
    }

    /// The constant spread in price, if this side is the bid with it.
    pub fn spread(&self) -> Option<f64> {
        self.spread
    }
}

impl From<Quotes> for AskSide {
    fn from(quotes: Quotes) -> Self {
        Self { spread: None, quotes: quotes.into() }
    }
}
