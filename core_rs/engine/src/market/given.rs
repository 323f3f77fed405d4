//! Higher timeframes that came as files: what is checked of them, and how they are cut with the primary bars.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::bars::RawBars;
use super::buckets::{self, Buckets, Filled, first_of};
use super::calendar::iso;
use super::higher::Computed;
use super::market::Market;
use super::quotes::Quotes;
use super::timeframe::{Timeframe, Unit};
use crate::schema::Digest;
use crate::{Column, Error, Result};

/// Fewer comparable bars than this prove nothing.
const ENOUGH: usize = 20;

/// What the stamps of given higher bars are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// Open times.
    Open,
    /// End times: the bar began at the boundary before.
    Close,
}

/// Closes of given bars beside the closes of the primary bars that fill the same bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The given timeframe.
    pub timeframe: Timeframe,
    /// Bid.
    pub bid: Agreement,
    /// Ask.
    pub ask: Agreement,
}

/// Comparison of one side.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Agreement {
    /// Bars whose bucket is full of primary bars.
    pub compared: usize,
    /// Those of them whose closes differ by more than a tick.
    pub differ: usize,
    /// Open times of the first of these.
    pub first: Vec<i64>,
}

impl Agreement {
    /// Whether at least 99 % of enough bars agree.
    fn holds(&self) -> bool {
        self.compared >= ENOUGH && 100 * self.differ <= self.compared
    }

    fn fails(&self) -> bool {
        self.compared >= ENOUGH && 100 * self.differ > self.compared
    }
}

impl RawBars {
    /// Bars of a higher timeframe with their open times as labels.
    ///
    /// # Errors
    /// [1006] if a stamp is no boundary of a bucket.
    pub(super) fn opened(self, name: &str, buckets: &Buckets, stamp: Stamp) -> Result<Self> {
        let years = super::contract::YEARS;
        let sound: Vec<i64> = self.label.iter().copied().filter(|t| years.contains(t)).collect();
        check_boundaries(&sound, buckets, name)?;
        if stamp == Stamp::Open {
            return Ok(self);
        }
        // What is outside the years is left to the contract.
        let before = |&t: &i64| if years.contains(&t) { buckets.containing(t - 1).0 } else { t };
        Ok(Self { label: self.label.iter().map(before).collect::<Vec<_>>().into(), ..self })
    }
}

fn check_boundaries(label: &[i64], buckets: &Buckets, name: &str) -> Result<()> {
    let off: Vec<i64> = label.iter().copied().filter(|&t| !buckets.starts_at(t)).collect();
    if off.is_empty() {
        return Ok(());
    }
    Err(Error::data(1006, format!("{} of {} stamps are no boundaries of bars", off.len(), label.len()))
        .at(format!("{name}: {}", first_of(&off)))
        .fix("check timeframe, time zone and market.stamp (open or close), for D1 and W1 also market.day"))
}

impl Market {
    /// The same bars with these higher timeframes, each a market of its own. Bars that end after the last
    /// primary bar are left out.
    ///
    /// # Errors
    /// [1001] a timeframe that is not above the primary one or given twice, or ticks; [1006] another symbol,
    /// labels that are no boundaries, closes that agree with the primary bars only if shifted by one bar, or
    /// a day that begins inside a primary bar; [1010] no bar ends before the primary bars do.
    pub fn with_higher(&self, given: &[Self]) -> Result<Self> {
        let mut compared = Vec::new();
        for market in given {
            let (timeframe, name) = (market.timeframe, format!("the given {} bars", market.timeframe));
            if market.spec.symbol != self.spec.symbol {
                let what = format!("{name} are of {}, not of {}", market.spec.symbol, self.spec.symbol);
                return Err(Error::data(1006, what).at("market.higher").fix("give bars of one symbol"));
            }
            buckets::allow(timeframe, self.timeframe)?;
            let buckets = self.buckets(timeframe)?;
            check_boundaries(&market.label, &buckets, &name)?;
            compared.push(self.compare(market, &buckets)?);
        }
        let mut market = self.with_trusted_higher(given)?;
        compared.sort_by_key(|c| c.timeframe.micros());
        market.compared = compared;
        Ok(market)
    }

