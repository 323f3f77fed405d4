//! The recursion behind the synthetic market. Only + − × ÷ √ floor, minimum and maximum, evaluated as written.

use super::calendar::{hour, since_monday};
use super::grid::TickGrid;
use super::synthetic::{SyntheticOptions, Weekends};
use crate::rng::{Draw, seed_from_sha};
use crate::{Error, Result};

const HOUR: i64 = 3_600_000_000;
const MINUTE: f64 = 60_000_000.0;
/// 252 days, in microseconds.
const TRADING_YEAR: f64 = 21_772_800_000_000.0;
/// 1900-01-01 and 2201-01-01: no label lies outside.
const YEARS: std::ops::Range<i64> = -2_208_988_800_000_000..7_289_654_400_000_000;
const HIGHEST_PRICE: f64 = 1e12;

/// Volatility by UTC hour.
const ACTIVITY: [f64; 24] = [
    0.65, 0.70, 0.65, 0.60, 0.60, 0.65, 0.90, 1.25, 1.35, 1.20, 1.05, 1.00, 1.30, 1.60, 1.60, 1.40, 1.20,
    1.00, 0.85, 0.80, 0.65, 0.45, 0.45, 0.55,
];
/// Spread by UTC hour.
const SPREAD: [f64; 24] = [
    1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.1, 1.1, 1.1, 1.5,
    4.0, 3.0, 1.8,
];

/// Labels, and bid and ask open, high, low, close and the common volume.
pub(super) struct Drawn {
    pub label: Vec<i64>,
    pub columns: [Vec<f64>; 9],
}

/// One bar before it is put on the tick grid.
struct Bar {
    /// Open, high, low, close.
    prices: [f64; 4],
    /// Spread in ticks.
    spread: i64,
    volume: f64,
    missing: bool,
}

/// The state of the recursion, and what is constant in it.
pub(super) struct Generator<'a> {
    options: &'a SyntheticOptions,
    own: Draw,
    common: Option<Draw>,
    grid: TickGrid,
    sigma: f64,
    sigma_day: f64,
    minutes: f64,
    floor: f64,
    /// √ρ and √(1 − ρ).
    mix: (f64, f64),
    /// √0.8 and √0.125.
    calm: f64,
    eighth: f64,
    x: f64,
    v: f64,
}

/// A sum of two uniform 16-bit numbers, standardised: nearly normal, within ±2.45.
fn z(w: u32) -> f64 {
    (f64::from((w & 0xffff) + (w >> 16)) - 65_535.0) / 26_754.56
}

/// Uniform in [0, 1).
fn u(w: u32) -> f64 {
    f64::from(w) * (1.0 / 4_294_967_296.0)
}

fn stream(seed: u64, symbol: &str) -> Draw {
    let mut bytes = b"sweep.synthetic.v1\n".to_vec();
    bytes.extend(seed.to_le_bytes());
    bytes.extend(symbol.as_bytes());
    Draw::new(seed_from_sha(&bytes))
}

#[allow(clippy::cast_precision_loss)]
impl<'a> Generator<'a> {
    pub fn new(options: &'a SyntheticOptions) -> Self {
        let bar = options.timeframe.micros() as f64;
        let rho = options.correlation;
        Self {
            options,
            own: stream(options.seed, &options.spec.symbol),
            common: (rho > 0.0).then(|| stream(options.seed, "")),
            grid: options.spec.grid(),
            sigma: options.volatility * (bar / TRADING_YEAR).sqrt(),
            sigma_day: options.volatility * (1.0_f64 / 252.0).sqrt(),
            minutes: bar / MINUTE,
            floor: 100.0 * options.spec.tick_size,
            mix: (rho.sqrt(), (1.0 - rho).sqrt()),
            calm: 0.8_f64.sqrt(),
            eighth: 0.125_f64.sqrt(),
            x: options.price,
            v: 1.0,
        }
    }

    /// # Errors
    /// [1003] if labels or prices leave their range before the last bar.
    pub fn run(mut self) -> Result<Drawn> {
        let bar = self.options.timeframe.micros();
        let room = YEARS.end.saturating_sub(self.options.start) / bar;
        if !YEARS.contains(&self.options.start) || self.options.bars > room {
            return Err(beyond_years());
        }
        let count = usize::try_from(self.options.bars).map_err(|_| beyond_years())?;
        let mut drawn = Drawn {
            label: Vec::with_capacity(count),
            columns: std::array::from_fn(|_| Vec::with_capacity(count)),
        };
        let (mut label, mut slot, mut before) = (self.options.start, 0, None);
        while drawn.label.len() < count {
            if self.is_open(label) {
                let bar = self.slot(slot, label, before);
                if !bar.missing {
                    self.put(label, &bar, &mut drawn)?;
                }
                before = Some(label);
                slot += 1;
            }
            label += bar;
            if label >= YEARS.end && drawn.label.len() < count {
                return Err(beyond_years());
            }
        }
        Ok(drawn)
    }

