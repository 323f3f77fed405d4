//! The two roundings of money and lots.

/// Nearest decimal with `places` places to the exact binary value of `x`, exact ties to even.
///
/// ```
/// use sweep_engine::execution::rounding::round_dec;
/// assert_eq!([0.625, 0.125, 0.475, 2.675].map(|x| round_dec(x, 2)), [0.62, 0.12, 0.47, 2.67]);
/// ```
pub fn round_dec(x: f64, places: u32) -> f64 {
    // The formatter prints the exact decimal expansion, rounded half to even.
    format!("{x:.0$}", places as usize).parse().unwrap_or(x)
}

/// rint(x·1e8)/1e8.
pub fn round8(x: f64) -> f64 {
    (x * 1e8).round_ties_even() / 1e8
}
