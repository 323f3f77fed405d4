//! The summary: fifteen rounded figures with their display names.

use super::book::Book;
use super::equity::Drawdowns;
use crate::error::{Error, Result};
use crate::execution::rounding::round_dec;
use crate::orders::ExitReason;
use crate::suggest::suggestion;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A figure of the summary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SummaryValue {
    /// A count.
    Count(usize),
    /// A rounded number.
    Number(f64),
}

/// (name, value) in order.
pub type Summary = Vec<(&'static str, SummaryValue)>;

/// Figures of robustness and what they are where nothing was measured.
pub const ROBUSTNESS: [(&str, SummaryValue); 12] = [
    ("Robustness 1", SummaryValue::Number(0.0)),
    ("Robustness 1 Num Samples", SummaryValue::Count(0)),
    ("Cost Shock Score", SummaryValue::Number(0.0)),
    ("Timing Jitter Score", SummaryValue::Number(0.0)),
    ("Trade Dropout Score", SummaryValue::Number(0.0)),
    ("Ulcer Index", SummaryValue::Number(0.0)),
    ("Ulcer Index Score", SummaryValue::Number(0.0)),
    ("Data Jitter Score", SummaryValue::Number(0.0)),
    ("Data Jitter Num Samples", SummaryValue::Count(0)),
    ("p_mean_gt", SummaryValue::Number(1.0)),
    ("Stability Score", SummaryValue::Number(1.0)),
    ("TP/SL Stress Score", SummaryValue::Number(1.0)),
];

/// The figures of robustness: the given ones, and for the rest what stands for unmeasured.
///
/// # Errors
/// [1001] for a figure that is none of them, or no finite number.
pub fn robustness(given: &BTreeMap<String, f64>) -> Result<Summary> {
    let place = "robustness";
    for (name, value) in given {
        if !ROBUSTNESS.iter().any(|(known, _)| known == name) {
            let hint = suggestion(name, ROBUSTNESS.iter().map(|(known, _)| *known));
            return Err(Error::config(1001, format!("unknown figure {name:?}")).at(place).fix(hint));
        }
        if !value.is_finite() {
            return Err(Error::config(1001, format!("{name} is {value}")).at(place).fix("give a number"));
        }
    }
    let figure = |(name, unmeasured): (&'static str, SummaryValue)| {
        (name, given.get(name).map_or(unmeasured, |value| unmeasured.with(*value)))
    };
    Ok(ROBUSTNESS.into_iter().map(figure).collect())
}

impl SummaryValue {
    /// This kind of figure with another value; a count stays whole.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn with(self, value: f64) -> Self {
        match self {
            Self::Count(_) if value >= 0.0 && value.fract() == 0.0 => Self::Count(value as usize),
            _ => Self::Number(value),
        }
    }
}

impl From<SummaryValue> for Json {
    fn from(value: SummaryValue) -> Self {
        match value {
            SummaryValue::Count(n) => Json::from(n),
            SummaryValue::Number(x) => Json::from(x),
        }
    }
}

/// The summary of an account after its last sample.
#[allow(clippy::cast_precision_loss)]
pub fn summary<O>(book: &Book<O>, equity: f64, drawdowns: Drawdowns) -> Summary {
    use SummaryValue::{Count, Number};
    let money = |x: f64| Number(round_dec(x, 2));
    let trades = book.closed.len();
    let (mut wins, mut break_even) = (0, 0);
    let (mut weighted, mut risk, mut lots) = (0.0, 0.0, 0.0);
    for (k, p) in book.closed.iter().chain(&book.partials).enumerate() {
        let whole = k < trades;
        wins += usize::from(whole && p.result > 0.0);
        break_even += usize::from(whole && p.reason == Some(ExitReason::BreakEvenStopLoss));
        lots += p.size;
        if p.risk_per_trade > 0.0 {
            weighted += p.r_multiple * p.risk_per_trade;
            risk += p.risk_per_trade;
        }
    }
    let average_r = if risk > 0.0 { round_dec(weighted / risk, 3) } else { 0.0 };
    let win_rate = if trades > 0 { round_dec(100.0 * wins as f64 / trades as f64, 2) } else { 0.0 };
    vec![
        ("Initial Balance", Number(book.initial_balance)),
        ("Final Balance", money(book.cash)),
        ("Equity", money(equity)),
        ("Max Drawdown", money(drawdowns.money)),
        ("Drawdown Initial Balance", money(drawdowns.below_initial)),
        ("Total Fees", money(book.total_fees)),
        ("Total Lots", money(lots)),
        ("Total Trades", Count(trades)),
        ("Expired Orders", Count(usize::try_from(book.ended.expired).unwrap_or(usize::MAX))),
        ("Partial Closed Orders", Count(book.partials.len())),
        ("Orders closed at Break Even", Count(break_even)),
        ("Avg R-Multiple", Number(average_r)),
        ("Winrate", Number(win_rate)),
        ("Wins", Count(wins)),
        ("Losses", Count(trades - wins)),
    ]
}
