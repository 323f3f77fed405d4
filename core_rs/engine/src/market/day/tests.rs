//! Starts of days where clocks change, and days as options.

use rstest::rstest;

use super::super::calendar::iso;
use super::*;
use crate::market::ZONE_DATA;

/// The days from 1970-01-01 to a date of text `2024-03-08`.
fn date(text: &str) -> i64 {
    let date: chrono::NaiveDate = text.parse().unwrap();
    date.signed_duration_since(chrono::NaiveDate::default()).num_days()
}

#[rstest]
#[case::utc("UTC", 0, "2024-03-10", "2024-03-10T00:00:00Z")]
#[case::utc_hour("UTC", 22, "2024-03-10", "2024-03-10T22:00:00Z")]
#[case("America/New_York", 17, "2024-03-08", "2024-03-08T22:00:00Z")]
#[case("America/New_York", 17, "2024-03-09", "2024-03-09T22:00:00Z")]
#[case("America/New_York", 17, "2024-03-10", "2024-03-10T21:00:00Z")]
#[case("America/New_York", 17, "2024-11-01", "2024-11-01T21:00:00Z")]
#[case("America/New_York", 17, "2024-11-02", "2024-11-02T21:00:00Z")]
#[case("America/New_York", 17, "2024-11-03", "2024-11-03T22:00:00Z")]
#[case::in_the_gap("America/New_York", 2, "2024-03-10", "2024-03-10T07:00:00Z")]
#[case::after_the_gap("America/New_York", 3, "2024-03-10", "2024-03-10T07:00:00Z")]
#[case::twice("America/New_York", 1, "2024-11-03", "2024-11-03T05:00:00Z")]
#[case::midnight_left_out("America/Sao_Paulo", 0, "2018-11-04", "2018-11-04T03:00:00Z")]
#[case::half_an_hour("Australia/Lord_Howe", 2, "2024-10-06", "2024-10-05T15:30:00Z")]
#[case::day_left_out("Pacific/Apia", 17, "2011-12-30", "2011-12-30T10:00:00Z")]
#[case::day_after_it("Pacific/Apia", 17, "2011-12-31", "2011-12-31T03:00:00Z")]
fn a_day_starts_at_its_local_hour(
    #[case] zone: &str,
    #[case] start_hour: i64,
    #[case] day: &str,
    #[case] start: &str,
) {
    assert_eq!(iso(Day::new(zone, start_hour).unwrap().start(date(day))), start);
}

#[rstest]
fn a_day_contains_its_first_instant_and_not_the_one_before(
    #[values(
        "UTC",
        "America/New_York",
        "Australia/Sydney",
        "America/Havana",
        "Pacific/Apia",
        "Asia/Kathmandu"
    )]
    zone: &str,
    #[values(0, 2, 17, 23)] start_hour: i64,
) {
    let day = Day::new(zone, start_hour).unwrap();
    for n in date("2010-01-01")..date("2014-01-01") {
        let (start, next) = (day.start(n), day.start(n + 1));
        assert!(start <= next);
        if start < next {
            assert_eq!((day.date(start), day.date(next - 1)), (n, n), "{}", iso(start));
        }
    }
}

#[rstest]
#[case(r#"{"day": {"zone": "America/New_York", "start_hour": 17}, "stale_after": 8}"#, Ok(("America/New_York", 17, Some(8))))]
#[case(r#"{"day": {"start_hour": 5}}"#, Ok(("UTC", 5, None)))]
#[case(r#"{"day": null, "stale_after": null}"#, Ok(("UTC", 0, None)))]
#[case(r#"{"day": {"zone": "New York"}}"#, Err(1001))]
#[case(r#"{"day": {"zone": 5}}"#, Err(1004))]
#[case(r#"{"day": {"hour": 5}}"#, Err(1001))]
#[case(r#"{"day": {"start_hour": 24}}"#, Err(1003))]
#[case(r#"{"day": {"start_hour": -1}}"#, Err(1003))]
#[case(r#"{"day": {"start_hour": 1.5}}"#, Err(1004))]
#[case(r#"{"day": "UTC"}"#, Err(1004))]
#[case(r#"{"stale_after": -1}"#, Err(1003))]
#[case(r#"{"stale_after": "off"}"#, Err(1004))]
fn options_are_read(
    #[case] text: &str,
    #[case] expected: std::result::Result<(&str, i64, Option<usize>), u16>,
) {
    let read = Alignment::read(&mut Options::parse("market", text).unwrap());
    let plain = read.as_ref().map(|a| (a.day.zone(), a.day.start_hour(), a.stale_after)).map_err(|e| e.code);
    assert_eq!(plain, expected);
}

#[test]
fn a_day_survives_its_text() {
    let day = Day::new("Europe/Berlin", 8).unwrap();
    let text = serde_json::to_string(&day).unwrap();
    assert_eq!(text, r#"{"zone":"Europe/Berlin","start_hour":8}"#);
    assert_eq!(serde_json::from_str::<Day>(&text).unwrap(), day);
    assert!(serde_json::from_str::<Day>(r#"{"zone":"Berlin","start_hour":8}"#).is_err());
    assert_eq!(ZONE_DATA.len(), 5);
}
