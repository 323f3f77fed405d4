use super::*;
use crate::market::calendar::iso;
use rstest::rstest;

/// 2024-01-01 and 2024-07-01 00:00 UTC, two Mondays.
const WINTER: i64 = 1_704_067_200_000_000;
const SUMMER: i64 = 1_719_792_000_000_000;

/// The windows that overlap the 24 hours from `from` on.
fn open(anchor: &str, from: &str, to: &str, day: i64) -> Vec<String> {
    let gate = Anchored::read(&json!([{"anchor": anchor, "from": from, "to": to}])).unwrap();
    let text = |t: i64| iso(t)[5..16].replace('T', " ");
    let intervals = gate.open(day, day + DAY);
    intervals.as_slice().iter().map(|&(a, b)| format!("{} to {}", text(a), text(b))).collect()
}

#[rstest]
#[case("london", "-03:00", "-01:00", WINTER, &["01-01 05:00 to 01-01 07:00"])]
#[case("london", "-03:00", "-01:00", SUMMER, &["07-01 04:00 to 07-01 06:00"])]
#[case("europe", "-03:00", "-01:00", SUMMER, &["07-01 04:00 to 07-01 06:00"])]
#[case("new_york", "00:00", "+06:30", SUMMER, &["07-01 13:30 to 07-01 20:00"])]
#[case("new_york", "00:00", "+06:30", WINTER, &["01-01 14:30 to 01-01 21:00"])]
#[case("sydney", "00:00", "+01:00", SUMMER - DAY, &["06-30 22:00 to 06-30 23:00"])]
#[case("sydney", "00:00", "+01:00", WINTER - DAY, &["12-31 21:00 to 12-31 22:00"])]
#[case("tokyo", "-01:00", "00:30", SUMMER, &["06-30 23:00 to 07-01 00:30", "07-01 23:00 to 07-02 00:30"])]
#[case("asia", "00:00", "+01:00", SUMMER, &["07-01 00:00 to 07-01 01:00"])]
#[case("frankfurt", "00:00", "+01:00", SUMMER, &["07-01 06:00 to 07-01 07:00"])]
// Offsets of more than a day lead to the same hours, from another date.
#[case("london", "+30:00", "+31:30", WINTER, &["01-01 14:00 to 01-01 15:30"])]
#[case("sydney", "-74:00", "-73:30", SUMMER, &["07-01 20:00 to 07-01 20:30"])]
fn windows_keep_their_distance_from_the_local_opening(
    #[case] anchor: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] day: i64,
    #[case] expected: &[&str],
) {
    assert_eq!(open(anchor, from, to, day), expected);
}

#[test]
fn windows_of_more_than_a_day_leave_no_gap() {
    let (start, end) = (SUMMER - 3 * DAY, SUMMER + 4 * DAY);
    let gate = Anchored::read(&json!([{"anchor": "tokyo", "from": "-13:00", "to": "+12:00"}])).unwrap();
    let open = gate.open(start, end);
    assert_eq!(open.as_slice().len(), 1);
    assert!(open.as_slice()[0].0 <= start && open.as_slice()[0].1 >= end);
}

#[test]
fn a_date_without_its_usual_length_keeps_the_distance_in_real_hours() {
    // 2024-03-10 in New York: 09:30 is 13:30 UTC already, nine hours before is 04:30 UTC on both sides of the change.
    let sunday = 1_710_028_800_000_000;
    assert_eq!(open("new_york", "-09:00", "-08:00", sunday), ["03-10 04:30 to 03-10 05:30"]);
    assert_eq!(open("new_york", "-09:00", "-08:00", sunday - DAY), ["03-09 05:30 to 03-09 06:30"]);
}

#[rstest]
#[case(json!([{"anchor": "londn", "from": "00:00", "to": "01:00"}]), 1001, "did you mean london")]
#[case(json!([{"anchor": "london", "from": "01:00", "to": "01:00"}]), 1001, "gates.anchored.0")]
#[case(json!([{"anchor": "london", "from": "1:00", "to": "02:00"}]), 1009, "gates.anchored.0.from")]
#[case(json!([{"anchor": "london", "from": "01:00"}]), 1008, "gates.anchored.0.to")]
#[case(json!([{"anchor": "london", "from": "01:00", "to": "02:00", "zone": "UTC"}]), 1001, "zone")]
#[case(json!([]), 1001, "gates.anchored")]
fn mistakes_are_named(#[case] windows: Json, #[case] code: u16, #[case] mentions: &str) {
    let error = Anchored::read(&windows).unwrap_err();
    assert_eq!(error.code, code, "{error}");
    assert!(error.to_string().contains(mentions), "{error}");
}
