//! One backtest: every traded bar, in the written order.

use crate::error::Result;
use crate::execution::commission::Fill;
use crate::execution::exits::{ExitBar, exit_on_bar};
use crate::execution::options::{EndOfData, EquityKind, MarketFill};
use crate::execution::slippage::{Side, SlippageModel};
use crate::execution::validation;
use crate::orders::{Direction, ExitReason, OrderType, Position, RejectionReason, Signal, StopKind};
use crate::portfolio::{Book, EquityTracker, Money, Sample};
use crate::run::outcome::{Blocked, Outcome};
use crate::run::session::Session;
use crate::strategy::{Action, Decide, Rules, View};

/// A market order that fills at the next open.
struct Queued {
    id: u64,
    order_time: i64,
    signal: Signal,
}

/// What happened on the current bar that matters for its slots.
#[derive(Default)]
struct Closed {
    on_bar: usize,
    by_management: usize,
}

/// The state of a running backtest.
struct BarLoop<'a, D> {
    session: &'a Session,
    view: View<'a>,
    decider: &'a D,
    rules: Rules,
    warmup: usize,
    min_stop: f64,
    buffer: f64,
    slots: usize,
    book: Book,
    tracker: EquityTracker,
    slippage: SlippageModel,
    money: Money,
    queued: Vec<Queued>,
    signals: Vec<Signal>,
    next_id: u64,
    out: Outcome,
    closed: Closed,
    optimistic_extra: f64,
    exposed_bars: usize,
}

/// Runs the decisions of `decider` over the traded bars of `session`.
///
/// `warmup` is the first loaded bar at which an entry may be asked for; `keep_curve` keeps the equity of every bar.
///
/// # Errors
/// [2008] where an amount has to be converted and there is no rate.
pub fn run<D: Decide>(session: &Session, decider: &D, warmup: usize, keep_curve: bool) -> Result<Outcome> {
    let mut state = BarLoop::new(session, decider, warmup, keep_curve);
    for i in session.traded.clone() {
        state.bar(i)?;
    }
    Ok(state.finish())
}

impl<'a, D: Decide> BarLoop<'a, D> {
    fn new(session: &'a Session, decider: &'a D, warmup: usize, keep_curve: bool) -> Self {
        let view = session.view();
        let initial = session.options.account.initial_balance;
        let execution = &session.options.execution;
        let start = view.label[session.traded.start];
        Self {
            session,
            view,
            decider,
            rules: decider.rules(),
            warmup,
            min_stop: execution.min_stop_pips * view.spec.pip_size,
            buffer: execution.trigger_buffer_pips * view.spec.pip_size,
            slots: limit(execution.max_positions).min(limit(execution.max_total_positions)),
            book: Book::new(initial),
            tracker: EquityTracker::new(initial, start, session.calendar.day_ends.clone(), keep_curve),
            slippage: session.slippage.clone(),
            money: session.money.clone(),
            queued: Vec::new(),
            signals: Vec::new(),
            next_id: 1,
            out: Outcome::default(),
            closed: Closed::default(),
            optimistic_extra: 0.0,
            exposed_bars: 0,
        }
    }

    /// The six steps of bar `i`.
    #[inline]
    fn bar(&mut self, i: usize) -> Result<()> {
        self.closed = Closed::default();
        if !self.book.open.is_empty() {
            self.execute_queued_closes(i)?;
        }
        if !self.queued.is_empty() {
            self.fill_queued(i)?;
        }
        if !self.book.open.is_empty() {
            self.exposed_bars += 1;
            self.stops_and_targets(i)?;
            self.manage(i)?;
        }
        self.enter(i)?;
        if i + 1 == self.session.traded.end {
            self.end_of_data(i)?;
        }
        self.sample(i)
    }

    /// End of bar `i`: the moment of what happens at its close. That of everything else is its label.
    #[inline]
    fn close_time(&self, i: usize) -> i64 {
        self.view.label[i] + self.view.timeframe
    }

