//! Instants as text and as hours, in the proleptic Gregorian calendar and UTC. No zones, no clock.

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

/// Microseconds of a day.
pub const DAY: i64 = 24 * HOUR;
/// Microseconds of seven days.
pub const WEEK: i64 = 7 * DAY;

/// The instant as `2024-01-01T12:00:00Z`, with six decimals if it is not a whole second.
///
/// ```
/// use sweep_engine::market::calendar::iso;
///
/// assert_eq!(iso(1_704_110_400_000_000), "2024-01-01T12:00:00Z");
/// assert_eq!(iso(-1), "1969-12-31T23:59:59.999999Z");
/// ```
pub fn iso(micros: i64) -> String {
    let (year, month, day) = civil(micros.div_euclid(DAY));
    let of_day = micros.rem_euclid(DAY);
    let (hour, rest) = (of_day / HOUR, of_day % HOUR);
    let (minute, rest) = (rest / (60 * SECOND), rest % (60 * SECOND));
    let (second, fraction) = (rest / SECOND, rest % SECOND);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if fraction != 0 {
        text.push_str(&format!(".{fraction:06}"));
    }
    text.push('Z');
    text
}

/// Year, month 1 to 12 and day 1 to 31 of a day counted from 1970-01-01.
///
/// Counted from 1 March of year 0, where every cycle of 400 years has 146,097 days and leap days come last
/// (H. Hinnant, "chrono-compatible low-level date algorithms").
pub fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (cycle, of_cycle) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + next, month, day)
}

/// Hour of the UTC day, 0 to 23.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn hour(micros: i64) -> usize {
    (micros.rem_euclid(DAY) / HOUR) as usize
}

/// Microseconds since Monday 00:00 UTC.
pub fn since_monday(micros: i64) -> i64 {
    // 1970-01-01 was a Thursday.
    (micros.rem_euclid(WEEK) + 3 * DAY) % WEEK
}

/// Whether a market trades through the weekend: at least half of the Saturdays (UTC), and at least one, between its
/// first and its last label have bars. Labels ascend.
pub fn is_continuous(label: &[i64]) -> bool {
    let (Some(&first), Some(&last)) = (label.first(), label.last()) else { return false };
    // 1970-01-03 was a Saturday.
    let is_saturday = |day: i64| day.rem_euclid(7) == 2;
    let saturdays = (first.div_euclid(DAY)..=last.div_euclid(DAY)).filter(|&day| is_saturday(day)).count();
    let mut with_bars: Vec<i64> =
        label.iter().map(|t| t.div_euclid(DAY)).filter(|&d| is_saturday(d)).collect();
    with_bars.dedup();
    !with_bars.is_empty() && 2 * with_bars.len() >= saturdays
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "1970-01-01T00:00:00Z")]
    #[case(951_782_400_000_000, "2000-02-29T00:00:00Z")]
    #[case(951_868_800_000_000, "2000-03-01T00:00:00Z")]
    #[case(1_582_979_696_789_012, "2020-02-29T12:34:56.789012Z")]
    #[case(-568_080_000_000_000, "1952-01-01T00:00:00Z")]
    #[case(-2_208_988_800_000_000, "1900-01-01T00:00:00Z")]
    #[case(4_107_542_400_000_000, "2100-03-01T00:00:00Z")]
    #[case(7_289_654_400_000_000, "2201-01-01T00:00:00Z")]
    fn instants_read_as_dates(#[case] micros: i64, #[case] text: &str) {
        assert_eq!(iso(micros), text);
    }

    #[test]
    fn days_follow_each_other_over_four_centuries() {
        let mut previous = civil(-100_001);
        for day in -100_000..100_000 {
            let (year, month, date) = civil(day);
            let follows = if date > 1 {
                (year, month, date - 1) == previous
            } else {
                previous.2 >= 28 && (year * 12 + month) - (previous.0 * 12 + previous.1) == 1
            };
            assert!(follows, "{previous:?} before {:?}", (year, month, date));
            previous = (year, month, date);
        }
    }

    #[test]
    fn weeks_begin_on_monday() {
        let monday = 1_704_067_200_000_000; // 2024-01-01
        assert_eq!(since_monday(monday), 0);
        assert_eq!(since_monday(monday - 1), WEEK - 1);
        assert_eq!(since_monday(monday - 100 * WEEK * 52 + DAY), DAY);
        assert_eq!(hour(monday + 23 * HOUR + 1), 23);
        assert_eq!(hour(-1), 23);
    }
}