    /// As [`Market::with_higher`], for bars that have been checked beside these primary ones before.
    ///
    /// # Errors
    /// [1001] and [1010] as there.
    pub fn with_trusted_higher(&self, given: &[Self]) -> Result<Self> {
        let mut sorted: Vec<&Self> = given.iter().collect();
        sorted.sort_by_key(|market| market.timeframe.micros());
        let mut timeframes = std::iter::once(self.timeframe).chain(sorted.iter().map(|m| m.timeframe));
        let mut shorter = timeframes.next().map_or(0, Timeframe::micros);
        for timeframe in timeframes {
            buckets::allow(timeframe, self.timeframe)?;
            if timeframe.micros() <= shorter {
                return Err(Error::config(
                    1001,
                    format!("{timeframe} is the primary timeframe or given twice"),
                )
                .at("market.higher")
                .fix("give each higher timeframe once"));
            }
            shorter = timeframe.micros();
        }
        if let Some(ticks) = sorted.iter().find(|m| m.ticks.is_some()) {
            let what = format!("the given {} bars are held as ticks", ticks.timeframe);
            return Err(Error::config(1001, what).at("market.higher").fix("give bars"));
        }
        let given = sorted.into_iter().map(|m| self.cut(m, i64::MIN, 0)).collect::<Result<Vec<_>>>()?;
        let mut market = self.clone();
        (market.given, market.compared, market.computed) = (given, Vec::new(), Computed::default());
        Ok(market)
    }

    /// Higher timeframes that were given as bars of their own, shortest first.
    pub fn given_higher(&self) -> &[Self] {
        &self.given
    }

    /// How the given higher timeframes compare with the primary bars.
    pub fn compared(&self) -> &[Comparison] {
        &self.compared
    }

    /// SHA-256 that names all data: the market digest, or with given higher timeframes the SHA-256 of the hex
    /// digests of the primary and the given bars, one text after the other, shortest timeframe first.
    pub fn dataset(&self) -> Digest {
        if self.given.is_empty() {
            return self.digest();
        }
        let mut hash = Sha256::new();
        for market in std::iter::once(self).chain(&self.given) {
            hash.update(market.digest().to_string().as_bytes());
        }
        Digest(hash.finalize().into())
    }

    /// The given bars from `start` on, up to `warmup_bars` bars before it, and none that ends after the last
    /// primary bar.
    ///
    /// # Errors
    /// [1010] if none is left.
    pub(super) fn cut(&self, given: &Self, start: i64, warmup_bars: usize) -> Result<Self> {
        let close = self.end_of_rows();
        let buckets = Buckets::new(given.timeframe, self.alignment.day);
        let first = given.label.partition_point(|&t| t < start).saturating_sub(warmup_bars);
        let until = given.label.partition_point(|&t| buckets.containing(t).1 <= close);
        if first >= until {
            return Err(Error::data(
                1010,
                format!("no bar of the given {} is complete by {}", given.timeframe, iso(close)),
            )
            .at("market.higher")
            .fix("give bars that begin earlier, raise market.warmup_bars or widen market.window"));
        }
        if (first, until) == (0, given.len()) {
            // The copy brings the digest along.
            return Ok(given.clone().aligned_by(self.alignment));
        }
        let rows = first..until;
        let label = given.label.slice(rows.clone());
        let cut = |quotes: &Quotes| quotes.slice(rows.clone());
        let (bid, ask) = (cut(&given.bid), cut(given.ask()));
        let mut kept =
            Self::assemble(given.spec.clone(), given.timeframe, label, bid, ask, given.notes.clone());
        kept.ask_as_quoted = given.ask_as_quoted.as_ref().map(cut);
        Ok(kept.aligned_by(self.alignment))
    }

