//! Equity samples: high water, drawdowns, the daily series and, where one backtest is looked at, the whole curve.

use crate::extremes::Span;

/// One equity sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Label of the bar, µs.
    pub time: i64,
    /// Equity.
    pub equity: f64,
    /// Cash.
    pub balance: f64,
}

/// The equity table: row 0 is the initial balance, one row per traded bar follows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// Label of each row, µs.
    pub time: Vec<i64>,
    /// Equity.
    pub equity: Vec<f64>,
    /// Cash.
    pub balance: Vec<f64>,
    /// equity − high_water.
    pub drawdown: Vec<f64>,
    /// Highest equity so far.
    pub high_water: Vec<f64>,
}

impl Curve {
    /// Appends the rows of a later run, its first one included.
    pub(crate) fn append(&mut self, later: Self) {
        self.time.extend(later.time);
        self.equity.extend(later.equity);
        self.balance.extend(later.balance);
        self.drawdown.extend(later.drawdown);
        self.high_water.extend(later.high_water);
    }

    fn drop_last(&mut self) {
        self.time.pop();
        for column in [&mut self.equity, &mut self.balance, &mut self.drawdown, &mut self.high_water] {
            column.pop();
        }
    }
}

/// Deepest and longest drawdowns.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Drawdowns {
    /// Money below the running peak.
    pub money: f64,
    /// Percent of the running peak.
    pub percent: f64,
    /// Money below the initial balance.
    pub below_initial: f64,
    /// Longest stretch below a peak, µs between labels.
    pub micros: i64,
    /// Longest stretch below a peak, samples.
    pub samples: usize,
}

impl Drawdowns {
    /// The worst of two runs.
    pub(crate) fn worst(self, other: Self) -> Self {
        Self {
            money: self.money.max(other.money),
            percent: self.percent.max(other.percent),
            below_initial: self.below_initial.max(other.below_initial),
            micros: self.micros.max(other.micros),
            samples: self.samples.max(other.samples),
        }
    }
}

/// Takes one sample per traded bar.
#[derive(Debug, Clone)]
pub struct EquityTracker {
    initial: f64,
    last: Sample,
    count: usize,
    high_water: f64,
    peak: (usize, i64),
    /// Lowest sample since the peak.
    trough: f64,
    drawdowns: Drawdowns,
    daily: Vec<f64>,
    day_ends: std::sync::Arc<[usize]>,
    curve: Option<Curve>,
}

impl EquityTracker {
    /// A tracker that starts with `initial` at the label of the first traded bar.
    ///
    /// `day_ends` are the numbers (1 … n) of the samples that end a trading day; `keep_curve` keeps every sample.
    pub fn new(initial: f64, start: i64, day_ends: std::sync::Arc<[usize]>, keep_curve: bool) -> Self {
        let last = Sample { time: start, equity: initial, balance: initial };
        let mut tracker = Self {
            initial,
            last,
            count: 0,
            high_water: initial,
            peak: (0, start),
            trough: f64::INFINITY,
            drawdowns: Drawdowns::default(),
            daily: Vec::with_capacity(day_ends.len()),
            day_ends,
            curve: keep_curve.then(Curve::default),
        };
        tracker.record();
        tracker
    }

    fn record(&mut self) {
        if let Some(curve) = &mut self.curve {
            curve.time.push(self.last.time);
            curve.equity.push(self.last.equity);
            curve.balance.push(self.last.balance);
            curve.drawdown.push(self.last.equity - self.high_water);
            curve.high_water.push(self.high_water);
        }
    }

    /// Takes the sample of the next traded bar.
    #[inline]
    pub fn sample(&mut self, sample: Sample) {
        self.count += 1;
        self.last = sample;
        if sample.equity >= self.high_water {
            if self.count > self.peak.0 + 1 {
                self.end_stretch(sample.time);
            }
            self.high_water = sample.equity;
            self.peak = (self.count, sample.time);
            self.trough = f64::INFINITY;
        } else if sample.equity < self.trough {
            // Under one peak the deepest drawdown, in money and in percent, is at the lowest sample.
            self.trough = sample.equity;
            self.fall(sample.equity);
        }
        if self.day_ends.get(self.daily.len()) == Some(&self.count) {
            self.daily.push(sample.equity);
        }
        if self.curve.is_some() {
            self.record();
        }
    }

