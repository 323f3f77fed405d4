//! Zones whose clocks change: local time to instants and back. All times in µs.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;

/// Version of the compiled-in zone data, for example `2025b`. Its rules reach to the year 2099.
pub const ZONE_DATA: &str = chrono_tz::IANA_TZDB_VERSION;

const SECOND: i64 = 1_000_000;
/// Clocks that change twice within so short a time do not occur.
const STEP: i64 = 3 * 3_600 * SECOND;

/// A time zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone of an IANA name, `None` if there is none.
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Local time minus UTC at an instant.
    pub fn offset(self, instant: i64) -> i64 {
        let offset = self.0.offset_from_utc_datetime(&civil_time(instant));
        i64::from(offset.fix().local_minus_utc()) * SECOND
    }

    /// The instant of a local time. One that does not exist means the first instant after the gap, one that occurs
    /// twice the earlier.
    pub fn instant(self, local: i64) -> i64 {
        if self == Self::UTC {
            return local;
        }
        let offset = |o: chrono_tz::TzOffset| i64::from(o.fix().local_minus_utc()) * SECOND;
        match self.0.offset_from_local_datetime(&civil_time(local)) {
            MappedLocalTime::Single(o) => local - offset(o),
            MappedLocalTime::Ambiguous(a, b) => local - offset(a).max(offset(b)),
            MappedLocalTime::None => self.after_the_gap(local),
        }
    }

    /// The parts of [from, to) within which the clocks do not change: (start, end, offset), in order.
    pub fn stretches(self, from: i64, to: i64) -> Vec<(i64, i64, i64)> {
        let mut stretches = Vec::new();
        let mut start = from;
        let mut at = from;
        while start < to {
            let offset = self.offset(start);
            while at < to && self.offset(at) == offset {
                at += STEP;
            }
            // The change is after the last look before `at`, if there is one.
            let end =
                if at < to || self.offset(to - 1) != offset { self.change(at - STEP, offset) } else { to };
            stretches.push((start, end, offset));
            (start, at) = (end, end);
        }
        stretches
    }

    /// The first instant within a step after `before` at which the offset differs from `offset`.
    fn change(self, before: i64, offset: i64) -> i64 {
        let (mut low, mut high) = (before.div_euclid(SECOND), (before + STEP).div_euclid(SECOND) + 1);
        while high - low > 1 {
            let middle = low.midpoint(high);
            if self.offset(middle * SECOND) == offset {
                low = middle;
            } else {
                high = middle;
            }
        }
        high * SECOND
    }

    /// The instant at which the clocks jump over `local`. Clocks change at whole seconds, by a day at most.
    fn after_the_gap(self, local: i64) -> i64 {
        let (mut before, mut after) = (local / SECOND - 172_800, local / SECOND + 172_800);
        while after - before > 1 {
            let middle = before.midpoint(after);
            if middle * SECOND + self.offset(middle * SECOND) < local {
                before = middle;
            } else {
                after = middle;
            }
        }
        after * SECOND
    }
}

/// A date and a time of day, without a zone.
fn civil_time(micros: i64) -> NaiveDateTime {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().naive_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600 * SECOND;
    /// 2024-03-31 and 2024-10-27 at 01:00 UTC, when the clocks of London change.
    const SPRING: i64 = 1_711_846_800 * SECOND;
    const AUTUMN: i64 = 1_729_990_800 * SECOND;

    #[test]
    fn stretches_end_where_the_clocks_change() {
        let london = Zone::named("Europe/London").unwrap();
        let (from, to) = (SPRING - 40 * 24 * HOUR + 1, AUTUMN + HOUR);
        let expected = vec![(from, SPRING, 0), (SPRING, AUTUMN, HOUR), (AUTUMN, to, 0)];
        assert_eq!(london.stretches(from, to), expected);
        assert_eq!(london.stretches(SPRING, SPRING + 1), [(SPRING, SPRING + 1, HOUR)]);
        assert_eq!(
            london.stretches(SPRING - 1, SPRING + 1),
            [(SPRING - 1, SPRING, 0), (SPRING, SPRING + 1, HOUR)]
        );
        assert!(london.stretches(SPRING, SPRING).is_empty());
    }

    #[test]
    fn every_stretch_has_one_offset_and_they_follow_each_other() {
        for name in ["America/New_York", "Africa/Casablanca", "Pacific/Apia", "Australia/Lord_Howe", "UTC"] {
            let zone = Zone::named(name).unwrap();
            let (from, to) = (1_300_000_000 * SECOND, 1_400_000_000 * SECOND);
            let stretches = zone.stretches(from, to);
            assert_eq!((stretches[0].0, stretches[stretches.len() - 1].1), (from, to), "{name}");
            assert!(stretches.windows(2).all(|w| w[0].1 == w[1].0 && w[0].2 != w[1].2), "{name}");
            for instant in (from..to).step_by(17 * 60 * 1_000_000) {
                let at = stretches.partition_point(|s| s.1 <= instant);
                assert_eq!(zone.offset(instant), stretches[at].2, "{name} {instant}");
            }
        }
    }
}
