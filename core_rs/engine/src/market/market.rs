//! Bid and ask bars of one instrument: what an engine trades on.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ask::AskSide;
use super::buckets::Buckets;
use super::calendar::iso;
use super::day::{Alignment, Day};
use super::given::Comparison;
use super::higher::Computed;
use super::quotes::Quotes;
use super::report::{ImportNotes, Report};
use super::spec::SymbolSpec;
use super::ticks::Ticks;
use super::timeframe::Timeframe;
use crate::schema::Digest;
use crate::{Column, Error, Result};

/// From here on a second thread costs less than it saves.
const MANY_ROWS: usize = 100_000;

/// What the rows of a market are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Bars.
    #[default]
    Bars,
    /// Ticks, of which the bars are built.
    Ticks,
}

impl Kind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bars => "bars",
            Self::Ticks => "ticks",
        }
    }

    fn is_bars(&self) -> bool {
        *self == Self::Bars
    }

    fn nothing_traded(self, from: i64, until: i64) -> Error {
        let row = match self {
            Self::Bars => "bar",
            Self::Ticks => "tick",
        };
        Error::data(1010, format!("no {row} lies in the window from {} to {}", iso(from), iso(until)))
            .fix("choose a window that the data cover")
    }
}

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
    /// Label of the first bar.
    pub history_from: i64,
    /// What the rows are.
    #[serde(default, skip_serializing_if = "Kind::is_bars")]
    pub kind: Kind,
    /// Trading days, if they are not those of UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
    /// Age in primary bars after which higher bars are not seen, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<usize>,
    /// Digest of the rows, where it is known from a trusted record: it is then not computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
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

    pub(super) fn alignment(&self) -> Alignment {
        Alignment { day: self.day.unwrap_or_default(), stale_after: self.stale_after }
    }

    /// # Errors
    /// [3008] if the description is of rows of the other kind.
    pub(super) fn check_kind(&self, kind: Kind) -> Result<()> {
        if self.kind == kind {
            return Ok(());
        }
        Err(Error::data(3008, format!("the description is of {}, not of {}", self.kind.name(), kind.name()))
            .fix("give the table that belongs to the description"))
    }
}

