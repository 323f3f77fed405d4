//! True range.

use crate::recurrence::tame;
use crate::scope::{Entry, Key, Scope, Series};
use crate::{Hlc, finite_or_nan};

/// TR_i = max(|H−L|, |H−C₋₁|, |L−C₋₁|); the first term alone at index 0 and after a missing bar, NaN on a missing one.
pub fn true_range(bars: Hlc<'_>) -> Vec<f64> {
    let n = bars.len();
    let (high, low, close) = (&bars.high[..n], &bars.low[..n], &bars.close[..n]);
    if tame(high) && tame(low) && tame(close) {
        let first = high.first().zip(low.first()).map(|(h, l)| (h - l).abs());
        let rest = high.iter().zip(low).skip(1).zip(close);
        let mut out = Vec::with_capacity(n);
        out.extend(first);
        out.extend(rest.map(|((h, l), c)| range(*h, *l, *c)));
        return out;
    }
    let mut previous: Option<f64> = None;
    (0..bars.len())
        .map(|i| {
            if !bars.present(i) {
                previous = None;
                return f64::NAN;
            }
            let (h, l) = (bars.high[i], bars.low[i]);
            let own = (h - l).abs();
            let range = match previous {
                None => own,
                Some(c) => own.max((h - c).abs()).max((l - c).abs()),
            };
            previous = Some(bars.close[i]);
            finite_or_nan(range)
        })
        .collect()
}

/// The true range of a bar after a close; not finite if a price is not, provided that then none of the bar is.
#[inline]
pub(crate) fn range(high: f64, low: f64, before: f64) -> f64 {
    let larger = |a: f64, b: f64| if a > b { a } else { b };
    larger(larger((high - low).abs(), (high - before).abs()), (low - before).abs())
}

/// The true ranges, which several indicators share.
#[derive(Debug, Clone, Copy)]
pub struct TrueRange;

impl Entry for TrueRange {
    fn key(&self) -> Key {
        Key::part("true_range", [])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        vec![true_range(scope.bars.hlc()).into()]
    }
}
