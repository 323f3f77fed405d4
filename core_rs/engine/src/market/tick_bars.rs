//! Markets of ticks: their bars are clock buckets of the ticks, as far as later ticks completed them.

use std::sync::Arc;

use super::buckets::{self, Buckets, Filled};
use super::calendar::iso;
use super::day::{Alignment, Day};
use super::filter::Filter;
use super::higher::extreme;
use super::market::{Kind, Market, MarketMeta};
use super::options::Options;
use super::pairing::{CROSSED, Crossed};
use super::quotes::Quotes;
use super::report::ImportNotes;
use super::spec::SymbolSpec;
use super::ticks::{RawTicks, Ticks};
use super::timeframe::{Timeframe, Unit};
use crate::{Column, Error, Result};

/// How ticks are checked, and which bars are built of them.
#[derive(Debug, Clone, PartialEq)]
pub struct TickOptions {
    /// The instrument.
    pub spec: SymbolSpec,
    /// Length of a bar.
    pub timeframe: Timeframe,
    /// Crossed quotes.
    pub crossed: Crossed,
    /// Which ticks are kept.
    pub filter: Filter,
    /// Days, of which D1 and W1 bars are made, and how higher timeframes are seen.
    pub alignment: Alignment,
    /// What messages call the ticks.
    pub name: String,
}

impl TickOptions {
    /// The defaults.
    pub fn new(spec: SymbolSpec, timeframe: Timeframe) -> Self {
        Self {
            spec,
            timeframe,
            crossed: Crossed::Count,
            filter: Filter::None,
            alignment: Alignment::default(),
            name: "ticks".to_owned(),
        }
    }

    /// From JSON: `spec`, `timeframe`, and optionally `crossed`, `filter`, `day` {`zone`, `start_hour`},
    /// `stale_after`, `name`.
    ///
    /// # Errors
    /// [1001] unknown key, word, symbol or zone; [1003] number out of range; [1004] wrong type; [1008]
    /// missing key; [1009] no timeframe, no JSON.
    pub fn from_json(text: &str) -> Result<Self> {
        let mut options = Options::parse("market", text)?;
        let spec = options.mapping("spec")?;
        let timeframe = options.text("timeframe")?;
        let mut read = Self::new(
            SymbolSpec::try_from(options.required("spec", spec)?)?,
            options.required("timeframe", timeframe)?.parse()?,
        );
        read.crossed = options.choice("crossed", &CROSSED)?.unwrap_or_default();
        read.filter = Filter::read(&mut options)?;
        read.alignment = Alignment::read(&mut options)?;
        read.name = options.text("name")?.unwrap_or(read.name);
        options.finish()?;
        Ok(read)
    }
}

impl Market {
    /// Checks ticks and builds bars of them. The ticks stay with the market, those of the bar that is still
    /// forming at the end too; that bar itself is not one of the market's, which may have none.
    ///
    /// # Errors
    /// Those of [`Ticks::check`]; [1001] for a timeframe without buckets; [1010] if the filter leaves
    /// nothing; [1006] if the clocks of `day` make bars overlap, or sizes add up beyond numbers.
    pub fn from_ticks(raw: RawTicks, options: &TickOptions) -> Result<Self> {
        let buckets = tick_buckets(options.timeframe, options.alignment.day)?;
        let (mut ticks, ticks_clamped) = Ticks::check(raw, &options.name, options.crossed)?;
        let mut notes = ImportNotes { ticks_clamped, ..ImportNotes::default() };
        if let Some(kept) = options.filter.apply(ticks.time(), &options.name)? {
            notes.rows_filtered = ticks.len() - kept.len();
            ticks = ticks.keep(&kept);
        }
        Self::of_ticks(options.spec.clone(), options.timeframe, ticks, buckets, notes)
            .map(|market| market.aligned_by(options.alignment))
            .map_err(|e| if e.place.is_empty() { e.at(options.name.clone()) } else { e })
    }

    /// A market from the ticks and the description of another one; values are not checked again.
    ///
    /// # Errors
    /// [1010] without a traded tick, [1011] if columns differ in length, [3008] if the description is of bars
    /// or not of these ticks.
    pub fn trusted_ticks(meta: MarketMeta, raw: RawTicks) -> Result<Self> {
        meta.check_kind(Kind::Ticks)?;
        let alignment = meta.alignment();
        let buckets = tick_buckets(meta.timeframe, alignment.day)?;
        let ticks = Ticks::trusted(raw)?;
        let notes = ImportNotes::default();
        let market = Self::of_ticks(meta.spec.clone(), meta.timeframe, ticks, buckets, notes)?;
        market.aligned_by(alignment).described(meta)
    }

