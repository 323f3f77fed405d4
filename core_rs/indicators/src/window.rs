//! MEAN_w and STD_w over the last w values, at constant cost per value and without cancellation.
//!
//! The series is cut into blocks of w. A window that ends in a block is the block's prefix and a suffix of the block
//! before it, both summed as deviations from the first value of the later block. Nothing is ever subtracted from a
//! running sum, so a bad value leaves with its window, and a constant window has deviation exactly 0.

use crate::finite_or_nan;

/// Sums of a window: Σ(x − anchor) and Σ(x − anchor)².
struct Sums {
    anchor: f64,
    first: f64,
    second: f64,
}

/// Calls `out(i, sums)` for every index whose window of `w` values is complete and wholly finite.
fn for_each_window(x: &[f64], w: usize, mut out: impl FnMut(usize, &Sums)) {
    let mut suffix = vec![(0.0, 0.0); w + 1];
    let mut last_missing: Option<usize> = None;
    for start in (0..x.len()).step_by(w) {
        let anchor = x[start];
        if start > 0 {
            let (mut first, mut second) = (0.0, 0.0);
            for back in 1..w {
                let d = x[start - back] - anchor;
                first += d;
                second += d * d;
                suffix[back] = (first, second);
            }
        }
        let (mut first, mut second) = (0.0, 0.0);
        for i in start..(start + w).min(x.len()) {
            if !x[i].is_finite() {
                last_missing = Some(i);
            }
            let d = x[i] - anchor;
            first += d;
            second += d * d;
            if i + 1 < w || last_missing.is_some_and(|m| m + w > i) {
                continue;
            }
            let (left, left_squares) = suffix[w - 1 - (i - start)];
            out(i, &Sums { anchor, first: left + first, second: left_squares + second });
        }
    }
}

/// MEAN_w: the mean of the w values that end at each index; NaN where one of them is missing.
///
/// # Panics
/// If `w` is 0.
#[allow(clippy::cast_precision_loss)]
pub fn mean(x: &[f64], w: usize) -> Vec<f64> {
    let mut y = vec![f64::NAN; x.len()];
    for_each_window(x, w, |i, s| y[i] = finite_or_nan(s.anchor + s.first / w as f64));
    y
}

/// STD_w with divisor w − ddof; NaN where a value is missing or w ≤ ddof.
///
/// # Panics
/// If `w` is 0.
#[allow(clippy::cast_precision_loss)]
pub fn std(x: &[f64], w: usize, ddof: usize) -> Vec<f64> {
    let mut y = vec![f64::NAN; x.len()];
    if w > ddof {
        let (n, divisor) = (w as f64, (w - ddof) as f64);
        for_each_window(x, w, |i, s| {
            let variance = (s.second - s.first * s.first / n) / divisor;
            y[i] = finite_or_nan(if variance < 0.0 { 0.0 } else { variance.sqrt() });
        });
    }
    y
}

/// SUM_w: the sum of the w values that end at each index; NaN where one of them is missing.
///
/// # Panics
/// If `w` is 0.
pub fn sum(x: &[f64], w: usize) -> Vec<f64> {
    blocks(x, w, |a, b| a + b)
}

/// MAX_w: the largest of the w values that end at each index; NaN where one of them is missing.
///
/// # Panics
/// If `w` is 0.
pub fn max(x: &[f64], w: usize) -> Vec<f64> {
    blocks(x, w, f64::max)
}

/// MIN_w: the smallest of the w values that end at each index; NaN where one of them is missing.
///
/// # Panics
/// If `w` is 0.
pub fn min(x: &[f64], w: usize) -> Vec<f64> {
    blocks(x, w, f64::min)
}

/// Folds every window from a suffix of the block before and a prefix of its own.
fn blocks(x: &[f64], w: usize, fold: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let mut y = vec![f64::NAN; x.len()];
    let mut suffix = vec![0.0; w + 1];
    let mut last_missing: Option<usize> = None;
    for start in (0..x.len()).step_by(w) {
        if start > 0 {
            suffix[1] = x[start - 1];
            for back in 2..w {
                suffix[back] = fold(x[start - back], suffix[back - 1]);
            }
        }
        let mut prefix = x[start];
        for i in start..(start + w).min(x.len()) {
            if !x[i].is_finite() {
                last_missing = Some(i);
            }
            if i > start {
                prefix = fold(prefix, x[i]);
            }
            if i + 1 < w || last_missing.is_some_and(|m| m + w > i) {
                continue;
            }
            let left = w - 1 - (i - start);
            y[i] = finite_or_nan(if left == 0 { prefix } else { fold(suffix[left], prefix) });
        }
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, two passes over every window.
    fn two_pass(x: &[f64], w: usize, ddof: usize) -> Vec<f64> {
        (0..x.len())
            .map(|i| {
                if i + 1 < w || w <= ddof || x[i + 1 - w..=i].iter().any(|v| !v.is_finite()) {
                    return f64::NAN;
                }
                let window = &x[i + 1 - w..=i];
                let centre = window.iter().map(|v| v - window[0]).sum::<f64>() / w as f64;
                let squares: f64 = window.iter().map(|v| (v - window[0] - centre).powi(2)).sum();
                (squares / (w - ddof) as f64).sqrt()
            })
            .collect()
    }

    #[test]
    fn a_constant_window_has_deviation_exactly_zero() {
        for y in std(&[0.1; 20], 3, 1).iter().skip(2) {
            assert_eq!(*y, 0.0);
        }
        assert!(mean(&[0.1; 20], 7).iter().skip(6).all(|m| *m == 0.1));
    }

    #[test]
    fn a_missing_value_leaves_with_its_window() {
        let mut x = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        x[2] = f64::INFINITY;
        let y = mean(&x, 2);
        assert!(y[0].is_nan() && y[2].is_nan() && y[3].is_nan());
        assert_eq!((y[1], y[4], y[6]), (1.5, 4.5, 6.5));
    }

    proptest! {
        #[test]
        fn block_sums_equal_the_definition(
            steps in proptest::collection::vec(-1e-4..1e-4f64, 1..400), w in 1usize..60, ddof in 0usize..2, hole in 0usize..800,
        ) {
            let mut level = 1.3;
            let mut x: Vec<f64> = steps.iter().map(|s| { level += s; level }).collect();
            if hole < x.len() { x[hole] = f64::NAN; }
            for (a, b) in std(&x, w, ddof).iter().zip(two_pass(&x, w, ddof)) {
                prop_assert_eq!(a.is_nan(), b.is_nan());
                prop_assert!(a.is_nan() || (a - b).abs() <= 1e-12 * b.abs() + 1e-18, "{} {}", a, b);
            }
        }
    }
}
