//! Rolling standard deviation.

use crate::window;

/// y = STD_period(close; ddof). First value: index period − 1; a constant window gives exactly 0.
pub fn rolling_std(close: &[f64], period: usize, ddof: usize) -> Vec<f64> {
    window::std(close, period, ddof)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;

    #[test]
    fn worked_tables() {
        assert_row(
            &rolling_std(&CLOSE, 3, 1),
            &[
                N,
                N,
                0.763762616,
                0.5,
                0.655743852,
                0.529150262,
                1.20554275,
                0.709459888,
                0.655743852,
                0.75055535,
                0.404145188,
                0.65064071,
            ],
        );
        assert_row(
            &rolling_std(&with_holes(&CLOSE), 3, 0),
            &[N, N, N, 0.40824829, 0.535412613, N, N, N, 0.535412613, 0.612825877, 0.329983165, 0.531245915],
        );
    }
}
