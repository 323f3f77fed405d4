//! The summary: fifteen rounded figures with their display names.

use super::book::Book;
use super::equity::Drawdowns;
use crate::execution::rounding::round_dec;
use crate::orders::ExitReason;
use serde_json::Value as Json;

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
pub fn summary(book: &Book, equity: f64, drawdowns: Drawdowns) -> Summary {
    use SummaryValue::{Count, Number};
    let money = |x: f64| Number(round_dec(x, 2));
    let trades = book.closed.len();
    let wins = book.closed.iter().filter(|p| p.result > 0.0).count();
    let break_even = book.closed.iter().filter(|p| p.reason == Some(ExitReason::BreakEvenStopLoss)).count();
    let (mut weighted, mut risk, mut lots) = (0.0, 0.0, 0.0);
    for p in book.closed.iter().chain(&book.partials) {
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
