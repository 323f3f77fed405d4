//! Half-open intervals of time, sorted and disjoint.

/// Sorted, disjoint intervals [start, end) in µs UTC that do not touch each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Intervals(Vec<(i64, i64)>);

impl Intervals {
    /// The union of intervals in any order; empty ones do not count.
    pub fn union(mut parts: Vec<(i64, i64)>) -> Self {
        parts.retain(|(start, end)| start < end);
        parts.sort_unstable();
        let mut united: Vec<(i64, i64)> = Vec::with_capacity(parts.len());
        for (start, end) in parts {
            match united.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => united.push((start, end)),
            }
        }
        Self(united)
    }

    /// Them.
    pub fn as_slice(&self) -> &[(i64, i64)] {
        &self.0
    }

    /// For each of some ascending moments, whether an interval contains it.
    pub fn contain<'a>(&'a self, moments: impl Iterator<Item = i64> + 'a) -> impl Iterator<Item = bool> + 'a {
        let mut at = 0;
        moments.map(move |moment| {
            while self.0.get(at).is_some_and(|&(_, end)| end <= moment) {
                at += 1;
            }
            self.0.get(at).is_some_and(|&(start, _)| start <= moment)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn touching_and_overlapping_parts_unite_and_ends_are_outside() {
        let united = Intervals::union(vec![(8, 9), (1, 3), (3, 5), (2, 4), (7, 7)]);
        assert_eq!(united.as_slice(), [(1, 5), (8, 9)]);
        let inside: Vec<bool> = united.contain(0..10).collect();
        let expected = [false, true, true, true, true, false, false, false, true, false];
        assert_eq!(inside, expected);
    }

    proptest! {
        #[test]
        fn a_union_contains_what_a_part_contains(parts in prop::collection::vec((0i64..60, 0i64..60), 0..12)) {
            let united = Intervals::union(parts.clone());
            prop_assert!(united.as_slice().windows(2).all(|w| w[0].1 < w[1].0));
            for (moment, inside) in (-1..61).zip(united.contain(-1..61)) {
                prop_assert_eq!(inside, parts.iter().any(|p| (p.0..p.1).contains(&moment)), "{}", moment);
            }
        }
    }
}