    fn of_ticks(
        spec: SymbolSpec,
        timeframe: Timeframe,
        ticks: Ticks,
        buckets: Buckets,
        notes: ImportNotes,
    ) -> Result<Self> {
        let (label, bid, ask) = bars(&ticks, timeframe, &buckets)?;
        let mut market = Self::assemble(spec, timeframe, label, bid, ask, notes);
        market.trade_from = buckets.containing(ticks.time()[0]).0;
        market.trade_until = buckets.containing(ticks.time()[ticks.len() - 1]).1;
        market.ticks = Some(Arc::new(ticks));
        Ok(market)
    }
}

/// The buckets of which the bars of ticks are made.
///
/// # Errors
/// [1001] for several days or weeks: nothing says where they begin.
fn tick_buckets(timeframe: Timeframe, day: Day) -> Result<Buckets> {
    if matches!(timeframe.unit(), Unit::Days | Unit::Weeks) && timeframe.count() > 1 {
        return Err(Error::config(1001, format!("ticks make no {timeframe} bars"))
            .at("market.timeframe")
            .fix("choose minutes, hours, D1 or W1"));
    }
    Ok(Buckets::new(timeframe, day))
}

/// Labels, bid and ask bars of the buckets that a later tick completed.
fn bars(ticks: &Ticks, timeframe: Timeframe, buckets: &Buckets) -> Result<(Column<i64>, Quotes, Quotes)> {
    let filled = Filled::of(ticks.time(), 0, buckets);
    check_clocks(ticks.time(), &filled, timeframe)?;
    let volume = volumes(ticks, &filled)?;
    let [bid, ask] = [ticks.bid(), ticks.ask()].map(|prices| quotes(prices, &filled, volume.clone()));
    Ok((filled.start.into(), bid, ask))
}

/// # Errors
/// [1006] if bars would not live from their label for one timeframe: days and weeks may be an hour shorter or
/// longer.
fn check_clocks(time: &[i64], filled: &Filled, timeframe: Timeframe) -> Result<()> {
    let close = |k: usize| filled.start[k] + timeframe.micros();
    let reaches_beyond = |&k: &usize| {
        let next = filled.start.get(k + 1).copied().unwrap_or(i64::MAX);
        next < close(k) || time[filled.until[k] - 1] >= close(k)
    };
    let found: Vec<i64> = (0..filled.until.len()).filter(reaches_beyond).map(|k| filled.start[k]).collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(Error::data(1006, format!("{} {timeframe} bars are cut by a change of clocks", found.len()))
        .at(buckets::first_of(&found))
        .fix("set market.day to a zone without changes of clocks, such as UTC"))
}

/// The sizes at the bid of each bar, else its number of ticks.
fn volumes(ticks: &Ticks, filled: &Filled) -> Result<Column<f64>> {
    let bars = 0..filled.until.len();
    let Some(size) = ticks.bid_size() else {
        #[allow(clippy::cast_precision_loss)]
        return Ok(bars.map(|k| filled.rows(k).len() as f64).collect::<Vec<_>>().into());
    };
    let sum = |k: usize| size[filled.rows(k)].iter().fold(0.0, |sum, v| sum + v);
    let volume: Vec<f64> = bars.map(sum).collect();
    match volume.iter().position(|v| !v.is_finite()) {
        None => Ok(volume.into()),
        Some(k) => Err(Error::data(1006, "the sizes of a bar add up beyond all numbers")
            .at(iso(filled.start[k]))
            .fix("correct or remove these rows")),
    }
}

fn quotes(prices: &[f64], filled: &Filled, volume: Column<f64>) -> Quotes {
    let column = |pick: fn(&[f64]) -> f64| -> Column<f64> {
        let bars = 0..filled.until.len();
        bars.map(|k| pick(&prices[filled.rows(k)])).collect::<Vec<_>>().into()
    };
    Quotes {
        open: column(|bar| bar[0]),
        high: column(|bar| extreme(bar, |a, b| a > b)),
        low: column(|bar| extreme(bar, |a, b| a < b)),
        close: column(|bar| bar[bar.len() - 1]),
        volume,
    }
}

#[cfg(test)]
mod tests;
