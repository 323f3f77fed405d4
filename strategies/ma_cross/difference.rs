//! The difference of the averages, and the bars on which its sign changes.

use std::ops::Range;
use sweep_engine::declare::Canonical;
use sweep_engine::series::Side;
use sweep_indicators::ema::Ema;
use sweep_indicators::scope::Series;
use sweep_indicators::sma::{Lead, Sma};

/// The difference of the averages, fast - slow, as to its sign.
#[derive(Debug)]
pub(super) enum Difference {
    /// Of any averages.
    Values { fast: Series, slow: Series },
    /// Of simple ones on the tick grid.
    Lead(Lead),
}

impl Difference {
    /// Of the averages that the parameters name.
    pub(super) fn of(bid: &Side<'_>, params: &Canonical) -> Self {
        let (fast, slow) = (params.count("fast_period"), params.count("slow_period"));
        let simple = params.text("ma_type") == "sma";
        if simple && let Some(lead) = Lead::of(&bid.scope(), fast, slow) {
            return Self::Lead(lead);
        }
        let average = |period| if simple { bid.get(&Sma { period }) } else { bid.get(&Ema { period }) };
        Self::Values { fast: average(fast), slow: average(slow) }
    }

    /// At bar `i`.
    #[inline]
    pub(super) fn at(&self, i: usize) -> f64 {
        match self {
            Self::Values { fast, slow } => fast[i] - slow[i],
            Self::Lead(lead) => lead.at(i),
        }
    }

    /// At some bars, written to `y`.
    #[inline(always)] // into what is compiled for each processor
    fn over(&self, bars: Range<usize>, y: &mut [f64]) {
        match self {
            Self::Values { fast, slow } => {
                let both = fast[bars.clone()].iter().zip(&slow[bars]);
                y.iter_mut().zip(both).for_each(|(y, (fast, slow))| *y = fast - slow);
            }
            Self::Lead(lead) => lead.over(bars, y),
        }
    }

    /// Marks the bars on which it may change: those that rise or fall, and some that are zero or follow one. The first of
    /// all has none before it.
    pub(super) fn mark_changes(&self, bars: Range<usize>, marks: &mut [bool]) {
        pulp::Arch::new().dispatch(Changes { difference: self, from: bars.start, marks });
    }
}

/// Bars whose differences are computed at once, in the nearest memory.
const TILE: usize = 256;

/// What [`Difference::mark_changes`] does, compiled for several processors: wider ones take more bars at once, and every
/// bit is the same.
struct Changes<'a> {
    difference: &'a Difference,
    from: usize,
    marks: &'a mut [bool],
}

impl pulp::NullaryFnOnce for Changes<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { difference, mut from, marks } = self;
        let mut own = [f64::NAN; TILE + 1];
        for marks in marks.chunks_mut(TILE) {
            let n = marks.len();
            let skipped = usize::from(from == 0);
            difference.over(from + skipped - 1..from + n, &mut own[skipped..=n]);
            for ((mark, before), now) in marks.iter_mut().zip(&own).zip(&own[1..]) {
                *mark = before * now <= 0.0;
            }
            from += n;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pulp::NullaryFnOnce;

    proptest! {
        #[test]
        fn every_processor_marks_the_bars_on_which_the_sign_may_change(
            steps in proptest::collection::vec(prop_oneof![Just(0.0), -2.0..2.0f64, Just(f64::NAN)], 1..1_500),
            from in 0..1_500usize,
        ) {
            let zero: Series = vec![0.0; steps.len()].into();
            let difference = Difference::Values { fast: steps.clone().into(), slow: zero };
            let bars = from.min(steps.len() - 1)..steps.len();
            let (mut own, mut plain) = (vec![false; bars.len()], vec![false; bars.len()]);
            difference.mark_changes(bars.clone(), &mut own);
            Changes { difference: &difference, from: bars.start, marks: &mut plain }.call();
            prop_assert_eq!(&own, &plain);
            for (bar, mark) in bars.zip(own) {
                prop_assert_eq!(mark, bar > 0 && steps[bar - 1] * steps[bar] <= 0.0, "bar {}", bar);
            }
        }
    }
}
