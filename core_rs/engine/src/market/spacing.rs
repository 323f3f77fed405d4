//! Steps between labels, by how often they occur.

use std::collections::HashMap;

use serde::Serialize;

/// How many steps are listed.
const SHOWN: usize = 5;

/// How far labels are apart. Steps in microseconds; those that do not lead forward do not count.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Spacing {
    /// The most common step, of equally common ones the shortest.
    pub most_common: Option<i64>,
    /// Its share of all steps, 0 to 1.
    pub share: f64,
    /// Number of different steps.
    pub distinct: usize,
    /// The most common steps and how often they occur.
    pub steps: Vec<(i64, usize)>,
}

impl Spacing {
    /// Of labels in any order.
    pub fn of(label: &[i64]) -> Self {
        let mut counts: HashMap<i64, usize> = HashMap::new();
        // Most steps repeat the one before: those are counted without a look at the map.
        let (mut step, mut repeated) = (0, 0);
        let mut put = |step: i64, times: usize| {
            if step > 0 {
                *counts.entry(step).or_default() += times;
            }
        };
        for pair in label.windows(2) {
            let next = pair[1].saturating_sub(pair[0]);
            if next == step {
                repeated += 1;
            } else {
                put(step, repeated);
                (step, repeated) = (next, 1);
            }
        }
        put(step, repeated);
        let all: usize = counts.values().sum();
        let mut steps: Vec<(i64, usize)> = counts.into_iter().collect();
        steps.sort_unstable_by_key(|&(step, count)| (std::cmp::Reverse(count), step));
        let distinct = steps.len();
        steps.truncate(SHOWN);
        #[allow(clippy::cast_precision_loss)]
        let share = steps.first().map_or(0.0, |&(_, count)| count as f64 / all as f64);
        Self { most_common: steps.first().map(|&(step, _)| step), share, distinct, steps }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::regular(&[0, 60, 120, 180], Some(60), 1.0, 1)]
    #[case::a_gap(&[0, 60, 120, 600, 660], Some(60), 0.75, 2)]
    #[case::the_shorter_of_two(&[0, 90, 150], Some(60), 0.5, 2)]
    #[case::backward_and_equal(&[0, 60, 60, 30, 90], Some(60), 1.0, 1)]
    #[case::alternating(&[0, 1, 3, 4, 6, 7], Some(1), 0.6, 2)]
    #[case::extremes(&[i64::MIN, i64::MAX], Some(i64::MAX), 1.0, 1)]
    #[case::one_row(&[5], None, 0.0, 0)]
    #[case::falling(&[5, 4, 3], None, 0.0, 0)]
    #[case::none(&[], None, 0.0, 0)]
    fn the_most_common_step_is_found(
        #[case] label: &[i64],
        #[case] most_common: Option<i64>,
        #[case] share: f64,
        #[case] distinct: usize,
    ) {
        let found = Spacing::of(label);
        assert_eq!((found.most_common, found.share, found.distinct), (most_common, share, distinct));
    }

    #[test]
    fn five_steps_are_listed_by_their_number() {
        let mut label = vec![0];
        for (step, times) in [(7, 1), (6, 2), (5, 2), (4, 4), (3, 5), (2, 6)] {
            (0..times).for_each(|_| label.push(label[label.len() - 1] + step));
        }
        let found = Spacing::of(&label);
        assert_eq!(found.steps, [(2, 6), (3, 5), (4, 4), (5, 2), (6, 2)]);
        assert_eq!(found.distinct, 6);
        let json = serde_json::json!(found);
        assert_eq!((&json["most_common"], &json["steps"][0]), (&2.into(), &serde_json::json!([2, 6])));
    }
}
