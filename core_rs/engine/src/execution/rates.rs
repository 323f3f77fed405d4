//! Currency conversion by numbers and by rate series, resolved before the first bar.

use crate::error::{Error, Result};
use crate::execution::options::RateOptions;
use crate::market::calendar::iso;
use crate::market::{Market, Quotes};
use crate::{Column, schema::Digest};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// µs per hour.
const HOUR: f64 = 3_600_000_000.0;

/// Where the last lookup ended. It makes the next one fast and never decides it.
#[derive(Debug, Default)]
struct Hint(AtomicUsize);

impl Clone for Hint {
    fn clone(&self) -> Self {
        Self(AtomicUsize::new(self.0.load(Ordering::Relaxed)))
    }
}

/// The price of one currency in another over time: the mid closes of a market, each known from its bar's end on.
#[derive(Debug, Clone)]
pub struct RateSeries {
    pair: String,
    label: Column<i64>,
    bid: Column<f64>,
    ask: Column<f64>,
    length: i64,
    max_age_hours: f64,
    hint: Hint,
}

impl RateSeries {
    /// The rate `pair` of a market's closes, which may be up to `max_age_hours` old. Shares the market's memory.
    pub fn new(pair: &str, market: &Market, max_age_hours: f64) -> Self {
        let close = |quotes: &Quotes| quotes.close.clone();
        Self {
            pair: pair.to_owned(),
            label: market.label_column().clone(),
            bid: close(market.bid()),
            ask: close(market.ask()),
            length: market.timeframe().micros(),
            max_age_hours,
            hint: Hint::default(),
        }
    }

    /// The rate at moment `t`, µs: of the last bar that ended by then.
    ///
    /// # Errors
    /// [2008] if no bar has ended, or the last one that has is too old.
    #[inline]
    fn at(&self, t: i64) -> Result<f64> {
        let ended = self.ended(t);
        let Some(last) = ended.checked_sub(1) else { return Err(self.missing(t)) };
        #[allow(clippy::cast_precision_loss)]
        let age = (t - self.end(last)) as f64;
        if age > self.max_age_hours * HOUR {
            return Err(self.aged(t, last));
        }
        Ok(0.5 * (self.bid[last] + self.ask[last]))
    }

    fn end(&self, bar: usize) -> i64 {
        self.label[bar] + self.length
    }

    /// Number of bars that ended at or before `t`. Moments mostly advance: strides that double lead on from the last
    /// answer, and the plain search is left with the last of them.
    fn ended(&self, t: i64) -> usize {
        let label = self.label.as_slice();
        let latest = t - self.length;
        let from = self.hint.0.load(Ordering::Relaxed);
        let (low, high) = if from > 0 && label[from - 1] > latest {
            (0, from - 1)
        } else {
            let mut stride = 1;
            while label.get(from + stride - 1).is_some_and(|&l| l <= latest) {
                stride *= 2;
            }
            (from + stride / 2, label.len().min(from + stride - 1))
        };
        let ended = low + label[low..high].partition_point(|&l| l <= latest);
        self.hint.0.store(ended, Ordering::Relaxed);
        ended
    }

    #[cold]
    fn missing(&self, t: i64) -> Error {
        let first = iso(self.end(0));
        self.failure(t, format!("its first bar ends at {first}")).fix("let the rate series start earlier")
    }

    #[cold]
    fn aged(&self, t: i64, last: usize) -> Error {
        let what = format!(
            "its last bar ended at {}, more than {} hours before",
            iso(self.end(last)),
            self.max_age_hours
        );
        self.failure(t, what).fix("fill the hole, or raise rates.max_rate_age_hours")
    }

    fn failure(&self, t: i64, why: String) -> Error {
        Error::engine(2008, format!("no rate {} at {}: {why}", self.pair, iso(t)))
            .at(format!("rates.series.{}", self.pair))
            .with("pair", self.pair.as_str().into())
            .with("time", iso(t).into())
    }
}

