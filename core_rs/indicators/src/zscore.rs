//! Z-score of the close against its exponential average.

use crate::kalman_zscore::residual_zscore;

/// Mode `ema_residual`: z = e ⊘ STD_window(e), e = close − EMA, `ema` being [`crate::ema::ema`] of the same closes.
///
/// It divides by the deviation of the residuals, not of the closes. First value: index window − 1.
pub fn ema_residual_zscore(close: &[f64], ema: &[f64], window: usize) -> Vec<f64> {
    residual_zscore(close, ema, window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ema::ema;
    use crate::fixtures::*;

    #[test]
    fn worked_tables() {
        assert_row(
            &ema_residual_zscore(&CLOSE, &ema(&CLOSE, 3), 4),
            &[
                N,
                N,
                N,
                0.222222222,
                -0.892480777,
                0.75126167,
                1.67444793,
                0.355081473,
                2.2628443,
                1.16894748,
                -0.437451459,
                1.44657829,
            ],
        );
        let holes = with_holes(&CLOSE);
        assert_row(
            &ema_residual_zscore(&holes, &ema(&holes, 3), 4),
            &[N, N, N, N, -1.08531752, N, N, N, N, 1.19655891, -0.476899467, 1.46745281],
        );
    }
}
