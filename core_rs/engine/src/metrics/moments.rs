//! Sums, means and deviations, left to right.

/// A deviation up to this counts as zero.
const ZERO_DEVIATION: f64 = 1e-15;

/// Σx / n; `None` for nothing.
#[allow(clippy::cast_precision_loss)]
pub fn mean(x: &[f64]) -> Option<f64> {
    (!x.is_empty()).then(|| sum(x) / x.len() as f64)
}

/// Σx from the first to the last.
pub fn sum(x: &[f64]) -> f64 {
    let mut total = 0.0;
    for v in x {
        total += v;
    }
    total
}

/// Standard deviation with divisor n − 1, two passes; `None` for fewer than two values or deviation zero.
#[allow(clippy::cast_precision_loss)]
pub fn deviation(x: &[f64], mean: f64) -> Option<f64> {
    if x.len() < 2 {
        return None;
    }
    let mut squares = 0.0;
    for v in x {
        squares += (v - mean) * (v - mean);
    }
    positive((squares / (x.len() - 1) as f64).sqrt())
}

/// Root mean square of min(x − target, 0) over all x; `None` where it is zero.
#[allow(clippy::cast_precision_loss)]
pub fn downside(x: &[f64], target: f64) -> Option<f64> {
    let mut squares = 0.0;
    for v in x {
        let below = (v - target).min(0.0);
        squares += below * below;
    }
    positive((squares / x.len() as f64).sqrt())
}

fn positive(deviation: f64) -> Option<f64> {
    (deviation > ZERO_DEVIATION).then_some(deviation)
}

/// Population moments (m₂, m₃, m₄) about the mean.
#[allow(clippy::cast_precision_loss)]
pub fn central_moments(x: &[f64], mean: f64) -> (f64, f64, f64) {
    let n = x.len() as f64;
    let (mut m2, mut m3, mut m4) = (0.0, 0.0, 0.0);
    for v in x {
        let d = v - mean;
        m2 += d * d;
        m3 += d * d * d;
        m4 += d * d * d * d;
    }
    (m2 / n, m3 / n, m4 / n)
}
