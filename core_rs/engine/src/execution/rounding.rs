//! The two roundings of money and lots.

use crate::whole;
use std::fmt::{self, Write};

/// Nearest decimal with `places` places to the exact binary value of `x`, exact ties to even.
///
/// ```
/// use sweep_engine::execution::rounding::round_dec;
/// assert_eq!([0.625, 0.125, 0.475, 2.675].map(|x| round_dec(x, 2)), [0.62, 0.12, 0.47, 2.67]);
/// ```
pub fn round_dec(x: f64, places: u32) -> f64 {
    round_by_units(x, places).unwrap_or_else(|| round_by_digits(x, places))
}

/// Up to here each power of ten is a double, and so is each number of units.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// By the whole number of units of the last place, where that is exact; the quotient is then the nearest double.
#[inline]
fn round_by_units(x: f64, places: u32) -> Option<f64> {
    let scale = *POWERS.get(places as usize)?;
    let product = x * scale;
    if product.abs() >= 4_503_599_627_370_496.0 || product.is_nan() {
        return None;
    }
    let units = whole::nearest_even(product);
    let rest = product - units;
    if rest.abs() < 0.5 {
        return Some(units / scale);
    }
    // The product looks like a tie: what its own rounding took away decides.
    let lost = x.mul_add(scale, -product);
    let units = if rest * lost > 0.0 { units + rest.signum() } else { units };
    Some(units / scale)
}

/// The formatter prints the exact decimal expansion, rounded half to even. A number of money fits into the buffer.
fn round_by_digits(x: f64, places: u32) -> f64 {
    let mut short = Short { bytes: [0; 64], len: 0 };
    match write!(short, "{x:.0$}", places as usize) {
        Ok(()) => short.text().parse().unwrap_or(x),
        Err(_) => format!("{x:.0$}", places as usize).parse().unwrap_or(x),
    }
}

/// A short text without an allocation: fees are rounded at every fill.
struct Short {
    bytes: [u8; 64],
    len: usize,
}

impl Short {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or("")
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// rint(x·1e8)/1e8.
pub fn round8(x: f64) -> f64 {
    whole::nearest_even(x * 1e8) / 1e8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(x: f64, places: u32) {
        let (fast, exact) = (round_by_units(x, places), round_by_digits(x, places));
        if let Some(fast) = fast {
            assert_eq!(fast.to_bits(), exact.to_bits(), "{x:e} to {places} places");
        }
    }

    proptest! {
        #[test]
        fn units_and_digits_agree(x in any::<f64>(), money in -1e7..1e7f64, k in -2_000_000i64..2_000_000, places in 0..17u32) {
            same(x, places);
            same(money, places);
            // Ties of the last place, and their neighbours.
            #[allow(clippy::cast_precision_loss)]
            let tie = (k as f64 + 0.5) / 10f64.powi(i32::try_from(places).unwrap());
            for x in [tie, tie.next_up(), tie.next_down(), k as f64 / 8.0] {
                same(x, places);
            }
        }
    }

    #[test]
    fn what_has_no_units_is_rounded_by_digits() {
        assert!(round_by_units(1e300, 2).is_none() && round_by_units(f64::NAN, 2).is_none());
        assert!(round_by_units(1.0, 16).is_none());
        assert_eq!(round_dec(1e300, 2), 1e300);
        assert_eq!(round_dec(0.123_456_789_012_345_67, 16), 0.123_456_789_012_345_7);
        assert_eq!(round_dec(-0.001, 2).to_bits(), (-0.0f64).to_bits());
    }
}
