//! Scores of bars that follow each other, side by side: the chains of their windows do not wait for each other.

use super::{KalmanGarchLocal, score};
use crate::all_finite;
use crate::garch::{Recursion, Returns};
use crate::kalman_mean::gains;
use crate::scope::{Scope, Series};
use crate::slots::Slots;

/// Bars whose windows are gone through together. Their chains fill the time in which one would wait for itself.
const LANES: usize = 8;

/// What the windows of all bars share.
#[derive(Debug)]
pub struct Windows {
    local: KalmanGarchLocal,
    returns: Series,
    /// Gain of the filter at every bar of a window but the first.
    gains: Vec<f64>,
    /// Whether whole windows can be gone through without a test: nothing is missing, and no variance falls to the floor.
    plain: bool,
}

impl Windows {
    /// Of the windows of `local` over the bars of `scope`.
    pub fn new(local: KalmanGarchLocal, scope: &Scope<'_>) -> Self {
        let weights = local.model.weights;
        let returns = scope.get(&Returns { log: weights.use_log_returns, scale: weights.scale });
        let start = weights.start(0.0);
        Self {
            gains: gains(local.model.mean.ratio, local.lookback.min(scope.bars.len()).saturating_sub(1)),
            plain: local.lookback >= 2
                && local.lookback - 2 >= weights.min_periods
                && start.omega >= start.floor
                && all_finite(scope.bars.close)
                && all_finite(&returns[1.min(returns.len())..]),
            local,
            returns,
        }
    }

    /// The score at bar `i` of the closes, kept in its slot; the next ones come with it where they cost nothing.
    ///
    /// # Panics
    /// If there is no bar `i`.
    pub fn at(&self, close: &[f64], i: usize, slots: &Slots) -> f64 {
        slots.get(i, || {
            let Some(scores) = self.side_by_side(close, i) else { return self.local.score(close, i) };
            for (k, &score) in scores.iter().enumerate().skip(1) {
                slots.offer(i + k, score);
            }
            scores[0]
        })
    }

    /// The scores of all bars.
    pub fn all(&self, close: &[f64]) -> Vec<f64> {
        let mut scores = Vec::with_capacity(close.len());
        while scores.len() < close.len() {
            let i = scores.len();
            match self.side_by_side(close, i) {
                Some(some) => scores.extend(some),
                None => scores.push(self.local.score(close, i)),
            }
        }
        scores
    }

    /// The scores of bar `i` and those after it, if all of their windows are whole and plain.
    fn side_by_side(&self, close: &[f64], i: usize) -> Option<[f64; LANES]> {
        let first = (i + 1).checked_sub(self.local.lookback).filter(|_| self.plain)?;
        let closes = close.get(first..i + LANES)?;
        let returns = &self.returns[first..i + LANES];
        let mean: [f64; LANES] = std::array::from_fn(|lane| returns[1 + lane]);
        let (h, level) = pulp::Arch::new().dispatch(Chains { windows: self, closes, returns, mean });
        Some(std::array::from_fn(|lane| {
            let state = Recursion { h: h[lane], ..self.local.model.weights.start(mean[lane]) };
            last(closes[closes.len() - LANES + lane], level[lane], &state)
        }))
    }
}

/// Variances and levels at the end of the windows, compiled for several processors: wider ones take more windows at once, and
/// every bit is the same.
struct Chains<'a> {
    windows: &'a Windows,
    closes: &'a [f64],
    returns: &'a [f64],
    /// The first return of each window.
    mean: [f64; LANES],
}

impl pulp::NullaryFnOnce for Chains<'_> {
    type Output = ([f64; LANES], [f64; LANES]);

    #[inline(always)] // into what is compiled for each processor
    fn call(self) -> Self::Output {
        let Self { windows: Windows { local, gains, .. }, closes, returns, mean } = self;
        let Recursion { omega, alpha, beta, h, .. } = local.model.weights.start(mean[0]);
        let (mut h, mut shock) = ([h; LANES], [0.0; LANES]);
        let mut level: [f64; LANES] =
            std::array::from_fn(|lane| closes[lane] + gains[0] * (closes[1 + lane] - closes[lane]));
        let later = returns[2..].windows(LANES).zip(closes[2..].windows(LANES));
        for ((r, c), gain) in later.zip(&gains[1..]) {
            for lane in 0..LANES {
                h[lane] = omega + alpha * shock[lane] + beta * h[lane];
                let e = r[lane] - mean[lane];
                shock[lane] = e * e;
                level[lane] += gain * (c[lane] - level[lane]);
            }
        }
        (h, level)
    }
}

