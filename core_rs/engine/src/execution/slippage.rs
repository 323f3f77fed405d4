//! Slippage: fixed, and random from a generator made for one draw.

use super::options::Costs;
use crate::rng::Draw;
use sha2::{Digest, Sha256};

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
    time: i64,
    draws: [u32; 2],
}

impl SlippageModel {
    /// The model of `symbol` with pip size `pip`.
    #[allow(clippy::cast_possible_truncation)]
    pub fn new(costs: &Costs, seed: u64, symbol: &str, pip: f64) -> Self {
        let mut prefix = Sha256::new();
        prefix.update(b"sweep.slippage.v1\n");
        prefix.update(seed.to_le_bytes());
        prefix.update((symbol.len() as u32).to_le_bytes());
        prefix.update(symbol.as_bytes());
        Self {
            fixed: costs.slippage.fixed_pips * costs.slippage_multiplier,
            random: costs.slippage.random_pips * costs.slippage_multiplier,
            pip,
            prefix,
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

    fn draw(&mut self, time: i64, side: Side) -> f64 {
        debug_assert!(time >= self.time, "fills come in the order of their times");
        if time != self.time {
            self.time = time;
            self.draws = [0; 2];
        }
        let slot = &mut self.draws[side as usize];
        let index = *slot;
        *slot += 1;
        let mut hash = self.prefix.clone();
        hash.update(time.to_le_bytes());
        hash.update([side as u8]);
        hash.update(index.to_le_bytes());
        let digest = hash.finalize();
        let mut first = [0u8; 8];
        first.copy_from_slice(&digest[..8]);
        Draw::new(u64::from_le_bytes(first)).next_unit()
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
        let mut model = SlippageModel::new(&costs(), seed, symbol, 0.0001);
        assert_eq!(model.apply(1.1, time, side), price);
    }

    #[test]
    fn draws_are_counted_per_time_and_side() {
        let mut model = SlippageModel::new(&costs(), 42, "EURUSD", 0.0001);
        model.apply(1.1, T - 1, Side::Buy);
        model.apply(1.1, T, Side::Sell);
        assert_eq!(model.apply(1.1, T, Side::Buy), 1.100_043_003_982_870_4);
        assert_eq!(model.apply(1.1, T, Side::Buy), 1.100_028_378_636_502_6);
    }

    #[test]
    fn the_multiplier_scales_both_parts_and_zero_switches_them_off() {
        let scaled = |slippage_multiplier| {
            let costs = Costs { slippage_multiplier, ..costs() };
            SlippageModel::new(&costs, 42, "EURUSD", 0.0001).apply(1.1, T, Side::Buy)
        };
        assert_eq!(scaled(2.0), 1.1 + (0.4 + 0.766_799_429_007_691_8 * 0.6) * 0.0001);
        assert_eq!(scaled(0.0), 1.1);
    }
}
