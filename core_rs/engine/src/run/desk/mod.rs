//! One symbol of a running backtest: its orders, and the steps of a bar for its positions.
//!
//! Steps 1 to 3 run on a bar or tick ([`Now`]): [`opening`], [`pending`], [`exits`]. Steps 4 and 5 run at the close of
//! a bar ([`Close`]): [`management`], [`entries`].

mod ahead;
mod entries;
mod exits;
mod fills;
mod held;
mod management;
mod opening;
mod pending;
mod quiet;

pub use ahead::Ahead;

use crate::execution::exits::ExitRules;
use crate::execution::options::{EquityKind, Execution, MarketFill};
use crate::execution::slippage::SlippageModel;
use crate::gates::{Cooldown, GateTable, Name};
use crate::orders::{Fate, Order, Signal};
use crate::run::account::Account;
use crate::run::now::{Close, Now};
use crate::run::session::{Instrument, Session};
use crate::strategy::{Decide, Rules, View};

/// What happened since the last decision and matters for its slots.
#[derive(Debug, Clone, Copy, Default)]
struct Closed {
    on_bar: usize,
    by_management: usize,
}

/// One symbol: what it trades with, and its orders. Its positions are in the account's book.
pub struct Desk<'a, D> {
    symbol: usize,
    pub instrument: &'a Instrument,
    execution: &'a Execution,
    pub view: View<'a>,
    decider: &'a D,
    rules: Rules,
    warmup: usize,
    min_stop: f64,
    exit_rules: ExitRules,
    at_close: bool,
    slots: usize,
    /// Whether equity follows the prices alone: no rate has to be looked up for every bar.
    pub steady: bool,
    /// Whether best and worst prices of positions matter to anyone.
    tracks: bool,
    /// Whether open positions count in equity.
    pub marked: bool,
    slippage: SlippageModel,
    /// The configured pause, or the strategy's where it is longer, if it ever blocks.
    cooldown: Option<Cooldown>,
    /// Open positions of this symbol.
    open: usize,
    /// Whether something waits for the next open at one of them.
    changes: bool,
    /// Market orders that wait for the next open, in id order.
    queued: Vec<Order>,
    /// Pending orders, in id order, and what becomes of each on this bar.
    pending: Vec<Order>,
    fates: Vec<Fate>,
    signals: Vec<Signal>,
    /// Bars that are worth a look ahead.
    look: usize,
    closed: Closed,
    /// (moment, bar) of the last full close and of the last accepted order.
    last_exit: Option<(i64, usize)>,
    last_order: Option<(i64, usize)>,
}

impl<'a, D: Decide> Desk<'a, D> {
    pub fn new(session: &'a Session, symbol: usize, decider: &'a D, warmup: usize) -> Self {
        let instrument = &session.instruments[symbol];
        let view = instrument.view();
        let execution = &session.options.execution;
        let pip = view.spec.pip_size;
        let buffer = if instrument.market.ticks().is_some() { 0.0 } else { execution.trigger_buffer_pips };
        let rules = decider.rules();
        let cooldown = instrument.gates.as_ref().map(GateTable::cooldown).unwrap_or_default();
        let marked = execution.equity == EquityKind::MarkToMarket;
        let steady = instrument.money.unit.to_account.is_steady();
        let pause = Some(cooldown.at_least(rules.cooldown_bars)).filter(Cooldown::active);
        Self {
            symbol,
            instrument,
            execution,
            view,
            decider,
            steady: !marked || steady,
            tracks: rules.tracks || rules.be_r > 0.0 || rules.trails,
            marked,
            cooldown: pause,
            rules,
            warmup,
            min_stop: execution.min_stop_pips * pip,
            exit_rules: ExitRules {
                buffer: buffer * pip,
                gap_fills: execution.gap_fills,
                confirmation: execution.entry_bar_tp_confirmation,
            },
            at_close: execution.market_fill == MarketFill::SignalClose,
            slots: limit(execution.max_positions),
            slippage: instrument.slippage.clone(),
            open: 0,
            changes: false,
            queued: Vec::new(),
            pending: Vec::new(),
            fates: Vec::new(),
            signals: Vec::new(),
            look: 0,
            closed: Closed::default(),
            last_exit: None,
            last_order: None,
        }
    }

    /// The gates that are at work, in the order in which they are asked.
    pub fn gates(&self) -> Vec<Name> {
        let mut names = self.instrument.gates.as_ref().map_or(Vec::new(), |gates| gates.names().to_vec());
        if self.cooldown.is_some() && !names.contains(&Name::Cooldown) {
            names.push(Name::Cooldown);
        }
        names
    }

    /// The close of bar `i`, as steps 4 and 5 see it.
    #[inline]
    pub fn close_of(&self, i: usize) -> Close {
        let label = self.view.label[i];
        Close {
            bar: i,
            event: i,
            label,
            time: label,
            moment: label + self.view.timeframe,
            bid: self.view.bid.close[i],
            ask: self.view.ask.close[i],
            last: i + 1 == self.instrument.traded.end,
            tick: false,
        }
    }

    /// Whether steps 1 to 4 have anything to do.
    #[inline]
    pub fn busy(&self) -> bool {
        self.open + self.queued.len() + self.pending.len() > 0
    }

    /// Steps 1 to 3.
    pub fn trade(&mut self, account: &mut Account, now: &Now<'_>) -> crate::Result<()> {
        if self.changes {
            self.execute_queued(account, now)?;
        }
        if !self.queued.is_empty() {
            self.fill_queued(account, now)?;
        }
        if !self.pending.is_empty() {
            self.work_pending(account, now)?;
        }
        account.exposed |= !account.book.open.is_empty();
        if self.open > 0 {
            self.stops_and_targets(account, now)?;
            if self.tracks {
                self.track(account, now);
            }
        }
        Ok(())
    }

    /// Forgets what happened on the bar; call it after the entries.
    #[inline]
    pub fn end_bar(&mut self) {
        self.closed = Closed::default();
    }

    /// Pending orders that are left.
    pub fn take_pending(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.pending)
    }
}

/// Slots as a number; none is no limit.
pub fn limit(slots: Option<u32>) -> usize {
    slots.map_or(usize::MAX, |n| n as usize)
}
