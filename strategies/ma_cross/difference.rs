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
    use sweep_indicators::scope::{Bars, NoStore, Scope, TickCounts};
    use sweep_indicators::tick_grid::TickRatio;

    /// What is marked of the bars from `from` on, by what is compiled for this processor and for any.
    fn marked(difference: &Difference, from: usize, bars: usize) -> [Vec<bool>; 2] {
        let (mut own, mut plain) = (vec![false; bars - from], vec![false; bars - from]);
        difference.mark_changes(from..bars, &mut own);
        Changes { difference, from, marks: &mut plain }.call();
        [own, plain]
    }

    fn lead(ticks: &[i32], fast: usize, slow: usize) -> Difference {
        let mut sum = 110_000;
        let ticks = ticks.iter().map(|step| {
            sum += step;
            f64::from(sum) / 100_000.0
        });
        let close: Vec<f64> = ticks.collect();
        let bars = Bars { open: &close, high: &close, low: &close, close: &close };
        let ticks = TickCounts::new(TickRatio { m: 1.0, n: 100_000.0 });
        Difference::Lead(Lead::of(&Scope::new(bars, Some(&ticks), &NoStore), fast, slow).unwrap())
    }

    proptest! {
        #[test]
        fn bars_are_marked_on_which_the_sign_may_change_alike_for_every_processor(
            steps in proptest::collection::vec(prop_oneof![Just(0.0), -2.0..2.0f64, Just(f64::NAN)], 1..1_500),
            from in 0..1_500usize,
        ) {
            let n = steps.len();
            let from = from.min(n - 1);
            let difference = Difference::Values { fast: steps.clone().into(), slow: vec![0.0; n].into() };
            let [own, plain] = marked(&difference, from, n);
            prop_assert_eq!(&own, &plain);
            for (bar, mark) in (from..n).zip(own) {
                prop_assert_eq!(mark, bar > 0 && steps[bar - 1] * steps[bar] <= 0.0, "bar {}", bar);
            }
        }

        #[test]
        fn so_are_those_of_averages_that_are_not_computed(
            ticks in proptest::collection::vec(-3..=3, 1..1_500),
            from in 0..1_500usize,
            (fast, slow) in (1..30usize, 1..200usize),
        ) {
            let n = ticks.len();
            let from = from.min(n - 1);
            let difference = lead(&ticks, fast, slow);
            let [own, plain] = marked(&difference, from, n);
            prop_assert_eq!(&own, &plain);
            for (bar, mark) in (from..n).zip(own) {
                let may = bar > 0 && difference.at(bar - 1) * difference.at(bar) <= 0.0;
                prop_assert_eq!(mark, may, "bar {}", bar);
            }
        }
    }
}
