//! Bollinger bands.

/// Upper, middle and lower band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bands {
    /// mid + factor·s
    pub upper: f64,
    /// MEAN of the period
    pub mid: f64,
    /// mid − factor·s
    pub lower: f64,
}

/// The bands at one bar from the mean and the deviation of its window, which bands of every width share.
///
/// mid = MEAN_p(close), s = STD_p(close; ddof). Source: John Bollinger, *Bollinger on Bollinger Bands* (2001).
#[inline]
pub fn bands(mid: f64, deviation: f64, factor: f64) -> Bands {
    Bands { upper: mid + factor * deviation, mid, lower: mid - factor * deviation }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::window;

    #[test]
    fn worked_tables() {
        let (mid, s) = (window::mean(&CLOSE, 3), window::std(&CLOSE, 3, 1));
        let rows: Vec<Bands> = (0..12).map(|i| bands(mid[i], s[i], 2.0)).collect();
        let upper: Vec<f64> = rows.iter().map(|b| b.upper).collect();
        let lower: Vec<f64> = rows.iter().map(|b| b.lower).collect();
        assert_row(
            &upper,
            &[
                N, N, 12.1941919, 12.0, 12.2114877, 11.8583005, 13.7444188, 13.3855864, 14.0114877,
                14.4677774, 13.974957, 14.6679481,
            ],
        );
        assert_row(
            &lower,
            &[
                N, N, 9.13914144, 10.0, 9.5885123, 9.74169948, 8.92224782, 10.5477469, 11.3885123, 11.465556,
                12.3583763, 12.0653852,
            ],
        );
    }
}
