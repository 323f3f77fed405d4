//! What a check alone, without building a market, has to know.

use super::contract::{DUPLICATES, Duplicates};
use super::options::Options;
use super::pairing::{CROSSED, Crossed};
use super::timeframe::{Timeframe, Unit};
use crate::Result;

/// Options of a check of bars or of ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckOptions {
    /// Length of a bar; ticks do not ask for it.
    pub timeframe: Timeframe,
    /// Repeated labels of bars.
    pub duplicates: Duplicates,
    /// Crossed ticks.
    pub crossed: Crossed,
    /// What messages call the series.
    pub name: String,
}

impl CheckOptions {
    /// Of bars, from JSON: `timeframe`, and optionally `duplicates`, `name`.
    ///
    /// # Errors
    /// [1001] unknown key or word, [1004] wrong type, [1008] missing key, [1009] no timeframe, no JSON.
    pub fn for_bars(text: &str) -> Result<Self> {
        let mut options = Options::parse("market", text)?;
        let timeframe = options.text("timeframe")?;
        let timeframe = options.required("timeframe", timeframe)?.parse()?;
        let duplicates = options.choice("duplicates", &DUPLICATES)?.unwrap_or_default();
        let name = options.text("name")?.unwrap_or_else(|| "bars".to_owned());
        options.finish()?;
        Ok(Self { timeframe, duplicates, crossed: Crossed::Count, name })
    }

    /// Of ticks, from JSON: optionally `crossed`, `name`. `timeframe` and `duplicates`, of which ticks have
    /// nothing, are taken too, so that one set of options does for bars and ticks.
    ///
    /// # Errors
    /// [1001] unknown key or word, [1004] wrong type, [1009] no JSON.
    pub fn for_ticks(text: &str) -> Result<Self> {
        let mut options = Options::parse("market", text)?;
        let timeframe =
            options.text("timeframe")?.map_or(Ok(Timeframe::of(Unit::Minutes, 1)), |t| t.parse())?;
        let duplicates = options.choice("duplicates", &DUPLICATES)?.unwrap_or_default();
        let crossed = options.choice("crossed", &CROSSED)?.unwrap_or_default();
        let name = options.text("name")?.unwrap_or_else(|| "ticks".to_owned());
        options.finish()?;
        Ok(Self { timeframe, duplicates, crossed, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_bars_do_for_ticks() {
        let text = r#"{"timeframe": "M5", "duplicates": "drop_identical", "name": "x.csv"}"#;
        let bars = CheckOptions::for_bars(text).unwrap();
        assert_eq!((bars.duplicates, bars.name.as_str()), (Duplicates::DropIdentical, "x.csv"));
        assert_eq!(CheckOptions::for_ticks(text).unwrap(), bars);
        let ticks = CheckOptions::for_ticks(r#"{"crossed": "reject", "timeframe": null}"#).unwrap();
        assert_eq!((ticks.crossed, ticks.name.as_str()), (Crossed::Reject, "ticks"));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, code) in
            [("{}", 1008), (r#"{"timeframe": "5m"}"#, 1009), (r#"{"crossed": "count"}"#, 1008)]
        {
            assert_eq!(CheckOptions::for_bars(text).unwrap_err().code, code, "{text}");
        }
        let unknown = CheckOptions::for_bars(r#"{"timeframe": "M5", "crossed": "count"}"#).unwrap_err();
        assert_eq!(unknown.code, 1001);
        assert_eq!(CheckOptions::for_ticks(r#"{"crossed": "no"}"#).unwrap_err().code, 1001);
    }
}
