//! Complete execution options, costs and account: what a backtest is run with.

use crate::execution::early_stop::EarlyStop;
use crate::gates::GateOptions;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// When a market order fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarketFill {
    /// At the open of the next bar.
    NextOpen,
    /// At the close of the decision bar.
    SignalClose,
}

/// What a result is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pnl {
    /// Price difference times lots.
    Lots,
    /// R multiple times the risk per trade.
    RMultiple,
}

/// What an equity sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EquityKind {
    /// Cash and unrealised profit.
    MarkToMarket,
    /// Cash.
    Realised,
}

/// What happens below the smallest volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BelowMinVolume {
    /// The order is rejected.
    Reject,
    /// The smallest volume is used.
    RaiseToMin,
}

/// What happens to open positions when the data end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndOfData {
    /// They close at the last close.
    Close,
    /// They stay open and are no trades.
    LeaveOpen,
}

/// Which entry-bar targets of pending orders need the close's confirmation. Kept for pending orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TpConfirmation {
    /// Limit and stop orders.
    LimitAndStop,
    /// Limit orders alone.
    LimitOnly,
}

/// Every execution option. A preset is a set of values of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// When a market order fills.
    pub market_fill: MarketFill,
    /// Whether a gap through a level fills at the open.
    pub gap_fills: bool,
    /// Half a pip, for example, by which levels trigger early.
    pub trigger_buffer_pips: f64,
    /// Entry-bar rule of pending orders.
    pub entry_bar_tp_confirmation: TpConfirmation,
    /// Whether a position that ends on a bar frees its slot on that bar.
    pub reentry_on_exit_bar: bool,
    /// What a result is measured in.
    pub pnl: Pnl,
    /// What an equity sample is.
    pub equity: EquityKind,
    /// What happens below the smallest volume.
    pub below_min_volume: BelowMinVolume,
    /// What happens when the data end.
    pub end_of_data: EndOfData,
    /// Whether a ruined account stops entering.
    pub stop_on_ruin: bool,
    /// Slots per symbol; `None` = unlimited.
    pub max_positions: Option<u32>,
    /// Slots of the whole portfolio; `None` = unlimited.
    pub max_total_positions: Option<u32>,
    /// Smallest stop distance.
    pub min_stop_pips: f64,
    /// Whether fills need free margin.
    pub check_margin: bool,
    /// Seed of random slippage.
    pub seed: u64,
}

impl Execution {
    /// How an order would have been executed.
    pub fn realistic() -> Self {
        Self {
            market_fill: MarketFill::NextOpen,
            gap_fills: true,
            trigger_buffer_pips: 0.0,
            entry_bar_tp_confirmation: TpConfirmation::LimitAndStop,
            reentry_on_exit_bar: true,
            pnl: Pnl::Lots,
            equity: EquityKind::MarkToMarket,
            below_min_volume: BelowMinVolume::Reject,
            end_of_data: EndOfData::Close,
            stop_on_ruin: true,
            max_positions: Some(1),
            max_total_positions: None,
            min_stop_pips: 0.1,
            check_margin: false,
            seed: 42,
        }
    }

    /// An idealised convention: fills at the signal's close, ideal prices, results in R.
    pub fn reference() -> Self {
        Self {
            market_fill: MarketFill::SignalClose,
            gap_fills: false,
            trigger_buffer_pips: 0.5,
            entry_bar_tp_confirmation: TpConfirmation::LimitOnly,
            reentry_on_exit_bar: false,
            pnl: Pnl::RMultiple,
            equity: EquityKind::Realised,
            below_min_volume: BelowMinVolume::RaiseToMin,
            end_of_data: EndOfData::LeaveOpen,
            stop_on_ruin: false,
            ..Self::realistic()
        }
    }

    /// Option values of a preset by name.
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "realistic" => Some(Self::realistic()),
            "reference" => Some(Self::reference()),
            _ => None,
        }
    }
}

/// Slippage in pips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slippage {
    /// Always paid.
    pub fixed_pips: f64,
    /// Times a uniform draw from [0, 1).
    pub random_pips: f64,
}

