//! Bars of a higher timeframe beside the primary ones, and which of them is seen when.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::buckets::{self, Buckets, Filled};
use super::market::Market;
use super::quotes::{Field, Quote, Quotes};
use super::timeframe::Timeframe;
use crate::{Column, Result};

/// In [`Higher::newest`]: no bar is seen.
pub const NONE: i32 = -1;

/// The bars of one timeframe, and the newest of them that is known at each primary bar.
///
/// A bar is known at primary bar i if and only if its end is not after the close of bar i.
/// An indicator runs over the bars themselves, [`Higher::quotes`], and is brought to the primary bars by
/// [`Higher::expand`]; or it runs over the repeated values of [`Higher::aligned`].
#[derive(Debug)]
pub struct Higher {
    timeframe: Timeframe,
    start: Column<i64>,
    end: Column<i64>,
    bid: Quotes,
    ask: Quotes,
    /// First primary bar at which each bar is known.
    known: Vec<usize>,
    /// Number of primary bars.
    rows: usize,
    stale_after: Option<usize>,
    newest: OnceLock<Vec<i32>>,
}

impl Higher {
    /// Length of a bar.
    pub fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// Number of bars.
    pub fn len(&self) -> usize {
        self.start.len()
    }

    /// Whether there is no bar.
    pub fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// Open times in microseconds UTC.
    pub fn start(&self) -> &[i64] {
        &self.start
    }

    /// End times: a bar is known from here on.
    pub fn end(&self) -> &[i64] {
        &self.end
    }

    /// The bars of one side.
    pub fn quotes(&self, quote: Quote) -> &Quotes {
        match quote {
            Quote::Bid => &self.bid,
            Quote::Ask => &self.ask,
        }
    }

    /// For each primary bar the newest bar that is known and not stale, or [`NONE`]. Made when first asked for.
    pub fn newest(&self) -> &[i32] {
        self.newest.get_or_init(|| {
            let mut newest = vec![NONE; self.rows];
            #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
            (0..self.len()).for_each(|k| newest[self.seen(k)].fill(k as i32));
            newest
        })
    }

    /// The primary bars at which bar `k` is the newest known one and not stale.
    fn seen(&self, k: usize) -> Range<usize> {
        let from = self.known[k];
        let next = self.known.get(k + 1).copied().unwrap_or(self.rows);
        from..self.stale_after.map_or(next, |age| next.min(from.saturating_add(age).saturating_add(1)))
    }

    /// One value per bar as one value per primary bar: NaN where no bar is seen.
    ///
    /// # Panics
    /// Unless there is one value per bar.
    pub fn expand(&self, native: &[f64]) -> Vec<f64> {
        assert_eq!(native.len(), self.len(), "one value per bar of {}", self.timeframe);
        let mut values = vec![f64::NAN; self.rows];
        native.iter().enumerate().for_each(|(k, &value)| values[self.seen(k)].fill(value));
        values
    }

    /// A field of the bar that is seen at each primary bar: NaN where there is none.
    pub fn aligned(&self, quote: Quote, field: Field) -> Vec<f64> {
        self.expand(self.quotes(quote).field(field))
    }

    /// The primary bars themselves.
    fn primary(market: &Market) -> Self {
        let bar = market.timeframe().micros();
        let end = market.label().iter().map(|t| t + bar).collect();
        let (label, bid, ask) = (market.label_column(), market.bid(), market.ask());
        Self::new(market, market.timeframe(), label.clone(), end, [bid.clone(), ask.clone()])
    }

    /// The bars of a market that was given for this timeframe.
    fn given(market: &Market, given: &Market, buckets: &Buckets) -> Self {
        let end = given.label().iter().map(|&t| buckets.containing(t).1).collect();
        let (label, bid, ask) = (given.label_column(), given.bid(), given.ask());
        Self::new(market, given.timeframe(), label.clone(), end, [bid.clone(), ask.clone()])
    }

    /// Bars made of the primary ones.
    fn resampled(market: &Market, timeframe: Timeframe, buckets: &Buckets) -> Self {
        let filled = Filled::of(market.label(), market.timeframe().micros(), buckets);
        let sides = [market.bid(), market.ask()].map(|quotes| merged(quotes, &filled));
        Self::new(market, timeframe, filled.start.into(), filled.end, sides)
    }

