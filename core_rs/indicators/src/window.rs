//! MEAN_w and STD_w over the last w values, at constant cost per value and without cancellation.
//!
//! The series is cut into blocks of w. A window that ends in a block is the block's prefix and a suffix of the block
//! before it, both summed as deviations from the first value of the later block. Nothing is ever subtracted from a
//! running sum, so a bad value leaves with its window, and a constant window has deviation exactly 0. Where the squares
//! exceed the range of a float, the deviation of a window is computed in two passes over it instead.

use crate::finite_or_nan;

/// Blocks that are summed side by side.
const LANES: usize = 8;
/// Blocks longer than this are summed one at a time.
const LONG: usize = 4_096;
/// Variances below it, whose squares lost digits to underflow, count as 0.
const TINY: f64 = 1e-300;

/// Space for the blocks at hand. Beside each other lie what belongs to one place in blocks that are summed side by side.
struct Blocks<const SQUARES: bool> {
    w: usize,
    /// By distance from the blocks: Σ(x − anchor) and Σ(x − anchor)² of the values before them.
    suffix: [Vec<f64>; 2],
    /// What is made of the windows that end in the blocks.
    values: Vec<f64>,
    /// Whether every window so far has a finite value.
    clean: bool,
}

impl<const SQUARES: bool> Blocks<SQUARES> {
    /// For `lanes` blocks of `w` values at a time.
    fn new(w: usize, lanes: usize) -> Self {
        let space = if SQUARES { lanes * w } else { 0 };
        Self {
            w,
            suffix: [vec![0.0; lanes * w], vec![0.0; space]],
            values: vec![0.0; lanes * w],
            clean: true,
        }
    }

    /// Appends `value` of the windows that end in the `L` blocks from `base` on: from the place `skipped` to `len` of each.
    #[inline]
    fn append<const L: usize>(
        &mut self,
        x: &[f64],
        base: usize,
        (skipped, len): (usize, usize),
        value: impl Fn(f64, f64, f64) -> f64,
        y: &mut Vec<f64>,
    ) {
        let w = self.w;
        let own: [&[f64]; L] = std::array::from_fn(|lane| &x[base + lane * w..][..len]);
        let anchor = own.map(|block| block[0]);
        let [firsts, seconds] = self.suffix.each_mut().map(|sums| sums.as_chunks_mut::<L>().0);
        let (mut first, mut second) = ([0.0; L], [0.0; L]);
        firsts[0] = first;
        if SQUARES {
            seconds[0] = second;
        }
        if base > 0 {
            let before: [&[f64]; L] = std::array::from_fn(|lane| &x[base + lane * w - w..][..w]);
            for back in 1..w {
                let d: [f64; L] = std::array::from_fn(|lane| before[lane][w - back] - anchor[lane]);
                (0..L).for_each(|lane| first[lane] += d[lane]);
                firsts[back] = first;
                if SQUARES {
                    (0..L).for_each(|lane| second[lane] += d[lane] * d[lane]);
                    seconds[back] = second;
                }
            }
        }
        (first, second) = ([0.0; L], [0.0; L]);
        let mut places = self.values.chunks_exact_mut(w);
        let mut places: [&mut [f64]; L] =
            std::array::from_fn(|_| &mut places.next().unwrap_or_default()[..len]);
        let mut total = [0.0; L];
        for t in 0..len {
            let d: [f64; L] = std::array::from_fn(|lane| own[lane][t] - anchor[lane]);
            let mut sums = [firsts[w - 1 - t], [0.0; L]];
            (0..L).for_each(|lane| first[lane] += d[lane]);
            (0..L).for_each(|lane| sums[0][lane] += first[lane]);
            if SQUARES {
                sums[1] = seconds[w - 1 - t];
                (0..L).for_each(|lane| second[lane] += d[lane] * d[lane]);
                (0..L).for_each(|lane| sums[1][lane] += second[lane]);
            }
            let row: [f64; L] = std::array::from_fn(|lane| value(anchor[lane], sums[0][lane], sums[1][lane]));
            (0..L).for_each(|lane| total[lane] += row[lane]);
            (0..L).for_each(|lane| places[lane][t] = row[lane]);
        }
        if total.iter().any(|total| !total.is_finite()) {
            self.clean = false;
            self.values.iter_mut().for_each(|y| *y = finite_or_nan(*y));
        }
        self.values.chunks_exact(w).take(L).for_each(|values| y.extend(&values[skipped..len]));
    }
}

