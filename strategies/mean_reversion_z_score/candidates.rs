//! Bars on which a scenario could fire, by the conditions that are comparisons of series; the others are asked there.

use super::{Band, GarchScore, MeanReversionZScore};
use std::ops::Range;
use sweep_engine::orders::Direction;
use sweep_engine::strategy::View;
use sweep_indicators::bollinger::bands;
use sweep_indicators::scope::Series;

impl MeanReversionZScore {
    /// Marks the bars on which score and band of an enabled scenario agree; written over what was there.
    pub(super) fn mark(&self, bars: Range<usize>, view: &View<'_>, marks: &mut [bool]) {
        marks.fill(false);
        let [s1, s2, s3, s4, s5, s6] = self.enabled;
        if let Some(score) = self.ema_score.as_ref().filter(|_| s1) {
            self.mark_stretched(&score.z[bars.clone()], marks);
        }
        let Some(band) = &self.band else { return };
        let close = &view.bid.close[bars.clone()];
        if let Some(z) = self.kalman_z.as_ref().filter(|_| s2 || s3 || s5 || s6) {
            self.mark_confirmed(band, close, z, bars.clone(), marks);
        }
        match &self.garch_z {
            Some(GarchScore::Whole(z)) if s4 => self.mark_confirmed(band, close, z, bars, marks),
            // Its scores are computed one by one, where the band has said yes.
            Some(GarchScore::Local(..)) if s4 => {
                self.mark_beyond(band, close, bars, marks, |_| true, |_| true);
            }
            _ => (),
        }
    }

    /// Where the score is stretched.
    fn mark_stretched(&self, z: &[f64], marks: &mut [bool]) {
        let [long, short] = self.allowed();
        for (mark, &z) in marks.iter_mut().zip(z) {
            *mark |= (long & (z <= self.z_long)) | (short & (z >= self.z_short));
        }
    }

    /// Where the score is stretched and the close lies beyond the band.
    fn mark_confirmed(&self, band: &Band, close: &[f64], z: &Series, bars: Range<usize>, marks: &mut [bool]) {
        let z = &z[bars.clone()];
        self.mark_beyond(band, close, bars, marks, |k| z[k] <= self.z_long, |k| z[k] >= self.z_short);
    }

    /// Where the close lies beyond the band, and the bar, by its place among `bars`, is low or high too.
    #[inline]
    fn mark_beyond(
        &self,
        band: &Band,
        close: &[f64],
        bars: Range<usize>,
        marks: &mut [bool],
        low: impl Fn(usize) -> bool,
        high: impl Fn(usize) -> bool,
    ) {
        let [long, short] = self.allowed();
        let (mid, deviation) = (&band.mid[bars.clone()], &band.deviation[bars.clone()]);
        let n = bars.len();
        let (close, mid, deviation, marks) = (&close[..n], &mid[..n], &deviation[..n], &mut marks[..n]);
        for k in 0..n {
            let bands = bands(mid[k], deviation[k], band.factor);
            let down = long & (close[k] <= bands.lower) & low(k);
            marks[k] |= down | (short & (close[k] >= bands.upper) & high(k));
        }
    }

    fn allowed(&self) -> [bool; 2] {
        [Direction::Long, Direction::Short].map(|direction| self.directions.allow(direction))
    }
}
