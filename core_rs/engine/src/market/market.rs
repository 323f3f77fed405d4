//! Bid and ask bars of one instrument: what an engine trades on.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::calendar::iso;
use super::day::{Alignment, Day};
use super::given::Comparison;
use super::higher::Computed;
use super::quotes::Quotes;
use super::report::{ImportNotes, Report};
use super::spec::SymbolSpec;
use super::timeframe::Timeframe;
use crate::schema::Digest;
use crate::{Column, Error, Result};

/// What a market is beside its rows. Times in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketMeta {
    /// The instrument.
    pub spec: SymbolSpec,
    /// Length of a bar.
    pub timeframe: Timeframe,
    /// Bars are traded from here …
    pub trade_from: i64,
    /// … up to here, exclusively.
    pub trade_until: i64,
    /// Label of the first row.
    pub history_from: i64,
    /// Trading days, if they are not those of UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
    /// Age in primary bars after which higher bars are not seen, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<usize>,
}

impl MarketMeta {
    /// From JSON.
    ///
    /// # Errors
    /// [3004] if the text is not such a description.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map_err(|e| Error::data(3004, format!("not the description of a market: {e}")))
    }
}

/// A checked market: bid and ask bars with the same labels, some of them only history for indicators.
///
/// Cloning and slicing share the memory of the columns.
#[derive(Debug, Clone)]
pub struct Market {
    pub(super) spec: SymbolSpec,
    pub(super) timeframe: Timeframe,
    pub(super) label: Column<i64>,
    pub(super) bid: Quotes,
    pub(super) ask: Quotes,
    /// The ask side before a spread multiplier, which the digest is of.
    pub(super) ask_as_quoted: Option<Quotes>,
    trade_from: i64,
    trade_until: i64,
    first_traded: usize,
    pub(super) notes: ImportNotes,
    pub(super) alignment: Alignment,
    /// Bars of higher timeframes that are not made of these ones.
    pub(super) given: Vec<Market>,
    pub(super) compared: Vec<Comparison>,
    pub(super) computed: Computed,
    digest: OnceLock<Digest>,
}

impl Market {
    /// A market of rows that are known to keep the contract, traded from the first to the last.
    pub(super) fn assemble(
        spec: SymbolSpec,
        timeframe: Timeframe,
        label: Column<i64>,
        bid: Quotes,
        ask: Quotes,
        notes: ImportNotes,
    ) -> Self {
        let (trade_from, trade_until) = (label[0], label[label.len() - 1] + timeframe.micros());
        Self {
            spec,
            timeframe,
            label,
            bid,
            ask,
            ask_as_quoted: None,
            trade_from,
            trade_until,
            first_traded: 0,
            notes,
            alignment: Alignment::default(),
            given: Vec::new(),
            compared: Vec::new(),
            computed: Computed::default(),
            digest: OnceLock::new(),
        }
    }

    /// The market with other days and another age of higher bars; those are made anew.
    #[must_use]
    pub(super) fn aligned_by(self, alignment: Alignment) -> Self {
        Self { alignment, computed: Computed::default(), ..self }
    }

    /// A market from the rows and the description of another one; values are not checked again.
    ///
    /// # Errors
    /// [1010] without a traded bar, [1011] if columns differ in length, [3008] if the rows are not those that
    /// the description is of.
    pub fn trusted(meta: MarketMeta, label: Column<i64>, bid: Quotes, ask: Quotes) -> Result<Self> {
        bid.check_lengths(label.len(), "bid")?;
        ask.check_lengths(label.len(), "ask")?;
        if label.first().is_some_and(|&first| first != meta.history_from) {
            let what = format!("the rows start at {}, not at {}", iso(label[0]), iso(meta.history_from));
            return Err(Error::data(3008, what).fix("give the table that belongs to the description"));
        }
        if label.last().is_some_and(|&last| last >= meta.trade_until) {
            return Err(Error::data(3008, format!("there are rows after {}", iso(meta.trade_until)))
                .fix("give the table that belongs to the description"));
        }
        let first_traded = label.partition_point(|&t| t < meta.trade_from);
        if first_traded == label.len() {
            return Err(no_traded_bar(meta.trade_from, meta.trade_until));
        }
        let MarketMeta { spec, timeframe, trade_from, trade_until, .. } = meta;
        let alignment = Alignment { day: meta.day.unwrap_or_default(), stale_after: meta.stale_after };
        let market = Self::assemble(spec, timeframe, label, bid, ask, ImportNotes::default());
        Ok(Self { trade_from, trade_until, first_traded, ..market.aligned_by(alignment) })
    }

