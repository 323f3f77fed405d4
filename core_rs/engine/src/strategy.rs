//! What a strategy is: declared parameters, series fetched once, pure decisions bar by bar.

use crate::declare::{Canonical, Declaration};
use crate::error::Result;
use crate::execution::rounding::round_dec;
use crate::market::{Market, Quotes, SymbolSpec, TickGrid};
use crate::orders::{Order, Position, Signal, StopKind};
use crate::series::Indicators;

/// A strategy with declared parameters. One implementation, one folder, one line in the list of strategies.
pub trait Strategy: Decide + Sized + 'static {
    /// Parameters, domains, search ranges, constraints: the only place where they are written.
    fn declaration() -> Declaration;

    /// First loaded bar at which an entry may be asked for.
    fn warmup(params: &Canonical) -> usize;

    /// Fetches series and fixes rules, once per parameter set.
    ///
    /// # Errors
    /// Whatever makes the parameter set impossible on this market.
    fn prepare(view: &View<'_>, indicators: &Indicators<'_>, params: &Canonical) -> Result<Self>;
}

/// The decisions of a prepared strategy. Pure: the same bar gives the same answer, whatever was asked before.
/// Total: every bar may be asked about, also one that the backtest does not reach.
pub trait Decide: Send + Sync {
    /// Position rules that the engine carries out.
    fn rules(&self) -> Rules;

    /// Entry signals at the close of bar `i`, appended to `signals`. Sees nothing later than that close.
    fn evaluate(&self, i: usize, view: &View<'_>, signals: &mut Vec<Signal>);

    /// What to do with an open position at the close of bar `i`, written into `actions`, which is empty.
    fn manage(&self, _position: &Position, _i: usize, _view: &View<'_>, _actions: &mut Actions) {}

    /// The first bar from `i` on, before `end`, at whose close [`Decide::evaluate`] says something; `end` if none does.
    ///
    /// A faster way to the same answer. An earlier bar may be named too: it is then asked, and says nothing. `signals` is
    /// empty and stays so.
    fn next_signal(&self, i: usize, end: usize, view: &View<'_>, signals: &mut Vec<Signal>) -> usize {
        (i..end).find(|&bar| self.says(bar, view, signals)).unwrap_or(end)
    }

    /// Whether [`Decide::evaluate`] says something at the close of bar `i`. `signals` is empty and stays so.
    fn says(&self, i: usize, view: &View<'_>, signals: &mut Vec<Signal>) -> bool {
        self.evaluate(i, view, signals);
        let any = !signals.is_empty();
        signals.clear();
        any
    }

    /// The first bar from `i` on, before `end`, at whose close [`Decide::manage`] does something with the position,
    /// whatever its stop, and its best and worst prices, are by then; `end` if none does. `None`: every bar has to be asked.
    fn next_action(&self, _position: &Position, _i: usize, _end: usize) -> Option<usize> {
        None
    }

    /// Whether to cancel a pending order at the close of bar `i`.
    fn cancel(&self, _order: &Order, _i: usize, _view: &View<'_>) -> bool {
        false
    }

    /// Distance in price at which the stop follows the best price; NaN, zero and less propose nothing on bar `i`.
    fn trail_distance(&self, _i: usize) -> f64 {
        0.0
    }
}

/// Answer of [`Decide::manage`]: at most one action of each kind. A close stands alone.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Actions {
    pub(crate) stop: Option<(f64, StopKind)>,
    pub(crate) target: Option<Option<f64>>,
    pub(crate) partial: Option<Part>,
    pub(crate) close: bool,
}

/// How much of a position to close.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    /// Lots.
    Lots(f64),
    /// A fraction of the lots, 0 to 1.
    Fraction(f64),
}

impl Actions {
    /// Closes the position.
    pub fn close(&mut self) {
        self.close = true;
    }

    /// Moves the stop from the next bar on; `kind` says why.
    pub fn modify_stop(&mut self, price: f64, kind: StopKind) {
        self.stop = Some((price, kind));
    }

