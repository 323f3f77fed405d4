//! A signal: what a strategy wants at the close of a bar.

use super::direction::Direction;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How an order fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderType {
    /// At the market.
    Market,
    /// At its price or better.
    Limit,
    /// Once its price is reached, at the market.
    Stop,
}

impl OrderType {
    /// All types, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Market, Self::Limit, Self::Stop];

    /// Text of the schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit => "limit",
            Self::Stop => "stop",
        }
    }

    /// From the text of the schema, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name().eq_ignore_ascii_case(text))
    }
}

/// A value of a signal's own notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
}

impl Note {
    /// As JSON.
    pub fn to_json(&self) -> String {
        match self {
            Self::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
            Self::Int(n) => n.to_string(),
            Self::Bool(yes) => yes.to_string(),
        }
    }
}

/// Notes by name, sorted bytewise.
pub type Meta = BTreeMap<String, Note>;

/// Words that a signal carries along. A strategy makes them once and its signals share them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labels {
    /// Pending orders of one group: the first to trigger cancels the others.
    pub oco_group: Option<Arc<str>>,
    /// The signal's own reason text.
    pub reason: Option<Arc<str>>,
    /// Scenario of the strategy that gave it.
    pub scenario: Option<Arc<str>>,
    /// Tag carried to the trade.
    pub tag: Option<Arc<str>>,
    /// Notes carried to the trade.
    pub meta: Option<Arc<Meta>>,
}

impl Labels {
    const NONE: Self = Self { oco_group: None, reason: None, scenario: None, tag: None, meta: None };

    /// For signals to share; `None` if there is nothing to carry.
    pub fn shared(self) -> Option<Arc<Self>> {
        (self != Self::NONE).then(|| Arc::new(self))
    }
}

/// One entry signal. Levels are absolute prices and are not re-anchored to the fill.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Long or short.
    pub direction: Direction,
    /// Order type.
    pub order_type: OrderType,
    /// Order price of limit and stop orders; market orders have none.
    pub entry: Option<f64>,
    /// Required stop.
    pub stop_loss: f64,
    /// Target; `None` = none.
    pub take_profit: Option<f64>,
    /// Lots; `None` = sized by the account's mode.
    pub size: Option<f64>,
    /// Bars after the decision on which a pending order may trigger; `None` = until cancelled.
    pub valid_bars: Option<i64>,
    /// A pending order triggers on bars with earlier labels only, µs.
    pub good_till: Option<i64>,
    /// Words that it carries along, see [`Signal::labels`].
    pub labels: Option<Arc<Labels>>,
}

impl Signal {
    /// A market order.
    #[inline]
    pub fn market(direction: Direction, stop_loss: f64, take_profit: Option<f64>) -> Self {
        Self {
            direction,
            order_type: OrderType::Market,
            entry: None,
            stop_loss,
            take_profit,
            size: None,
            valid_bars: None,
            good_till: None,
            labels: None,
        }
    }

    /// Whether it is a leg of a one-cancels-other group.
    #[inline]
    pub fn in_group(&self) -> bool {
        self.labels().oco_group.is_some()
    }

    /// Whether it names the same group as `other`, or neither names one.
    #[inline]
    pub fn shares_group(&self, other: &Self) -> bool {
        let (own, theirs) = (&self.labels().oco_group, &other.labels().oco_group);
        match (own, theirs) {
            (Some(own), Some(theirs)) => Arc::ptr_eq(own, theirs) || own == theirs,
            _ => own == theirs,
        }
    }

    /// The words that it carries along, all absent if it has none.
    #[inline]
    pub fn labels(&self) -> &Labels {
        const NONE: &Labels = &Labels::NONE;
        self.labels.as_deref().unwrap_or(NONE)
    }

    /// A limit or stop order at the price `entry`, until cancelled.
    pub fn pending(
        order_type: OrderType,
        direction: Direction,
        entry: f64,
        stop_loss: f64,
        take_profit: Option<f64>,
    ) -> Self {
        Self { order_type, entry: Some(entry), ..Self::market(direction, stop_loss, take_profit) }
    }
}
