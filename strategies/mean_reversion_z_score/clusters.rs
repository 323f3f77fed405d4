//! k-means in one dimension, deterministic: which of a few levels the last value of a window belongs to.

/// How values are clustered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clustering {
    /// Last values that are clustered.
    pub window: usize,
    /// Clusters.
    pub k: usize,
    /// Fewest defined values.
    pub min_points: usize,
    /// Clusters the logarithms.
    pub log: bool,
    /// Values that must carry the last one's label, if more than one.
    pub hysteresis: usize,
}

/// Rounds of the search for centres.
const ROUNDS: usize = 30;
/// Smallest value whose logarithm is taken.
const SMALLEST: f64 = 1e-12;

impl Clustering {
    /// Rank of the cluster of the last defined value, 0 = the lowest centre; `None` if that cannot be told.
    pub fn label(&self, values: &[f64]) -> Option<usize> {
        let defined = values.iter().rev().copied().filter(|v| !v.is_nan());
        let mut points: Vec<f64> = defined.take(self.window.max(self.min_points)).collect();
        if points.len() < self.min_points {
            return None;
        }
        points.truncate(self.window);
        if points.len() < self.k {
            return None;
        }
        points.reverse();
        if self.log {
            points.iter_mut().for_each(|v| *v = libm::log(v.max(SMALLEST)));
        }
        let labels = ranked(&points, self.k);
        let current = *labels.last()?;
        let steady = self.hysteresis <= 1
            || labels
                .len()
                .checked_sub(self.hysteresis)
                .is_some_and(|from| labels[from..].iter().all(|&label| label == current));
        steady.then_some(current)
    }
}

/// Label of every point: the rank of its centre.
fn ranked(points: &[f64], k: usize) -> Vec<usize> {
    let mut sorted = points.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    let k = k.min(distinct.len());
    if k <= 1 {
        return vec![0; points.len()];
    }
    let (centres, labels) = k_means(points, initial(&sorted, k));
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&a, &b| centres[a].total_cmp(&centres[b]));
    let mut rank = vec![0; k];
    order.iter().enumerate().for_each(|(place, &cluster)| rank[cluster] = place);
    labels.into_iter().map(|label| rank[label]).collect()
}

/// The quantiles at j/(k + 1).
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn initial(sorted: &[f64], k: usize) -> Vec<f64> {
    let quantile = |j: usize| {
        let p = j as f64 / (k + 1) as f64 * (sorted.len() - 1) as f64;
        let below = p.floor() as usize;
        let lower = sorted[below];
        let upper = sorted[(below + 1).min(sorted.len() - 1)];
        lower + (upper - lower) * (p - below as f64)
    };
    (1..=k).map(quantile).collect()
}

/// Centres, and the label of every point.
fn k_means(points: &[f64], mut centres: Vec<f64>) -> (Vec<f64>, Vec<usize>) {
    let mut labels = vec![0; points.len()];
    for _ in 0..ROUNDS {
        let moved = assign(points, &centres, &mut labels);
        let settled =
            moved.iter().zip(&centres).all(|(new, old)| (new - old).abs() <= 1e-6 + 1e-4 * old.abs());
        centres = moved;
        if settled {
            return (centres, labels);
        }
    }
    assign(points, &centres, &mut labels);
    (centres, labels)
}

/// The nearest centre of every point, the first of equals, as its label; and the mean of those of each centre, summed in the
/// order of the window. A centre without any stays.
#[allow(clippy::cast_precision_loss)]
fn assign(points: &[f64], centres: &[f64], labels: &mut [usize]) -> Vec<f64> {
    let mut sums = vec![(0.0, 0usize); centres.len()];
    for (&x, label) in points.iter().zip(labels) {
        let (mut best, mut nearest) = (0, (x - centres[0]).abs());
        for (j, centre) in centres.iter().enumerate().skip(1) {
            let distance = (x - centre).abs();
            if distance < nearest {
                (best, nearest) = (j, distance);
            }
        }
        *label = best;
        let (sum, n) = &mut sums[best];
        *sum += x;
        *n += 1;
    }
    sums.iter().zip(centres).map(|(&(sum, n), &old)| if n == 0 { old } else { sum / n as f64 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: [f64; 12] = [4.0, 4.2, 4.1, 5.0, 5.2, 9.0, 8.7, 5.1, 4.3, 4.15, 5.05, 8.9];
    const PLAIN: Clustering = Clustering { window: 12, k: 3, min_points: 12, log: true, hysteresis: 0 };

    #[test]
    fn the_documented_example() {
        let values: Vec<f64> = EXAMPLE.iter().map(|v| v * 1e-4).collect();
        let points: Vec<f64> = values.iter().map(|v| v.ln()).collect();
        assert_eq!(ranked(&points, 3), [0, 0, 0, 1, 1, 2, 2, 1, 0, 0, 1, 2]);
        assert_eq!(PLAIN.label(&values), Some(2));
        let sorted = {
            let mut sorted = points.clone();
            sorted.sort_by(f64::total_cmp);
            sorted
        };
        let (centres, _) = k_means(&points, initial(&sorted, 3));
        for (centre, expected) in centres.iter().zip([4.1488e-4, 5.0870e-4, 8.8658e-4]) {
            assert!((centre.exp() - expected).abs() < 5e-9, "{centre}");
        }
    }

    #[test]
    fn too_few_points_and_an_unsteady_label_tell_nothing() {
        let values: Vec<f64> = EXAMPLE.iter().map(|v| v * 1e-4).collect();
        assert_eq!(Clustering { min_points: 13, ..PLAIN }.label(&values), None);
        assert_eq!(Clustering { hysteresis: 2, ..PLAIN }.label(&values), None);
        assert_eq!(Clustering { hysteresis: 2, ..PLAIN }.label(&values[..7]), None, "too few for twelve");
        let few = Clustering { min_points: 2, ..PLAIN };
        assert_eq!(Clustering { hysteresis: 2, ..few }.label(&values[..7]), Some(2));
        assert_eq!(few.label(&values[..2]), None, "fewer than clusters");
        let holes: Vec<f64> = values.iter().flat_map(|&v| [f64::NAN, v]).collect();
        assert_eq!(PLAIN.label(&holes), Some(2));
    }

    #[test]
    fn equal_values_are_one_cluster() {
        assert_eq!(PLAIN.label(&[1.0; 12]), Some(0));
        assert_eq!(ranked(&[1.0, 2.0, 1.0], 3), [0, 1, 0]);
    }
}
