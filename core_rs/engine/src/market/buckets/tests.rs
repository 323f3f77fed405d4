//! Names above a primary timeframe, bounds of buckets, and the rows inside.

use proptest::prelude::*;
use rstest::rstest;

use super::super::calendar::iso;
use super::*;

const H: i64 = 3_600_000_000;
/// Monday 2024-01-01.
const MONDAY: i64 = 1_704_067_200_000_000;

fn timeframe(text: &str) -> Timeframe {
    text.parse().unwrap()
}

fn new_york() -> Day {
    Day::new("America/New_York", 17).unwrap()
}

#[rstest]
#[case("H1", "M15", Ok("H1"))]
#[case(" h1\t", "M15", Ok("H1"))]
#[case("M15", "M15", Ok("M15"))]
#[case("M7", "M7", Ok("M7"))]
#[case("m35", "M35", Ok("M35"))]
#[case("D1", "H8", Ok("D1"))]
#[case("W1", "D1", Ok("W1"))]
#[case("H3", "M90", Ok("H3"))]
#[case("M15", "H1", Err(1001))]
#[case("M20", "M15", Err(1001))]
#[case("M45", "M15", Err(1001))]
#[case("H24", "M15", Err(1001))]
#[case("D2", "D1", Err(1001))]
#[case("D1", "H5", Err(1001))]
#[case("W1", "H5", Err(1001))]
#[case("H1", "M60", Err(1001))]
#[case("1h", "M15", Err(1009))]
#[case("", "M15", Err(1009))]
fn names_are_of_the_primary_or_a_higher_timeframe(
    #[case] text: &str,
    #[case] primary: &str,
    #[case] expected: std::result::Result<&str, u16>,
) {
    let read = named(text, timeframe(primary)).map(|t| t.to_string()).map_err(|e| e.code);
    assert_eq!(read, expected.map(str::to_owned));
}

#[test]
fn the_message_lists_what_is_above() {
    let error = named("M20", timeframe("M15")).unwrap_err();
    assert!(
        error.to_string().ends_with("higher ones are M30, H1, H2, H3, H4, H6, H8, H12, D1, W1"),
        "{error}"
    );
    assert!(named("D2", timeframe("W1")).unwrap_err().to_string().ends_with("higher ones are none"));
    assert_eq!(all().count(), COUNT);
    assert!(all().map(Timeframe::micros).is_sorted());
}

#[rstest]
#[case("M15", MONDAY + 7 * H / 2 - 1, MONDAY + 3 * H + H / 4, MONDAY + 7 * H / 2)]
#[case("H4", -1, -4 * H, 0)]
#[case("H4", 0, 0, 4 * H)]
#[case("D1", MONDAY + 5 * H, MONDAY, MONDAY + 24 * H)]
#[case("W1", MONDAY - 1, MONDAY - 168 * H, MONDAY)]
#[case("W1", MONDAY + 167 * H, MONDAY, MONDAY + 168 * H)]
fn buckets_of_utc(#[case] name: &str, #[case] t: i64, #[case] start: i64, #[case] end: i64) {
    assert_eq!(Buckets::new(timeframe(name), Day::default()).containing(t), (start, end));
}

#[rstest]
#[case("D1", "2024-03-09T22:00:00Z", "2024-03-10T21:00:00Z", 23)]
#[case("D1", "2024-11-02T21:00:00Z", "2024-11-03T22:00:00Z", 25)]
#[case("W1", "2024-03-03T22:00:00Z", "2024-03-10T21:00:00Z", 167)]
#[case("W1", "2024-10-27T21:00:00Z", "2024-11-03T22:00:00Z", 169)]
fn buckets_where_clocks_change(
    #[case] name: &str,
    #[case] start: &str,
    #[case] end: &str,
    #[case] hours: i64,
) {
    let buckets = Buckets::new(timeframe(name), new_york());
    let at: chrono::DateTime<chrono::Utc> = start.parse().unwrap();
    let (from, until) = buckets.containing(at.timestamp_micros() + H);
    assert_eq!((iso(from).as_str(), iso(until).as_str(), (until - from) / H), (start, end, hours));
}

#[rstest]
#[case(0, MONDAY)]
#[case(12, MONDAY + 12 * H)]
#[case(13, MONDAY - 11 * H)]
#[case(23, MONDAY - H)]
fn a_week_starts_with_the_day_that_contains_monday_noon(#[case] start_hour: i64, #[case] start: i64) {
    let buckets = Buckets::new(timeframe("W1"), Day::new("UTC", start_hour).unwrap());
    assert_eq!(buckets.containing(MONDAY + 12 * H), (start, start + 168 * H));
    assert!(buckets.starts_at(start) && !buckets.starts_at(start + 24 * H));
}

#[test]
fn a_day_that_a_zone_left_out_has_no_bucket() {
    // In Apia Thursday 2011-12-29 was followed by Saturday.
    let buckets = Buckets::new(timeframe("D1"), Day::new("Pacific/Apia", 0).unwrap());
    let thursday = buckets.containing(1_325_221_200_000_000); // 2011-12-30T05:00Z
    assert_eq!(
        (iso(thursday.0).as_str(), iso(thursday.1).as_str()),
        ("2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z")
    );
    assert_eq!(iso(buckets.containing(thursday.1).1), "2011-12-31T10:00:00Z");
}

#[test]
fn a_day_inside_a_primary_bar_is_refused() {
    let label: Vec<i64> = (0..12).map(|k| MONDAY + k * 4 * H).collect();
    let days = Buckets::new(timeframe("W1"), new_york()).days().unwrap();
    let error = check_days(&label, 4 * H, &days).unwrap_err();
    assert_eq!(error.code, 1006);
    assert!(
        error.to_string().contains("2 primary bars; 2024-01-01T20:00:00Z, 2024-01-02T20:00:00Z"),
        "{error}"
    );
    assert!(check_days(&label, 2 * H, &days).is_ok());
    assert!(check_days(&[label[5]], 4 * H, &days).is_err());
    assert!(check_days(&label, 4 * H, &Buckets::new(timeframe("D1"), Day::default())).is_ok());
}

proptest! {
    #[test]
    fn buckets_follow_each_other(t in -2_000_000_000_000_000_i64..4_000_000_000_000_000, which in 0..COUNT, hour in 0_i64..24) {
        let timeframe = all().nth(which).unwrap();
        for zone in ["UTC", "America/New_York", "Australia/Sydney"] {
            let buckets = Buckets::new(timeframe, Day::new(zone, hour).unwrap());
            let (start, end) = buckets.containing(t);
            prop_assert!(start <= t && t < end);
            prop_assert_eq!(buckets.containing(start), (start, end));
            prop_assert_eq!(buckets.containing(end - 1), (start, end));
            prop_assert_eq!(buckets.containing(end).0, end);
        }
    }

    #[test]
    fn the_number_of_leading_labels_does_not_depend_on_the_guess(
        steps in prop::collection::vec(1_i64..50, 0..200), bound in 0_i64..2_000, before in 0_usize..300,
    ) {
        let label: Vec<i64> = steps.iter().scan(0, |t, s| { *t += s; Some(*t) }).collect();
        prop_assert_eq!(leading(&label, before, |t| t < bound), label.iter().filter(|&&t| t < bound).count());
    }
}
