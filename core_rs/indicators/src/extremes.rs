//! Highest high and lowest low of the last bars: parts of strategies, no indicators of their own.

use crate::scope::{Entry, Key, Scope, Series};
use std::collections::VecDeque;

/// Highest value of each window of `period` values; NaN before the first full one and where a value is missing.
fn highest(x: &[f64], period: usize) -> Vec<f64> {
    rolling(x, period, |new, old| new >= old)
}

/// Lowest value of each window of `period` values, likewise.
fn lowest(x: &[f64], period: usize) -> Vec<f64> {
    rolling(x, period, |new, old| new <= old)
}

/// The candidates of a window are kept in order, the best first: each value enters and leaves once.
fn rolling(x: &[f64], period: usize, beats: impl Fn(f64, f64) -> bool) -> Vec<f64> {
    let mut best: VecDeque<usize> = VecDeque::new();
    let mut missing = None;
    let value = |(i, &new): (usize, &f64)| {
        if new.is_nan() {
            missing = Some(i);
            best.clear();
        } else {
            while best.back().is_some_and(|&k| beats(new, x[k])) {
                best.pop_back();
            }
            best.push_back(i);
        }
        while best.front().is_some_and(|&k| k + period <= i) {
            best.pop_front();
        }
        let whole = i + 1 >= period && missing.is_none_or(|k| k + period <= i);
        if whole { best.front().map_or(f64::NAN, |&k| x[k]) } else { f64::NAN }
    };
    x.iter().enumerate().map(value).collect()
}

/// Highest high of the last bars.
#[derive(Debug, Clone, Copy)]
pub struct HighestHigh {
    /// Bars.
    pub period: usize,
}

/// Lowest low of the last bars.
#[derive(Debug, Clone, Copy)]
pub struct LowestLow {
    /// Bars.
    pub period: usize,
}

impl Entry for HighestHigh {
    fn key(&self) -> Key {
        Key::part("highest_high", [self.period as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![highest(scope.bars.high, self.period).into()]
    }
}

impl Entry for LowestLow {
    fn key(&self) -> Key {
        Key::part("lowest_low", [self.period as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![lowest(scope.bars.low, self.period).into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small numbers with ties, and missing ones.
    fn series() -> Vec<f64> {
        let mut state = 1u64;
        let draw = |i: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let x = (state >> 60) as f64;
            if i % 37 == 20 { f64::NAN } else { x }
        };
        (0..300).map(draw).collect()
    }

    #[test]
    fn they_are_the_extremes_of_every_window() {
        let x = series();
        for period in [1, 2, 3, 7, 40, 301] {
            let (high, low) = (highest(&x, period), lowest(&x, period));
            for i in 0..x.len() {
                let window = (i + 1).checked_sub(period).map(|from| &x[from..=i]);
                let whole = window.filter(|w| !w.iter().any(|v| v.is_nan()));
                let expected = whole.map_or((f64::NAN, f64::NAN), |w| {
                    (w.iter().copied().fold(f64::MIN, f64::max), w.iter().copied().fold(f64::MAX, f64::min))
                });
                assert!(high[i] == expected.0 || high[i].is_nan() && expected.0.is_nan(), "{period} {i}");
                assert!(low[i] == expected.1 || low[i].is_nan() && expected.1.is_nan(), "{period} {i}");
            }
        }
    }
}