/// A rate: always the same, or of a moment.
#[derive(Debug, Clone)]
enum Rate {
    Fixed(f64),
    Series(RateSeries),
}

impl Rate {
    #[inline]
    fn at(&self, t: i64) -> Result<f64> {
        match self {
            Self::Fixed(rate) => Ok(*rate),
            Self::Series(series) => series.at(t),
        }
    }
}

/// All rates that an engine was given.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    fixed: BTreeMap<String, f64>,
    series: BTreeMap<String, RateSeries>,
}

impl Rates {
    /// Numbers from the options, series from markets by pair.
    ///
    /// # Errors
    /// [1001] for a key that is no pair.
    pub fn new(options: &RateOptions, markets: &BTreeMap<String, Market>) -> Result<Self> {
        let mut series = BTreeMap::new();
        for (pair, market) in markets {
            check_pair(pair, "rates.series")?;
            series.insert(pair.clone(), RateSeries::new(pair, market, options.max_rate_age_hours));
        }
        Ok(Self { fixed: options.fixed.clone(), series })
    }

    /// The rate of a pair; a number wins over a series.
    fn get(&self, pair: &str) -> Option<Rate> {
        let fixed = self.fixed.get(pair).copied().map(Rate::Fixed);
        fixed.or_else(|| self.series.get(pair).cloned().map(Rate::Series))
    }
}

