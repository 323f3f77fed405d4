//! A signal: what a strategy wants at the close of a bar.

use super::direction::Direction;
use std::borrow::Cow;

/// How an order fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderType {
    /// At the market.
    Market,
}

impl OrderType {
    /// Text of the schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
        }
    }
}

/// One entry signal. Levels are absolute prices and are not re-anchored to the fill.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Long or short.
    pub direction: Direction,
    /// Order type.
    pub order_type: OrderType,
    /// Required stop.
    pub stop_loss: f64,
    /// Target; `None` = none.
    pub take_profit: Option<f64>,
    /// Lots; `None` = sized by the account's mode.
    pub size: Option<f64>,
    /// The signal's own reason text.
    pub reason: Option<String>,
    /// Scenario of the strategy that gave it.
    pub scenario: Option<&'static str>,
    /// Tag carried to the trade.
    pub tag: Option<Cow<'static, str>>,
}

impl Signal {
    /// A market order.
    pub fn market(direction: Direction, stop_loss: f64, take_profit: Option<f64>) -> Self {
        Self {
            direction,
            order_type: OrderType::Market,
            stop_loss,
            take_profit,
            size: None,
            reason: None,
            scenario: None,
            tag: None,
        }
    }
}
