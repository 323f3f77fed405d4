//! What all trials of one engine share: market, options, models, calendar, series.

use crate::cache::{CacheStats, SeriesCache};
use crate::declare::{Context, Declaration};
use crate::error::{Error, Result};
use crate::execution::commission::CommissionModel;
use crate::execution::margin::Margin;
use crate::execution::options::{Account, Costs, Options};
use crate::execution::rates::{Rates, known_by};
use crate::execution::sizing::{SizingModel, UnitMoney};
use crate::execution::slippage::SlippageModel;
use crate::extremes::Extremes;
use crate::gates::GateTable;
use crate::market::{Kind, Market, SymbolSpec, Timeframe};
use crate::portfolio::Money;
use crate::run::calendar::Calendar;
use crate::run::identity::IdentityTemplate;
use crate::run::level::Level;
use crate::run::tick_plan::TickPlan;
use crate::schema::Digest;
use crate::series::{CloseTicks, Indicators};
use crate::strategy::{SideView, View};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Markets under one set of options. Immutable; trials on it share its series.
#[derive(Debug, Clone)]
pub struct Session {
    /// What is traded, in configured order.
    pub instruments: Vec<Instrument>,
    /// Complete options; where symbols differ, in their commission, those of the first symbol.
    pub options: Options,
    /// Digest of all rows, those of given higher timeframes too, before the spread multiplier.
    pub dataset: String,
    /// Trading days of the traded bars of all symbols.
    pub calendar: Calendar,
    /// Digests of the rate series, by pair: of the bars that ended by the close of the last traded bar.
    pub rate_datasets: BTreeMap<String, String>,
    /// What is odd about these options on these markets, but legal.
    pub warnings: Vec<String>,
    /// What is run instead of the whole window, at a pruning level.
    pub level: Option<Level>,
}

/// One symbol: its market, and what its prices, sizes and fees are worth.
#[derive(Debug, Clone)]
pub struct Instrument {
    /// The market as it is traded: after the spread multiplier.
    pub market: Market,
    /// Commission as resolved for the symbol.
    pub costs: Costs,
    /// Value of price moves.
    pub money: Money,
    /// Order of ticks and bars, if the market consists of ticks.
    pub ticks: Option<TickPlan>,
    pub(crate) sizing: SizingModel,
    pub(crate) commission: CommissionModel,
    pub(crate) slippage: SlippageModel,
    pub(crate) margin: Margin,
    /// When entries are blocked; none without gates.
    pub(crate) gates: Option<GateTable>,
    pub(crate) traded: Range<usize>,
    pub(crate) extremes: Arc<BothSides>,
    cache: Arc<SeriesCache>,
    close_ticks: Arc<CloseTicks>,
}

/// Extremes of both sides.
#[derive(Debug)]
pub(crate) struct BothSides {
    pub bid: Extremes,
    pub ask: Extremes,
}

impl BothSides {
    fn of(market: &Market) -> Self {
        let (bid, ask) = (SideView::of(market.bid()), SideView::of(market.ask()));
        Self { bid: Extremes::of(&bid), ask: Extremes::of(&ask) }
    }
}

