//! What price moves and volumes are worth in the account currency.

use crate::error::Result;
use crate::execution::options::Pnl;
use crate::execution::sizing::UnitMoney;
use crate::orders::{Direction, Position};

/// Values positions of one symbol.
#[derive(Debug, Clone)]
pub struct Money {
    /// What a result is measured in.
    pub pnl: Pnl,
    /// Value of a price move.
    pub unit: UnitMoney,
}

impl Money {
    /// Price difference in favour of the position.
    #[inline]
    fn difference(position: &Position, price: f64) -> f64 {
        match position.direction() {
            Direction::Long => price - position.entry_price,
            Direction::Short => position.entry_price - price,
        }
    }

    /// (result, R multiple) of `position` as if closed at `price` at moment `t`, without fees.
    ///
    /// # Errors
    /// [2008], here and below, without a conversion rate at `t`.
    #[inline]
    pub fn result(&self, position: &Position, price: f64, t: i64) -> Result<(f64, f64)> {
        let diff = Self::difference(position, price);
        let risk = position.initial_risk();
        let r = if risk == 0.0 { 0.0 } else { diff / risk };
        let result = match self.pnl {
            Pnl::Lots => self.lots_result(diff, position.size, t)?,
            Pnl::RMultiple => r * position.risk_per_trade,
        };
        Ok((result, r))
    }

    /// The result alone; cheaper where only equity is marked.
    #[inline]
    pub fn unrealised(&self, position: &Position, price: f64, t: i64) -> Result<f64> {
        match self.pnl {
            Pnl::Lots => self.lots_result(Self::difference(position, price), position.size, t),
            Pnl::RMultiple => Ok(self.result(position, price, t)?.0),
        }
    }

    #[inline]
    fn lots_result(&self, diff: f64, size: f64, t: i64) -> Result<f64> {
        self.unit.to_account.apply((diff * size) * self.unit.per_lot, t)
    }

    /// Money that was at risk between entry and initial stop, at the moment of the exit: the denominator of net R.
    pub fn at_risk(&self, position: &Position, t: i64) -> Result<f64> {
        match self.pnl {
            Pnl::Lots => {
                let stake = (position.initial_risk() * position.size) * self.unit.per_lot;
                self.unit.to_account.apply(stake, t)
            }
            Pnl::RMultiple => Ok(position.risk_per_trade),
        }
    }

    /// Turnover of one fill.
    pub fn turnover(&self, lots: f64, price: f64, t: i64) -> Result<f64> {
        self.unit.to_account.apply((lots * self.unit.per_lot) * price, t)
    }
}