/// `value` of anchor, Σ(x − anchor) and Σ(x − anchor)² of the w values that end at each index; NaN before the first
/// window. The anchor is a value of the window. A value that is not finite makes the sums of its windows, and of them
/// alone, such that neither mean nor deviation is finite. Without `SQUARES` their sum is 0. Also whether every window has
/// a finite value.
fn windows<const SQUARES: bool>(
    x: &[f64],
    w: usize,
    value: impl Fn(f64, f64, f64) -> f64,
) -> (Vec<f64>, bool) {
    let mut y = undefined(w - 1, x.len());
    if x.len() < w {
        return (y, true);
    }
    let lanes = if w > LONG { 1 } else { LANES };
    let mut blocks = Blocks::<SQUARES>::new(w, lanes);
    // In the first block only the last value ends a window.
    blocks.append::<1>(x, 0, (w - 1, w), &value, &mut y);
    while y.len() < x.len() {
        let (base, left) = (y.len(), x.len() - y.len());
        if lanes > 1 && left >= lanes * w {
            blocks.append::<LANES>(x, base, (0, w), &value, &mut y);
        } else {
            blocks.append::<1>(x, base, (0, w.min(left)), &value, &mut y);
        }
    }
    (y, blocks.clean)
}

/// `count` NaNs, with room for as many values as there are bars.
pub(crate) fn undefined(count: usize, bars: usize) -> Vec<f64> {
    let mut y = Vec::with_capacity(bars);
    y.resize(count.min(bars), f64::NAN);
    y
}

/// MEAN_w: the mean of the w values that end at each index; NaN where one of them is missing.
///
/// # Panics
/// If `w` is 0.
#[allow(clippy::cast_precision_loss)]
pub fn mean(x: &[f64], w: usize) -> Vec<f64> {
    let n = w as f64;
    windows::<false>(x, w, |anchor, first, _| anchor + first / n).0
}

/// The divisors of a deviation over `w` values, or none where it is undefined.
#[derive(Debug, Clone, Copy)]
struct Deviation {
    w: f64,
    divisor: f64,
}

impl Deviation {
    /// With divisor w − ddof; None if w ≤ ddof.
    #[allow(clippy::cast_precision_loss)]
    fn new(w: usize, ddof: usize) -> Option<Self> {
        (w > ddof).then(|| Self { w: w as f64, divisor: (w - ddof) as f64 })
    }

    /// From the sums of a window; NaN where a square overflowed.
    #[inline]
    #[allow(clippy::eq_op)]
    fn of(self, first: f64, second: f64) -> f64 {
        let variance = (second - first * first / self.w) / self.divisor;
        // The difference is 0, but for -inf: there it is NaN.
        (if variance < TINY { variance - variance } else { variance }).sqrt()
    }

    /// Of one window, in two passes.
    fn two_passes(self, window: &[f64]) -> f64 {
        let centre = window.iter().fold(0.0, |sum, x| sum + (x - window[0])) / self.w;
        let squares = window.iter().map(|x| (x - window[0]) - centre).fold(0.0, |sum, d| sum + d * d);
        finite_or_nan((squares / self.divisor).sqrt())
    }

    /// Fills in the windows without a value in which no value of `x` is missing.
    fn complete(self, x: &[f64], w: usize, y: &mut [f64]) {
        let mut present = 0;
        for (i, y) in y.iter_mut().enumerate() {
            present = if x[i].is_finite() { present + 1 } else { 0 };
            if present >= w && y.is_nan() {
                *y = self.two_passes(&x[i + 1 - w..=i]);
            }
        }
    }
}