    /// Step 1 (a): closes decided on an earlier bar, at the exit-side open.
    fn execute_queued_closes(&mut self, i: usize) -> Result<()> {
        let mut at = 0;
        while at < self.book.open.len() {
            let position = &self.book.open[at];
            let Some(reason) = position.queued_close else {
                at += 1;
                continue;
            };
            let raw = match position.direction() {
                Direction::Long => self.view.bid.open[i],
                Direction::Short => self.view.ask.open[i],
            };
            self.close(at, i, self.view.label[i], raw, reason, true)?;
        }
        Ok(())
    }

    /// Step 1 (c): market orders decided on an earlier bar, at the entry-side open.
    fn fill_queued(&mut self, i: usize) -> Result<()> {
        for order in std::mem::take(&mut self.queued) {
            let raw = match order.signal.direction {
                Direction::Long => self.view.ask.open[i],
                Direction::Short => self.view.bid.open[i],
            };
            self.fill(i, order, raw, true)?;
        }
        Ok(())
    }

    /// A fill, whatever its kind: slippage, checks, size, fee.
    fn fill(&mut self, i: usize, order: Queued, raw: f64, at_open: bool) -> Result<()> {
        let Queued { id, order_time, signal } = order;
        let time = self.view.label[i];
        let moment = if at_open { time } else { self.close_time(i) };
        let side = match signal.direction {
            Direction::Long => Side::Buy,
            Direction::Short => Side::Sell,
        };
        let price = self.slippage.apply(raw, time, side);
        if let Some(reason) = validation::at_fill(&signal, price, self.min_stop) {
            self.out.rejections.add(time, i, reason, || describe(&signal, price));
            return Ok(());
        }
        let distance = (price - signal.stop_loss).abs();
        let equity = self.tracker.last().equity;
        let Some(sized) = self.session.sizing.size(distance, signal.size, equity, moment)? else {
            let reason = RejectionReason::BelowMinVolume;
            self.out.rejections.add(time, i, reason, || describe(&signal, price));
            return Ok(());
        };
        self.out.sizes_raised += u64::from(sized.raised);
        self.out.sizes_capped += u64::from(sized.capped);
        let position = Position {
            id,
            parent_id: None,
            order_time,
            entry_time: time,
            entry_bar: i,
            filled_at_open: at_open,
            entry_price: price,
            initial_stop_loss: signal.stop_loss,
            stop_loss: signal.stop_loss,
            stop_kind: StopKind::Initial,
            take_profit: signal.take_profit,
            size: sized.lots,
            risk_per_trade: sized.risk,
            entry_fee: self.session.commission.fee(Fill::Entry, sized.lots, price, moment)?,
            exit_fee: 0.0,
            exit_time: 0,
            exit_price: 0.0,
            result: 0.0,
            r_multiple: 0.0,
            money_at_risk: 0.0,
            reason: None,
            same_bar_ambiguous: false,
            queued_close: None,
            signal,
        };
        let turnover = self.money.turnover(sized.lots, price, moment)?;
        self.book.enter(position, turnover);
        Ok(())
    }

    /// Step 3: stop and target of every open position, in id order.
    fn stops_and_targets(&mut self, i: usize) -> Result<()> {
        let moment = self.view.label[i];
        let gap_fills = self.session.options.execution.gap_fills;
        let mut at = 0;
        while at < self.book.open.len() {
            let position = &self.book.open[at];
            let q = match position.direction() {
                Direction::Long => self.view.bid,
                Direction::Short => self.view.ask,
            };
            let bar = ExitBar { open: q.open[i], high: q.high[i], low: q.low[i] };
            let Some(exit) = exit_on_bar(position, i, bar, self.buffer, gap_fills) else {
                at += 1;
                continue;
            };
            let target = exit.ambiguous.then_some(position.take_profit).flatten();
            self.book.open[at].same_bar_ambiguous = exit.ambiguous;
            self.close(at, i, moment, exit.price, exit.reason, exit.slips)?;
            if let Some(target) = target {
                self.count_alternative(target, moment)?;
            }
        }
        Ok(())
    }