    /// Moves the target from the next bar on, or removes it.
    pub fn modify_target(&mut self, price: Option<f64>) {
        self.target = Some(price);
    }

    /// Closes a part of the position.
    pub fn partial_close(&mut self, part: Part) {
        self.partial = Some(part);
    }
}

/// Position rules of one parameter set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Close after this many minutes; 0 = off.
    pub timeout_minutes: i64,
    /// Close after this many bars; 0 = off.
    pub timeout_bars: usize,
    /// Whether a position closed by management frees its slot on the same bar.
    pub same_bar_reentry: bool,
    /// Multiple of the initial risk at which the stop moves to the entry; 0 = off.
    pub be_r: f64,
    /// Pips beyond the entry to which it then moves.
    pub be_buffer_pips: f64,
    /// Multiple of the initial risk from which the stop follows the price.
    pub trail_start_r: f64,
    /// Whether [`Decide::trail_distance`] is asked.
    pub trails: bool,
    /// Bars without an entry after an exit; 0 = off.
    pub cooldown_bars: usize,
    /// Whether [`Decide::manage`] looks at the best and the worst price of a position. If not, and without break-even and
    /// trailing, nobody does: they stay at the entry, which saves a look at all lows and highs.
    pub tracks: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            timeout_minutes: 0,
            timeout_bars: 0,
            same_bar_reentry: true,
            be_r: 0.0,
            be_buffer_pips: 0.0,
            trail_start_r: 0.0,
            trails: false,
            cooldown_bars: 0,
            tracks: true,
        }
    }
}

/// Prices of one side as plain slices.
#[derive(Debug, Clone, Copy)]
pub struct SideView<'a> {
    /// Opens.
    pub open: &'a [f64],
    /// Highs.
    pub high: &'a [f64],
    /// Lows.
    pub low: &'a [f64],
    /// Closes.
    pub close: &'a [f64],
}

impl<'a> SideView<'a> {
    /// The prices of one side of a market.
    pub fn of(quotes: &'a Quotes) -> Self {
        Self { open: &quotes.open, high: &quotes.high, low: &quotes.low, close: &quotes.close }
    }
}

/// A market as the bar loop and strategies see it: plain slices over all loaded bars.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Open time of each bar, µs.
    pub label: &'a [i64],
    /// Bid prices.
    pub bid: SideView<'a>,
    /// Ask prices.
    pub ask: SideView<'a>,
    /// Symbol specification.
    pub spec: &'a SymbolSpec,
    /// Bar length, µs.
    pub timeframe: i64,
    /// Indicator series, for what is only worth computing on some bars.
    pub series: Indicators<'a>,
}

impl<'a> View<'a> {
    /// The view of a market with its series.
    pub fn of(market: &'a Market, series: Indicators<'a>) -> Self {
        Self {
            label: market.label(),
            bid: SideView::of(market.bid()),
            ask: SideView::of(market.ask()),
            spec: market.spec(),
            timeframe: market.timeframe().micros(),
            series,
        }
    }
}

/// Puts computed levels on the price grid.
#[derive(Debug, Clone, Copy)]
pub enum Rounder {
    /// On the symbol's ticks, halves away from zero.
    Tick(TickGrid),
    /// To decimals of the exact binary value, ties to even.
    Digits(u32),
}

impl Rounder {
    /// By the symbol's tick, or to `round_digits` decimals if that is given.
    pub fn new(spec: &SymbolSpec, round_digits: Option<i64>) -> Self {
        match round_digits.map(u32::try_from) {
            Some(Ok(digits)) => Self::Digits(digits),
            _ => Self::Tick(spec.grid()),
        }
    }

    /// The price on the grid.
    pub fn round(self, x: f64) -> f64 {
        match self {
            Self::Tick(grid) => grid.round_half_away(x),
            Self::Digits(d) => round_dec(x, d),
        }
    }
}
