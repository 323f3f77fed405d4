//! Stops and targets move.

use super::portfolio::Portfolio;
use super::row::{Operation, positive, positive_if_given, required, wrong};
use crate::error::Result;
use crate::orders::StopKind;
use crate::suggest::suggestion;

impl Portfolio {
    /// Changes stop, target or both, of an open position or a pending order. A stop that moves is `manual` unless
    /// another kind is given; `clear_take_profit` removes the target. R stays relative to the stop at the fill.
    ///
    /// # Errors
    /// [1001] nothing to change, a level that is none, a kind that is none or of a pending order, [1007] neither open nor
    /// pending, [1008] no id.
    pub fn modify_position(&mut self, row: &impl Operation) -> Result<()> {
        let id = required(row.position_id(), "position_id")?;
        if !self.book.open.contains_key(&id) && !self.pending.contains_key(&id) {
            return Err(self.not(id, "open or pending"));
        }
        let target = if row.clear_take_profit() { Some(None) } else { row.take_profit().map(Some) };
        if row.stop_loss().is_none() && target.is_none() && row.stop_kind().is_none() {
            return Err(wrong("nothing to change").fix("give stop_loss, take_profit or stop_kind"));
        }
        let stop = positive_if_given(row.stop_loss(), "stop_loss")?;
        positive_if_given(target.flatten(), "take_profit")?;
        let kind = row.stop_kind().map(kind).transpose()?;
        if let Some(position) = self.book.open.get_mut(&id) {
            if let Some(kind) = kind.or(stop.map(|_| StopKind::Manual)) {
                position.stop_kind = kind;
            }
            position.stop_loss = stop.unwrap_or(position.stop_loss);
            position.take_profit = target.unwrap_or(position.take_profit);
        } else if let Some(waiting) = self.pending.get_mut(&id) {
            if kind.is_some() {
                return Err(
                    wrong("the stop of a pending order is the initial one").fix("leave out stop_kind")
                );
            }
            let signal = &mut waiting.order.signal;
            signal.stop_loss = stop.unwrap_or(signal.stop_loss);
            signal.take_profit = target.unwrap_or(signal.take_profit);
        }
        Ok(())
    }

    /// Moves the stop of an open position to its entry, and `buffer_pips` [0] beyond it in its favour.
    ///
    /// # Errors
    /// [1001] a buffer that leads to no price, [1007] not open, [1008] no id.
    pub fn set_break_even(&mut self, row: &impl Operation) -> Result<()> {
        let position = self.open(row.position_id())?;
        let pip = self.instruments.get(position.symbol).spec.pip_size;
        let buffer = row.buffer_pips().unwrap_or(0.0) * pip;
        let stop = position.entry_price + position.direction().sign() * buffer;
        let stop = positive(Some(stop), "the stop at break-even")?;
        let id = position.id;
        if let Some(position) = self.book.open.get_mut(&id) {
            (position.stop_loss, position.stop_kind) = (stop, StopKind::BreakEven);
        }
        Ok(())
    }
}

fn kind(text: &str) -> Result<StopKind> {
    let hint = || suggestion(text, StopKind::ALL.map(StopKind::name));
    StopKind::parse(text).ok_or_else(|| wrong(format!("unknown stop_kind {text:?}")).fix(hint()))
}
