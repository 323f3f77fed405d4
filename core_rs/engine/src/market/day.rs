//! Trading days: where a day begins in a zone whose clocks change, and when a higher bar is too old.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::calendar::DAY;
use super::options::Options;
use super::zone::Zone;
use crate::{Error, Result};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

/// A trading day: it starts at a local hour of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Described", into = "Described")]
pub struct Day {
    zone: Zone,
    start_hour: i64,
}

/// The text form of a day.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    zone: String,
    start_hour: i64,
}

impl Default for Day {
    fn default() -> Self {
        Self { zone: Zone::UTC, start_hour: 0 }
    }
}

impl Day {
    /// Days that start at `start_hour`, local time of the IANA zone `zone`.
    ///
    /// # Errors
    /// [1001] unknown zone, [1003] hour not from 0 to 23.
    pub fn new(zone: &str, start_hour: i64) -> Result<Self> {
        let zone = Zone::named(zone).ok_or_else(|| {
            Error::config(1001, format!("unknown time zone `{zone}`"))
                .at("market.day.zone")
                .fix("give an IANA name such as UTC or America/New_York")
        })?;
        if !(0..24).contains(&start_hour) {
            return Err(Error::config(1003, format!("start_hour must be from 0 to 23, not {start_hour}"))
                .at("market.day.start_hour"));
        }
        Ok(Self { zone, start_hour })
    }

    fn from_mapping(mut fields: Map<String, Json>) -> Result<Self> {
        let zone = fields.remove("zone").unwrap_or_else(|| "UTC".into());
        let start_hour = fields.remove("start_hour").unwrap_or_else(|| 0.into());
        if let Some(name) = fields.keys().next() {
            return Err(Error::config(1001, format!("unknown key `{name}`"))
                .at("market.day")
                .fix("known are zone and start_hour"));
        }
        let wrong = |name: &str, wanted: &str| {
            Error::config(1004, format!("{name} must be {wanted}")).at(format!("market.day.{name}"))
        };
        Self::new(
            zone.as_str().ok_or_else(|| wrong("zone", "text"))?,
            start_hour.as_i64().ok_or_else(|| wrong("start_hour", "a whole number"))?,
        )
    }

    /// Name of the zone.
    pub fn zone(&self) -> &'static str {
        self.zone.name()
    }

    /// Local hour of the start.
    pub fn start_hour(&self) -> i64 {
        self.start_hour
    }

    /// First instant of the day of a date, which is counted in days from 1970-01-01. A local time that does
    /// not exist means the first instant after the gap, one that occurs twice the earlier.
    ///
    /// Consecutive dates have the same start where a zone left out a whole day.
    pub fn start(&self, date: i64) -> i64 {
        self.zone.instant(date * DAY + self.start_hour * HOUR)
    }

    /// The date of the day that contains an instant.
    pub fn date(&self, instant: i64) -> i64 {
        let mut date = (instant + self.zone.offset(instant)).div_euclid(DAY) + 1;
        while self.start(date) > instant {
            date -= 1;
        }
        date
    }
}

impl TryFrom<Described> for Day {
    type Error = Error;

    fn try_from(described: Described) -> Result<Self> {
        Self::new(&described.zone, described.start_hour)
    }
}

impl From<Day> for Described {
    fn from(day: Day) -> Self {
        Self { zone: day.zone().to_owned(), start_hour: day.start_hour }
    }
}

/// How bars of higher timeframes are seen from the primary ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alignment {
    /// Days, of which weeks are made.
    pub day: Day,
    /// After how many further primary bars a higher bar is too old to be seen; `None` = never.
    pub stale_after: Option<usize>,
}

impl Alignment {
    /// The options `day` and `stale_after`.
    ///
    /// # Errors
    /// [1001] unknown zone or key, [1003] out of range, [1004] wrong type.
    pub(super) fn read(options: &mut Options) -> Result<Self> {
        let day = options.mapping("day")?.map(Day::from_mapping).transpose()?.unwrap_or_default();
        let stale_after =
            options.integer("stale_after")?.map(usize::try_from).transpose().map_err(|_| {
                Error::config(1003, "stale_after must not be negative").at("market.stale_after")
            })?;
        Ok(Self { day, stale_after })
    }
}

#[cfg(test)]
mod tests;
