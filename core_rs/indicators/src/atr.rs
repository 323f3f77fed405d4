//! Average true range.

use crate::wilder::Wilder;

/// y = WILD(TR; period) over the true ranges, the first one taking part in the seed. First value: index period − 1.
///
/// Source: J. Welles Wilder, *New Concepts in Technical Trading Systems* (1978).
pub fn atr(true_range: &[f64], period: usize) -> Vec<f64> {
    let mut state = Wilder::new(period);
    true_range.iter().map(|&tr| state.update(tr)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::{Hlc, true_range::true_range};

    #[test]
    fn worked_tables() {
        let tr = true_range(Hlc { high: &HIGH, low: &LOW, close: &CLOSE });
        assert_row(&tr, &[0.8, 0.9, 1.5, 1.1, 1.2, 1.5, 1.8, 0.9, 1.8, 0.9, 1.1, 1.7]);
        assert_row(
            &atr(&tr, 3),
            &[
                N, N, 1.06666667, 1.07777778, 1.11851852, 1.24567901, 1.43045267, 1.25363512, 1.43575674,
                1.25717116, 1.20478078, 1.36985385,
            ],
        );
    }

    #[test]
    fn worked_tables_with_missing_bars() {
        let (h, l, c) = (with_holes(&HIGH), with_holes(&LOW), with_holes(&CLOSE));
        let tr = true_range(Hlc { high: &h, low: &l, close: &c });
        assert_row(&tr, &[N, 0.9, 1.5, 1.1, 1.2, N, 1.8, 0.9, 1.8, 0.9, 1.1, 1.7]);
        assert_row(
            &atr(&tr, 3),
            &[
                N, N, N, 1.16666667, 1.17777778, 1.17777778, 1.38518519, 1.22345679, 1.41563786, 1.24375857,
                1.19583905, 1.3638927,
            ],
        );
    }
}