/// A checked market: bid and ask bars with the same labels, some of them only history for indicators. The
/// ticks of which the bars were built stay with them.
///
/// Cloning and slicing share the memory of the columns.
#[derive(Debug, Clone)]
pub struct Market {
    pub(super) spec: SymbolSpec,
    pub(super) timeframe: Timeframe,
    pub(super) label: Column<i64>,
    pub(super) bid: Quotes,
    pub(super) ask: AskSide,
    /// The ask side before a spread multiplier, which the digest is of.
    pub(super) ask_as_quoted: Option<Quotes>,
    pub(super) ticks: Option<Arc<Ticks>>,
    pub(super) trade_from: i64,
    pub(super) trade_until: i64,
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
        ask: impl Into<AskSide>,
        notes: ImportNotes,
    ) -> Self {
        let trade_from = label.first().copied().unwrap_or_default();
        let trade_until = label.last().map_or(trade_from, |last| last + timeframe.micros());
        Self {
            spec,
            timeframe,
            label,
            bid,
            ask: ask.into(),
            ask_as_quoted: None,
            ticks: None,
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
        meta.check_kind(Kind::Bars)?;
        bid.check_lengths(label.len(), "bid")?;
        ask.check_lengths(label.len(), "ask")?;
        if label.is_empty() {
            return Err(Kind::Bars.nothing_traded(meta.trade_from, meta.trade_until));
        }
        let alignment = meta.alignment();
        let notes = ImportNotes::default();
        let market = Self::assemble(meta.spec.clone(), meta.timeframe, label, bid, ask, notes);
        market.aligned_by(alignment).described(meta)
    }

    /// The market with the window of a description.
    ///
    /// # Errors
    /// [1010] without a traded bar, [3008] if the bars are not those that the description is of.
    pub(super) fn described(self, meta: MarketMeta) -> Result<Self> {
        let MarketMeta { trade_from, trade_until, history_from, digest, .. } = meta;
        if self.history_from() != history_from {
            let what =
                format!("the rows start at {}, not at {}", iso(self.history_from()), iso(history_from));
            return Err(Error::data(3008, what).fix("give the table that belongs to the description"));
        }
        if self.times().last().is_some_and(|&last| last >= trade_until) {
            return Err(Error::data(3008, format!("there are rows after {}", iso(trade_until)))
                .fix("give the table that belongs to the description"));
        }
        if self.times().last().is_none_or(|&last| last < trade_from) {
            return Err(self.kind().nothing_traded(trade_from, trade_until));
        }
        let first_traded = self.label.partition_point(|&t| t < trade_from);
        let digest = digest.map_or_else(OnceLock::new, OnceLock::from);
        Ok(Self { digest, trade_from, trade_until, first_traded, ..self })
    }

    /// The bars of [`start`, `end`), traded, and up to `warmup_bars` bars before them as history. Without
    /// bounds: from the first label, to the end of the last bar, for ticks to the end of the forming one.
    /// Given higher timeframes keep as many bars of their own before `start`, and none that ends after the
    /// last primary bar. Of ticks those from the first bar's label up to `end` are kept, and the bars that
    /// they complete.
    ///
    /// # Errors
    /// [1010] if no bar, or no tick, lies in the window, or no bar of a given higher timeframe is complete in
    /// it.
    pub fn window(&self, start: Option<i64>, end: Option<i64>, warmup_bars: usize) -> Result<Self> {
        let trade_from = start.unwrap_or_else(|| self.history_from());
        let trade_until = end.unwrap_or_else(|| self.end_of_data());
        let traded = self.times().partition_point(|&t| t < trade_until);
        if self.times()[..traded].last().is_none_or(|&last| last < trade_from) {
            let times = self.times();
            return Err(self.kind().nothing_traded(trade_from, trade_until).at(format!(
                "{} has {} from {} to {}",
                self.spec.symbol,
                self.kind().name(),
                iso(times[0]),
                iso(times[times.len() - 1])
            )));
        }
        // Of ticks, the last one in the window lies in the bar that is still forming there.
        let forming = self.ticks.as_ref().map(|ticks| self.bucket(ticks.time()[traded - 1]).0);
        let last = forming.map_or(traded, |forming| self.label.partition_point(|&t| t < forming));
        let first = self.label.partition_point(|&t| t < trade_from).min(last);
        let kept = first.saturating_sub(warmup_bars);
        let rows = kept..last;
        let ticks = self.ticks.as_ref().zip(forming).map(|(ticks, forming)| {
            let from = self.label[rows.clone()].first().copied().unwrap_or(forming);
            Arc::new(ticks.slice(ticks.time().partition_point(|&t| t < from)..traded))
        });
        let mut window = Self {
            label: self.label.slice(rows.clone()),
            bid: self.bid.slice(rows.clone()),
            ask: self.ask().slice(rows.clone()).into(),
            ask_as_quoted: self.ask_as_quoted.as_ref().map(|ask| ask.slice(rows)),
            ticks,
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

    /// The market with every positive spread of its bars multiplied by `m`, given higher timeframes too.
    /// Crossed fields keep their value, and the market keeps its digest: the multiplier is a cost, not data.
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
        let ask = self.ask_multiplied(m).into();
        let ask_as_quoted = self.ask_as_quoted.clone().or_else(|| Some(self.ask().clone()));
        let given = self.given.iter().map(|given| given.spread_multiplied(m)).collect::<Result<_>>()?;
        Ok(Self { ask, ask_as_quoted, given, computed: Computed::default(), ..self.clone() })
    }

    /// The ask side with every positive spread multiplied. What keeps its values keeps its memory: a market whose spread
    /// goes has the bid's prices on both sides, once.
    fn ask_multiplied(&self, m: f64) -> Quotes {
        let (bid, ask) = (self.bid.prices(), self.ask());
        let everywhere = |holds: fn(f64, f64) -> bool| {
            let mut fields = bid.iter().zip(ask.prices());
            fields.all(|(bid, ask)| bid.iter().zip(ask).all(|(&b, &a)| holds(b, a)))
        };
        if everywhere(|b, a| a <= b) {
            return ask.clone();
        }
        if m == 0.0 && everywhere(|b, a| a >= b) {
            return Quotes { volume: ask.volume.clone(), ..self.bid.clone() };
        }
        let scaled = ask.with_prices(|side, ask| {
            let pairs = bid[side].iter().zip(ask);
            pairs.map(|(&b, &a)| if a > b { b + (a - b) * m } else { a }).collect()
        });
        let [open, high, low, close] = scaled.prices();
        let extreme = |pick: fn(f64, f64) -> f64| -> Column<f64> {
            let rows = 0..self.len();
            rows.map(|i| pick(pick(pick(open[i], high[i]), low[i]), close[i])).collect::<Vec<_>>().into()
        };
        let (high, low) = (extreme(f64::max), extreme(f64::min));
        Quotes { high, low, ..scaled }
    }

    /// SHA-256 that names the data: symbol, timeframe and the bid and ask rows or the ticks held here, before
    /// any spread multiplier. Computed once.
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| {
            let mut hash = Sha256::new();
            hash.update(b"sweep.market.v1\n");
            for text in [self.spec.symbol.as_str(), &self.timeframe.to_string(), self.kind().name()] {
                hash.update(text.as_bytes());
                hash.update([0]);
            }
            match &self.ticks {
                Some(ticks) => hash.update(ticks.digest().0),
                None => self.side_digests().iter().for_each(|side| hash.update(side.0)),
            }
            Digest(hash.finalize().into())
        })
    }

    /// Digests of both sides; two threads where that pays, one where the sides are the same memory.
    fn side_digests(&self) -> [Digest; 2] {
        let labels = Quotes::hash_labels(&self.label);
        let bid = || self.bid.digest_after(labels.clone(), 0.0);
        let ask = || match (&self.ask_as_quoted, self.spread()) {
            (Some(quoted), _) => quoted.digest_after(labels.clone(), 0.0),
            (None, Some(spread)) => self.bid.digest_after(labels.clone(), spread),
            (None, None) => self.ask().digest_after(labels.clone(), 0.0),
        };
        if self.ask_as_quoted.is_none() && self.spread().is_none() && self.bid.is_same_memory(self.ask()) {
            return [bid(); 2];
        }
        if self.len() < MANY_ROWS {
            return [bid(), ask()];
        }
        std::thread::scope(|scope| {
            let other = scope.spawn(ask);
            [bid(), other.join().unwrap_or_else(|_| ask())]
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
            kind: self.kind(),
            day: Some(self.alignment.day).filter(|day| *day != Day::default()),
            stale_after: self.alignment.stale_after,
            digest: None,
        }
    }

    /// What the rows are.
    pub fn kind(&self) -> Kind {
        if self.ticks.is_some() { Kind::Ticks } else { Kind::Bars }
    }

    /// The ticks of which the bars were built.
    pub fn ticks(&self) -> Option<&Ticks> {
        self.ticks.as_deref()
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

    /// Open times in microseconds UTC, strictly increasing; empty only if ticks have not completed a bar.
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

    /// The constant spread in price, if the ask side is nothing but the bid with it.
    pub fn spread(&self) -> Option<f64> {
        self.ask.spread()
    }

    /// Ask bars.
    pub fn ask(&self) -> &Quotes {
        self.ask.quotes(&self.bid)
    }

    /// Row of the first traded bar; all later rows are traded. The number of bars if ticks completed none.
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

    /// Label of the first bar, of ticks without a complete bar that of the bar which they form.
    pub fn history_from(&self) -> i64 {
        self.label.first().copied().unwrap_or_else(|| self.bucket(self.times()[0]).0)
    }

    /// Label of the bar that the last row lies in; of ticks it is still forming.
    pub fn forming(&self) -> i64 {
        match &self.ticks {
            None => self.label[self.label.len() - 1],
            Some(ticks) => self.bucket(ticks.time()[ticks.len() - 1]).0,
        }
    }

    /// Times of the rows that are stored: those of ticks, else the labels of bars. Never empty.
    fn times(&self) -> &[i64] {
        self.ticks.as_ref().map_or(&self.label, |ticks| ticks.time())
    }

    /// Start and end of the bar that contains a tick.
    fn bucket(&self, instant: i64) -> (i64, i64) {
        Buckets::new(self.timeframe, self.alignment.day).containing(instant)
    }

    /// End of the last bar, for ticks of the one that is still forming.
    fn end_of_data(&self) -> i64 {
        match &self.ticks {
            None => self.end_of_rows(),
            Some(ticks) => self.bucket(ticks.time()[ticks.len() - 1]).1,
        }
    }

    /// End of the last bar; before all time if ticks have not completed one.
    pub(super) fn end_of_rows(&self) -> i64 {
        self.label.last().map_or(i64::MIN, |last| last + self.timeframe.micros())
    }
}

#[cfg(test)]
mod tests;