/// The score of the last close of a window.
pub(super) fn last(close: f64, level: f64, state: &Recursion) -> f64 {
    let sigma = state.sigma();
    if sigma.is_nan() || sigma <= 0.0 {
        return f64::NAN;
    }
    score(close, crate::finite_or_nan(level), sigma)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garch::Garch;
    use crate::kalman_garch::KalmanGarch;
    use crate::kalman_mean::KalmanMean;
    use crate::scope::{Bars, NoStore};
    use proptest::prelude::*;
    use pulp::NullaryFnOnce;

    proptest! {
        #[test]
        fn the_bits_are_those_of_each_window_by_itself(
            steps in proptest::collection::vec(-1e-2..1e-2f64, 0..120),
            lookback in 1usize..60,
            (ratio, flat) in (prop_oneof![Just(0.0), 1e-3..1e2f64], any::<bool>()),
            (min_periods, sigma_floor) in (0usize..20, prop_oneof![Just(0.0), Just(1e-6), Just(1e-2)]),
            omega in prop_oneof![Just(None), Just(Some(0.0)), (0.0..1e-3f64).prop_map(Some)],
            use_log_returns in any::<bool>(),
            hole in prop::option::of(0usize..120),
            start in 0usize..120,
        ) {
            let walk = |level: &mut f64, s: f64| { *level += if flat { 0.0 } else { s }; Some(*level) };
            let mut close: Vec<f64> = steps.into_iter().scan(1.3, walk).collect();
            if let Some(x) = hole.and_then(|hole| close.get_mut(hole)) {
                *x = f64::NAN;
            }
            let weights = Garch { omega, use_log_returns, min_periods, sigma_floor, ..Garch::default() };
            let model = KalmanGarch { mean: KalmanMean { ratio }, weights };
            let local = KalmanGarchLocal { idx: None, lookback, model };
            let bars = Bars { open: &close, high: &close, low: &close, close: &close };
            let windows = Windows::new(local, &Scope::new(bars, None, &NoStore));
            let plain: Vec<u64> = (0..close.len()).map(|i| local.score(&close, i).to_bits()).collect();
            let all: Vec<u64> = windows.all(&close).iter().map(|z| z.to_bits()).collect();
            prop_assert_eq!(&all, &plain);
            let slots = Slots::new(close.len());
            for i in (start..close.len()).chain(0..close.len()) {
                prop_assert_eq!(windows.at(&close, i, &slots).to_bits(), plain[i]);
            }
        }
    }

    #[test]
    fn a_market_without_gaps_is_gone_through_side_by_side() {
        let close: Vec<f64> = (0..100u32).map(|i| 1.1 + 1e-3 * f64::from(i * 7919 % 101)).collect();
        let bars = Bars { open: &close, high: &close, low: &close, close: &close };
        let model = KalmanGarch {
            mean: KalmanMean { ratio: 0.2 },
            weights: Garch { min_periods: 8, ..Garch::default() },
        };
        let local = KalmanGarchLocal { idx: None, lookback: 10, model };
        let windows = Windows::new(local, &Scope::new(bars, None, &NoStore));
        let found: Vec<bool> = (0..100).map(|i| windows.side_by_side(&close, i).is_some()).collect();
        let whole = |i: usize| i >= 9 && i + LANES <= 100;
        assert!(found.iter().enumerate().all(|(i, &side_by_side)| side_by_side == whole(i)));
        let (closes, returns) = (&close[..9 + LANES], &windows.returns[..9 + LANES]);
        let mean = std::array::from_fn(|lane| returns[1 + lane]);
        let chains = || Chains { windows: &windows, closes, returns, mean };
        assert_eq!(pulp::Arch::new().dispatch(chains()), chains().call(), "alike for every processor");
        let too_short = KalmanGarchLocal { lookback: 9, ..local };
        assert!(!Windows::new(too_short, &Scope::new(bars, None, &NoStore)).plain);
    }
}
