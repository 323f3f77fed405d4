//! y_i = f(y_{i−1}, x_i) over a long series, faster than one chain of dependent operations and with the same bits.
//!
//! The recurrences here forget: two chains that meet the same inputs end in the same bits after a while. So the series
//! is cut into stretches that run side by side, each but the first from a guess. Afterwards every stretch is run again
//! from its true start until its values repeat what is there. What remains is what one chain would have given.

/// Stretches that run side by side: enough to hide the latency of one step.
const LANES: usize = 4;

/// Whether a series can take a fast path without tests: all values finite and far from overflow.
#[inline]
pub fn tame(x: &[f64]) -> bool {
    x.iter().fold(true, |all, v| all & (v.abs() <= 1e150))
}

/// Steps after which an average with weight `a` has forgotten its start to the last bit, nearly always.
#[inline]
pub fn memory(a: f64) -> f64 {
    60.0 / a
}

/// y_i = f(y_{i−1}, x_i) with y_{−1} = `start`.
///
/// `memory` is the number of steps in which f forgets its start. It decides the speed alone, never a value.
#[inline]
pub fn run(x: &[f64], start: f64, memory: f64, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let mut y = vec![0.0; x.len()];
    let stretch = x.len() / LANES;
    #[allow(clippy::cast_precision_loss)]
    if (stretch as f64) < 2.0 * memory {
        chain(x, &mut y, start, &f);
        return y;
    }
    let whole = stretch * LANES;
    side_by_side(&x[..whole], &mut y[..whole], stretch, start, &f);
    for lane in 1..LANES {
        let (done, rest) = y.split_at_mut(lane * stretch);
        mend(&x[lane * stretch..][..stretch], &mut rest[..stretch], done[done.len() - 1], &f);
    }
    let last = y[whole - 1];
    chain(&x[whole..], &mut y[whole..], last, &f);
    y
}

/// One chain.
fn chain(x: &[f64], y: &mut [f64], start: f64, f: &impl Fn(f64, f64) -> f64) {
    let mut state = start;
    for (y, &x) in y.iter_mut().zip(x) {
        state = f(state, x);
        *y = state;
    }
}

/// Four stretches at a time; the last three start from their first input.
#[inline]
fn side_by_side(x: &[f64], y: &mut [f64], stretch: usize, start: f64, f: &impl Fn(f64, f64) -> f64) {
    let inputs: [&[f64]; LANES] = std::array::from_fn(|lane| &x[lane * stretch..][..stretch]);
    let (left, right) = y.split_at_mut(2 * stretch);
    let ((a, b), (c, d)) = (left.split_at_mut(stretch), right.split_at_mut(stretch));
    let (a, b, c, d) = (&mut a[..stretch], &mut b[..stretch], &mut c[..stretch], &mut d[..stretch]);
    let mut state = [start, inputs[1][0], inputs[2][0], inputs[3][0]];
    for i in 0..stretch {
        state = std::array::from_fn(|lane| f(state[lane], inputs[lane][i]));
        [a[i], b[i], c[i], d[i]] = state;
    }
}

/// Runs a stretch again from its true start until its values repeat what is there.
fn mend(x: &[f64], y: &mut [f64], start: f64, f: &impl Fn(f64, f64) -> f64) {
    let mut state = start;
    for (y, &x) in y.iter_mut().zip(x) {
        state = f(state, x);
        if y.to_bits() == state.to_bits() {
            return;
        }
        *y = state;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(x: &[f64], start: f64, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let mut y = vec![0.0; x.len()];
        chain(x, &mut y, start, &f);
        y
    }

    #[test]
    fn what_never_forgets_is_right_too() {
        let x: Vec<f64> = (0..1_001).map(f64::from).collect();
        let sum = |a: f64, b: f64| a + b;
        assert_eq!(run(&x, 1.0, 0.0, sum), plain(&x, 1.0, sum));
    }

    proptest! {
        #[test]
        fn the_bits_are_those_of_one_chain(
            steps in proptest::collection::vec(-1e-3..1e-3f64, 0..3_000), period in 1u32..40, memory in 0.0..400.0f64,
        ) {
            let x: Vec<f64> = steps.iter().scan(1.3, |level, s| { *level += s; Some(*level) }).collect();
            let (a, p) = (2.0 / (f64::from(period) + 1.0), f64::from(period));
            let ewm = |m: f64, x: f64| m + a * (x - m);
            prop_assert_eq!(run(&x, 1.3, memory, ewm), plain(&x, 1.3, ewm));
            let wilder = |m: f64, x: f64| (m * (p - 1.0) + x) / p;
            prop_assert_eq!(run(&x, 1.3, memory, wilder), plain(&x, 1.3, wilder));
        }
    }
}
