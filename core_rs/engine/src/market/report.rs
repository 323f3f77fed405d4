//! What is worth knowing about a market and still legal: gaps, crossed quotes, jumps, labels off the grid.

use serde::Serialize;

use super::calendar::{DAY, WEEK, is_continuous, since_monday};
use super::given::Comparison;
use super::market::Market;
use super::quotes::Quotes;
use super::spacing::Spacing;
use super::ticks::Ticks;
use super::timeframe::{Timeframe, Unit};

/// How many labels of each finding are listed.
const SHOWN: usize = 5;
/// e^0.5: a jump is a move of the close by more than 0.5 in the logarithm.
const JUMP: f64 = 1.648_721_270_700_128_2;
/// A weekend with a holiday beside it.
const LONGEST_WEEKEND: i64 = 3 * DAY;
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
    /// Ticks whose ask was raised to the bid.
    pub ticks_clamped: usize,
    /// Bars or ticks outside the hours that `market.filter` keeps, dropped.
    pub rows_filtered: usize,
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
    /// Their share of all bars, 0 to 1.
    pub share: f64,
    /// Labels of the first of them.
    pub first: Vec<i64>,
    /// Largest bid − ask of any field, in price.
    pub worst: f64,
    /// The same in pips.
    pub worst_pips: f64,
    /// Label of the bar where it is.
    pub worst_at: Option<i64>,
}

/// The ticks of which bars were built. Times in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TickReport {
    /// Number of ticks.
    pub ticks: usize,
    /// Time of the first one.
    pub first: i64,
    /// Time of the last one.
    pub last: i64,
    /// Ticks with the ask below the bid.
    pub crossed: usize,
    /// Their share of all ticks, 0 to 1.
    pub crossed_share: f64,
    /// Largest bid − ask, in pips.
    pub worst_crossing_pips: f64,
    /// Time of the tick where it is.
    pub worst_crossing_at: Option<i64>,
    /// Ticks with the ask at the bid: legal, and no spread.
    pub locked: usize,
    /// Ticks with the time of the one before.
    pub equal_stamps: usize,
    /// Whether sizes at the bid are known; if not, volume is the number of ticks.
    pub sizes: bool,
    /// Bars built.
    pub bars: usize,
    /// Ticks after the last bar: they complete none.
    pub unfinished: usize,
}

/// Description of a market. Times in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Number of bars.
    pub rows: usize,
    /// Label of the first bar; if ticks have not completed one, of the bar that they form.
    pub first: i64,
    /// Label of the last bar; likewise.
    pub last: i64,
    /// Gaps outside weekends.
    pub gaps: Gaps,
    /// Gaps of at most 72 hours without bars that hold a whole Saturday (UTC), in a market that is not continuous.
    pub weekend_gaps: Gaps,
    /// Crossed quotes.
    pub crossed: Crossing,
    /// Labels that are no multiple of the timeframe (minutes and hours only).
    pub off_grid: Finding,
    /// Steps between labels.
    pub spacing: Spacing,
    /// Bars in stretches of at least five equal steps that are longer than one bar: another timeframe?
    pub mixed_spacing: Finding,
    /// Bars whose bid close differs from the one before by more than 0.5 in the logarithm.
    pub jumps: Finding,
    /// Bars whose bid high or low differs from both open and close by more than 0.5 in the logarithm.
    pub spikes: Finding,
    /// Bars whose bid volume is 0.
    pub zero_volume_bars: usize,
    /// The ticks of which the bars were built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticks: Option<TickReport>,
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
        let pip = market.spec().pip_size;
        Self {
            rows: label.len(),
            first: label.first().copied().unwrap_or_else(|| market.history_from()),
            last: label.last().copied().unwrap_or_else(|| market.history_from()),
            gaps,
            weekend_gaps,
            crossed: crossing(label, market.bid(), market.ask(), pip),
            off_grid: off_grid(label, market.timeframe()),
            spacing: Spacing::of(label),
            mixed_spacing: mixed_spacing(label, market.timeframe().micros()),
            jumps: jumps(label, &market.bid().close),
            spikes: spikes(label, market.bid()),
            zero_volume_bars: market.bid().volume.iter().filter(|&&v| v == 0.0).count(),
            ticks: market.ticks().map(|ticks| TickReport::of(ticks, label, market.timeframe().micros(), pip)),
            import: market.notes().clone(),
            higher: market.compared().to_vec(),
        }
    }
}

impl TickReport {
    fn of(ticks: &Ticks, label: &[i64], bar: i64, pip: f64) -> Self {
        let (time, bid, ask) = (ticks.time(), ticks.bid(), ticks.ask());
        let (mut crossed, mut worst, mut worst_crossing_at) = (0, 0.0, None);
        for ((&at, bid), ask) in time.iter().zip(bid).zip(ask) {
            let depth = bid - ask;
            if depth > 0.0 {
                crossed += 1;
                if depth > worst {
                    (worst, worst_crossing_at) = (depth, Some(at));
                }
            }
        }
        Self {
            ticks: time.len(),
            first: time[0],
            last: time[time.len() - 1],
            crossed,
            crossed_share: share(crossed, time.len()),
            worst_crossing_pips: worst / pip,
            worst_crossing_at,
            locked: bid.iter().zip(ask).filter(|(bid, ask)| bid == ask).count(),
            equal_stamps: time.windows(2).filter(|pair| pair[0] == pair[1]).count(),
            sizes: ticks.bid_size().is_some(),
            bars: label.len(),
            unfinished: label
                .last()
                .map_or(time.len(), |last| time.len() - time.partition_point(|&t| t < last + bar)),
        }
    }
}

#[allow(clippy::cast_precision_loss)]
fn share(part: usize, all: usize) -> f64 {
    if part == 0 { 0.0 } else { part as f64 / all as f64 }
}

fn gaps(label: &[i64], bar: i64) -> (Gaps, Gaps) {
    let (mut others, mut weekends) = (Gaps::default(), Gaps::default());
    let closes = !is_continuous(label);
    for pair in label.windows(2) {
        let step = pair[1] - pair[0];
        if step > bar {
            let weekend = closes && spans_saturday(pair[0] + bar, pair[1]);
            let kind = if weekend { &mut weekends } else { &mut others };
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
pub(super) fn crossing(label: &[i64], bid: &Quotes, ask: &Quotes, pip: f64) -> Crossing {
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
    Crossing {
        bars: found.bars,
        share: share(found.bars, label.len()),
        first: found.first,
        worst,
        worst_pips: worst / pip,
        worst_at,
    }
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
    for (pair, &at) in close.windows(2).zip(label.iter().skip(1)) {
        if is_far(pair[1], pair[0]) {
            found.add(at);
        }
    }
    found
}

fn spikes(label: &[i64], bid: &Quotes) -> Finding {
    let mut found = Finding::default();
    for (row, &at) in label.iter().enumerate() {
        let (open, close) = (bid.open[row], bid.close[row]);
        if [bid.high[row], bid.low[row]].iter().any(|&price| is_far(price, open) && is_far(price, close)) {
            found.add(at);
        }
    }
    found
}

/// Whether two prices differ by more than 0.5 in the logarithm.
fn is_far(one: f64, other: f64) -> bool {
    !(1.0 / JUMP..=JUMP).contains(&(one / other))
}

#[cfg(test)]
mod tests;
