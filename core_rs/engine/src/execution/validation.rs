//! Checks of a signal at its decision and at its fill.

use crate::orders::{Direction, RejectionReason, Signal};

fn usable(price: f64) -> bool {
    price.is_finite() && price > 0.0
}

/// The first rule that `signal` breaks on its decision bar; `reference` is the entry-side close.
pub fn at_decision(signal: &Signal, reference: f64, min_stop: f64) -> Option<RejectionReason> {
    let numbers = usable(signal.stop_loss)
        && signal.take_profit.is_none_or(usable)
        && signal.size.is_none_or(usable)
        && usable(reference);
    if !numbers {
        return Some(RejectionReason::InvalidArgument);
    }
    let (stop_side, target_side) = sides(signal, reference);
    if !(stop_side && target_side) {
        return Some(RejectionReason::InvalidSide);
    }
    ((reference - signal.stop_loss).abs() < min_stop).then_some(RejectionReason::StopTooClose)
}

/// The first rule that a fill at `price` breaks.
pub fn at_fill(signal: &Signal, price: f64, min_stop: f64) -> Option<RejectionReason> {
    let (stop_side, target_side) = sides(signal, price);
    if !stop_side {
        return Some(RejectionReason::StopPassedAtFill);
    }
    if !target_side {
        return Some(RejectionReason::TargetPassedAtFill);
    }
    ((price - signal.stop_loss).abs() < min_stop).then_some(RejectionReason::StopTooClose)
}

/// Whether the stop lies on the losing and the target on the winning side of `price`.
fn sides(signal: &Signal, price: f64) -> (bool, bool) {
    match signal.direction {
        Direction::Long => (signal.stop_loss < price, signal.take_profit.is_none_or(|t| price < t)),
        Direction::Short => (signal.stop_loss > price, signal.take_profit.is_none_or(|t| price > t)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RejectionReason::*;
    use rstest::rstest;

    #[rstest]
    #[case(1.105, Some(1.11), Some(InvalidSide))]
    #[case(1.095, Some(1.099), Some(InvalidSide))]
    #[case(1.095, Some(0.0), Some(InvalidArgument))]
    #[case(f64::NAN, None, Some(InvalidArgument))]
    #[case(1.095, Some(f64::INFINITY), Some(InvalidArgument))]
    #[case(1.099_995, Some(1.11), Some(StopTooClose))]
    #[case(1.095, None, None)]
    fn documented_decisions(
        #[case] stop: f64,
        #[case] target: Option<f64>,
        #[case] expected: Option<RejectionReason>,
    ) {
        let signal = Signal::market(Direction::Long, stop, target);
        assert_eq!(at_decision(&signal, 1.1, 0.1 * 0.0001), expected);
    }
}
