//! Times of day and offsets as a config writes them, in minutes.

use crate::{Error, Result};

/// Microseconds of a minute.
pub const MINUTE: i64 = 60_000_000;
/// Minutes of a day.
pub const DAY_MINUTES: i64 = 24 * 60;

/// Minutes since midnight of `HH:MM`, from 00:00 to 24:00.
///
/// # Errors
/// [1009] if it is not written so.
pub fn time_of_day(text: &str, place: &str) -> Result<i64> {
    minutes(text).filter(|&m| text.len() == 5 && m <= DAY_MINUTES).ok_or_else(|| {
        Error::config(1009, format!("{text:?} is no time of day"))
            .at(place)
            .fix("write HH:MM, for example 08:30")
    })
}

/// Minutes of `HH:MM`, `+HH:MM` or `-HH:MM`; hours may have three digits.
///
/// # Errors
/// [1009] if it is not written so.
pub fn offset(text: &str, place: &str) -> Result<i64> {
    let (sign, rest) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    minutes(rest).map(|m| sign * m).ok_or_else(|| {
        Error::config(1009, format!("{text:?} is no offset"))
            .at(place)
            .fix("write +HH:MM or -HH:MM, for example -03:00")
    })
}

fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let number =
        |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>().ok())?;
    if !(2..=3).contains(&hours.len()) || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60).then_some(hours * 60 + minutes)
}

/// `HH:MM` of minutes since midnight.
pub fn time_text(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `+HH:MM` or `-HH:MM`.
pub fn offset_text(minutes: i64) -> String {
    format!("{}{}", if minutes < 0 { '-' } else { '+' }, time_text(minutes.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("00:00", Some(0))]
    #[case("08:30", Some(510))]
    #[case("24:00", Some(1440))]
    #[case("24:01", None)]
    #[case("8:30", None)]
    #[case("08:60", None)]
    #[case("08.30", None)]
    #[case("+8:30", None)]
    #[case("٠٨:30", None)]
    #[case("", None)]
    #[case("008:30", None)]
    #[case("08:3", None)]
    fn times_of_day(#[case] text: &str, #[case] expected: Option<i64>) {
        let read = time_of_day(text, "x");
        assert_eq!(read.as_ref().map(|m| *m).map_err(|e| e.code), expected.ok_or(1009));
        assert!(expected.is_none_or(|m| time_text(m) == text));
    }

    #[rstest]
    #[case("-03:00", Some(-180))]
    #[case("+06:30", Some(390))]
    #[case("06:30", Some(390))]
    #[case("-24:00", Some(-1440))]
    #[case("+30:15", Some(1815))]
    #[case("-168:00", Some(-10_080))]
    #[case("+1000:00", None)]
    #[case("+", None)]
    #[case("+01:60", None)]
    #[case("--3:00", None)]
    #[case("−03:00", None)]
    fn offsets(#[case] text: &str, #[case] expected: Option<i64>) {
        assert_eq!(offset(text, "x").map_err(|e| e.code), expected.ok_or(1009));
        assert!(expected.is_none_or(|m| offset(&offset_text(m), "x").unwrap() == m));
    }
}
