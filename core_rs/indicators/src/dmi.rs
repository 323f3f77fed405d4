//! Directional movement: +DI, −DI and ADX.
//!
//! Source: J. Welles Wilder, *New Concepts in Technical Trading Systems* (1978).

use crate::catalogue::Indicator;
use crate::declare::{Args, Declaration, Mistake, Parameter};
use crate::ewm::Ewm;
use crate::recurrence::{fold, memory, tame};
use crate::scope::{Entry, Key, Scope, Series};
use crate::true_range::TrueRange;
use crate::wilder::Wilder;
use crate::{Hlc, guarded_div};

/// How the averages start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seed {
    /// Wilder's sums over the first `period` observations.
    Wilder,
    /// Exponential averages from the first value on.
    First,
}

/// The three outputs, each as long as the bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Dmi {
    /// +DI in percent.
    pub plus_di: Vec<f64>,
    /// −DI in percent.
    pub minus_di: Vec<f64>,
    /// ADX in percent.
    pub adx: Vec<f64>,
}

/// Directional movement over `period` bars; `tr` are their true ranges.
///
/// First values, seed wilder: DI at index period, ADX at 2·period − 1; seed first: 0 and 1. No true range: DI is NaN; no
/// directional movement: DX is NaN and ADX keeps its value.
pub fn dmi(bars: Hlc<'_>, tr: &[f64], period: usize, seed: Seed) -> Dmi {
    if let (Seed::Wilder, Some(out)) = (seed, dense(bars, tr, period)) {
        return out;
    }
    let n = bars.len();
    let mut out = Dmi { plus_di: vec![f64::NAN; n], minus_di: vec![f64::NAN; n], adx: vec![f64::NAN; n] };
    match seed {
        Seed::Wilder => wilder(bars, tr, period, &mut out),
        Seed::First => first(bars, tr, period, &mut out),
    }
    out
}

/// (+DM, −DM) of bar `i`; None where it or its predecessor is missing. Equal moves give 0 and 0.
fn movement(bars: Hlc<'_>, i: usize) -> Option<(f64, f64)> {
    if i == 0 || !bars.present(i) || !bars.present(i - 1) {
        return None;
    }
    Some(directed(bars.high[i] - bars.high[i - 1], bars.low[i - 1] - bars.low[i]))
}

/// (+DM, −DM) of a move up and a move down.
#[inline]
fn directed(up: f64, down: f64) -> (f64, f64) {
    (if up > down && up > 0.0 { up } else { 0.0 }, if down > up && down > 0.0 { down } else { 0.0 })
}

fn dx(plus: f64, minus: f64) -> f64 {
    100.0 * guarded_div((minus - plus).abs(), minus + plus)
}

/// Wilder's smoothed sum: the first p − 1 inputs add up, from the p-th on S ← S − S/p + x.
#[derive(Default)]
struct SmoothedSum(f64);

impl SmoothedSum {
    fn add(&mut self, x: f64) {
        self.0 += x;
    }

    fn smooth(&mut self, x: f64, period: f64) {
        self.0 = self.0 - self.0 / period + x;
    }
}

#[allow(clippy::cast_precision_loss)]
fn wilder(bars: Hlc<'_>, tr: &[f64], period: usize, out: &mut Dmi) {
    let p = period as f64;
    let (mut plus, mut minus, mut range) =
        (SmoothedSum::default(), SmoothedSum::default(), SmoothedSum::default());
    let (mut run, mut seeds) = (0, 0);
    let mut adx = Wilder::new(period);
    let mut any_dx = false;
    let mut last = (f64::NAN, f64::NAN, f64::NAN);
    for (i, &tr) in tr.iter().enumerate() {
        match movement(bars, i) {
            None if run < period => {
                (plus, minus, range) =
                    (SmoothedSum::default(), SmoothedSum::default(), SmoothedSum::default());
                run = 0;
            }
            None => {}
            Some((up, down)) if run + 1 < period => {
                plus.add(up);
                minus.add(down);
                range.add(tr);
                run += 1;
            }
            Some((up, down)) => {
                plus.smooth(up, p);
                minus.smooth(down, p);
                range.smooth(tr, p);
                run = period;
                let (plus_di, minus_di) =
                    (100.0 * guarded_div(plus.0, range.0), 100.0 * guarded_div(minus.0, range.0));
                let now = dx(plus_di, minus_di);
                any_dx |= now.is_finite();
                // In the seed, over the first p bars with a DI, an undefined DX counts 0; afterwards it changes nothing.
                let seeding = plus_di.is_finite() && seeds < period;
                seeds += usize::from(seeding);
                let average = adx.update(if seeding && now.is_nan() { 0.0 } else { now });
                last = (plus_di, minus_di, if any_dx { average } else { f64::NAN });
            }
        }
        (out.plus_di[i], out.minus_di[i], out.adx[i]) = last;
    }
}

