//! Slippage: fixed, and random from a generator made for one draw.

use super::options::Costs;
use crate::rng::Draw;
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Side of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Pays more.
    Buy,
    /// Receives less.
    Sell,
}

/// Slippage of one symbol over one backtest.
///
/// A draw depends on the seed, the symbol, the recorded time, the side and how many draws the backtest has made at that
/// time and side, on nothing else: two parameter sets that trade at the same bar and side pay the same.
#[derive(Debug, Clone)]
pub struct SlippageModel {
    fixed: f64,
    random: f64,
    pip: f64,
    prefix: Sha256,
    known: Arc<Known>,
    time: i64,
    draws: [u32; 2],
}

/// First draws of times and sides, which all backtests of a worker share: one place for each, where the newest one stays.
/// Those of the two sides are neighbours.
///
/// A place holds the draw, and the draw xor its key: threads that write to it at once leave two halves that do not
/// belong together, and are noticed.
#[derive(Debug)]
struct Known {
    places: Vec<[AtomicU64; 2]>,
}

/// Bits of the number of places: 4 MiB at most.
const MOST_BITS: u32 = 18;

impl Known {
    fn for_bars(bars: usize) -> Self {
        let bits = (2 * bars.max(1)).next_power_of_two().trailing_zeros().min(MOST_BITS);
        Self { places: (0..1_usize << bits).map(|_| [AtomicU64::new(0), AtomicU64::new(0)]).collect() }
    }

    /// The place of the draw of a time and side.
    #[inline]
    fn place(&self, time: i64, side: Side) -> &[AtomicU64; 2] {
        let bits = self.places.len().trailing_zeros();
        let spread = time.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        #[allow(clippy::cast_possible_truncation)]
        let at = spread.checked_shr(u64::BITS - bits).unwrap_or(0) as usize;
        &self.places[if bits > 0 { at & !1 | side as usize } else { 0 }]
    }

    /// The draw of a time and side.
    #[inline]
    fn draw(&self, time: i64, side: Side, make: impl FnOnce() -> f64) -> f64 {
        // Times are nowhere near 2⁶² µs, so that no key is 0.
        let key = (time.wrapping_mul(2).cast_unsigned() | side as u64) ^ (1 << 63);
        let [draw, marked] = self.place(time, side);
        let found = draw.load(Ordering::Relaxed);
        if found ^ marked.load(Ordering::Relaxed) == key {
            return f64::from_bits(found);
        }
        let made = make();
        draw.store(made.to_bits(), Ordering::Relaxed);
        marked.store(made.to_bits() ^ key, Ordering::Relaxed);
        made
    }
}

impl SlippageModel {
    /// The model of `symbol` with pip size `pip`, on a market of so many bars.
    #[allow(clippy::cast_possible_truncation)]
    pub fn new(costs: &Costs, seed: u64, symbol: &str, pip: f64, bars: usize) -> Self {
        let mut prefix = Sha256::new();
        prefix.update(b"sweep.slippage.v1\n");
        prefix.update(seed.to_le_bytes());
        prefix.update((symbol.len() as u32).to_le_bytes());
        prefix.update(symbol.as_bytes());
        let random = costs.slippage.random_pips * costs.slippage_multiplier;
        Self {
            fixed: costs.slippage.fixed_pips * costs.slippage_multiplier,
            random,
            pip,
            prefix,
            known: Arc::new(Known::for_bars(if random > 0.0 { bars } else { 0 })),
            time: i64::MIN,
            draws: [0; 2],
        }
    }

    /// `price` moved against the order that executes at `time` on `side`. Times never go back: an earlier one would
    /// count its draws anew.
    pub fn apply(&mut self, price: f64, time: i64, side: Side) -> f64 {
        let pips =
            if self.random > 0.0 { self.fixed + self.draw(time, side) * self.random } else { self.fixed };
        match side {
            Side::Buy => price + pips * self.pip,
            Side::Sell => price - pips * self.pip,
        }
    }

    /// Reads ahead what [`Self::apply`] will need at a time.
    #[inline]
    pub fn expect(&self, time: i64) {
        if self.random > 0.0 {
            black_box(self.known.place(time, Side::Buy)[0].load(Ordering::Relaxed));
        }
    }

