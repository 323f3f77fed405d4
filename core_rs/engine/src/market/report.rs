//! What is worth knowing about a market and still legal: gaps, crossed quotes, jumps, labels off the grid.

use serde::Serialize;

use super::calendar::{DAY, WEEK, since_monday};
use super::given::Comparison;
use super::market::Market;
use super::quotes::Quotes;
use super::timeframe::{Timeframe, Unit};

/// How many labels of each finding are listed.
const SHOWN: usize = 5;
/// e^0.5: a jump is a move of the close by more than 0.5 in the logarithm.
const JUMP: f64 = 1.648_721_270_700_128_2;
/// A weekend with a holiday on each side.
const LONGEST_WEEKEND: i64 = 4 * DAY;
/// From so many equal steps on, a stretch counts as bars of another length.
const REGULAR: usize = 5;

/// What happened when the series were read and paired.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ImportNotes {
    /// Bid rows dropped as identical duplicates.
    pub duplicates_dropped_bid: usize,
    /// Ask rows dropped as identical duplicates.
    pub duplicates_dropped_ask: usize,
    /// The bid series had no volume column.
    pub volume_absent_bid: bool,
    /// The ask series had no volume column.
    pub volume_absent_ask: bool,
    /// Labels without an ask bar, dropped.
    pub labels_only_bid: usize,
    /// Labels without a bid bar, dropped.
    pub labels_only_ask: usize,
    /// Dropped labels as a share of all labels.
    pub alignment_loss: f64,
    /// Bars whose ask was raised to the bid.
    pub bars_clamped: usize,
}

/// Steps between bars that are longer than one bar.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Gaps {
    /// Number of gaps.
    pub count: usize,
    /// Bars that would have fitted into them.
    pub missing_bars: i64,
    /// Longest step, in microseconds.
    pub longest: i64,
    /// Label of the bar before the longest one.
    pub longest_after: Option<i64>,
}

impl Gaps {
    fn add(&mut self, after: i64, step: i64, bar: i64) {
        self.count += 1;
        self.missing_bars += step / bar - 1;
        if step > self.longest {
            self.longest = step;
            self.longest_after = Some(after);
        }
    }
}

/// A finding: how many bars, and the first labels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Finding {
    /// Number of bars.
    pub bars: usize,
    /// Labels of the first of them.
    pub first: Vec<i64>,
}

impl Finding {
    fn add(&mut self, label: i64) {
        self.bars += 1;
        if self.first.len() < SHOWN {
            self.first.push(label);
        }
    }
}

/// Bars with an ask field below the bid field.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Crossing {
    /// Number of bars.
    pub bars: usize,
    /// Labels of the first of them.
    pub first: Vec<i64>,
    /// Largest bid − ask of any field, in price.
    pub worst: f64,
    /// Label of the bar where it is.
    pub worst_at: Option<i64>,
}

/// Description of a market. Times in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Number of bars.
    pub rows: usize,
    /// Label of the first bar.
    pub first: i64,
    /// Label of the last bar.
    pub last: i64,
    /// Gaps outside weekends.
    pub gaps: Gaps,
    /// Gaps of at most four days that contain a whole Saturday.
    pub weekend_gaps: Gaps,
    /// Crossed quotes.
    pub crossed: Crossing,
    /// Labels that are no multiple of the timeframe (minutes and hours only).
    pub off_grid: Finding,
    /// Bars in stretches of at least five equal steps that are longer than one bar: another timeframe?
    pub mixed_spacing: Finding,
    /// Bars whose bid close differs from the one before by more than 0.5 in the logarithm.
    pub jumps: Finding,
    /// Bars whose bid volume is 0.
    pub zero_volume_bars: usize,
    /// What happened at the import.
    pub import: ImportNotes,
    /// Given higher timeframes beside the primary bars.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub higher: Vec<Comparison>,
}

impl Report {
    pub(super) fn of(market: &Market) -> Self {
        let label = market.label();
        let (gaps, weekend_gaps) = gaps(label, market.timeframe().micros());
        Self {
            rows: label.len(),
            first: label[0],
            last: label[label.len() - 1],
            gaps,
            weekend_gaps,
            crossed: crossing(label, market.bid(), market.ask()),
            off_grid: off_grid(label, market.timeframe()),
            mixed_spacing: mixed_spacing(label, market.timeframe().micros()),
            jumps: jumps(label, &market.bid().close),
            zero_volume_bars: market.bid().volume.iter().filter(|&&v| v == 0.0).count(),
            import: market.notes().clone(),
            higher: market.compared().to_vec(),
        }
    }
}

fn gaps(label: &[i64], bar: i64) -> (Gaps, Gaps) {
    let (mut others, mut weekends) = (Gaps::default(), Gaps::default());
    for pair in label.windows(2) {
        let step = pair[1] - pair[0];
        if step > bar {
            let kind = if spans_saturday(pair[0] + bar, pair[1]) { &mut weekends } else { &mut others };
            kind.add(pair[0], step, bar);
        }
    }
    (others, weekends)
}

/// Whether the time without bars, [from, until), is that of a weekend.
fn spans_saturday(from: i64, until: i64) -> bool {
    let to_saturday = (5 * DAY - since_monday(from)).rem_euclid(WEEK);
    until - from <= LONGEST_WEEKEND && from + to_saturday + DAY <= until
}

/// Bars with some ask field below the bid field.
pub(super) fn crossing(label: &[i64], bid: &Quotes, ask: &Quotes) -> Crossing {
    let mut found = Finding::default();
    let (mut worst, mut worst_at) = (0.0, None);
    let (bid, ask) = (bid.prices(), ask.prices());
    for (row, &at) in label.iter().enumerate() {
        let mut depth = 0.0_f64;
        for field in 0..4 {
            depth = depth.max(bid[field][row] - ask[field][row]);
        }
        if depth > 0.0 {
            found.add(at);
            if depth > worst {
                (worst, worst_at) = (depth, Some(at));
            }
        }
    }
    Crossing { bars: found.bars, first: found.first, worst, worst_at }
}

fn off_grid(label: &[i64], timeframe: Timeframe) -> Finding {
    let mut found = Finding::default();
    if matches!(timeframe.unit(), Unit::Minutes | Unit::Hours) {
        let bar = timeframe.micros();
        label.iter().filter(|&&t| t.rem_euclid(bar) != 0).for_each(|&t| found.add(t));
    }
    found
}

fn mixed_spacing(label: &[i64], bar: i64) -> Finding {
    let mut found = Finding::default();
    let mut start = 1;
    while start < label.len() {
        let step = label[start] - label[start - 1];
        let mut end = start + 1;
        while end < label.len() && label[end] - label[end - 1] == step {
            end += 1;
        }
        if step > bar && end - start >= REGULAR {
            label[start..end].iter().for_each(|&t| found.add(t));
        }
        start = end;
    }
    found
}

fn jumps(label: &[i64], close: &[f64]) -> Finding {
    let mut found = Finding::default();
    for (pair, &at) in close.windows(2).zip(&label[1..]) {
        let ratio = pair[1] / pair[0];
        if !(1.0 / JUMP..=JUMP).contains(&ratio) {
            found.add(at);
        }
    }
    found
}

#[cfg(test)]
mod tests;