/// Which fills pay commission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeSide {
    /// Entries and exits.
    Both,
    /// Entries.
    Entry,
    /// Exits.
    Exit,
}

/// How the base fee of a fill is computed, in `fee_ccy`; N is the notional of the fill.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "schema", rename_all = "snake_case")]
pub enum CommissionSchema {
    /// per_lot · lots.
    PerLot {
        /// Fee per lot.
        per_lot: f64,
    },
    /// rate_per_million · (N / 1e6).
    PerMillionNotional {
        /// Fee per million of notional.
        rate_per_million: f64,
    },
    /// pct · N.
    PercentOfNotional {
        /// The share, as a fraction: 0.00015 is 0.015 %.
        pct: f64,
    },
}

/// Commission of one symbol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commission {
    /// How the base fee is computed.
    #[serde(flatten)]
    pub schema: CommissionSchema,
    /// Currency of the fee.
    pub fee_ccy: String,
    /// Which fills pay.
    pub side: FeeSide,
    /// Smallest fee per side, in `fee_ccy`.
    pub min_fee: f64,
    /// Decimals of the booked fee; `None` = unrounded.
    pub decimals: Option<u32>,
}

/// All costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Slippage.
    pub slippage: Slippage,
    /// Factor on both parts of the slippage.
    pub slippage_multiplier: f64,
    /// Commission, resolved for the symbol; `None` = none.
    pub commission: Option<Commission>,
    /// Factor on fees.
    pub fee_multiplier: f64,
    /// Factor on the spread.
    pub spread_multiplier: f64,
}

/// How lots are found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum SizingMode {
    /// risk_per_trade.
    RiskAmount,
    /// A share of the last equity sample.
    RiskPercent {
        /// In percent.
        percent: f64,
    },
    /// Always the same.
    FixedLots {
        /// Lots.
        lots: f64,
    },
}

/// What one lot earns per 1.0 of price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitValue {
    /// contract_size in the quote currency.
    Contract,
    /// tick_value / tick_size in the account currency.
    Tick,
}

/// Sizing mode and unit value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sizing {
    /// How lots are found.
    #[serde(flatten)]
    pub mode: SizingMode,
    /// What one lot earns per 1.0 of price.
    pub unit_value: UnitValue,
}

/// The account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Account currency.
    pub currency: String,
    /// Opening balance.
    pub initial_balance: f64,
    /// Money at risk per trade.
    pub risk_per_trade: f64,
    /// Leverage, for margin.
    pub leverage: f64,
    /// How lots are found.
    pub sizing: Sizing,
}

/// Calendar of the market, for the daily series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalendarKind {
    /// Trades every day.
    Continuous,
    /// Trades on weekdays.
    BusinessDay,
}

/// Options of the metrics; `None` = by the market.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricOptions {
    /// Calendar.
    pub calendar: Option<CalendarKind>,
    /// Periods per year of the daily returns.
    pub periods_per_year: Option<f64>,
    /// Annual risk-free rate as a fraction.
    #[serde(default)]
    pub risk_free_annual: f64,
}

/// Conversion rates that are numbers, and how old one from a rate series may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateOptions {
    /// Price of one unit of the first currency in the second, by six-letter pair.
    #[serde(rename = "static")]
    pub fixed: BTreeMap<String, f64>,
    /// Hours from the end of a series' last complete bar to the moment of the conversion, at most.
    pub max_rate_age_hours: f64,
}

impl Default for RateOptions {
    fn default() -> Self {
        Self { fixed: BTreeMap::new(), max_rate_age_hours: 96.0 }
    }
}

/// Everything a backtest is run with, apart from market, strategy and parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Execution options.
    pub execution: Execution,
    /// Costs.
    pub costs: Costs,
    /// Account.
    pub account: Account,
    /// Conversion rates.
    pub rates: RateOptions,
    /// Entry gates.
    #[serde(default)]
    pub gates: GateOptions,
    /// Metrics.
    pub metrics: MetricOptions,
    /// Limits at which a backtest is given up.
    #[serde(default, skip_serializing_if = "EarlyStop::is_unset")]
    pub early_stop: EarlyStop,
}