/// Seed wilder over bars of which none is missing; None where a DX is undefined.
///
/// The smoothed sums are chains of their own, so each runs as fast as a chain can.
#[allow(clippy::cast_precision_loss)]
fn dense(bars: Hlc<'_>, tr: &[f64], period: usize) -> Option<Dmi> {
    let n = bars.len();
    let (high, low) = (&bars.high[..n], &bars.low[..n]);
    if n <= period || period < 2 || !(tame(high) && tame(low) && tame(bars.close)) {
        return None;
    }
    let moves = high.windows(2).zip(low.windows(2)).map(|(h, l)| directed(h[1] - h[0], l[0] - l[1]));
    let (plus, minus): (Vec<f64>, Vec<f64>) = moves.unzip();
    let p = period as f64;
    let smooth = |x: &[f64]| {
        let seed = x[..period - 1].iter().fold(0.0, |sum, x| sum + x);
        let mut y = vec![0.0; n - period];
        fold(&x[period - 1..], seed, memory(1.0 / p), |s, x| s - s / p + x, &mut y).then_some(y)
    };
    let (plus, minus, range) = (smooth(&plus)?, smooth(&minus)?, smooth(&tr[1..])?);
    let share =
        |of: &[f64]| of.iter().zip(&range).map(|(s, range)| 100.0 * guarded_div(*s, *range)).collect();
    let (plus, minus): (Vec<f64>, Vec<f64>) = (share(&plus), share(&minus));
    let index: Vec<f64> = plus.iter().zip(&minus).map(|(plus, minus)| dx(*plus, *minus)).collect();
    if !tame(&index) {
        return None;
    }
    let adx = Wilder::new(period).over(&index);
    let padded = |values: Vec<f64>| {
        let mut all = vec![f64::NAN; n];
        all[period..].copy_from_slice(&values);
        all
    };
    Some(Dmi { plus_di: padded(plus), minus_di: padded(minus), adx: padded(adx) })
}

fn first(bars: Hlc<'_>, tr: &[f64], period: usize, out: &mut Dmi) {
    let mut averages = [Ewm::wilder(period), Ewm::wilder(period), Ewm::wilder(period), Ewm::wilder(period)];
    for (i, &tr) in tr.iter().enumerate() {
        // Without a predecessor the movement is 0, and that is a real observation.
        let (up, down) = movement(bars, i).unwrap_or((0.0, 0.0));
        let (up, down, range) = (averages[0].update(up), averages[1].update(down), averages[2].update(tr));
        out.plus_di[i] = 100.0 * guarded_div(up, range);
        out.minus_di[i] = 100.0 * guarded_div(down, range);
        out.adx[i] = averages[3].update(dx(out.plus_di[i], out.minus_di[i]));
    }
}

/// Directional movement: +DI, −DI, ADX.
#[derive(Debug, Clone, Copy)]
pub struct DirectionalMovement {
    /// Bars.
    pub period: usize,
    /// How the averages start.
    pub seed: Seed,
}

impl DirectionalMovement {
    /// Where the ADX is among the outputs.
    pub const ADX: usize = 2;
}

impl Seed {
    /// The choices of a parameter `seed`.
    pub const NAMES: &'static [&'static str] = &["wilder", "first"];

    /// Of the parameter `seed`.
    pub fn of(args: &Args) -> Self {
        if args.text("seed") == "first" { Self::First } else { Self::Wilder }
    }
}

/// The declaration of `dmi`.
pub static DMI: Declaration = Declaration {
    id: "dmi",
    version: 1,
    title: "directional movement: +DI, -DI, ADX",
    parameters: &[
        Parameter::bars_or("period", 14, "Wilder period"),
        Parameter::choice(
            "seed",
            Seed::NAMES,
            Some("wilder"),
            "wilder: sums of the first bars; first: the first bar",
        ),
    ],
    outputs: &["plus_di", "minus_di", "adx"],
    first: "wilder: period, period, 2*period - 1; first: 0, 0, 1",
    formula: "plus_di = 100*S(+DM)/S(TR), minus_di = 100*S(-DM)/S(TR), adx = average of \
              100*|minus_di - plus_di|/(minus_di + plus_di). wilder: S is the sum of period - 1 values, then \
              S - S/period + x, and the average WILD(period); first: both are EWM(1/period). +DM is the rise of the high \
              where it is above 0 and above the fall of the low, else 0; -DM the fall of the low likewise",
    source: "J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib PLUS_DI, MINUS_DI, ADX",
};

