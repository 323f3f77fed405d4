//! How a bid and an ask series become a market: joined on labels, never by position.

use super::ask::AskSide;
use super::bars::{Bars, RawBars};
use super::buckets::Buckets;
use super::calendar::iso;
use super::contract::{DUPLICATES, Duplicates};
use super::day::Alignment;
use super::filter::Filter;
use super::given::{Stamp, spacing};
use super::market::Market;
use super::options::Options;
use super::quotes::Quotes;
use super::report::{ImportNotes, crossing};
use super::spec::SymbolSpec;
use super::timeframe::Timeframe;
use crate::{Column, Error, Result};

/// What becomes of bars with an ask field below the bid field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Crossed {
    /// They stay, and are counted.
    #[default]
    Count,
    /// Each such ask field becomes the bid field.
    Clamp,
    /// They are refused.
    Reject,
}

/// The words for them.
pub(super) const CROSSED: [(&str, Crossed); 3] =
    [("count", Crossed::Count), ("clamp", Crossed::Clamp), ("reject", Crossed::Reject)];

/// How bars are checked and paired.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketOptions {
    /// The instrument.
    pub spec: SymbolSpec,
    /// Length of a bar.
    pub timeframe: Timeframe,
    /// Spread of one-sided data, in pips; only without an ask series.
    pub spread_pips: Option<f64>,
    /// Crossed quotes.
    pub crossed: Crossed,
    /// Share of all labels, 0 to 1, that may be present on one side only.
    pub max_alignment_loss: f64,
    /// Repeated labels.
    pub duplicates: Duplicates,
    /// Which bars are kept.
    pub filter: Filter,
    /// How higher timeframes are seen.
    pub alignment: Alignment,
    /// Bars that are to be a given higher timeframe: their labels are boundaries of its buckets, and this is
    /// what their stamps are.
    pub higher_stamp: Option<Stamp>,
    /// What messages call the bid series.
    pub name_bid: String,
    /// What messages call the ask series.
    pub name_ask: String,
}

impl MarketOptions {
    /// The defaults.
    pub fn new(spec: SymbolSpec, timeframe: Timeframe) -> Self {
        Self {
            spec,
            timeframe,
            spread_pips: None,
            crossed: Crossed::Count,
            max_alignment_loss: 0.01,
            duplicates: Duplicates::Reject,
            filter: Filter::None,
            alignment: Alignment::default(),
            higher_stamp: None,
            name_bid: "bid".to_owned(),
            name_ask: "ask".to_owned(),
        }
    }

    /// From JSON: `spec`, `timeframe`, and optionally `spread_pips`, `crossed`, `max_alignment_loss`,
    /// `duplicates`, `filter` (`none` or `fx_week`), `day` {`zone`, `start_hour`}, `stale_after`,
    /// `higher_stamp` (`open` or `close`; only for bars that are to be a given higher timeframe), `name_bid`,
    /// `name_ask`.
    ///
    /// # Errors
    /// [1001] unknown key, word, symbol or zone; [1003] number out of range; [1004] wrong type; [1008] missing key;
    /// [1009] no timeframe, no JSON.
    pub fn from_json(text: &str) -> Result<Self> {
        let mut options = Options::parse("market", text)?;
        let spec = options.mapping("spec")?;
        let timeframe = options.text("timeframe")?;
        let mut read = Self::new(
            SymbolSpec::try_from(options.required("spec", spec)?)?,
            options.required("timeframe", timeframe)?.parse()?,
        );
        read.spread_pips = options.number("spread_pips")?;
        read.crossed = options.choice("crossed", &CROSSED)?.unwrap_or_default();
        read.max_alignment_loss = options.number("max_alignment_loss")?.unwrap_or(read.max_alignment_loss);
        read.duplicates = options.choice("duplicates", &DUPLICATES)?.unwrap_or_default();
        read.filter = Filter::read(&mut options)?;
        read.alignment = Alignment::read(&mut options)?;
        read.higher_stamp =
            options.choice("higher_stamp", &[("open", Stamp::Open), ("close", Stamp::Close)])?;
        read.name_bid = options.text("name_bid")?.unwrap_or(read.name_bid);
        read.name_ask = options.text("name_ask")?.unwrap_or(read.name_ask);
        options.finish()?;
        Ok(read)
    }