    /// # Errors
    /// [1006] if the given bars agree with these ones only when they are shifted by one bar.
    fn compare(&self, given: &Self, buckets: &Buckets) -> Result<Comparison> {
        let filled = Filled::of(&self.label, self.timeframe.micros(), buckets);
        let full: Vec<usize> = (0..filled.until.len()).filter(|&k| self.is_full(&filled, k)).collect();
        let quoted = |m: &Self| m.ask_as_quoted.as_ref().unwrap_or(m.ask()).close.clone();
        let sides =
            [("bid", self.bid.close.clone(), given.bid.close.clone()), ("ask", quoted(self), quoted(given))];
        let tick = self.spec.tick_size;
        let mut found = Vec::new();
        for (side, ours, theirs) in sides {
            let agree = |stamp: &dyn Fn(usize) -> i64| {
                agreement(&filled, &full, tick, &ours, (&given.label, &theirs), stamp)
            };
            let straight = agree(&|k| filled.start[k]);
            if straight.fails() {
                let remedy = if agree(&|k| filled.end[k]).holds() {
                    "their stamps are the ends of bars: set market.stamp: close"
                } else if agree(&|k| buckets.containing(filled.start[k] - 1).0).holds() {
                    "their stamps are the starts of bars: set market.stamp: open"
                } else {
                    ""
                };
                if !remedy.is_empty() {
                    return Err(shifted(given.timeframe, side, &straight).fix(remedy));
                }
            }
            found.push(straight);
        }
        let (ask, bid) = (found.pop().unwrap_or_default(), found.pop().unwrap_or_default());
        Ok(Comparison { timeframe: given.timeframe, bid, ask })
    }

    /// Whether the bars in a bucket cover it from its start to its end.
    fn is_full(&self, filled: &Filled, k: usize) -> bool {
        let rows = filled.rows(k);
        let (start, end) = (filled.start[k], filled.end[k]);
        let covered = i64::try_from(rows.len()).map_or(0, |n| n * self.timeframe.micros());
        self.label[rows.start] == start && covered == end - start
    }
}

/// Compares the closes of full buckets with given bars; `stamp` says which label belongs to a bucket.
fn agreement(
    filled: &Filled,
    full: &[usize],
    tick: f64,
    ours: &[f64],
    (label, theirs): (&[i64], &Column<f64>),
    stamp: &dyn Fn(usize) -> i64,
) -> Agreement {
    // A difference of one tick has the rounding error of two prices.
    let most = tick * (1.0 + 1e-6);
    let mut found = Agreement::default();
    for &k in full {
        let Ok(row) = label.binary_search(&stamp(k)) else { continue };
        found.compared += 1;
        if (ours[filled.until[k] - 1] - theirs[row]).abs() > most {
            found.differ += 1;
            if found.first.len() < 5 {
                found.first.push(label[row]);
            }
        }
    }
    found
}

fn shifted(timeframe: Timeframe, side: &str, straight: &Agreement) -> Error {
    let (differ, compared) = (straight.differ, straight.compared);
    Error::data(
        1006,
        format!(
            "{differ} of {compared} {side} closes of the given {timeframe} bars differ from the primary bars, \
             but they agree when shifted by one bar"
        ),
    )
    .at(format!("market.stamp: {}", first_of(&straight.first)))
}

/// Distance that labels of given bars of a timeframe must keep for the contract: boundaries of days and weeks
/// are as far apart as the clocks of the zone have it, and [`RawBars::opened`] has looked at them.
pub(super) fn spacing(timeframe: Timeframe) -> Timeframe {
    match timeframe.unit() {
        Unit::Minutes | Unit::Hours => timeframe,
        Unit::Days | Unit::Weeks => Timeframe::of(Unit::Minutes, 1),
    }
}

#[cfg(test)]
mod tests;