    /// The bars of [`start`, `end`), traded, and up to `warmup_bars` bars before them as history. Without
    /// bounds: from the first label, to the end of the last bar. Given higher timeframes keep as many bars of
    /// their own before `start`, and none that ends after the last primary bar.
    ///
    /// # Errors
    /// [1010] if no bar lies in the window, or no bar of a given higher timeframe is complete in it.
    pub fn window(&self, start: Option<i64>, end: Option<i64>, warmup_bars: usize) -> Result<Self> {
        let trade_from = start.unwrap_or(self.label[0]);
        let trade_until = end.unwrap_or(self.end_of_rows());
        let first = self.label.partition_point(|&t| t < trade_from);
        let last = self.label.partition_point(|&t| t < trade_until);
        if first >= last {
            return Err(no_traded_bar(trade_from, trade_until).at(format!(
                "{} has bars from {} to {}",
                self.spec.symbol,
                iso(self.label[0]),
                iso(self.label[self.len() - 1])
            )));
        }
        let kept = first.saturating_sub(warmup_bars);
        let rows = kept..last;
        let mut window = Self {
            label: self.label.slice(rows.clone()),
            bid: self.bid.slice(rows.clone()),
            ask: self.ask.slice(rows.clone()),
            ask_as_quoted: self.ask_as_quoted.as_ref().map(|ask| ask.slice(rows)),
            trade_from,
            trade_until,
            first_traded: first - kept,
            computed: Computed::default(),
            digest: OnceLock::new(),
            ..self.clone()
        };
        let cut = |given: &Self| window.cut(given, trade_from, warmup_bars);
        window.given = self.given.iter().map(cut).collect::<Result<_>>()?;
        Ok(window)
    }

    /// The market with every positive spread multiplied by `m`, given higher timeframes too. Crossed fields keep their value, and the
    /// market keeps its digest: the multiplier is a cost, not data.
    ///
    /// # Errors
    /// [1003] unless `m` is finite and not negative.
    pub fn spread_multiplied(&self, m: f64) -> Result<Self> {
        if !(m >= 0.0 && m.is_finite()) {
            return Err(Error::config(
                1003,
                format!("spread_multiplier must be finite and not negative, not {m}"),
            )
            .at("costs.spread_multiplier"));
        }
        if m == 1.0 {
            return Ok(self.clone());
        }
        let bid = self.bid.prices();
        let scaled = self.ask.with_prices(|side, ask| {
            let pairs = bid[side].iter().zip(ask);
            pairs.map(|(&b, &a)| if a > b { b + (a - b) * m } else { a }).collect()
        });
        let [open, high, low, close] = scaled.prices();
        let extreme = |pick: fn(f64, f64) -> f64| -> Column<f64> {
            let rows = 0..self.len();
            rows.map(|i| pick(pick(pick(open[i], high[i]), low[i]), close[i])).collect::<Vec<_>>().into()
        };
        let (high, low) = (extreme(f64::max), extreme(f64::min));
        let ask_as_quoted = self.ask_as_quoted.clone().or_else(|| Some(self.ask.clone()));
        let given = self.given.iter().map(|given| given.spread_multiplied(m)).collect::<Result<_>>()?;
        let ask = Quotes { high, low, ..scaled };
        Ok(Self { ask, ask_as_quoted, given, computed: Computed::default(), ..self.clone() })
    }

    /// SHA-256 that names the data: symbol, timeframe and the bid and ask rows held here, before any spread
    /// multiplier. Computed once.
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| {
            let ask = self.ask_as_quoted.as_ref().unwrap_or(&self.ask);
            let mut hash = Sha256::new();
            hash.update(b"sweep.market.v1\n");
            for text in [self.spec.symbol.as_str(), &self.timeframe.to_string(), "bars"] {
                hash.update(text.as_bytes());
                hash.update([0]);
            }
            hash.update(self.bid.digest(&self.label).0);
            hash.update(ask.digest(&self.label).0);
            Digest(hash.finalize().into())
        })
    }

    /// What is worth knowing about the rows held here.
    pub fn report(&self) -> Report {
        Report::of(self)
    }

    /// What happened when the data were read.
    pub fn notes(&self) -> &ImportNotes {
        &self.notes
    }

    /// The description that, with the rows, makes this market again.
    pub fn meta(&self) -> MarketMeta {
        MarketMeta {
            spec: self.spec.clone(),
            timeframe: self.timeframe,
            trade_from: self.trade_from,
            trade_until: self.trade_until,
            history_from: self.history_from(),
            day: Some(self.alignment.day).filter(|day| *day != Day::default()),
            stale_after: self.alignment.stale_after,
        }
    }

    /// The instrument.
    pub fn spec(&self) -> &SymbolSpec {
        &self.spec
    }

    /// Length of a bar.
    pub fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// Number of rows, history included.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.label.len()
    }

    /// Open times in microseconds UTC, strictly increasing; never empty.
    pub fn label(&self) -> &[i64] {
        &self.label
    }

    /// The column of open times.
    pub fn label_column(&self) -> &Column<i64> {
        &self.label
    }

    /// Bid bars.
    pub fn bid(&self) -> &Quotes {
        &self.bid
    }

    /// Ask bars.
    pub fn ask(&self) -> &Quotes {
        &self.ask
    }

    /// Row of the first traded bar; all later rows are traded.
    pub fn first_traded(&self) -> usize {
        self.first_traded
    }

    /// Bars are traded from this instant.
    pub fn trade_from(&self) -> i64 {
        self.trade_from
    }

    /// Bars are traded up to this instant, exclusively.
    pub fn trade_until(&self) -> i64 {
        self.trade_until
    }

    /// How higher timeframes are seen.
    pub fn alignment(&self) -> Alignment {
        self.alignment
    }

    /// Label of the first row.
    pub fn history_from(&self) -> i64 {
        self.label[0]
    }

    pub(super) fn end_of_rows(&self) -> i64 {
        self.label[self.len() - 1] + self.timeframe.micros()
    }
}

fn no_traded_bar(from: i64, until: i64) -> Error {
    Error::data(1010, format!("no bar lies in the window from {} to {}", iso(from), iso(until)))
        .fix("choose a window that the data cover")
}

#[cfg(test)]
mod tests;