    /// The checked bars of one side.
    fn check(&self, mut raw: RawBars, name: &str) -> Result<Bars> {
        let mut spaced = self.timeframe;
        if let Some(stamp) = self.higher_stamp {
            raw = raw.opened(name, &Buckets::new(self.timeframe, self.alignment.day), stamp)?;
            spaced = spacing(self.timeframe);
        }
        Bars::check(raw, name, spaced, self.duplicates)
    }

    fn validate(&self, one_sided: bool) -> Result<()> {
        if !(0.0..=1.0).contains(&self.max_alignment_loss) {
            return Err(
                Error::config(1003, "max_alignment_loss must be from 0 to 1").at("market.max_alignment_loss")
            );
        }
        match (self.spread_pips, one_sided) {
            (None, true) => Err(Error::config(1008, "spread_pips is missing for one-sided data")
                .at("market.spread_pips")
                .fix("give the spread in pips, 0 included, or an ask series")),
            (Some(_), false) => {
                Err(Error::config(1001, "spread_pips and an ask series contradict each other")
                    .at("market.spread_pips")
                    .fix("give one of them"))
            }
            (Some(x), true) if !(x >= 0.0 && x.is_finite()) => {
                Err(Error::config(1003, "spread_pips must be finite and not negative")
                    .at("market.spread_pips"))
            }
            _ => Ok(()),
        }
    }
}

impl Market {
    /// Checks one or two series and makes a market of them; without `ask`, ask = bid + `spread_pips`.
    ///
    /// The columns are shared, not copied, unless rows must be dropped or prices changed.
    ///
    /// # Errors
    /// Those of [`Bars::check`] and of the options; [1011] if more labels lie on one side only than
    /// `max_alignment_loss` allows; [1006] if bars of a given higher timeframe are not stamped with
    /// boundaries; [1010] if the sides have no label in common, or the filter leaves nothing; [1006] for
    /// crossed quotes that are to be rejected.
    pub fn from_bars(bid: RawBars, ask: Option<RawBars>, options: &MarketOptions) -> Result<Self> {
        options.validate(ask.is_none())?;
        let bid = options.check(bid, &options.name_bid)?;
        let mut notes = ImportNotes {
            duplicates_dropped_bid: bid.duplicates_dropped(),
            volume_absent_bid: bid.volume_absent(),
            ..ImportNotes::default()
        };
        let (label, bid, ask) = match ask {
            Some(ask) => {
                let ask = options.check(ask, &options.name_ask)?;
                notes.duplicates_dropped_ask = ask.duplicates_dropped();
                notes.volume_absent_ask = ask.volume_absent();
                let (label, bid, ask) = join(&bid, &ask, options.max_alignment_loss, &mut notes)?;
                let ask = uncrossed(&label, &bid, ask, options, &mut notes)?;
                (label, bid, Some(ask))
            }
            None => {
                notes.volume_absent_ask = notes.volume_absent_bid;
                (bid.label().clone(), bid.quotes().clone(), None)
            }
        };
        let (label, bid, ask) = match options.filter.apply(&label, &options.name_bid)? {
            None => (label, bid, ask),
            Some(kept) => {
                notes.rows_filtered = label.len() - kept.len();
                let of_kept = |quotes: &Quotes| quotes.map(|column| kept.of(column));
                (kept.of(&label), of_kept(&bid), ask.as_ref().map(of_kept))
            }
        };
        let spread = options.spread_pips.unwrap_or(0.0) * options.spec.pip_size;
        let ask = ask.map_or_else(|| AskSide::of_spread(&bid, spread), AskSide::from);
        let market = Self::assemble(options.spec.clone(), options.timeframe, label, bid, ask, notes);
        Ok(market.aligned_by(options.alignment))
    }
}

