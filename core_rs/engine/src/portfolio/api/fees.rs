//! Fees, and the log of them.

use super::portfolio::{Place, Portfolio};
use super::row::{Operation, finite, moment};
use crate::error::Result;
use crate::orders::Position;
use std::sync::Arc;

/// What a fee was paid for.
#[derive(Debug, Clone, PartialEq)]
pub enum FeeKind {
    /// A fill; part of the position's entry fee.
    Entry,
    /// An exit; part of the position's exit fee.
    Exit,
    /// Anything else, in the words of whoever registered it.
    Other(Arc<str>),
}

impl FeeKind {
    /// `entry`, `exit`, or other words.
    pub fn name(&self) -> &str {
        match self {
            Self::Entry => "entry",
            Self::Exit => "exit",
            Self::Other(text) => text,
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "entry" => Self::Entry,
            "exit" => Self::Exit,
            other => Self::Other(other.to_owned().into()),
        }
    }
}

/// One fee that was paid.
#[derive(Debug, Clone, PartialEq)]
pub struct Fee {
    /// When, µs.
    pub time: i64,
    /// What for.
    pub kind: FeeKind,
    /// Account currency; a negative one is a rebate.
    pub amount: f64,
    /// The position, if it belongs to one.
    pub position_id: Option<u64>,
}

impl Portfolio {
    /// Pays `amount` for `kind` ["other"]. Kinds `entry` and `exit` add to the fees of the position, if one is given,
    /// open or closed. No amount and 0 do nothing, and are not logged.
    ///
    /// # Errors
    /// [1001] an amount that is not finite, [1007] an unknown position, or one that was never filled for `entry` and
    /// `exit`, [1008] no time, [2005].
    pub fn register_fee(&mut self, row: &impl Operation) -> Result<()> {
        let amount = super::row::fee_of(row.amount())?;
        if amount == 0.0 {
            return Ok(());
        }
        let kind = FeeKind::parse(row.kind().unwrap_or("other"));
        let id = row.position_id();
        let owed = id.map(|id| self.owed(id, &kind)).transpose()?.flatten();
        let time = moment(row.time())?;
        let fee = finite(owed.unwrap_or(0.0) + amount, "the position's fee")?;
        self.admit(amount, 0.0, 0.0)?;
        if let (Some(_), Some(position)) = (owed, id.and_then(|id| self.filled_mut(id))) {
            match kind {
                FeeKind::Entry => position.entry_fee = fee,
                _ => position.exit_fee = fee,
            }
        }
        self.book.pay(amount);
        self.log_fee(time, kind, amount, id);
        self.happened(time);
        Ok(())
    }

    /// What a position has paid of this kind so far; `None` where the kind is not its own.
    fn owed(&self, id: u64, kind: &FeeKind) -> Result<Option<f64>> {
        let position = match self.places.get(&id) {
            None => return Err(self.not(id, "known")),
            Some(_) if matches!(kind, FeeKind::Other(_)) => return Ok(None),
            Some(Place::Open) => self.book.open.get(&id).map(AsRef::as_ref),
            Some(Place::Closed(at)) => self.book.closed.get(*at),
            Some(Place::Part(at)) => self.book.partials.get(*at),
            Some(Place::Pending | Place::Ended) => None,
        };
        let position = position.ok_or_else(|| self.not(id, "filled"))?;
        Ok(Some(if *kind == FeeKind::Entry { position.entry_fee } else { position.exit_fee }))
    }

    fn filled_mut(&mut self, id: u64) -> Option<&mut Position> {
        match *self.places.get(&id)? {
            Place::Open => self.book.open.get_mut(&id).map(AsMut::as_mut),
            Place::Closed(at) => self.book.closed.get_mut(at),
            Place::Part(at) => self.book.partials.get_mut(at),
            Place::Pending | Place::Ended => None,
        }
    }

    pub(super) fn log_fee(&mut self, time: i64, kind: FeeKind, amount: f64, position_id: Option<u64>) {
        if amount != 0.0 {
            self.fees.push(Fee { time, kind, amount, position_id });
        }
    }
}
