//! Series in which each value follows from the one before, faster than one chain of dependent operations and with the
//! same bits.
//!
//! The recurrences here forget: two chains that meet the same inputs end in the same bits after a while. So the series
//! is cut into stretches that run side by side, each but the first from a guess some way before its own begin. A stretch
//! whose guess has not come to the true state by then is run again. What remains is what one chain would have given.
//! What a step reads is read, and what it gives is computed, within the step: the memory is waited for while the
//! divider works. Outputs are put in their places tile by tile, from the nearest memory.

use crate::finite_or_nan;

/// Steps whose outputs are put in their places together.
const TILE: usize = 64;

/// Whether a series can take a fast path without tests: all values finite and far from overflow.
#[inline]
pub fn tame(x: &[f64]) -> bool {
    x.iter().fold(true, |all, v| all & (v.abs() <= 1e150))
}

/// Steps after which an average with weight `a` has forgotten its start to the last bit, nearly always.
#[inline]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn memory(a: f64) -> usize {
    (60.0 / a) as usize
}

/// A recurrence of `K` state values over `I` columns with `O` outputs. A state with a value that is not finite must never
/// lead back to a finite one.
pub trait Chain<const I: usize, const K: usize, const O: usize> {
    /// What is read: a value of each column per step.
    fn columns(&self) -> [&[f64]; I];

    /// The state after a step.
    fn step(&self, state: [f64; K], x: [f64; I]) -> [f64; K];

    /// The outputs of a step from the state after it.
    fn value(&self, state: [f64; K]) -> [f64; O];

    /// Any state, to start before step `at`.
    fn guess(&self, at: usize) -> [f64; K];

    /// The number of steps in which a guess is forgotten. It decides the speed alone, never a value.
    fn memory(&self) -> usize;
}

/// Runs `chain` from `start` over the steps of `y`, outputs equally long. False if a state was not finite: then the
/// outputs mean nothing.
#[inline]
pub fn run<const I: usize, const K: usize, const O: usize>(
    chain: &impl Chain<I, K, O>,
    start: [f64; K],
    y: [&mut [f64]; O],
) -> bool {
    // Enough stretches to hide the latency of a step, and few enough for the registers.
    match K {
        1 => side_by_side::<8, I, K, O>(chain, start, y),
        2 => side_by_side::<4, I, K, O>(chain, start, y),
        _ => side_by_side::<2, I, K, O>(chain, start, y),
    }
}

#[inline]
fn side_by_side<const LANES: usize, const I: usize, const K: usize, const O: usize>(
    chain: &impl Chain<I, K, O>,
    start: [f64; K],
    mut y: [&mut [f64]; O],
) -> bool {
    let n = y[0].len();
    let (stretch, warm) = (n / LANES, chain.memory());
    let mut last = start;
    let mut done = 0;
    if stretch > 2 * warm.max(TILE) {
        let begin: [usize; LANES] = std::array::from_fn(|lane| lane * stretch);
        let mut states: [[f64; K]; LANES] =
            std::array::from_fn(|lane| chain.guess(begin[lane.max(1)] - warm));
        let before = std::array::from_fn(|lane| begin[lane.max(1)] - warm);
        advance::<LANES, I, K, O>(chain, before, warm, &mut states, None);
        states[0] = start;
        let begun = states;
        advance(chain, begin, stretch, &mut states, Some(&mut y));
        for lane in 1..LANES {
            if bits(begun[lane]) != bits(states[lane - 1]) {
                let mut state = [states[lane - 1]];
                advance(chain, [begin[lane]], stretch, &mut state, Some(&mut y));
                states[lane] = state[0];
            }
        }
        (last, done) = (states[LANES - 1], stretch * LANES);
    }
    let mut state = [last];
    advance(chain, [done], n - done, &mut state, Some(&mut y));
    state[0].iter().all(|x| x.is_finite())
}

fn bits<const K: usize>(state: [f64; K]) -> [u64; K] {
    state.map(f64::to_bits)
}