/// Inner join on labels.
fn join(
    bid: &Bars,
    ask: &Bars,
    max_loss: f64,
    notes: &mut ImportNotes,
) -> Result<(Column<i64>, Quotes, Quotes)> {
    if bid.label()[..] == ask.label()[..] {
        return Ok((bid.label().clone(), bid.quotes().clone(), ask.quotes().clone()));
    }
    let common = common_rows(bid.label(), ask.label());
    let (only_bid, only_ask) = (bid.label().len() - common.len(), ask.label().len() - common.len());
    let (missing, all) = (only_bid + only_ask, common.len() + only_bid + only_ask);
    #[allow(clippy::cast_precision_loss)]
    let (missing, all) = (missing as f64, all as f64);
    notes.labels_only_bid = only_bid;
    notes.labels_only_ask = only_ask;
    notes.alignment_loss = missing / all;
    if missing > (max_loss * all + 1e-9).floor() {
        return Err(misaligned(bid, ask, &common, notes));
    }
    let (of_bid, of_ask): (Vec<usize>, Vec<usize>) = common.into_iter().unzip();
    if of_bid.is_empty() {
        return Err(Error::data(1010, "bid and ask have no label in common")
            .at(format!("{} and {}", bid.name(), ask.name()))
            .fix("give two sides of one market and span"));
    }
    let of_all = bid.label().as_slice();
    let label: Vec<i64> = of_bid.iter().map(|&row| of_all[row]).collect();
    Ok((label.into(), bid.quotes().select(&of_bid), ask.quotes().select(&of_ask)))
}

/// Rows of equal labels, ascending.
fn common_rows(bid: &[i64], ask: &[i64]) -> Vec<(usize, usize)> {
    let mut common = Vec::with_capacity(bid.len().min(ask.len()));
    let (mut i, mut j) = (0, 0);
    while i < bid.len() && j < ask.len() {
        match bid[i].cmp(&ask[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                common.push((i, j));
                i += 1;
                j += 1;
            }
        }
    }
    common
}

fn misaligned(bid: &Bars, ask: &Bars, common: &[(usize, usize)], notes: &ImportNotes) -> Error {
    let first = |label: &[i64], shared: &[usize]| {
        let mut shared = shared.iter().peekable();
        let only = (0..label.len()).filter(|row| shared.next_if(|&s| s == row).is_none());
        only.take(5).map(|row| iso(label[row])).collect::<Vec<_>>().join(", ")
    };
    let (of_bid, of_ask): (Vec<usize>, Vec<usize>) = common.iter().copied().unzip();
    let mut places = Vec::new();
    if notes.labels_only_bid > 0 {
        places.push(format!("only in {}: {}", bid.name(), first(bid.label(), &of_bid)));
    }
    if notes.labels_only_ask > 0 {
        places.push(format!("only in {}: {}", ask.name(), first(ask.label(), &of_ask)));
    }
    let what = format!(
        "bid and ask differ in {} labels of {} ({} only bid, {} only ask)",
        notes.labels_only_bid + notes.labels_only_ask,
        common.len() + notes.labels_only_bid + notes.labels_only_ask,
        notes.labels_only_bid,
        notes.labels_only_ask,
    );
    Error::data(1011, what).at(places.join("; ")).fix(format!(
        "give matching files, or set market.max_alignment_loss to {:.4} or more",
        notes.alignment_loss
    ))
}

/// The ask side after the policy for crossed quotes.
fn uncrossed(
    label: &[i64],
    bid: &Quotes,
    ask: Quotes,
    options: &MarketOptions,
    notes: &mut ImportNotes,
) -> Result<Quotes> {
    if options.crossed == Crossed::Count {
        return Ok(ask);
    }
    let found = crossing(label, bid, &ask, options.spec.pip_size);
    if found.bars == 0 {
        return Ok(ask);
    }
    if options.crossed == Crossed::Reject {
        let shown: Vec<String> = found.first.iter().map(|&t| iso(t)).collect();
        return Err(Error::data(1006, format!("ask below bid in {} bars", found.bars))
            .at(format!("{} and {}: {}", options.name_bid, options.name_ask, shown.join(", ")))
            .fix("set market.crossed: count or clamp"));
    }
    notes.bars_clamped = found.bars;
    let of_bid = bid.prices();
    Ok(ask
        .with_prices(|side, column| column.iter().zip(of_bid[side].iter()).map(|(a, b)| a.max(*b)).collect()))
}

#[cfg(test)]
mod tests;