    /// What the position that was just closed at its stop would have given at its target instead.
    fn count_alternative(&mut self, target: f64, moment: i64) -> Result<()> {
        let Some(booked) = self.book.closed.last() else { return Ok(()) };
        let (result, _) = self.money.result(booked, target, moment)?;
        let fee = self.session.commission.fee(Fill::Exit, booked.size, target, moment)?;
        self.optimistic_extra += result - fee - (booked.result - booked.exit_fee);
        Ok(())
    }

    /// Books the exit of the open position at `at`, at a moment of bar `i`.
    fn close(
        &mut self,
        at: usize,
        i: usize,
        moment: i64,
        raw: f64,
        reason: ExitReason,
        slips: bool,
    ) -> Result<()> {
        let time = self.view.label[i];
        let position = &mut self.book.open[at];
        let side = match position.direction() {
            Direction::Long => Side::Sell,
            Direction::Short => Side::Buy,
        };
        let price = if slips { self.slippage.apply(raw, time, side) } else { raw };
        let (result, r_multiple) = self.money.result(position, price, moment)?;
        position.exit_time = time;
        position.exit_price = price;
        position.result = result;
        position.r_multiple = r_multiple;
        position.money_at_risk = self.money.at_risk(position, moment)?;
        position.exit_fee = self.session.commission.fee(Fill::Exit, position.size, price, moment)?;
        position.reason = Some(reason);
        position.queued_close = None;
        let turnover = self.money.turnover(position.size, price, moment)?;
        self.book.leave(at, turnover);
        self.closed.on_bar += 1;
        Ok(())
    }

    /// Step 4: timeouts and the strategy's closes, decided at the close of bar `i`.
    fn manage(&mut self, i: usize) -> Result<()> {
        let now = self.session.options.execution.market_fill == MarketFill::SignalClose;
        let mut at = 0;
        while at < self.book.open.len() {
            let position = &self.book.open[at];
            if position.queued_close.is_some() {
                at += 1;
                continue;
            }
            let reason = if self.timed_out(position, i) {
                ExitReason::Timeout
            } else if self.decider.manage(position, i, &self.view) == Action::Close {
                ExitReason::Signal
            } else {
                at += 1;
                continue;
            };
            if now {
                let raw = self.exit_close(position, i);
                self.close(at, i, self.close_time(i), raw, reason, true)?;
                self.closed.by_management += 1;
            } else {
                self.book.open[at].queued_close = Some(reason);
                at += 1;
            }
        }
        Ok(())
    }

    fn timed_out(&self, position: &Position, i: usize) -> bool {
        let Rules { timeout_minutes, timeout_bars, .. } = self.rules;
        if timeout_minutes > 0 {
            let filled = position.entry_time + if position.filled_at_open { 0 } else { self.view.timeframe };
            if self.close_time(i) - filled >= timeout_minutes * 60_000_000 {
                return true;
            }
        }
        timeout_bars > 0 && position.bars_since_fill(i) >= timeout_bars
    }

    fn exit_close(&self, position: &Position, i: usize) -> f64 {
        match position.direction() {
            Direction::Long => self.view.bid.close[i],
            Direction::Short => self.view.ask.close[i],
        }
    }

    /// Slots in use for the entries of this bar.
    fn used_slots(&self) -> usize {
        let held = self.book.open.len() + self.queued.len();
        if !self.session.options.execution.reentry_on_exit_bar {
            return held + self.closed.on_bar;
        }
        if !self.rules.same_bar_reentry {
            return held + self.closed.by_management;
        }
        held - self.book.open.iter().filter(|p| p.queued_close.is_some()).count()
    }

    /// Slots for new orders on this bar.
    #[inline]
    fn free_slots(&self) -> usize {
        if self.book.open.is_empty() && self.queued.is_empty() && self.closed.on_bar == 0 {
            return self.slots;
        }
        self.slots.saturating_sub(self.used_slots())
    }