impl Instrument {
    fn new(market: &Market, options: &Options, rates: &Rates, cache_bytes: usize) -> Result<Self> {
        let multiplier = options.costs.spread_multiplier;
        let market = market.spread_multiplied(multiplier)?;
        let traded = market.first_traded()..market.len();
        if traded.is_empty() && market.ticks().is_none() {
            return Err(Error::data(1010, "the window holds no bar").fix("widen market.window"));
        }
        let spec = market.spec();
        let account = &options.account;
        let unit = UnitMoney::new(spec, account.sizing.unit_value, &account.currency, rates)?;
        let execution = &options.execution;
        Ok(Self {
            sizing: SizingModel::new(
                spec,
                &account.sizing,
                account.risk_per_trade,
                execution.below_min_volume,
                unit.clone(),
            ),
            commission: CommissionModel::new(&options.costs, account, spec, rates)?,
            slippage: SlippageModel::new(
                &options.costs,
                execution.seed,
                &spec.symbol,
                spec.pip_size,
                market.len(),
            ),
            margin: Margin::new(unit.clone(), account.leverage),
            money: Money { pnl: execution.pnl, unit },
            ticks: TickPlan::of(&market, multiplier),
            gates: GateTable::new(&options.gates, spec, || closes(&market)),
            traded,
            extremes: Arc::new(BothSides::of(&market)),
            cache: Arc::new(SeriesCache::new(cache_bytes)),
            close_ticks: Arc::new(CloseTicks::new(spec)),
            costs: options.costs.clone(),
            market,
        })
    }

    /// Indices of the traded bars.
    pub fn traded(&self) -> Range<usize> {
        self.traded.clone()
    }

    /// The market as plain slices.
    pub fn view(&self) -> View<'_> {
        View::of(&self.market, self.indicators())
    }

    /// The market's indicator series.
    pub fn indicators(&self) -> Indicators<'_> {
        Indicators::new(&self.market, &self.cache, &self.close_ticks)
    }

    /// Trades the bars of [from, until) alone.
    pub(crate) fn narrow(&mut self, from: i64, until: i64) {
        let labels = &self.market.label()[self.traded.clone()];
        let [start, end] = [from, until].map(|bound| labels.partition_point(|&label| label < bound));
        self.traded = self.traded.start + start..self.traded.start + end;
    }

    /// Labels of the equity samples of several, ascending. Those of one market of bars are its own column.
    pub(crate) fn labels(instruments: &[Self]) -> Cow<'_, [i64]> {
        if let [one] = instruments
            && one.ticks.is_none()
        {
            return Cow::Borrowed(&one.market.label()[one.traded.clone()]);
        }
        let mut labels: Vec<i64> = instruments.iter().flat_map(Self::sampled).collect();
        if instruments.len() > 1 {
            labels.sort_unstable();
            labels.dedup();
        }
        labels.into()
    }

    /// Labels of the equity samples: the traded bars, and of ticks the bar that is still forming.
    fn sampled(&self) -> impl Iterator<Item = i64> + '_ {
        let forming = self.ticks.as_ref().map(|plan| plan.forming);
        self.market.label()[self.traded.clone()].iter().copied().chain(forming)
    }

    /// End of the last sampled bar.
    fn end(&self) -> i64 {
        self.sampled().last().unwrap_or(i64::MIN) + self.market.timeframe().micros()
    }
}

impl Session {
    /// Resolves everything that a backtest on `markets` can need; `options` are those of each symbol, `rates` the rate
    /// series by pair.
    ///
    /// # Errors
    /// [1001] for markets that do not belong together and for a rate of no pair, [1008] for a missing conversion rate,
    /// [1010] for a market without traded bars, [4001] for ticks of several symbols.
    pub fn new(
        markets: &[Market],
        options: Vec<Options>,
        rates: &BTreeMap<String, Market>,
        cache_bytes: usize,
    ) -> Result<Self> {
        belong_together(markets)?;
        rates.iter().try_for_each(|(pair, series)| refuse_ticks(series, &format!("rates.series.{pair}")))?;
        let first = options.first().ok_or_else(|| Error::engine(4004, "no options"))?.clone();
        let table = Rates::new(&first.rates, rates)?;
        // Each symbol has its own series, and its share of the bound.
        let cache_bytes = cache_bytes / markets.len();
        let instruments: Vec<Instrument> = markets
            .iter()
            .zip(&options)
            .map(|(market, options)| Instrument::new(market, options, &table, cache_bytes))
            .collect::<Result<_>>()?;
        let end = instruments.iter().map(Instrument::end).max().unwrap_or(i64::MIN);
        let rate_datasets = rates
            .iter()
            .map(|(pair, series)| Ok((pair.clone(), known_by(series, end)?.to_string())))
            .collect::<Result<_>>()?;
        Ok(Self {
            dataset: dataset(markets),
            rate_datasets,
            warnings: markets.iter().flat_map(|market| warnings(market.spec(), &first.account)).collect(),
            calendar: Calendar::new(&Instrument::labels(&instruments), first.metrics.calendar),
            options: first,
            instruments,
            level: None,
        })
    }

