//! What all trials of one engine share: market, options, models, calendar, series.

use crate::cache::{CacheStats, SeriesCache};
use crate::declare::{Context, Declaration};
use crate::error::{Error, Result};
use crate::execution::commission::CommissionModel;
use crate::execution::options::{Account, Options};
use crate::execution::rates::{Rates, known_by};
use crate::execution::sizing::{SizingModel, UnitMoney};
use crate::execution::slippage::SlippageModel;
use crate::market::{Kind, Market, SymbolSpec, Timeframe};
use crate::portfolio::Money;
use crate::run::calendar::Calendar;
use crate::run::identity::IdentityTemplate;
use crate::series::{CloseTicks, Indicators};
use crate::strategy::View;
use std::collections::BTreeMap;
use std::ops::Range;

/// One market under one set of options. Immutable; trials on it share its series.
#[derive(Debug)]
pub struct Session {
    /// The market as it is traded: after the spread multiplier.
    pub market: Market,
    /// Complete options.
    pub options: Options,
    /// Digest of all rows, those of given higher timeframes too, before the spread multiplier.
    pub dataset: String,
    /// Trading days of the traded bars.
    pub calendar: Calendar,
    /// Digests of the rate series, by pair: of the bars that ended by the close of the last traded bar.
    pub rate_datasets: BTreeMap<String, String>,
    /// What is odd about these options on this market, but legal.
    pub warnings: Vec<String>,
    /// Value of price moves.
    pub money: Money,
    pub(crate) sizing: SizingModel,
    pub(crate) commission: CommissionModel,
    pub(crate) slippage: SlippageModel,
    pub(crate) traded: Range<usize>,
    cache: SeriesCache,
    ticks: CloseTicks,
}

impl Session {
    /// Resolves everything that a backtest on `market` can need; `rates` are the rate series, by pair.
    ///
    /// # Errors
    /// [1001] for a rate of no pair, [1008] for a missing conversion rate, [1010] for a market without traded
    /// bars, [4001] for ticks.
    pub fn new(
        market: &Market,
        options: Options,
        rates: &BTreeMap<String, Market>,
        cache_bytes: usize,
    ) -> Result<Self> {
        refuse_ticks(market, "")?;
        rates.iter().try_for_each(|(pair, series)| refuse_ticks(series, &format!("rates.series.{pair}")))?;
        refuse_margin(&options)?;
        let dataset = market.dataset().to_string();
        let market = market.spread_multiplied(options.costs.spread_multiplier)?;
        let traded = market.first_traded()..market.len();
        if traded.is_empty() {
            return Err(Error::data(1010, "the window holds no bar").fix("widen market.window"));
        }
        let spec = market.spec();
        let account = &options.account;
        let end = market.label()[traded.end - 1] + market.timeframe().micros();
        let rate_datasets = rates
            .iter()
            .map(|(pair, series)| Ok((pair.clone(), known_by(series, end)?.to_string())))
            .collect::<Result<_>>()?;
        let rates = Rates::new(&options.rates, rates)?;
        let unit = UnitMoney::new(spec, account.sizing.unit_value, &account.currency, &rates)?;
        let execution = &options.execution;
        Ok(Self {
            dataset,
            rate_datasets,
            warnings: warnings(spec, account),
            calendar: Calendar::new(&market.label()[traded.clone()], options.metrics.calendar),
            sizing: SizingModel::new(
                spec,
                &account.sizing,
                account.risk_per_trade,
                execution.below_min_volume,
                unit.clone(),
            ),
            commission: CommissionModel::new(&options.costs, account, spec, &rates)?,
            slippage: SlippageModel::new(&options.costs, execution.seed, &spec.symbol, spec.pip_size),
            money: Money { pnl: execution.pnl, unit },
            traded,
            cache: SeriesCache::new(cache_bytes),
            ticks: CloseTicks::new(market.spec()),
            market,
            options,
        })
    }

    /// The market as plain slices.
    pub fn view(&self) -> View<'_> {
        View::of(&self.market)
    }

    /// The market's indicator series.
    pub fn indicators(&self) -> Indicators<'_> {
        Indicators::new(&self.market, &self.cache, &self.ticks)
    }

    /// What parameters are made canonical for.
    pub fn context(&self) -> Context {
        context(self.market.timeframe())
    }

    /// Counters of the series cache.
    pub fn cache_stats(&self) -> CacheStats {
        self.cache.stats()
    }

    /// Identity documents of a strategy's trials here.
    ///
    /// # Errors
    /// As [`IdentityTemplate::new`].
    pub fn identity(&self, strategy: &Declaration) -> Result<IdentityTemplate> {
        IdentityTemplate::new(self, strategy)
    }
}

/// # Errors
/// [4001] if the market holds ticks, which are not traded yet.
fn refuse_ticks(market: &Market, place: &str) -> Result<()> {
    if market.kind() == Kind::Bars {
        return Ok(());
    }
    Err(Error::config(4001, "tick data")
        .at(place)
        .fix("build bars of it: sweep data resample FILE M1 --to bars.parquet"))
}

/// # Errors
/// [4001] if fills shall need free margin, which they do not yet.
fn refuse_margin(options: &Options) -> Result<()> {
    if !options.execution.check_margin {
        return Ok(());
    }
    Err(Error::config(4001, "check_margin: true is not built in this version")
        .at("execution.check_margin")
        .fix("leave it out"))
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

    #[test]
    fn ticks_are_refused_and_the_message_says_what_to_do() {
        let object = serde_json::json!({});
        let spec = SymbolSpec::resolve("EURUSD", &serde_json::Map::new()).unwrap();
        let bars = SyntheticOptions::new(spec.clone(), "M1".parse().unwrap(), 10);
        let bars = Market::synthetic(&bars).unwrap();
        let refused = |market: &Market, rates: &BTreeMap<String, Market>| {
            Session::new(market, resolve(&object, "EURUSD").unwrap(), rates, 0).unwrap_err()
        };
        let error = refused(&ticks(spec.clone()), &BTreeMap::new());
        assert_eq!(error.stage, crate::Stage::Config);
        assert_eq!(
            error.to_string(),
            "[4001] tick data; build bars of it: sweep data resample FILE M1 --to bars.parquet"
        );
        let error = refused(&bars, &BTreeMap::from([("EURUSD".to_owned(), ticks(spec))]));
        assert_eq!((error.code, error.place.as_str()), (4001, "rates.series.EURUSD"));
        assert!(Session::new(&bars, resolve(&object, "EURUSD").unwrap(), &BTreeMap::new(), 0).is_ok());
    }
}