/// Refuses what is no pair of two currency codes.
///
/// # Errors
/// [1001].
pub fn check_pair(pair: &str, place: &str) -> Result<()> {
    if pair.len() == 6 && pair.chars().all(|c| c.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(Error::config(1001, format!("{pair:?} is no pair"))
        .at(format!("{place}.{pair}"))
        .fix("use six capital letters"))
}

/// Names the bars of a rate market that ended by `end`: bars appended later do not change it.
///
/// # Errors
/// As [`Market::window`].
pub fn known_by(market: &Market, end: i64) -> Result<Digest> {
    let until = end - market.timeframe().micros() + 1;
    let known = market.label().partition_point(|&label| label < until);
    if known == 0 || known == market.len() {
        return Ok(market.digest());
    }
    Ok(market.window(None, Some(until), 0)?.digest())
}

/// A conversion that a backtest needs, reduced to what has to be computed per amount.
#[derive(Debug, Clone)]
pub struct Conversion(Steps);

#[derive(Debug, Clone)]
enum Steps {
    /// Same currency.
    Identity,
    /// Times the rate.
    Times(Rate),
    /// Divided by the rate.
    Over(Rate),
    /// Through US dollars.
    Through(Box<Steps>, Box<Steps>),
}

impl Steps {
    #[inline]
    fn apply(&self, x: f64, t: i64) -> Result<f64> {
        Ok(match self {
            Self::Identity => x,
            Self::Times(rate) => x * rate.at(t)?,
            Self::Over(rate) => x / rate.at(t)?,
            Self::Through(first, second) => second.apply(first.apply(x, t)?, t)?,
        })
    }

    fn is_steady(&self) -> bool {
        match self {
            Self::Identity => true,
            Self::Times(rate) | Self::Over(rate) => matches!(rate, Rate::Fixed(_)),
            Self::Through(first, second) => first.is_steady() && second.is_steady(),
        }
    }

    fn direct(from: &str, to: &str, rates: &Rates) -> Option<Self> {
        if from == to {
            return Some(Self::Identity);
        }
        let pair = |a: &str, b: &str| rates.get(&format!("{a}{b}"));
        pair(from, to).map(Self::Times).or_else(|| pair(to, from).map(Self::Over))
    }
}

impl Conversion {
    /// Amounts stay as they are.
    pub const IDENTITY: Self = Self(Steps::Identity);

    /// The amount in the target currency at moment `t`, µs.
    ///
    /// # Errors
    /// [2008] if a rate series knows no rate at `t`; never with fixed rates.
    #[inline]
    pub fn apply(&self, x: f64, t: i64) -> Result<f64> {
        match &self.0 {
            Steps::Identity => Ok(x),
            steps => steps.apply(x, t),
        }
    }

    /// Whether the same amount converts alike at every moment.
    pub fn is_steady(&self) -> bool {
        self.0.is_steady()
    }

    /// The first rule that applies: equal, pair FT, pair TF, through USD.
    ///
    /// # Errors
    /// [1008] naming the missing pair.
    pub fn resolve(from: &str, to: &str, rates: &Rates) -> Result<Self> {
        if let Some(direct) = Steps::direct(from, to, rates) {
            return Ok(Self(direct));
        }
        match (Steps::direct(from, "USD", rates), Steps::direct("USD", to, rates)) {
            (Some(first), Some(second)) => Ok(Self(Steps::Through(Box::new(first), Box::new(second)))),
            _ => Err(Error::config(1008, format!("no rate from {from} to {to}"))
                .at("rates")
                .fix(format!("add {from}{to} or {to}{from}, or both legs through USD"))
                .with("pair", format!("{from}{to}").into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{MarketOptions, RawBars};
    use proptest::prelude::*;
    use rstest::rstest;

    const MINUTE: i64 = 60_000_000;
    const HOUR: i64 = 60 * MINUTE;
    const TEN: i64 = 1_704_103_200_000_000; // 2024-01-01 10:00

    /// A market of flat hours at these labels: bids as given, asks higher by `spread`.
    fn hours(labels: &[i64], bids: &[f64], spread: f64) -> Market {
        let side = |add: f64| {
            let price = || -> Column<f64> { bids.iter().map(|b| b + add).collect::<Vec<_>>().into() };
            RawBars {
                label: labels.to_vec().into(),
                open: price(),
                high: price(),
                low: price(),
                close: price(),
                volume: None,
            }
        };
        let options =
            MarketOptions::from_json(r#"{"spec": {"symbol": "EURUSD"}, "timeframe": "H1"}"#).unwrap();
        Market::from_bars(side(0.0), Some(side(spread)), &options).unwrap()
    }

    fn rates(fixed: &[(&str, f64)], series: &[(&str, Market)]) -> Rates {
        let fixed = fixed.iter().map(|(pair, rate)| ((*pair).to_owned(), *rate)).collect();
        let options = RateOptions { fixed, ..RateOptions::default() };
        let markets = series.iter().map(|(pair, market)| ((*pair).to_owned(), market.clone())).collect();
        Rates::new(&options, &markets).unwrap()
    }

    fn convert(from: &str, to: &str, rates: &Rates, x: f64) -> f64 {
        Conversion::resolve(from, to, rates).unwrap().apply(x, TEN).unwrap()
    }

    #[rstest]
    #[case("AUD", "EUR", 1.0, 0.52)]
    #[case("JPY", "EUR", 1_000.0, 5.333_333_333_333_334)]
    #[case("EUR", "USD", 4.0, 5.0)]
    #[case("CHF", "CHF", 3.0, 3.0)]
    fn conversion_is_direct_inverse_or_through_dollars(
        #[case] from: &str,
        #[case] to: &str,
        #[case] x: f64,
        #[case] wanted: f64,
    ) {
        let pairs = [("EURUSD", 1.25), ("AUDUSD", 0.65), ("USDJPY", 150.0)];
        assert_eq!(convert(from, to, &rates(&pairs, &[]), x), wanted);
        let series = pairs.map(|(pair, rate)| (pair, hours(&[TEN - HOUR], &[rate], 0.0)));
        assert_eq!(convert(from, to, &rates(&[], &series), x), wanted);
        let mixed = rates(&pairs[..2], &series[2..]);
        assert_eq!(convert(from, to, &mixed, x), wanted);
    }

    #[test]
    fn a_missing_pair_is_named() {
        let e = Conversion::resolve("CHF", "EUR", &rates(&[("EURUSD", 1.25)], &[])).unwrap_err();
        assert_eq!(e.code, 1008);
        assert!(e.to_string().contains("CHFEUR"), "{e}");
    }

    #[test]
    fn a_number_wins_over_a_series_of_its_pair() {
        let series = [("EURUSD", hours(&[TEN - HOUR], &[2.0], 0.0))];
        assert_eq!(convert("EUR", "USD", &rates(&[("EURUSD", 1.25)], &series), 1.0), 1.25);
    }

    #[rstest]
    #[case(TEN + HOUR, 1.1)]
    #[case(TEN + 2 * HOUR - MINUTE, 1.1)]
    #[case(TEN + 2 * HOUR, 1.2)]
    #[case(TEN + 2 * HOUR + 96 * HOUR, 1.2)]
    fn the_last_complete_bar_gives_the_mid_of_its_close(#[case] t: i64, #[case] bid: f64) {
        let market = hours(&[TEN, TEN + HOUR], &[1.1, 1.2], 0.5);
        let conversion = Conversion::resolve("EUR", "USD", &rates(&[], &[("EURUSD", market)])).unwrap();
        assert_eq!(conversion.apply(1.0, t).unwrap(), 0.5 * (bid + (bid + 0.5)));
    }

    #[rstest]
    #[case(TEN + HOUR - 1, "2024-01-01T11:00:00Z")]
    #[case(TEN + 2 * HOUR + 96 * HOUR + 1, "96 hours")]
    fn a_missing_and_an_aged_rate_are_errors(#[case] t: i64, #[case] mentions: &str) {
        let market = hours(&[TEN, TEN + HOUR], &[1.1, 1.2], 0.0);
        let conversion = Conversion::resolve("USD", "EUR", &rates(&[], &[("EURUSD", market)])).unwrap();
        let e = conversion.apply(1.0, t).unwrap_err();
        assert_eq!(e.code, 2008);
        assert!(e.to_string().contains(mentions) && e.to_string().contains("EURUSD"), "{e}");
    }

    #[test]
    fn appended_bars_do_not_rename_what_was_known() {
        let short = hours(&[TEN, TEN + HOUR], &[1.1, 1.2], 0.0);
        let long = hours(&[TEN, TEN + HOUR, TEN + 2 * HOUR], &[1.1, 1.2, 1.3], 0.0);
        assert_eq!(known_by(&long, TEN + 2 * HOUR).unwrap(), short.digest());
        assert_eq!(known_by(&long, TEN + 3 * HOUR - 1).unwrap(), short.digest());
        assert_eq!(known_by(&long, TEN + 3 * HOUR).unwrap(), long.digest());
        assert_eq!(known_by(&long, TEN).unwrap(), long.digest(), "nothing is known: all rows name it");
    }

    proptest! {
        /// Whatever the order of the lookups, each is the plain search.
        #[test]
        fn lookups_do_not_depend_on_each_other(
            gaps in prop::collection::vec(1_i64..200, 1..30),
            moments in prop::collection::vec(-50_i64..3_000, 1..40),
        ) {
            let mut label = TEN;
            let labels: Vec<i64> = gaps.iter().map(|gap| { label += gap * HOUR; label }).collect();
            let bids: Vec<f64> = (1..=labels.len()).map(|k| f64::from(u32::try_from(k).unwrap())).collect();
            let series = RateSeries::new("EURUSD", &hours(&labels, &bids, 0.0), 96.0);
            for moment in moments {
                let t = TEN + moment * HOUR;
                let last = labels.iter().rposition(|l| l + HOUR <= t);
                let known = last.filter(|&k| t - (labels[k] + HOUR) <= 96 * HOUR);
                prop_assert_eq!(series.at(t).ok(), known.map(|k| bids[k]));
            }
        }
    }
}
