//! Checks of a signal at its decision and at its fill.

use crate::orders::{Direction, OrderType, RejectionReason, Signal};

/// Whether a price is finite and above 0, in two comparisons.
pub fn usable(price: f64) -> bool {
    price > 0.0 && price < f64::INFINITY
}

/// The price that a signal's levels are compared with: the entry-side close, or the price of a pending order.
pub fn reference_price(signal: &Signal, bid: f64, ask: f64) -> f64 {
    match (signal.order_type, signal.direction) {
        (OrderType::Market, Direction::Long) => ask,
        (OrderType::Market, Direction::Short) => bid,
        _ => signal.entry.unwrap_or(f64::NAN),
    }
}

/// The first rule that `signal` breaks at the close of its decision bar, with the closes of both sides.
pub fn at_decision(signal: &Signal, bid: f64, ask: f64, min_stop: f64) -> Option<RejectionReason> {
    let reference = reference_price(signal, bid, ask);
    let numbers = usable(signal.stop_loss)
        && signal.take_profit.is_none_or(usable)
        && signal.size.is_none_or(usable)
        && signal.valid_bars.is_none_or(|n| n >= 1)
        && usable(reference);
    if !numbers {
        return Some(RejectionReason::InvalidArgument);
    }
    let (stop_side, target_side) = sides(signal, reference);
    if !(stop_side && target_side) {
        return Some(RejectionReason::InvalidSide);
    }
    if (reference - signal.stop_loss).abs() < min_stop {
        return Some(RejectionReason::StopTooClose);
    }
    let passed = signal.order_type == OrderType::Stop
        && match signal.direction {
            Direction::Long => reference <= ask,
            Direction::Short => reference >= bid,
        };
    passed.then_some(RejectionReason::StopOrderPassed)
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
        assert_eq!(at_decision(&signal, 1.1, 1.1, 0.1 * 0.0001), expected);
    }

    #[rstest]
    #[case(OrderType::Stop, Direction::Long, 1.0999, 1.09, Some(StopOrderPassed))]
    #[case(OrderType::Stop, Direction::Long, 1.1, 1.09, Some(StopOrderPassed))]
    #[case(OrderType::Stop, Direction::Long, 1.1001, 1.09, None)]
    #[case(OrderType::Stop, Direction::Short, 1.1, 1.11, Some(StopOrderPassed))]
    #[case(OrderType::Stop, Direction::Short, 1.0999, 1.11, None)]
    #[case(OrderType::Limit, Direction::Long, 1.2, 1.09, None)]
    #[case(OrderType::Limit, Direction::Long, 1.08, 1.09, Some(InvalidSide))]
    #[case(OrderType::Limit, Direction::Long, f64::NAN, 1.09, Some(InvalidArgument))]
    fn pending_decisions(
        #[case] order_type: OrderType,
        #[case] direction: Direction,
        #[case] entry: f64,
        #[case] stop: f64,
        #[case] expected: Option<RejectionReason>,
    ) {
        let signal = Signal::pending(order_type, direction, entry, stop, None);
        assert_eq!(at_decision(&signal, 1.1, 1.1, 0.1 * 0.0001), expected);
    }

    #[rstest]
    #[case(0, Some(InvalidArgument))]
    #[case(1, None)]
    fn orders_live_for_at_least_one_bar(#[case] valid_bars: i64, #[case] expected: Option<RejectionReason>) {
        let mut signal = Signal::pending(OrderType::Limit, Direction::Long, 1.1, 1.09, None);
        signal.valid_bars = Some(valid_bars);
        assert_eq!(at_decision(&signal, 1.1, 1.1, 0.1 * 0.0001), expected);
    }
}