/// `steps` steps of `L` stretches at a time, from `begin` and `states` on; outputs go where they belong.
#[inline]
fn advance<const L: usize, const I: usize, const K: usize, const O: usize>(
    chain: &impl Chain<I, K, O>,
    begin: [usize; L],
    steps: usize,
    states: &mut [[f64; K]; L],
    mut y: Option<&mut [&mut [f64]; O]>,
) {
    let columns = chain.columns();
    // Beside each other lie the values of one step of all stretches: they are what runs at the same time.
    let mut state: [[f64; L]; K] = std::array::from_fn(|k| std::array::from_fn(|lane| states[lane][k]));
    let mut rows = [[[0.0; L]; TILE]; O];
    for from in (0..steps).step_by(TILE) {
        let len = TILE.min(steps - from);
        let x: [[&[f64]; L]; I] = columns.map(|c| begin.map(|begin| &c[begin + from..][..len]));
        for t in 0..len {
            for lane in 0..L {
                let read = std::array::from_fn(|i| x[i][lane][t]);
                let next = chain.step(std::array::from_fn(|k| state[k][lane]), read);
                for k in 0..K {
                    state[k][lane] = next[k];
                }
            }
            for lane in 0..L {
                let value = chain.value(std::array::from_fn(|k| state[k][lane]));
                for o in 0..O {
                    rows[o][t][lane] = value[o];
                }
            }
        }
        let Some(y) = &mut y else { continue };
        // A state that is an output itself is finite, or the run is in vain.
        if K > 1 {
            guard(rows.as_flattened_mut().as_flattened_mut());
        }
        for (y, rows) in y.iter_mut().zip(&rows) {
            for lane in 0..L {
                let y = &mut y[begin[lane] + from..][..len];
                y.iter_mut().zip(rows).for_each(|(y, row)| *y = row[lane]);
            }
        }
    }
    for (lane, own) in states.iter_mut().enumerate() {
        *own = std::array::from_fn(|k| state[k][lane]);
    }
}

/// Makes NaN of what is infinite. Where nothing is, this costs a sum: it would not be finite.
#[inline]
fn guard(values: &mut [f64]) {
    let mut sums = [0.0; 8];
    let (rows, rest) = values.as_chunks::<8>();
    for row in rows {
        sums.iter_mut().zip(row).for_each(|(sum, y)| *sum += y);
    }
    if !sums.iter().chain(rest).sum::<f64>().is_finite() {
        values.iter_mut().for_each(|y| *y = finite_or_nan(*y));
    }
}

/// y_i = f(y_{i−1}, x_i).
struct Simple<'a, F> {
    x: &'a [f64],
    memory: usize,
    f: F,
}

impl<F: Fn(f64, f64) -> f64> Chain<1, 1, 1> for Simple<'_, F> {
    #[inline]
    fn columns(&self) -> [&[f64]; 1] {
        [self.x]
    }

    #[inline]
    fn step(&self, [m]: [f64; 1], [x]: [f64; 1]) -> [f64; 1] {
        [(self.f)(m, x)]
    }

    #[inline]
    fn value(&self, state: [f64; 1]) -> [f64; 1] {
        state
    }

    fn guess(&self, at: usize) -> [f64; 1] {
        [self.x[at]]
    }

    fn memory(&self) -> usize {
        self.memory
    }
}

/// y_i = f(y_{i−1}, x_i) from y_{−1} = `start`, for an f that forgets in `memory` steps; false if a value was not finite.
#[inline]
pub fn fold(x: &[f64], start: f64, memory: usize, f: impl Fn(f64, f64) -> f64, y: &mut [f64]) -> bool {
    run(&Simple { x, memory, f }, [start], [y])
}

/// y_i = y_{i−1} + gain·(x_i − y_{i−1}) from y_{−1} = `start`; false if a value was not finite.
pub fn average(x: &[f64], start: f64, gain: f64, y: &mut [f64]) -> bool {
    fold(x, start, memory(gain), |m, x| m + gain * (x - m), y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(x: &[f64], memory: usize, f: impl Fn(f64, f64) -> f64) -> (Vec<f64>, Vec<f64>) {
        let (mut y, mut state) = (vec![0.0; x.len()], 1.3);
        let finite = fold(x, 1.3, memory, &f, &mut y);
        let plain: Vec<f64> = x
            .iter()
            .map(|x| {
                state = f(state, *x);
                state
            })
            .collect();
        assert_eq!(finite, state.is_finite());
        (y, plain)
    }

    #[test]
    fn what_never_forgets_is_right_too() {
        let x: Vec<f64> = (0..2_001).map(f64::from).collect();
        let (y, plain) = both(&x, 0, |a, b| a + b);
        assert_eq!(y, plain);
    }

    #[test]
    fn a_value_that_is_not_finite_is_noticed() {
        for at in [0, 700, 1_999, 2_000] {
            let mut x = vec![1.0; 2_001];
            x[at] = f64::INFINITY;
            assert!(!average(&x, 1.0, 0.5, &mut vec![0.0; 2_001]), "{at}");
        }
    }

    proptest! {
        #[test]
        fn the_bits_are_those_of_one_chain(
            steps in proptest::collection::vec(-1e-3..1e-3f64, 0..5_000), period in 1u32..40, memory in 0usize..300,
        ) {
            let x: Vec<f64> = steps.iter().scan(1.3, |level, s| { *level += s; Some(*level) }).collect();
            let (a, p) = (2.0 / (f64::from(period) + 1.0), f64::from(period));
            let (y, plain) = both(&x, memory, |m, x| m + a * (x - m));
            prop_assert_eq!(y, plain);
            let (y, plain) = both(&x, memory, |m, x| (m * (p - 1.0) + x) / p);
            prop_assert_eq!(y, plain);
        }
    }
}
