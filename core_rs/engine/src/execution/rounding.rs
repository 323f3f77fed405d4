//! The two roundings of money and lots.

use std::fmt::{self, Write};

/// Nearest decimal with `places` places to the exact binary value of `x`, exact ties to even.
///
/// ```
/// use sweep_engine::execution::rounding::round_dec;
/// assert_eq!([0.625, 0.125, 0.475, 2.675].map(|x| round_dec(x, 2)), [0.62, 0.12, 0.47, 2.67]);
/// ```
pub fn round_dec(x: f64, places: u32) -> f64 {
    // The formatter prints the exact decimal expansion, rounded half to even. A number of money fits into the buffer.
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
    (x * 1e8).round_ties_even() / 1e8
}
