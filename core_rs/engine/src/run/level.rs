//! Pruning levels: parts of the window, each a run of its own from a flat start, pooled to one result.

use crate::error::{Error, Result};
use crate::market::Kind;
use crate::metrics::Inputs;
use crate::orders::{Order, Position};
use crate::portfolio::{Book, Curve, Drawdowns};
use crate::run::account::Account;
use crate::run::calendar::Calendar;
use crate::run::outcome::Outcome;
use crate::run::session::{Instrument, Session};

/// What a session of a level runs in the place of its whole window.
#[derive(Debug, Clone)]
pub struct Level {
    /// Number of the level.
    pub number: u32,
    /// Its parts, [from, until) in labels, in the order of time.
    pub bounds: Vec<(i64, i64)>,
    /// The session of each part.
    pub parts: Vec<Session>,
}

impl Session {
    /// The session that runs `bounds` alone: half-open intervals of labels, in the order of time. Series are shared.
    ///
    /// # Errors
    /// [1001] for intervals out of order, [1010] for one without a bar, [4001] for ticks.
    pub fn level(&self, number: u32, bounds: &[(i64, i64)]) -> Result<Self> {
        let place = "levels";
        if self.instruments.iter().any(|x| x.market.kind() != Kind::Bars) {
            return Err(Error::config(4001, "pruning levels on ticks").at(place).fix("build bars of them"));
        }
        let ordered = bounds.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        if bounds.is_empty() || !ordered || bounds.iter().any(|(from, until)| from >= until) {
            return Err(Error::config(1001, "parts of a level are out of order").at(place));
        }
        let parts = bounds.iter().map(|&bounds| self.part(bounds)).collect::<Result<Vec<_>>>()?;
        let dates = parts.iter().flat_map(|part| part.calendar.dates.iter().copied()).collect();
        let calendar = Calendar { dates, ..self.calendar.clone() };
        Ok(Self { calendar, level: Some(Level { number, bounds: bounds.to_vec(), parts }), ..self.clone() })
    }

    /// One part. Trades are not counted at its middle: a part needs fewer than the whole window.
    fn part(&self, (from, until): (i64, i64)) -> Result<Self> {
        let mut part = self.clone();
        part.instruments.iter_mut().for_each(|x| x.narrow(from, until));
        if part.instruments.iter().all(|x| x.traded().is_empty()) {
            return Err(Error::config(1010, "a part of a level holds no bar").at("levels"));
        }
        part.options.early_stop.min_trades_by_midpoint = None;
        part.calendar = Calendar::new(&Instrument::labels(&part.instruments), Some(self.calendar.kind));
        Ok(part)
    }
}

/// What a run leaves behind, from which its outcome is made.
pub(crate) struct Run {
    pub book: Book,
    /// Counts.
    pub out: Outcome,
    pub pending: Vec<Order>,
    pub optimistic_extra: f64,
    pub exposed_bars: usize,
    /// Equity of the last sample.
    pub equity: f64,
    pub drawdowns: Drawdowns,
    pub bars: usize,
    pub daily: Vec<f64>,
    pub returns: Vec<f64>,
    pub curve: Option<Curve>,
    /// From the first label to the end of the last bar, µs.
    pub span: i64,
    /// Numbers that were given.
    numbers: u64,
}

impl Run {
    /// Of an account after its last sample.
    pub fn of(session: &Session, account: Account, pending: Vec<Order>) -> Self {
        let Account { book, tracker, optimistic_extra, exposed_bars, out, next_id, .. } = account;
        let (last, drawdowns, bars) = (tracker.last(), tracker.drawdowns(), tracker.count());
        let (daily, curve) = tracker.into_series();
        Self {
            span: last.time + session.timeframe().micros() - session.first_label(),
            equity: last.equity,
            returns: Inputs::daily_returns(book.initial_balance, &daily),
            numbers: next_id - 1,
            book,
            out,
            pending,
            optimistic_extra,
            exposed_bars,
            drawdowns,
            bars,
            daily,
            curve,
        }
    }

    /// Pools with a later run. Profits, counts and spans add up, records follow in order under new numbers, daily equity
    /// goes on from what was earned before, daily returns are those of each run, drawdowns the worst of any.
    pub fn pool(&mut self, later: Self) {
        let Self { book, out, pending, equity, .. } = later;
        let initial = self.book.initial_balance;
        let earned = self.equity - initial;
        let given = self.numbers;
        let renumber = |mut p: Position| {
            p.id += given;
            p.parent_id = p.parent_id.map(|id| id + given);
            p
        };
        let renumber_order = |mut order: Order| {
            order.id += given;
            order
        };
        self.book.cash += book.cash - initial;
        self.book.closed.extend(book.closed.into_iter().map(renumber));
        self.book.partials.extend(book.partials.into_iter().map(renumber));
        self.book.open.extend(book.open.into_iter().map(renumber));
        self.book.ended.pool(book.ended, given);
        self.book.total_fees += book.total_fees;
        self.book.total_lots += book.total_lots;
        self.book.turnover += book.turnover;
        self.pending.extend(pending.into_iter().map(renumber_order));
        self.out.rejections.pool(&out.rejections);
        self.out.blocked.pool(&out.blocked);
        self.out.sizes_raised += out.sizes_raised;
        self.out.sizes_capped += out.sizes_capped;
        self.out.invalid_modify += out.invalid_modify;
        self.out.ruined_at = self.out.ruined_at.or(out.ruined_at);
        self.out.stopped = out.stopped;
        self.optimistic_extra += later.optimistic_extra;
        self.exposed_bars += later.exposed_bars;
        self.equity = earned + equity;
        self.drawdowns = self.drawdowns.worst(later.drawdowns);
        self.bars += later.bars;
        self.daily.extend(later.daily.iter().map(|d| earned + d));
        self.returns.extend(later.returns);
        if let (Some(curve), Some(more)) = (&mut self.curve, later.curve) {
            curve.append(more);
        }
        self.span += later.span;
        self.numbers += later.numbers;
    }
}