    fn new(
        market: &Market,
        timeframe: Timeframe,
        start: Column<i64>,
        end: Vec<i64>,
        [bid, ask]: [Quotes; 2],
    ) -> Self {
        Self {
            timeframe,
            known: first_known(market, &end),
            start,
            end: end.into(),
            bid,
            ask,
            rows: market.len(),
            stale_after: market.alignment().stale_after,
            newest: OnceLock::new(),
        }
    }
}

/// The bars of buckets, made of the primary bars inside.
fn merged(quotes: &Quotes, filled: &Filled) -> Quotes {
    let bars = filled.until.len();
    let [mut open, mut high, mut low, mut close, mut volume]: [Vec<f64>; 5] =
        std::array::from_fn(|_| Vec::with_capacity(bars));
    let [opens, highs, lows, closes] = quotes.prices();
    let volumes = quotes.volume.as_slice();
    for k in 0..bars {
        let rows = filled.rows(k);
        open.push(opens[rows.start]);
        high.push(extreme(&highs[rows.clone()], |a, b| a > b));
        low.push(extreme(&lows[rows.clone()], |a, b| a < b));
        close.push(closes[rows.end - 1]);
        volume.push(volumes[rows].iter().fold(0.0, |sum, v| sum + v));
    }
    let [open, high, low, close, volume] = [open, high, low, close, volume].map(Column::from);
    Quotes { open, high, low, close, volume }
}

/// The value that beats all others. No order decides which it is, so four are sought side by side.
fn extreme(values: &[f64], beats: impl Fn(f64, f64) -> bool) -> f64 {
    let pick = |a: f64, b: f64| if beats(a, b) { a } else { b };
    let mut best = [values[0]; 4];
    let (fours, rest) = values.as_chunks::<4>();
    for four in fours {
        best.iter_mut().zip(four).for_each(|(best, &x)| *best = pick(*best, x));
    }
    rest.iter().chain(&best[1..]).fold(best[0], |best, &x| pick(best, x))
}

/// For each bar the first primary bar that closes when it has ended, or later.
fn first_known(market: &Market, end: &[i64]) -> Vec<usize> {
    let (label, bar) = (market.label(), market.timeframe().micros());
    let (mut row, mut count) = (0, 0);
    let known = |&end: &i64| {
        count = buckets::leading(&label[row..], count, |t| t + bar < end);
        row += count;
        row
    };
    end.iter().map(known).collect()
}

/// The higher timeframes of one market, each computed when it is first asked for. Copies share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Computed(Arc<[OnceLock<Result<Arc<Higher>>>; buckets::COUNT + 1]>);

impl Market {
    /// The timeframe of this name, in any case and between blanks: the primary one or a higher one.
    ///
    /// # Errors
    /// [1009] if the text is no timeframe, [1001] if it is none of these.
    pub fn timeframe_named(&self, text: &str) -> Result<Timeframe> {
        buckets::named(text, self.timeframe())
    }

    /// The bars of a timeframe, as given or else made of the primary ones, for the primary timeframe those
    /// bars themselves. Computed once, and shared.
    ///
    /// # Errors
    /// [1001] if the timeframe is neither the primary nor a higher one; [1006] if days or weeks are asked for
    /// and a day begins inside a primary bar.
    pub fn higher(&self, timeframe: Timeframe) -> Result<Arc<Higher>> {
        buckets::allow(timeframe, self.timeframe())?;
        let primary = timeframe == self.timeframe();
        // Odd primary timeframes have no place of their own: theirs is the last.
        let place = buckets::place(timeframe).filter(|_| !primary).unwrap_or(buckets::COUNT);
        self.computed.0[place].get_or_init(|| self.compute(timeframe, primary).map(Arc::new)).clone()
    }

    fn compute(&self, timeframe: Timeframe, primary: bool) -> Result<Higher> {
        if primary {
            return Ok(Higher::primary(self));
        }
        let buckets = self.buckets(timeframe)?;
        Ok(match self.given_higher().iter().find(|given| given.timeframe() == timeframe) {
            Some(given) => Higher::given(self, given, &buckets),
            None => Higher::resampled(self, timeframe, &buckets),
        })
    }

    /// The buckets of a higher timeframe.
    ///
    /// # Errors
    /// [1006] if a day begins inside a primary bar.
    pub(super) fn buckets(&self, timeframe: Timeframe) -> Result<Buckets> {
        let buckets = Buckets::new(timeframe, self.alignment().day);
        if let Some(days) = buckets.days() {
            buckets::check_days(self.label(), self.timeframe().micros(), &days)?;
        }
        Ok(buckets)
    }
}

#[cfg(test)]
mod tests;
