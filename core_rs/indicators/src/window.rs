//! MEAN_w and STD_w over the last w values, at constant cost per value and without cancellation.
//!
//! The series is cut into blocks of w. A window that ends in a block is the block's prefix and a suffix of the block
//! before it, both summed as deviations from the first value of the later block. Nothing is ever subtracted from a
//! running sum, so a bad value leaves with its window, and a constant window has deviation exactly 0.

use crate::finite_or_nan;

/// Blocks that are summed side by side.
const LANES: usize = 8;
/// Blocks longer than this are summed one at a time.
const LONG: usize = 4_096;

/// Space for the sums of the blocks at hand.
struct Sums<const SQUARES: bool> {
    w: usize,
    /// By distance from the blocks, beside each other: the values before them.
    suffix: [Vec<f64>; 2],
    /// Σ(x − anchor) of the window that ends at each value.
    first: Vec<f64>,
    /// Σ(x − anchor)² of it.
    second: Vec<f64>,
}

impl<const SQUARES: bool> Sums<SQUARES> {
    /// Sums the windows that end in the `L` blocks from `base` on, `len` values of each.
    #[inline]
    fn blocks<const L: usize>(&mut self, x: &[f64], base: usize, len: usize) {
        let w = self.w;
        let own: [&[f64]; L] = std::array::from_fn(|lane| &x[base + lane * w..][..len]);
        let anchor = own.map(|block| block[0]);
        let (mut first, mut second) = ([0.0; L], [0.0; L]);
        self.suffix.iter_mut().for_each(|sums| sums.iter_mut().take(L).for_each(|sum| *sum = 0.0));
        if base > 0 {
            let before: [&[f64]; L] = std::array::from_fn(|lane| &x[base + lane * w - w..][..w]);
            for back in 1..w {
                let d: [f64; L] = std::array::from_fn(|lane| before[lane][w - back] - anchor[lane]);
                (0..L).for_each(|lane| first[lane] += d[lane]);
                self.suffix[0][back * L..][..L].copy_from_slice(&first);
                if SQUARES {
                    (0..L).for_each(|lane| second[lane] += d[lane] * d[lane]);
                    self.suffix[1][back * L..][..L].copy_from_slice(&second);
                }
            }
        }
        (first, second) = ([0.0; L], [0.0; L]);
        let mut firsts = rows::<L>(&mut self.first, w, len);
        let mut seconds = rows::<L>(&mut self.second, w, if SQUARES { len } else { 0 });
        #[allow(clippy::needless_range_loop)]
        for t in 0..len {
            let d: [f64; L] = std::array::from_fn(|lane| own[lane][t] - anchor[lane]);
            (0..L).for_each(|lane| first[lane] += d[lane]);
            let left = &self.suffix[0][(w - 1 - t) * L..][..L];
            (0..L).for_each(|lane| firsts[lane][t] = left[lane] + first[lane]);
            if SQUARES {
                (0..L).for_each(|lane| second[lane] += d[lane] * d[lane]);
                let left = &self.suffix[1][(w - 1 - t) * L..][..L];
                (0..L).for_each(|lane| seconds[lane][t] = left[lane] + second[lane]);
            }
        }
    }
}

/// The first `len` values of each of the first `L` rows of `w` values.
fn rows<const L: usize>(values: &mut [f64], w: usize, len: usize) -> [&mut [f64]; L] {
    let mut rows = values.chunks_exact_mut(w);
    std::array::from_fn(|_| rows.next().map_or_else(Default::default, |row| &mut row[..len]))
}

/// Calls `out(anchor, Σ(x − anchor), Σ(x − anchor)²)` for the windows that end in each block of `w` values, in order; in
/// the first block for the last value alone. A value that is not finite makes the sums of its windows, and of them alone,
/// such that neither mean nor deviation is finite. With `SQUARES` it may be called for several blocks at once, and the
/// anchor is that of the first; without, there are no squares.
pub(crate) fn for_each_block<const SQUARES: bool>(
    x: &[f64],
    w: usize,
    mut out: impl FnMut(f64, &[f64], &[f64]),
) {
    if x.len() < w {
        return;
    }
    let blocks = if w > LONG { 1 } else { LANES };
    let space = if SQUARES { blocks * w } else { 0 };
    let suffix = [vec![0.0; blocks * w], vec![0.0; space]];
    let mut sums = Sums::<SQUARES> { w, suffix, first: vec![0.0; blocks * w], second: vec![0.0; space] };
    let mut start = 0;
    while start < x.len() {
        let (count, len) = if start > 0 && blocks > 1 && start + blocks * w <= x.len() {
            sums.blocks::<LANES>(x, start, w);
            (blocks, w)
        } else {
            let len = w.min(x.len() - start);
            sums.blocks::<1>(x, start, len);
            (1, len)
        };
        let skipped = if start == 0 { w - 1 } else { 0 };
        if SQUARES {
            let range = skipped..(count - 1) * w + len;
            out(x[start], &sums.first[range.clone()], &sums.second[range]);
        } else {
            for block in 0..count {
                out(x[start + block * w], &sums.first[block * w + skipped..block * w + len], &[]);
            }
        }
        start += count * w;
    }
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
    let mut y = undefined(w - 1, x.len());
    let n = w as f64;
    for_each_block::<false>(x, w, |anchor, first, _| {
        y.extend(first.iter().map(|first| finite_or_nan(anchor + first / n)));
    });
    y
}

/// The divisors of a deviation over `w` values, or none where it is undefined.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deviation {
    w: f64,
    divisor: f64,
}

impl Deviation {
    /// With divisor w − ddof; None if w ≤ ddof.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn new(w: usize, ddof: usize) -> Option<Self> {
        (w > ddof).then(|| Self { w: w as f64, divisor: (w - ddof) as f64 })
    }

    /// From the sums of a window.
    #[inline]
    pub(crate) fn of(self, first: f64, second: f64) -> f64 {
        let variance = (second - first * first / self.w) / self.divisor;
        finite_or_nan((if variance < 0.0 { 0.0 } else { variance }).sqrt())
    }
}

/// STD_w with divisor w − ddof; NaN where a value is missing or w ≤ ddof.
///
/// # Panics
/// If `w` is 0.
pub fn std(x: &[f64], w: usize, ddof: usize) -> Vec<f64> {
    let Some(deviation) = Deviation::new(w, ddof) else { return vec![f64::NAN; x.len()] };
    let mut y = undefined(w - 1, x.len());
    for_each_block::<true>(x, w, |_, first, second| {
        y.extend(first.iter().zip(second).map(|(first, second)| deviation.of(*first, *second)));
    });
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