    /// The name of a symbol by its number.
    pub fn symbol(&self, number: usize) -> &str {
        &self.instruments[number].market.spec().symbol
    }

    /// The timeframe of all markets.
    pub fn timeframe(&self) -> Timeframe {
        self.instruments[0].market.timeframe()
    }

    /// The first label that is sampled.
    pub fn first_label(&self) -> i64 {
        self.instruments.iter().filter_map(|x| x.sampled().next()).min().unwrap_or(0)
    }

    /// Equity samples of a backtest.
    pub fn samples(&self) -> usize {
        self.calendar.day_ends.last().copied().unwrap_or(0)
    }

    /// What parameters are made canonical for.
    pub fn context(&self) -> Context {
        context(self.timeframe())
    }

    /// Keeps the bound of the series caches, when a trial has let go of what it used.
    pub fn trim_caches(&self) {
        self.instruments.iter().for_each(|instrument| instrument.cache.trim());
    }

    /// Counters of the series cache.
    pub fn cache_stats(&self) -> CacheStats {
        let mut all = CacheStats::default();
        self.instruments.iter().for_each(|x| all.add(&x.cache.stats()));
        all
    }

    /// Identity documents of a strategy's trials here.
    ///
    /// # Errors
    /// As [`IdentityTemplate::new`].
    pub fn identity(&self, strategy: &Declaration) -> Result<IdentityTemplate> {
        IdentityTemplate::new(self, strategy)
    }
}

/// Moments of decision, by bar.
fn closes(market: &Market) -> Vec<i64> {
    let timeframe = market.timeframe().micros();
    market.label().iter().map(|label| label + timeframe).collect()
}

/// # Errors
/// [1001] unless symbols differ and timeframe and window agree, [4001] for ticks of several symbols.
fn belong_together(markets: &[Market]) -> Result<()> {
    let Some((first, others)) = markets.split_first() else {
        return Err(Error::config(1008, "a market is needed").at("market"));
    };
    let wrong = |what: String| Err(Error::config(1001, what).at("market"));
    for (k, market) in others.iter().enumerate() {
        let symbol = &market.spec().symbol;
        if markets[..=k].iter().any(|earlier| earlier.spec().symbol == *symbol) {
            return wrong(format!("{symbol} is there twice"));
        }
        if market.alignment() != first.alignment() {
            return wrong(format!("{symbol} and {} differ in day or stale_after", first.spec().symbol));
        }
        if market.timeframe() != first.timeframe() {
            return wrong(format!(
                "{symbol} has bars of {}, {} of {}",
                market.timeframe(),
                first.spec().symbol,
                first.timeframe()
            ));
        }
    }
    if others.is_empty() || markets.iter().all(|market| market.kind() == Kind::Bars) {
        return Ok(());
    }
    Err(Error::config(4001, "ticks of several symbols").at("market").fix("trade one symbol, or bars"))
}

/// The digest of one market; of several the SHA-256 of their hex digests in order of symbol.
fn dataset(markets: &[Market]) -> String {
    if let [market] = markets {
        return market.dataset().to_string();
    }
    let mut sorted: Vec<&Market> = markets.iter().collect();
    sorted.sort_by_key(|market| &market.spec().symbol);
    let mut hash = Sha256::new();
    for market in sorted {
        hash.update(market.dataset().to_string());
    }
    Digest(hash.finalize().into()).to_string()
}

