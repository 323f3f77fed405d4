//! Gate `anchored`: windows around the local opening of a market in which entries are allowed.

use super::clock::{MINUTE, offset, offset_text};
use super::intervals::Intervals;
use super::options::windows;
use crate::execution::resolve::Section;
use crate::market::Zone;
use crate::market::calendar::DAY;
use crate::suggest::suggestion;
use crate::{Error, Result};
use serde_json::{Value as Json, json};

/// A local opening time.
struct Anchor {
    name: &'static str,
    zone: &'static str,
    /// Minutes since local midnight.
    opening: i64,
}

const ANCHORS: [Anchor; 5] = [
    Anchor { name: "london", zone: "Europe/London", opening: 8 * 60 },
    Anchor { name: "new_york", zone: "America/New_York", opening: 9 * 60 + 30 },
    Anchor { name: "tokyo", zone: "Asia/Tokyo", opening: 9 * 60 },
    Anchor { name: "sydney", zone: "Australia/Sydney", opening: 8 * 60 },
    Anchor { name: "frankfurt", zone: "Europe/Berlin", opening: 8 * 60 },
];
const ALIASES: [(&str, &str); 2] = [("europe", "london"), ("asia", "tokyo")];

/// [anchor + from, anchor + to) on every local date.
#[derive(Debug, Clone, PartialEq)]
struct Window {
    anchor: &'static str,
    zone: Zone,
    /// Minutes since local midnight.
    opening: i64,
    /// Minutes from the opening.
    from: i64,
    to: i64,
}

impl Window {
    fn read(json: &Json, place: &str) -> Result<Self> {
        let mut s = Section::new(place, Some(json))?;
        let anchor = named(&s.required_text("anchor")?, &s.place("anchor"))?;
        let from = offset(&s.required_text("from")?, &s.place("from"))?;
        let to = offset(&s.required_text("to")?, &s.place("to"))?;
        s.finish()?;
        if from >= to {
            return Err(Error::config(1001, "a window has to end after its start")
                .at(place)
                .fix("give from a smaller offset than to"));
        }
        let zone = Zone::named(anchor.zone)
            .ok_or_else(|| Error::engine(4004, format!("no zone data of {}", anchor.zone)))?;
        Ok(Self { anchor: anchor.name, zone, opening: anchor.opening, from, to })
    }

    /// Appends the windows that overlap [from, to).
    fn compile(&self, from: i64, to: i64, out: &mut Vec<(i64, i64)>) {
        let (after, before) = (self.from * MINUTE, self.to * MINUTE);
        // An opening lies within two days of the UTC midnight of its date.
        for date in (from - before).div_euclid(DAY) - 2..=(to - after).div_euclid(DAY) + 2 {
            let opening = self.zone.instant(date * DAY + self.opening * MINUTE);
            let (start, end) = (opening + after, opening + before);
            if start < to && end > from {
                out.push((start, end));
            }
        }
    }
}

fn named(name: &str, place: &str) -> Result<&'static Anchor> {
    let target = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, target)| target);
    ANCHORS.iter().find(|a| a.name == target).ok_or_else(|| {
        let known = ANCHORS.iter().map(|a| a.name).chain(ALIASES.iter().map(|(alias, _)| *alias));
        Error::config(1001, format!("unknown anchor {name:?}")).at(place).fix(suggestion(name, known))
    })
}

/// Windows, of which at least one has to be open.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchored(Vec<Window>);

impl Anchored {
    /// # Errors
    /// [1001] unknown key or anchor, a window that does not end after its start, no window; [1004] wrong type; [1008]
    /// missing key; [1009] no offset.
    pub(super) fn read(json: &Json) -> Result<Self> {
        windows(json, "gates.anchored", Window::read).map(Self)
    }

    /// Complete mappings, aliases by their names.
    pub(super) fn to_json(&self) -> Json {
        let window =
            |w: &Window| json!({ "anchor": w.anchor, "from": offset_text(w.from), "to": offset_text(w.to) });
        self.0.iter().map(window).collect()
    }

    /// When the gate is open, as far as it overlaps [from, to), µs.
    pub fn open(&self, from: i64, to: i64) -> Intervals {
        let mut parts = Vec::new();
        self.0.iter().for_each(|window| window.compile(from, to, &mut parts));
        Intervals::union(parts)
    }
}

#[cfg(test)]
mod tests;
