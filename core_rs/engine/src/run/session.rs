//! What all trials of one engine share: market, options, models, calendar, series.

use crate::cache::{CacheStats, SeriesCache};
use crate::declare::{Context, Declaration};
use crate::error::{Error, Result};
use crate::execution::commission::CommissionModel;
use crate::execution::options::{Account, Options};
use crate::execution::rates::{Rates, known_by};
use crate::execution::sizing::{SizingModel, UnitMoney};
use crate::execution::slippage::SlippageModel;
use crate::market::{Market, SymbolSpec, Timeframe};
use crate::portfolio::Money;
use crate::run::calendar::Calendar;
use crate::run::identity::IdentityTemplate;
use crate::series::{Indicators, Ticks};
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
    ticks: Ticks,
}

impl Session {
    /// Resolves everything that a backtest on `market` can need; `rates` are the rate series, by pair.
    ///
    /// # Errors
    /// [1001] for a rate of no pair, [1008] for a missing conversion rate, [1010] for a market without traded bars.
    pub fn new(
        market: &Market,
        options: Options,
        rates: &BTreeMap<String, Market>,
        cache_bytes: usize,
    ) -> Result<Self> {
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
            commission: CommissionModel::new(&options.costs, &account.currency, &rates)?,
            slippage: SlippageModel::new(&options.costs, execution.seed, &spec.symbol, spec.pip_size),
            money: Money { pnl: execution.pnl, unit },
            traded,
            cache: SeriesCache::new(cache_bytes),
            ticks: Ticks::new(market.spec()),
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