    fn is_open(&self, label: i64) -> bool {
        self.options.weekends == Weekends::Open || !(118 * HOUR..166 * HOUR).contains(&since_monday(label))
    }

    /// Advances the recursion by slot `k`, whose predecessor has the label `before`.
    fn slot(&mut self, k: u64, label: i64, before: Option<i64>) -> Bar {
        let w = self.own.block(k);
        let z = self.normals(k, &w);
        let intraday = self.options.timeframe.micros() <= HOUR;
        let (a, q) = if intraday { (ACTIVITY[hour(label)], SPREAD[hour(label)]) } else { (1.0, 1.0) };
        let root = self.v.sqrt();
        let scale = (self.sigma * a) * root;
        let m = if w[9] < 1 << 28 { 2.0 } else { self.calm };
        if let Some(before) = before {
            let weekend = label - before > self.options.timeframe.micros();
            let g = if weekend { 0.15 * self.sigma_day } else { 0.1 * scale };
            self.step(g * z[8]);
            if u(w[13]) < self.options.jump_rate {
                self.step((0.5 * self.sigma_day) * self::z(w[14]));
            }
        }
        let open = self.x;
        let (mut high, mut low, mut sum) = (open, open, 0.0);
        for &z in &z[..8] {
            self.step(((scale * m) * self.eighth) * z);
            high = high.max(self.x);
            low = low.min(self.x);
            sum += z;
        }
        let spread_price = ((self.options.spread_pips * self.options.spec.pip_size) * q) * (0.5 + 0.5 * root);
        let spread = self.grid.ticks(spread_price * (0.75 + 0.5 * u(w[10]))).max(1);
        let volume = 1.0 + ((((20.0 * self.minutes) * a) * m) * root * (0.5 + u(w[11]))).floor();
        let y = (sum * self.eighth) * m;
        self.v = ((0.02 + 0.06 * (self.v * (y * y))) + 0.92 * self.v).min(50.0);
        let missing = u(w[12]) < self.options.gap_rate;
        Bar { prices: [open, high, low, self.x], spread, volume, missing }
    }

    /// z_0 … z_8, mixed with the common stream if the market is correlated.
    fn normals(&mut self, k: u64, w: &[u32; 16]) -> [f64; 9] {
        match &mut self.common {
            None => std::array::from_fn(|j| z(w[j])),
            Some(common) => {
                let c = common.block(k);
                std::array::from_fn(|j| self.mix.0 * z(c[j]) + self.mix.1 * z(w[j]))
            }
        }
    }

    /// x ← max(x·(1 + r), F)
    fn step(&mut self, r: f64) {
        self.x = (self.x * (1.0 + r)).max(self.floor);
    }

    fn put(&self, label: i64, bar: &Bar, drawn: &mut Drawn) -> Result<()> {
        drawn.label.push(label);
        for (field, &price) in bar.prices.iter().enumerate() {
            let ticks = self.grid.ticks(price);
            let ask = self.grid.price(ticks.saturating_add(bar.spread));
            if ask >= HIGHEST_PRICE {
                return Err(Error::config(1003, "prices reach 1e12")
                    .at("market.synthetic.price")
                    .fix("lower the price or the spread"));
            }
            drawn.columns[field].push(self.grid.price(ticks));
            drawn.columns[4 + field].push(ask);
        }
        drawn.columns[8].push(bar.volume);
        Ok(())
    }
}

fn beyond_years() -> Error {
    Error::config(1003, "the bars do not fit into the years 1900 to 2200")
        .at("market.synthetic.bars")
        .fix("ask for fewer bars, an earlier start or a shorter timeframe")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawn_numbers_have_the_stated_range_and_scale() {
        assert_eq!((z(0), z(u32::MAX), z(0xffff_0000)), (-65_535.0 / 26_754.56, 65_535.0 / 26_754.56, 0.0));
        assert_eq!((u(0), u(1 << 31)), (0.0, 0.5));
        assert!(u(u32::MAX) < 1.0);
        let mut draw = Draw::new(1);
        let sample: Vec<f64> = (0..4_000).flat_map(|k| draw.block(k)).map(z).collect();
        let n = f64::from(u32::try_from(sample.len()).unwrap());
        let mean = sample.iter().sum::<f64>() / n;
        let variance = sample.iter().map(|x| x * x).sum::<f64>() / n;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "mean {mean}, variance {variance}");
    }
}
