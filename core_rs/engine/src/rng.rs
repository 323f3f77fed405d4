//! The seeded generator: ChaCha with 8 rounds, addressed by block, so that a draw depends on its coordinates
//! and on nothing drawn before it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest as _, Sha256};

/// A u64 seed from any bytes: the first eight bytes, little-endian, of their SHA-256.
pub fn seed_from_sha(bytes: &[u8]) -> u64 {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    u64::from_le_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]])
}

/// The 256-bit key of a seed: eight outputs of PCG-XSH-RR whose state starts as the seed.
pub fn key(seed: u64) -> [u8; 32] {
    let mut state = seed;
    let mut key = [0; 32];
    for word in key.chunks_exact_mut(4) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(11_634_580_027_462_260_723);
        #[allow(clippy::cast_possible_truncation)]
        let x = (((state >> 18) ^ state) >> 27) as u32;
        word.copy_from_slice(&x.rotate_right((state >> 59) as u32).to_le_bytes());
    }
    key
}

/// A float in [0, 1) from the upper 53 bits of a u64.
#[allow(clippy::cast_precision_loss)]
pub fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// One stream of the generator, positioned at its start.
#[derive(Debug, Clone)]
pub struct Draw {
    words: ChaCha8Rng,
    /// Number of the block that the stream is about to give, while it is at a block's start.
    next: Option<u64>,
}

impl Draw {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { words: ChaCha8Rng::from_seed(key(seed)), next: Some(0) }
    }

    /// The next two words: low word first.
    pub fn next_u64(&mut self) -> u64 {
        self.next = None;
        self.words.next_u64()
    }

    /// The next float in [0, 1).
    pub fn next_unit(&mut self) -> f64 {
        unit(self.next_u64())
    }

    /// The sixteen words of block `counter`. Ascending counters cost no seek.
    pub fn block(&mut self, counter: u64) -> [u32; 16] {
        if self.next != Some(counter) {
            self.words.set_word_pos(u128::from(counter) * 16);
        }
        self.next = Some(counter.wrapping_add(1));
        std::array::from_fn(|_| self.words.next_u32())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, 0xb585_f767_a79a_3b6c, 0.709_075_415_426_561_8)]
    #[case(42, 0xae90_bfb5_395d_5ba1, 0.681_896_192_306_671_4)]
    #[case(43, 0x1472_5668_59d4_bff5, 0.079_869_652_248_663_38)]
    #[case(12_345, 0x12de_4745_ab59_53d3, 0.073_704_199_322_809_36)]
    fn the_first_output_of_a_seed_is_as_specified(#[case] seed: u64, #[case] bits: u64, #[case] u: f64) {
        assert_eq!(Draw::new(seed).next_u64(), bits);
        assert_eq!(Draw::new(seed).next_unit(), u);
    }

    #[rstest]
    #[case(0x85f5_47a0_df4a_7c33, 0.604_785_417_684_645_4)]
    #[case(0xf052_76e4_b270_d3dd, 0.947_905_086_960_803_2)]
    fn seeds_use_all_64_bits(#[case] seed: u64, #[case] u: f64) {
        assert_eq!(Draw::new(seed).next_unit(), u);
    }

    /// The slippage vectors: the same hash, generator and float, seen from the engine's first user of them.
    #[rstest]
    #[case(42, "EURUSD", 1_704_110_400_000_000, 0, 0, 0x5b62_fb85_3c56_c3fe, 0.766_799_429_007_691_8)]
    #[case(42, "EURUSD", 1_704_110_400_000_000, 0, 1, 0xcd49_a078_66aa_43ed, 0.279_287_883_416_434_6)]
    #[case(42, "EURUSD", 1_704_110_400_000_000, 1, 0, 0xc4c4_5bd8_78bd_31ab, 0.639_877_944_392_535_9)]
    #[case(42, "USDJPY", 1_704_110_400_000_000, 0, 0, 0xecdc_1846_8cef_b275, 0.395_728_991_690_858_4)]
    #[case(7, "EURUSD", 1_704_110_400_000_000, 0, 0, 0x9eb1_e9d0_f5dc_4d35, 0.112_034_565_634_252_18)]
    #[case(42, "EURUSD", -1, 0, 0, 0x260f_d89f_bc63_f14b, 0.081_305_690_939_746_38)]
    fn seeds_from_hashed_coordinates(
        #[case] base: u64,
        #[case] symbol: &str,
        #[case] time: i64,
        #[case] side: u8,
        #[case] index: u32,
        #[case] seed: u64,
        #[case] u: f64,
    ) {
        let mut bytes = b"sweep.slippage.v1\n".to_vec();
        bytes.extend(base.to_le_bytes());
        bytes.extend(u32::try_from(symbol.len()).unwrap().to_le_bytes());
        bytes.extend(symbol.as_bytes());
        bytes.extend(time.to_le_bytes());
        bytes.push(side);
        bytes.extend(index.to_le_bytes());
        assert_eq!(seed_from_sha(&bytes), seed);
        assert_eq!(Draw::new(seed).next_unit(), u);
    }

    #[test]
    fn the_key_is_that_of_the_rand_crates() {
        for seed in [0, 1, 42, u64::MAX] {
            assert_eq!(ChaCha8Rng::from_seed(key(seed)), ChaCha8Rng::seed_from_u64(seed));
        }
    }

    /// ChaCha8 written out, as an oracle for the block addressing.
    fn chacha8(key: [u8; 32], counter: u64) -> [u32; 16] {
        let word = |i: usize| u32::from_le_bytes(key[4 * i..4 * i + 4].try_into().unwrap());
        let mut start = [0_u32; 16];
        start[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
        (0..8).for_each(|i| start[4 + i] = word(i));
        start[12] = counter as u32;
        start[13] = (counter >> 32) as u32;
        let mut s = start;
        let mut quarter = |a: usize, b: usize, c: usize, d: usize| {
            for (p, q, r, bits) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
                s[p] = s[p].wrapping_add(s[q]);
                s[r] = (s[r] ^ s[p]).rotate_left(bits);
            }
        };
        for _ in 0..4 {
            (0..4).for_each(|i| quarter(i, 4 + i, 8 + i, 12 + i));
            (0..4).for_each(|i| quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4));
        }
        std::array::from_fn(|i| s[i].wrapping_add(start[i]))
    }

    proptest! {
        #[test]
        fn blocks_in_any_order_equal_the_cipher(seed: u64, counters in proptest::collection::vec(0_u64..1 << 40, 1..6)) {
            let mut draw = Draw::new(seed);
            for &k in &counters {
                prop_assert_eq!(draw.block(k), chacha8(key(seed), k));
                prop_assert_eq!(draw.block(k + 1), chacha8(key(seed), k + 1));
                draw.next_u64();
            }
        }

        #[test]
        fn units_lie_in_the_half_open_interval(bits: u64) {
            prop_assert!((0.0..1.0).contains(&unit(bits)));
        }
    }
}