/// STD_w with divisor w − ddof; NaN where a value is missing or w ≤ ddof.
///
/// Within 1e-9 of the two-pass value for windows up to 50,000; beyond, an outlier at the start of a block costs more.
///
/// # Panics
/// If `w` is 0.
pub fn std(x: &[f64], w: usize, ddof: usize) -> Vec<f64> {
    let Some(deviation) = Deviation::new(w, ddof) else { return vec![f64::NAN; x.len()] };
    let (mut y, clean) = windows::<true>(x, w, |_, first, second| deviation.of(first, second));
    if !clean {
        deviation.complete(x, w, &mut y);
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

    /// Mean and deviation by the sums of the two blocks, window by window; NaN where a value is missing.
    fn one_at_a_time(x: &[f64], w: usize, ddof: usize) -> Vec<(f64, f64)> {
        let one = |i: usize| {
            if i + 1 < w || x[i + 1 - w..=i].iter().any(|v| !v.is_finite()) {
                return (f64::NAN, f64::NAN);
            }
            let start = i / w * w;
            let sums = |values: &mut dyn Iterator<Item = &f64>| {
                values.fold((0.0, 0.0), |(first, second), v| {
                    let d = v - x[start];
                    (first + d, second + d * d)
                })
            };
            let left = sums(&mut x[i + 1 - w..start.max(i + 1 - w)].iter().rev());
            let right = sums(&mut x[start..=i].iter());
            let (first, second) = (left.0 + right.0, left.1 + right.1);
            let variance = (second - first * first / w as f64) / (w as f64 - ddof as f64);
            let deviation = if w <= ddof { f64::NAN } else { variance.max(0.0).sqrt() };
            (x[start] + first / w as f64, deviation)
        };
        (0..x.len()).map(one).collect()
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

    #[test]
    fn squares_beyond_the_range_of_a_float_are_computed_in_two_passes() {
        let mut spikes = vec![1.3e153; 300];
        spikes.iter_mut().step_by(100).for_each(|x| *x = 0.0);
        let steps: Vec<f64> = (0..40).map(|i| if i % 2 == 0 { 0.0 } else { 1.5e154 }).collect();
        for (x, w) in [(&spikes, 100), (&spikes, 7), (&steps, 2)] {
            let y = std(x, w, 1);
            for (a, b) in y.iter().zip(two_pass(x, w, 1).into_iter().map(finite_or_nan)) {
                assert!((a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * b, "{a:e} {b:e}");
            }
        }
        assert!((std(&spikes, 100, 1)[250] - 1.3e152).abs() < 1e142);
        let tiny: Vec<f64> = (0..40).map(|i| 3e-162 * f64::from(i % 2)).collect();
        assert!(std(&tiny, 2, 1).iter().skip(1).all(|s| *s == 0.0));
    }

    proptest! {
        #[test]
        fn block_sums_equal_the_definition(
            steps in proptest::collection::vec(-1e-4..1e-4f64, 1..900), w in 1usize..60, ddof in 0usize..2, hole in 0usize..800,
        ) {
            let mut level = 1.3;
            let mut x: Vec<f64> = steps.iter().map(|s| { level += s; level }).collect();
            if hole < x.len() { x[hole] = if hole % 2 == 0 { f64::NAN } else { f64::INFINITY }; }
            for (a, b) in mean(&x, w).iter().zip(one_at_a_time(&x, w, 0)) {
                prop_assert_eq!(a.to_bits(), b.0.to_bits());
            }
            for (a, b) in std(&x, w, ddof).iter().zip(one_at_a_time(&x, w, ddof)) {
                prop_assert_eq!(a.to_bits(), b.1.to_bits());
            }
            for (a, b) in std(&x, w, ddof).iter().zip(two_pass(&x, w, ddof)) {
                prop_assert_eq!(a.is_nan(), b.is_nan());
                prop_assert!(a.is_nan() || (a - b).abs() <= 1e-12 * b.abs() + 1e-18, "{} {}", a, b);
            }
        }
    }
}
