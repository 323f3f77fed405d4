//! Whole numbers near a double, in a few additions: the functions of the standard library are calls where the processor is
//! not known to have an instruction for them.

/// 1.5 · 2⁵²: doubles of this size are whole numbers, so that adding it rounds, ties to even.
const SHIFT: f64 = 6_755_399_441_055_744.0;
/// 2⁵¹: up to here it may be added.
const MOST: f64 = 2_251_799_813_685_248.0;

/// As [`f64::round_ties_even`].
#[inline]
pub fn nearest_even(x: f64) -> f64 {
    if x.abs() < MOST { ((x + SHIFT) - SHIFT).copysign(x) } else { x.round_ties_even() }
}

/// As [`f64::floor`].
#[inline]
pub fn floor(x: f64) -> f64 {
    let near = nearest_even(x);
    if near > x { near - 1.0 } else { near }
}

/// As [`f64::round`]: ties away from zero.
#[inline]
pub fn nearest_away(x: f64) -> f64 {
    let near = nearest_even(x);
    // The distance is exact.
    if (x - near).abs() == 0.5 { x + 0.5_f64.copysign(x) } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agrees(x: f64) {
        let bits = |own: f64, std: f64| assert_eq!(own.to_bits(), std.to_bits(), "{x:e}: {own} {std}");
        bits(nearest_even(x), x.round_ties_even());
        bits(floor(x), x.floor());
        bits(nearest_away(x), x.round());
    }

    #[test]
    fn edges_are_those_of_the_standard_library() {
        let edges = [0.0, 0.25, 0.5, 0.499_999_999_999_999_94, 0.75, 1.0, 1.5, 2.5, MOST, SHIFT, f64::MAX];
        for x in edges.into_iter().chain([f64::MIN_POSITIVE, f64::INFINITY]) {
            [x, x.next_up(), x.next_down(), x + 0.5, x - 0.5].into_iter().for_each(|x| {
                agrees(x);
                agrees(-x);
            });
        }
        assert!(
            nearest_even(f64::NAN).is_nan() && floor(f64::NAN).is_nan() && nearest_away(f64::NAN).is_nan()
        );
    }

    proptest! {
        #[test]
        fn any_number_is_rounded_as_by_the_standard_library(
            x in prop_oneof![prop::num::f64::NORMAL, -1e6..1e6f64, -1e16..1e16f64],
            halves in -1_000_000_i32..1_000_000,
        ) {
            agrees(x);
            agrees(f64::from(halves) / 2.0);
        }
    }
}
