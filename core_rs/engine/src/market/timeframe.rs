//! The length of a bar.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

const MINUTE: i64 = 60_000_000;
/// Longer bars would leave no room for a second one between the years 1900 and 2200.
const LONGEST: i64 = 100 * 366 * 24 * 60 * MINUTE;

/// Unit of a timeframe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// `M`
    Minutes,
    /// `H`
    Hours,
    /// `D`
    Days,
    /// `W`
    Weeks,
}

impl Unit {
    fn letter(self) -> char {
        match self {
            Self::Minutes => 'M',
            Self::Hours => 'H',
            Self::Days => 'D',
            Self::Weeks => 'W',
        }
    }

    fn minutes(self) -> i64 {
        match self {
            Self::Minutes => 1,
            Self::Hours => 60,
            Self::Days => 24 * 60,
            Self::Weeks => 7 * 24 * 60,
        }
    }
}

/// A timeframe: unit and count, for example `M5`, `H1`, `D1`, `W1`.
///
/// ```
/// use sweep_engine::market::Timeframe;
///
/// let m5: Timeframe = "M5".parse()?;
/// assert_eq!((m5.minutes(), m5.micros(), m5.to_string()), (5, 300_000_000, "M5".to_owned()));
/// assert_eq!("5min".parse::<Timeframe>().unwrap_err().code, 1009);
/// # Ok::<(), sweep_engine::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timeframe {
    unit: Unit,
    count: i64,
}

impl Timeframe {
    /// So many units, for the lists of timeframes that the engine itself names.
    pub(super) fn of(unit: Unit, count: i64) -> Self {
        Self { unit, count }
    }

    /// The unit.
    pub fn unit(self) -> Unit {
        self.unit
    }

    /// How many units one bar lasts.
    pub fn count(self) -> i64 {
        self.count
    }

    /// Length of a bar in minutes.
    pub fn minutes(self) -> i64 {
        self.count * self.unit.minutes()
    }

    /// Length of a bar in microseconds.
    pub fn micros(self) -> i64 {
        self.minutes() * MINUTE
    }
}

impl FromStr for Timeframe {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let unit = match text.as_bytes().first()? {
                b'M' => Unit::Minutes,
                b'H' => Unit::Hours,
                b'D' => Unit::Days,
                b'W' => Unit::Weeks,
                _ => return None,
            };
            let digits = &text[1..];
            if digits.starts_with('0') || !digits.bytes().all(|c| c.is_ascii_digit()) {
                return None;
            }
            let count: i64 = digits.parse().ok()?;
            let micros = count.checked_mul(unit.minutes() * MINUTE)?;
            (micros <= LONGEST).then_some(Self { unit, count })
        };
        parse().ok_or_else(|| {
            Error::config(1009, format!("`{text}` is not a timeframe"))
                .fix("write M, H, D or W and a whole number, for example M5, H1, D1, W1")
        })
    }
}

impl TryFrom<String> for Timeframe {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Timeframe> for String {
    fn from(timeframe: Timeframe) -> Self {
        timeframe.to_string()
    }
}

impl fmt::Display for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.unit.letter(), self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("M1", 1)]
    #[case("M30", 30)]
    #[case("H4", 240)]
    #[case("D1", 1_440)]
    #[case("W2", 20_160)]
    fn a_timeframe_has_its_length(#[case] text: &str, #[case] minutes: i64) {
        let timeframe: Timeframe = text.parse().unwrap();
        assert_eq!(timeframe.minutes(), minutes);
        assert_eq!(timeframe.micros(), minutes * 60_000_000);
        assert_eq!(serde_json::json!(timeframe), text);
    }

    #[rstest]
    fn anything_else_is_refused(
        #[values(
            "",
            "M",
            "M0",
            "M05",
            "m5",
            "5M",
            "M-5",
            "M+5",
            "M5 ",
            "S30",
            "MN1",
            "H1.5",
            "Mé",
            "é1",
            "W99999999"
        )]
        text: &str,
    ) {
        assert_eq!(text.parse::<Timeframe>().unwrap_err().code, 1009);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_timeframe_returns_to_its_text(text in "[MHDW]?.{0,6}") {
            if let Ok(timeframe) = text.parse::<Timeframe>() {
                prop_assert_eq!(timeframe.to_string(), text);
            }
        }
    }
}