    fn draw(&mut self, time: i64, side: Side) -> f64 {
        debug_assert!(time >= self.time, "fills come in the order of their times");
        if time != self.time {
            self.time = time;
            self.draws = [0; 2];
        }
        let slot = &mut self.draws[side as usize];
        let index = *slot;
        *slot += 1;
        let fresh = || {
            let mut hash = self.prefix.clone();
            hash.update(time.to_le_bytes());
            hash.update([side as u8]);
            hash.update(index.to_le_bytes());
            let digest = hash.finalize();
            let mut first = [0u8; 8];
            first.copy_from_slice(&digest[..8]);
            Draw::new(u64::from_le_bytes(first)).next_unit()
        };
        if index > 0 {
            return fresh();
        }
        self.known.draw(time, side, fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::options::Slippage;
    use rstest::rstest;

    fn costs() -> Costs {
        Costs {
            slippage: Slippage { fixed_pips: 0.2, random_pips: 0.3 },
            slippage_multiplier: 1.0,
            commission: None,
            fee_multiplier: 1.0,
            spread_multiplier: 1.0,
        }
    }

    const T: i64 = 1_704_110_400_000_000;

    #[rstest]
    #[case(42, "EURUSD", T, Side::Buy, 1.100_043_003_982_870_4)]
    #[case(42, "EURUSD", T, Side::Sell, 1.099_960_803_661_668_4)]
    #[case(42, "USDJPY", T, Side::Buy, 1.100_031_871_869_750_8)]
    #[case(7, "EURUSD", T, Side::Buy, 1.100_023_361_036_969_2)]
    #[case(42, "EURUSD", -1, Side::Buy, 1.100_022_439_170_728_3)]
    fn documented_draws(
        #[case] seed: u64,
        #[case] symbol: &str,
        #[case] time: i64,
        #[case] side: Side,
        #[case] price: f64,
    ) {
        let mut model = SlippageModel::new(&costs(), seed, symbol, 0.0001, 100);
        assert_eq!(model.apply(1.1, time, side), price);
    }

    #[test]
    fn draws_are_counted_per_time_and_side() {
        let mut model = SlippageModel::new(&costs(), 42, "EURUSD", 0.0001, 100);
        model.apply(1.1, T - 1, Side::Buy);
        model.apply(1.1, T, Side::Sell);
        assert_eq!(model.apply(1.1, T, Side::Buy), 1.100_043_003_982_870_4);
        assert_eq!(model.apply(1.1, T, Side::Buy), 1.100_028_378_636_502_6);
    }

    #[test]
    fn a_draw_is_the_same_known_or_new_and_whatever_shares_its_place() {
        let alone = |time, side| SlippageModel::new(&costs(), 42, "EURUSD", 0.0001, 1).apply(1.1, time, side);
        let mut shared = SlippageModel::new(&costs(), 42, "EURUSD", 0.0001, 4);
        for _ in 0..3 {
            let mut again = shared.clone();
            for time in (-5_i64..60).map(|k| k * 60_000_000) {
                for side in [Side::Buy, Side::Sell] {
                    assert_eq!(again.apply(1.1, time, side), alone(time, side), "{time} {side:?}");
                }
            }
        }
        let mut none = SlippageModel::new(&costs(), 42, "EURUSD", 0.0001, 0);
        assert_eq!(none.apply(1.1, T, Side::Buy), shared.apply(1.1, T, Side::Buy));
    }

    #[test]
    fn halves_of_different_writers_are_no_draw() {
        let known = Known::for_bars(1);
        known.draw(7, Side::Buy, || 0.25);
        for place in &known.places {
            place[0].store(0.75_f64.to_bits(), Ordering::Relaxed);
        }
        assert_eq!(known.draw(7, Side::Buy, || 0.5), 0.5);
        assert_eq!(known.draw(7, Side::Buy, || 0.1), 0.5);
    }

    #[test]
    fn the_multiplier_scales_both_parts_and_zero_switches_them_off() {
        let scaled = |slippage_multiplier| {
            let costs = Costs { slippage_multiplier, ..costs() };
            SlippageModel::new(&costs, 42, "EURUSD", 0.0001, 100).apply(1.1, T, Side::Buy)
        };
        assert_eq!(scaled(2.0), 1.1 + (0.4 + 0.766_799_429_007_691_8 * 0.6) * 0.0001);
        assert_eq!(scaled(0.0), 1.1);
    }
}