    /// Why the strategy is not asked for entries on bar `i`, if it is not.
    fn blocked(&self, i: usize) -> Option<Blocked> {
        if i < self.warmup {
            Some(Blocked::Warmup)
        } else if self.out.ruined_at.is_some() && self.session.options.execution.stop_on_ruin {
            Some(Blocked::Ruined)
        } else if self.free_slots() == 0 {
            Some(Blocked::NoSlot)
        } else {
            None
        }
    }

    /// Step 5: entry signals decided at the close of bar `i`.
    #[inline]
    fn enter(&mut self, i: usize) -> Result<()> {
        if let Some(cause) = self.blocked(i) {
            self.out.blocked[cause as usize] += 1;
            return Ok(());
        }
        self.decider.evaluate(i, &self.view, &mut self.signals);
        if self.signals.is_empty() {
            return Ok(());
        }
        let mut signals = std::mem::take(&mut self.signals);
        for signal in signals.drain(..) {
            self.accept(i, signal)?;
        }
        self.signals = signals;
        Ok(())
    }

    /// Validates one signal and makes it an order.
    fn accept(&mut self, i: usize, signal: Signal) -> Result<()> {
        let time = self.view.label[i];
        let reference = match signal.direction {
            Direction::Long => self.view.ask.close[i],
            Direction::Short => self.view.bid.close[i],
        };
        let execution = &self.session.options.execution;
        let at_close = execution.market_fill == MarketFill::SignalClose;
        let last = i + 1 == self.session.traded.end;
        let reason = validation::at_decision(&signal, reference, self.min_stop).or_else(|| {
            let too_late = last && (execution.end_of_data == EndOfData::Close || !at_close);
            if too_late {
                Some(RejectionReason::EndOfData)
            } else {
                (self.free_slots() == 0).then_some(RejectionReason::MaxPositions)
            }
        });
        if let Some(reason) = reason {
            self.out.rejections.add(time, i, reason, || describe(&signal, reference));
            return Ok(());
        }
        let order = Queued { id: self.next_id, order_time: time, signal };
        self.next_id += 1;
        match order.signal.order_type {
            OrderType::Market if at_close => return self.fill(i, order, reference, false),
            OrderType::Market => self.queued.push(order),
        }
        Ok(())
    }

    /// The last traded bar: under `close` whatever is open ends here, also what waits for a close.
    fn end_of_data(&mut self, i: usize) -> Result<()> {
        if self.session.options.execution.end_of_data == EndOfData::LeaveOpen {
            return Ok(());
        }
        while let Some(position) = self.book.open.first() {
            let raw = self.exit_close(position, i);
            self.close(0, i, self.close_time(i), raw, ExitReason::EndOfData, true)?;
        }
        Ok(())
    }

    /// Step 6.
    #[inline]
    fn sample(&mut self, i: usize) -> Result<()> {
        let mut unrealised = 0.0;
        if self.session.options.execution.equity == EquityKind::MarkToMarket {
            let moment = self.close_time(i);
            for position in &self.book.open {
                unrealised += self.money.unrealised(position, self.exit_close(position, i), moment)?;
            }
        }
        let time = self.view.label[i];
        let equity = self.book.cash + unrealised;
        self.tracker.sample(Sample { time, equity, balance: self.book.cash });
        if equity <= 0.0 && self.out.ruined_at.is_none() {
            self.out.ruined_at = Some(time);
        }
        Ok(())
    }

    fn finish(self) -> Outcome {
        let mut out = self.out;
        out.fill_in(self.session, self.book, self.tracker, self.optimistic_extra, self.exposed_bars);
        out
    }
}

/// Slots as a number; none is no limit.
fn limit(slots: Option<u32>) -> usize {
    slots.map_or(usize::MAX, |n| n as usize)
}

/// The numbers of a rejected signal.
fn describe(signal: &Signal, price: f64) -> String {
    format!(
        "{} at {price}, stop {}, target {}",
        signal.direction.name(),
        signal.stop_loss,
        signal.take_profit.map_or_else(|| "none".to_owned(), |t| t.to_string()),
    )
}