    /// Samples up to the next one that ends a trading day, that one included; `usize::MAX` after the last.
    #[inline]
    pub fn until_day_end(&self) -> usize {
        self.day_ends.get(self.daily.len()).map_or(usize::MAX, |end| end - self.count)
    }

    /// Whether samples up to `high` might reach the high water.
    #[inline]
    pub(crate) fn might_rise(&self, high: f64) -> bool {
        high >= self.high_water
    }

    /// Whether samples down to `low` might be the lowest since the peak.
    #[inline]
    pub(crate) fn might_fall(&self, low: f64) -> bool {
        low < self.trough
    }

    /// Takes `n` samples within `ends`, of which `newest` is the last, up to the end of the day at most; takes none, and
    /// says so, if one of them might reach the high water. The lower end counts: it is a sample, if it might be the lowest.
    #[inline]
    pub(crate) fn take_below(&mut self, n: usize, ends: Span, newest: Sample) -> bool {
        if self.might_rise(ends.high) {
            return false;
        }
        self.count += n;
        self.last = newest;
        if ends.low < self.trough {
            self.trough = ends.low;
            self.fall(ends.low);
        }
        if self.day_ends.get(self.daily.len()) == Some(&self.count) {
            self.daily.push(newest.equity);
        }
        true
    }

    /// Takes the last sample `n` more times, the newest at `time`.
    pub fn repeat(&mut self, n: usize, time: i64) {
        if n == 0 {
            return;
        }
        self.count += n;
        self.last.time = time;
        if self.last.equity >= self.high_water {
            self.peak = (self.count, time);
        }
        while self.day_ends.get(self.daily.len()).is_some_and(|&end| end <= self.count) {
            self.daily.push(self.last.equity);
        }
    }

    /// Takes a sample whose row replaces the last one if that has the same time. The replaced sample has counted for
    /// high water and drawdowns all the same.
    pub fn overwrite(&mut self, sample: Sample) {
        if let Some(curve) = self.curve.as_mut().filter(|_| self.count > 0 && sample.time == self.last.time) {
            curve.drop_last();
        }
        self.sample(sample);
    }

    /// Ends the trading day that is under way: no further sample comes.
    pub fn end_day(&mut self) {
        let ended = self.daily.len().checked_sub(1).and_then(|last| self.day_ends.get(last));
        if self.count > ended.copied().unwrap_or(0) {
            self.daily.push(self.last.equity);
        }
    }

    #[inline]
    fn fall(&mut self, equity: f64) {
        let money = self.high_water - equity;
        let d = &mut self.drawdowns;
        d.money = d.money.max(money);
        d.percent = d.percent.max(100.0 * money / self.high_water);
        d.below_initial = d.below_initial.max(self.initial - equity);
    }

    /// A stretch below the peak ends at `time`, now.
    fn end_stretch(&mut self, time: i64) {
        let d = &mut self.drawdowns;
        d.micros = d.micros.max(time - self.peak.1);
        d.samples = d.samples.max(self.count - self.peak.0);
    }

    /// The last sample; the initial balance before the first.
    pub fn last(&self) -> Sample {
        self.last
    }

    /// Highest equity so far, the initial balance included.
    pub fn high_water(&self) -> f64 {
        self.high_water
    }

    /// The rows so far, if they are kept.
    pub fn curve(&self) -> Option<&Curve> {
        self.curve.as_ref()
    }

    /// Samples taken.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Drawdowns as of the last sample, an unfinished stretch included.
    pub fn drawdowns(&self) -> Drawdowns {
        let mut d = self.drawdowns;
        if self.count > self.peak.0 {
            d.micros = d.micros.max(self.last.time - self.peak.1);
            d.samples = d.samples.max(self.count - self.peak.0);
        }
        d
    }

    /// Last sample of each trading day so far.
    pub fn daily(&self) -> &[f64] {
        &self.daily
    }

    /// The daily series and the curve, if it was kept.
    pub fn into_series(self) -> (Vec<f64>, Option<Curve>) {
        (self.daily, self.curve)
    }
}
