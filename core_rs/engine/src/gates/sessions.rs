//! Gate `sessions`: windows of local wall time in which entries are allowed.

use super::clock::{DAY_MINUTES, MINUTE, time_of_day, time_text};
use super::intervals::Intervals;
use super::options::windows;
use crate::execution::resolve::{Section, items};
use crate::market::Zone;
use crate::market::calendar::DAY;
use crate::suggest::suggestion;
use crate::{Error, Result};
use serde_json::{Value as Json, json};

/// Names of the weekdays, from Monday on.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A window [start, end) of local wall time on some weekdays; one that wraps past midnight belongs to the day of its
/// start.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Minutes since midnight, below 24:00.
    start: i64,
    /// Minutes since midnight, as written.
    end: i64,
    days: [bool; 7],
    zone: Zone,
}

impl Window {
    fn read(json: &Json, place: &str) -> Result<Self> {
        let mut s = Section::new(place, Some(json))?;
        let start_text = s.required_text("start")?;
        let end_text = s.required_text("end")?;
        let start = time_of_day(&start_text, &s.place("start"))?;
        let end = time_of_day(&end_text, &s.place("end"))?;
        let name = s.text("zone", "UTC")?;
        let zone = Zone::named(&name).ok_or_else(|| {
            Error::config(1001, format!("unknown time zone `{name}`"))
                .at(s.place("zone"))
                .fix("give an IANA name such as UTC or America/New_York")
        })?;
        let days = match s.given("days") {
            None => [true; 7],
            Some(json) => weekdays(json, &s.place("days"))?,
        };
        s.finish()?;
        if start == DAY_MINUTES {
            return Err(Error::config(1001, "24:00 is an end, not a start")
                .at(format!("{place}.start"))
                .fix("write 00:00"));
        }
        if start == end {
            return Err(Error::config(1001, format!("a window from {start_text} to {end_text} is empty"))
                .at(place)
                .fix("write 00:00 to 24:00 for the whole day"));
        }
        Ok(Self { start, end, days, zone })
    }

    /// The window as a complete mapping.
    fn to_json(&self) -> Json {
        let days: Vec<&str> = (0..7).filter(|&d| self.days[d]).map(|d| WEEKDAYS[d]).collect();
        json!({
            "start": time_text(self.start), "end": time_text(self.end), "days": days, "zone": self.zone.name(),
        })
    }

    /// Appends the parts of [from, to) whose local wall time is in the window.
    fn compile(&self, from: i64, to: i64, out: &mut Vec<(i64, i64)>) {
        let end = if self.end <= self.start { self.end + DAY_MINUTES } else { self.end };
        for (begin, until, offset) in self.zone.stretches(from, to) {
            // The window of the day before may reach into the first day.
            let first = (begin + offset).div_euclid(DAY) - 1;
            let last = (until - 1 + offset).div_euclid(DAY);
            for date in (first..=last).filter(|&d| self.days[weekday(d)]) {
                let midnight = date * DAY - offset;
                let start = (midnight + self.start * MINUTE).max(begin);
                let end = (midnight + end * MINUTE).min(until);
                if start < end {
                    out.push((start, end));
                }
            }
        }
    }
}

/// 0 = Monday, of a day counted from 1970-01-01, a Thursday.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn weekday(date: i64) -> usize {
    (date + 3).rem_euclid(7) as usize
}

fn weekdays(json: &Json, place: &str) -> Result<[bool; 7]> {
    let mut days = [false; 7];
    for (k, item) in items(json, place)?.iter().enumerate() {
        let name = item.as_str().ok_or_else(|| {
            Error::config(1004, format!("a text is needed, not {item}")).at(format!("{place}.{k}"))
        })?;
        let day = WEEKDAYS.iter().position(|d| *d == name).ok_or_else(|| {
            Error::config(1001, format!("unknown weekday {name:?}"))
                .at(format!("{place}.{k}"))
                .fix(suggestion(name, WEEKDAYS))
        })?;
        days[day] = true;
    }
    if days.contains(&true) {
        return Ok(days);
    }
    Err(Error::config(1001, "no weekday is given").at(place).fix("leave days out for all of them"))
}

/// Windows, of which at least one has to be open.
#[derive(Debug, Clone, PartialEq)]
pub struct Sessions(Vec<Window>);

impl Sessions {
    /// # Errors
    /// [1001] unknown key, weekday or zone, an empty window, no window; [1004] wrong type; [1008] missing start or
    /// end; [1009] no time of day.
    pub(super) fn read(json: &Json) -> Result<Self> {
        windows(json, "gates.sessions", Window::read).map(Self)
    }

    /// Complete mappings.
    pub(super) fn to_json(&self) -> Json {
        self.0.iter().map(Window::to_json).collect()
    }

    /// When the gate is open within [from, to), µs.
    pub fn open(&self, from: i64, to: i64) -> Intervals {
        let mut parts = Vec::new();
        self.0.iter().for_each(|window| window.compile(from, to, &mut parts));
        Intervals::union(parts)
    }
}

#[cfg(test)]
mod tests;