/// # Errors
/// [4001] if a rate series holds ticks.
fn refuse_ticks(market: &Market, place: &str) -> Result<()> {
    if market.kind() == Kind::Bars {
        return Ok(());
    }
    Err(Error::config(4001, "tick data")
        .at(place)
        .fix("build bars of it: sweep data resample FILE M1 --to bars.parquet"))
}

/// A tick value that contradicts the contract size.
fn warnings(spec: &SymbolSpec, account: &Account) -> Vec<String> {
    let Some(tick_value) = spec.tick_value.filter(|_| spec.quote_currency == account.currency) else {
        return Vec::new();
    };
    let implied = tick_value / spec.tick_size;
    if (implied - spec.contract_size).abs() <= 1e-6 * spec.contract_size {
        return Vec::new();
    }
    vec![format!(
        "{}: tick_value / tick_size = {implied:?} differs from contract_size = {:?}",
        spec.symbol, spec.contract_size
    )]
}

/// What parameters are made canonical for on a primary timeframe.
pub fn context(timeframe: Timeframe) -> Context {
    Context { timeframe: timeframe.to_string(), timeframe_minutes: timeframe.minutes() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::resolve::resolve;
    use crate::market::{RawTicks, SyntheticOptions, TickOptions};

    fn ticks(spec: SymbolSpec) -> Market {
        let raw = RawTicks {
            time: vec![0, 60_000_000].into(),
            bid: vec![1.1; 2].into(),
            ask: vec![1.1; 2].into(),
            bid_size: None,
            ask_size: None,
        };
        Market::from_ticks(raw, &TickOptions::new(spec, "M1".parse().unwrap())).unwrap()
    }

    fn spec(symbol: &str) -> SymbolSpec {
        SymbolSpec::resolve(symbol, &serde_json::Map::new()).unwrap()
    }

    fn bars(symbol: &str, timeframe: &str) -> Market {
        Market::synthetic(&SyntheticOptions::new(spec(symbol), timeframe.parse().unwrap(), 10)).unwrap()
    }

    fn session(markets: &[Market], rates: &BTreeMap<String, Market>) -> Result<Session> {
        let options = serde_json::json!({"rates": {"static": {"USDJPY": 150.0}}});
        let resolved = markets.iter().map(|m| resolve(&options, &m.spec().symbol).unwrap()).collect();
        Session::new(markets, resolved, rates, 0)
    }

    #[test]
    fn markets_that_do_not_belong_together_are_refused() {
        let none = BTreeMap::new();
        let eur = bars("EURUSD", "M1");
        let refused = |other: Market| session(&[eur.clone(), other], &none).unwrap_err();
        assert_eq!(refused(eur.clone()).to_string(), "[1001] EURUSD is there twice; market");
        assert_eq!(refused(bars("USDJPY", "M5")).code, 1001);
        assert_eq!(refused(ticks(spec("USDJPY"))).code, 4001);
        assert_eq!(session(&[], &none).unwrap_err().code, 1008);
        assert!(session(&[eur.clone(), bars("USDJPY", "M1")], &none).is_ok());
        assert!(session(&[ticks(spec("EURUSD"))], &none).is_ok());
        let rates = BTreeMap::from([("EURUSD".to_owned(), ticks(spec("EURUSD")))]);
        let error = session(&[eur], &rates).unwrap_err();
        assert_eq!((error.code, error.place.as_str()), (4001, "rates.series.EURUSD"));
    }

    #[test]
    fn the_dataset_of_several_does_not_depend_on_their_order() {
        let (a, b) = (bars("EURUSD", "M1"), bars("USDJPY", "M1"));
        let none = BTreeMap::new();
        let one = session(&[a.clone(), b.clone()], &none).unwrap().dataset;
        assert_eq!(session(&[b, a.clone()], &none).unwrap().dataset, one);
        assert_ne!(session(&[a], &none).unwrap().dataset, one);
    }
}
