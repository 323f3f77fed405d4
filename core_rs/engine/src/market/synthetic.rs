//! A market without data: bid and ask bars drawn from a seeded model with clustered volatility, fat tails, a day's
//! rhythm and weekends. The same options give the same bits on every machine.

use super::day::Alignment;
use super::generator::Generator;
use super::market::Market;
use super::options::Options;
use super::quotes::Quotes;
use super::report::ImportNotes;
use super::spec::SymbolSpec;
use super::timeframe::Timeframe;
use crate::{Error, Result};

/// Version of the model; it is raised with any change of a value.
pub const GENERATOR_VERSION: u32 = 1;

/// 2020-01-02T00:00Z.
const DEFAULT_START: i64 = 1_577_923_200_000_000;
const DAY: i64 = 86_400_000_000;

/// What happens from Friday 22:00 to Sunday 22:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weekends {
    /// There are no bars.
    #[default]
    Closed,
    /// Bars go on.
    Open,
}

/// Options of the synthetic market.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticOptions {
    /// The instrument.
    pub spec: SymbolSpec,
    /// Length of a bar; divides 24 hours.
    pub timeframe: Timeframe,
    /// Number of bars.
    pub bars: i64,
    /// Seed; markets of one seed and different symbols are independent unless correlated.
    pub seed: u64,
    /// First instant, on the timeframe's grid, in microseconds UTC.
    pub start: i64,
    /// Price before the first bar.
    pub price: f64,
    /// Standard deviation of a year's return.
    pub volatility: f64,
    /// Usual spread in pips.
    pub spread_pips: f64,
    /// Correlation ρ of the returns with those of other markets of the seed.
    pub correlation: f64,
    /// Probability that a bar begins with a jump.
    pub jump_rate: f64,
    /// Probability that a bar is missing.
    pub gap_rate: f64,
    /// Weekends.
    pub weekends: Weekends,
    /// How higher timeframes are seen.
    pub alignment: Alignment,
}

impl SyntheticOptions {
    /// The defaults: seed 42, start 2020-01-02, 12,000 pips, 10 % a year, 0.8 pips.
    pub fn new(spec: SymbolSpec, timeframe: Timeframe, bars: i64) -> Self {
        Self {
            timeframe,
            bars,
            seed: 42,
            start: DEFAULT_START,
            price: 12_000.0 * spec.pip_size,
            volatility: 0.1,
            spread_pips: 0.8,
            correlation: 0.0,
            jump_rate: 0.0,
            gap_rate: 0.0,
            weekends: Weekends::Closed,
            alignment: Alignment::default(),
            spec,
        }
    }

    /// From JSON: `spec`, `timeframe`, `bars`, and optionally `seed`, `start` (microseconds UTC), `price`,
    /// `volatility`, `spread_pips`, `correlation`, `jump_rate`, `gap_rate`, `weekends`, `day`, `stale_after`.
    ///
    /// # Errors
    /// [1001] unknown key, word, symbol or zone; [1003] hour or age out of range; [1004] wrong type; [1008] missing key; [1009] no timeframe, no JSON.
    pub fn from_json(text: &str) -> Result<Self> {
        let mut options = Options::parse("market.synthetic", text)?;
        let spec = options.mapping("spec")?;
        let timeframe = options.text("timeframe")?;
        let bars = options.integer("bars")?;
        let mut read = Self::new(
            SymbolSpec::try_from(options.required("spec", spec)?)?,
            options.required("timeframe", timeframe)?.parse()?,
            options.required("bars", bars)?,
        );
        read.seed = options.unsigned("seed")?.unwrap_or(read.seed);
        read.start = options.integer("start")?.unwrap_or(read.start);
        for (name, field) in [
            ("price", &mut read.price),
            ("volatility", &mut read.volatility),
            ("spread_pips", &mut read.spread_pips),
            ("correlation", &mut read.correlation),
            ("jump_rate", &mut read.jump_rate),
            ("gap_rate", &mut read.gap_rate),
        ] {
            *field = options.number(name)?.unwrap_or(*field);
        }
        let weekends = [("closed", Weekends::Closed), ("open", Weekends::Open)];
        read.weekends = options.choice("weekends", &weekends)?.unwrap_or_default();
        read.alignment = Alignment::read(&mut options)?;
        options.finish()?;
        Ok(read)
    }

    fn validate(&self) -> Result<()> {
        let bar = self.timeframe.micros();
        let rules = [
            (1001, "timeframe", DAY % bar == 0, "must divide 24 hours"),
            (1001, "start", self.start.rem_euclid(bar) == 0, "must lie on the grid of the timeframe"),
            (1003, "bars", self.bars >= 1, "must be 1 or more"),
            (1003, "price", self.price > 0.0 && self.price.is_finite(), "must be finite and greater than 0"),
            (1003, "volatility", self.volatility > 0.0 && self.volatility <= 2.0, "must be in (0, 2]"),
            (
                1003,
                "spread_pips",
                self.spread_pips >= 0.0 && self.spread_pips.is_finite(),
                "must be finite and not negative",
            ),
            (1003, "correlation", (0.0..=1.0).contains(&self.correlation), "must be from 0 to 1"),
            (1003, "jump_rate", (0.0..1.0).contains(&self.jump_rate), "must be in [0, 1)"),
            (1003, "gap_rate", (0.0..1.0).contains(&self.gap_rate), "must be in [0, 1)"),
        ];
        match rules.into_iter().find(|&(_, _, kept, _)| !kept) {
            None => Ok(()),
            Some((code, name, _, rule)) => {
                Err(Error::config(code, format!("{name} {rule}")).at(format!("market.synthetic.{name}")))
            }
        }
    }
}

impl Market {
    /// A market of `bars` drawn bars.
    ///
    /// # Errors
    /// [1001] timeframe or start off the day's grid; [1003] an option out of range, or bars that would leave
    /// the years 1900 to 2200 or prices below 1e12.
    pub fn synthetic(options: &SyntheticOptions) -> Result<Self> {
        options.validate()?;
        let drawn = Generator::new(options).run()?;
        let [bid_open, bid_high, bid_low, bid_close, ask_open, ask_high, ask_low, ask_close, volume] =
            drawn.columns.map(crate::Column::from);
        let bid =
            Quotes { open: bid_open, high: bid_high, low: bid_low, close: bid_close, volume: volume.clone() };
        let ask = Quotes { open: ask_open, high: ask_high, low: ask_low, close: ask_close, volume };
        let (spec, notes) = (options.spec.clone(), ImportNotes::default());
        let market = Self::assemble(spec, options.timeframe, drawn.label.into(), bid, ask, notes);
        Ok(market.aligned_by(options.alignment))
    }
}

#[cfg(test)]
mod tests;