impl Entry for DirectionalMovement {
    fn key(&self) -> Key {
        Key::of(&DMI, [self.period as u64, self.seed as u64])
    }

    fn compute(&self, scope: &Scope<'_>) -> Vec<Series> {
        let d = dmi(scope.bars.hlc(), &scope.get(&TrueRange), self.period, self.seed);
        vec![d.plus_di.into(), d.minus_di.into(), d.adx.into()]
    }
}

impl Indicator for DirectionalMovement {
    fn declaration() -> &'static Declaration {
        &DMI
    }

    fn from_args(args: &Args) -> Result<Self, Mistake> {
        Ok(Self { period: args.bars("period"), seed: Seed::of(args) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::true_range::true_range;
    use proptest::prelude::*;

    const BARS: Hlc<'static> = Hlc { high: &HIGH, low: &LOW, close: &CLOSE };

    #[test]
    fn worked_tables_seed_wilder() {
        let d = dmi(BARS, &true_range(BARS), 3, Seed::Wilder);
        assert_row(
            &d.plus_di,
            &[
                N, N, N, 37.037037, 22.2222222, 26.984127, 46.6845878, 35.1908139, 43.8422688, 35.9334144,
                24.9020584, 34.1142834,
            ],
        );
        assert_row(
            &d.adx,
            &[
                N, N, N, N, N, 45.6368193, 53.3851081, 58.5506339, 67.1404662, 73.229036, 53.5561789,
                52.8629293,
            ],
        );
    }

    #[test]
    fn worked_tables_with_missing_bars() {
        let (h, l, c) = (with_holes(&HIGH), with_holes(&LOW), with_holes(&CLOSE));
        let holes = Hlc { high: &h, low: &l, close: &c };
        let d = dmi(holes, &true_range(holes), 3, Seed::Wilder);
        assert_row(
            &d.minus_di,
            &[
                N, N, N, N, 27.2727273, 27.2727273, 27.2727273, 18.6770428, 9.6, 7.03554416, 22.6540401,
                12.856395,
            ],
        );
        assert_row(&d.adx, &[N, N, N, N, N, N, N, N, 22.1349678, 35.1476125, 25.83764, 31.225933]);
        let f = dmi(holes, &true_range(holes), 3, Seed::First);
        assert_row(
            &f.plus_di,
            &[
                N, 0.0, 33.3333333, 22.2222222, 14.379085, 9.58605664, 5.10398542, 3.87512778, 25.5487983,
                22.0942328, 15.3574091, 28.485709,
            ],
        );
        assert_row(
            &f.adx,
            &[
                N, N, 100.0, 100.0, 74.7126437, 57.8544061, 46.6155811, 39.1230311, 51.0182406, 59.8451275,
                43.0606047, 43.6091588,
            ],
        );
    }

    proptest! {
        #[test]
        fn the_fast_path_changes_no_bit(
            steps in proptest::collection::vec((-1e-3..1e-3f64, 0.0..1e-3f64), 1..900), period in 2usize..20,
        ) {
            let mut level = 1.3;
            let close: Vec<f64> = steps.iter().map(|(s, _)| { level += s; level }).collect();
            let high: Vec<f64> = close.iter().zip(&steps).map(|(c, (_, w))| c + w).collect();
            let low: Vec<f64> = close.iter().zip(&steps).map(|(c, (_, w))| c - 2.0 * w).collect();
            let bars = Hlc { high: &high, low: &low, close: &close };
            let (tr, n) = (true_range(bars), close.len());
            let mut plain = Dmi { plus_di: vec![N; n], minus_di: vec![N; n], adx: vec![N; n] };
            wilder(bars, &tr, period, &mut plain);
            let bits = |d: &Dmi| -> Vec<u64> {
                d.plus_di.iter().chain(&d.minus_di).chain(&d.adx).map(|x| x.to_bits()).collect()
            };
            prop_assert_eq!(bits(&dmi(bars, &tr, period, Seed::Wilder)), bits(&plain));
        }
    }

    #[test]
    fn a_flat_market_has_no_direction_and_a_rising_one_only_one() {
        let flat = [5.0; 12];
        for seed in [Seed::Wilder, Seed::First] {
            let bars = Hlc { high: &flat, low: &flat, close: &flat };
            let d = dmi(bars, &true_range(bars), 3, seed);
            assert!(d.plus_di.iter().chain(&d.minus_di).chain(&d.adx).all(|x| x.is_nan()));
            let up: Vec<f64> = (0..20).map(f64::from).collect();
            let high: Vec<f64> = up.iter().map(|x| x + 0.5).collect();
            let bars = Hlc { high: &high, low: &up, close: &up };
            let d = dmi(bars, &true_range(bars), 3, seed);
            assert_eq!(d.adx[19], 100.0);
        }
    }
}
