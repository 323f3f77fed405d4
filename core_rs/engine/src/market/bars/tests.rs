//! Each defect of the contract has its code, is counted, located, and reported beside the others.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const T: i64 = 1_704_110_400_000_000;
const M: i64 = 60_000_000;

/// A row: label, open, high, low, close, volume.
type Row = (i64, [f64; 5]);

fn row(k: usize) -> Row {
    let x = 1.1 + 0.001 * (k % 7) as f64;
    (T + M * k as i64, [x, x + 0.002, x - 0.001, x + 0.001, 3.0])
}

fn raw(rows: &[Row]) -> RawBars {
    let column = |i: usize| Column::from(rows.iter().map(|r| r.1[i]).collect::<Vec<_>>());
    RawBars {
        label: rows.iter().map(|r| r.0).collect::<Vec<_>>().into(),
        open: column(0),
        high: column(1),
        low: column(2),
        close: column(3),
        volume: Some(column(4)),
    }
}

fn check_with(rows: &[Row], duplicates: Duplicates) -> Result<Bars> {
    Bars::check(raw(rows), "bid.parquet", "M1".parse().unwrap(), duplicates)
}

fn check(rows: &[Row]) -> Result<Bars> {
    check_with(rows, Duplicates::Reject)
}

fn sound(n: usize) -> Vec<Row> {
    (0..n).map(row).collect()
}

#[test]
fn sound_bars_pass_without_a_copy() {
    let raw = raw(&sound(200));
    let address = raw.close.as_ptr();
    let bars = Bars::check(raw, "bid", "M1".parse().unwrap(), Duplicates::DropIdentical).unwrap();
    assert_eq!(bars.quotes().close.as_ptr(), address);
    assert_eq!((bars.label().len(), bars.duplicates_dropped(), bars.volume_absent()), (200, 0, false));
}

#[test]
fn gaps_and_negative_times_are_legal() {
    let mut rows = sound(10);
    rows.iter_mut().for_each(|r| r.0 -= 3_000_000_000_000_000);
    rows[9].0 += 600 * M;
    assert!(check(&rows).is_ok());
}

#[test]
fn absent_volume_is_zero_and_noted() {
    let bars = Bars::check(
        RawBars { volume: None, ..raw(&sound(3)) },
        "bid",
        "M1".parse().unwrap(),
        Duplicates::Reject,
    )
    .unwrap();
    assert!(bars.volume_absent());
    assert_eq!(bars.quotes().volume[..], [0.0; 3]);
}

#[rstest]
#[case::nan_close(3, f64::NAN, "NaN", "close NaN")]
#[case::nan_volume(4, f64::NAN, "NaN", "volume NaN")]
#[case::infinite_high(1, f64::INFINITY, "infinite", "high inf")]
#[case::infinite_low(2, f64::NEG_INFINITY, "infinite", "low -inf")]
#[case::infinite_volume(4, f64::INFINITY, "infinite", "volume inf")]
#[case::zero_low(2, 0.0, "0 or less", "low 0.0")]
#[case::negative_low(2, -1.1, "0 or less", "low -1.1")]
#[case::huge_high(1, 1e12, "1e12 or more", "high 1000000000000.0")]
#[case::negative_volume(4, -5.0, "negative volume", "volume -5.0")]
#[case::high_below_low(1, 1.09, "low <= open", "high 1.09")]
#[case::close_above_high(3, 1.2, "low <= open", "close 1.2")]
#[case::open_below_low(0, 1.05, "low <= open", "open 1.05")]
fn a_bad_value_is_refused(
    #[case] field: usize,
    #[case] value: f64,
    #[case] what: &str,
    #[case] detail: &str,
    #[values(0, 20, 199)] at: usize,
) {
    let mut rows = sound(200);
    rows[at].1[field] = value;
    let error = check(&rows).unwrap_err();
    assert_eq!((error.code, error.stage), (1006, crate::Stage::Data));
    assert!(error.what.starts_with("1 row ") && error.what.contains(what), "{error}");
    assert!(error.place.starts_with("bid.parquet") && error.place.contains(&format!(": {at} (")), "{error}");
    assert!(error.place.contains(detail), "{error}");
    assert!(!error.remedy.is_empty() && !error.what.contains("also"), "{error}");
}

#[rstest]
#[case::before_1900(-2_208_988_800_000_001, false)]
#[case::from_1900(-2_208_988_800_000_000, true)]
#[case::to_2200(7_289_654_399_999_999, true)]
#[case::after_2200(7_289_654_400_000_000, false)]
#[case::nanoseconds(T * 1_000, false)]
#[case::extreme(i64::MAX, false)]
#[case::least(i64::MIN, false)]
fn labels_lie_in_three_centuries(#[case] label: i64, #[case] legal: bool) {
    let result = check(&[(label, row(0).1)]);
    assert_eq!(result.as_ref().err().map(|e| e.code), (!legal).then_some(1003));
    if let Err(error) = result {
        assert!(error.to_string().contains("epoch unit"), "{error}");
    }
}

#[test]
fn a_backward_step_is_refused() {
    let mut rows = sound(200);
    rows.swap(50, 51);
    let error = check_with(&rows, Duplicates::DropIdentical).unwrap_err();
    assert_eq!(error.code, 1006);
    assert!(error.what.starts_with("1 row earlier than"), "{error}");
    assert!(error.place.contains(": 51 (2024-01-01T12:50:00Z: after 2024-01-01T12:51:00Z)"), "{error}");
    assert_eq!(error.remedy, "sort the input by time");
}

#[test]
fn bars_closer_than_the_timeframe_are_refused() {
    let mut rows = sound(5);
    rows[3].0 -= 1;
    let error = check(&rows).unwrap_err();
    assert!(error.code == 1006 && error.what.starts_with("1 row closer"), "{error}");
    assert_eq!(error.remedy, "wrong timeframe? M1 was given");
    assert!(Bars::check(raw(&sound(5)), "bid", "M5".parse().unwrap(), Duplicates::Reject).is_err());
}

#[test]
fn identical_duplicates_are_refused_or_dropped() {
    let mut rows = sound(100);
    rows.insert(81, row(80));
    rows.insert(82, row(80));
    let error = check(&rows).unwrap_err();
    assert!(error.code == 1006 && error.what.starts_with("2 rows identical"), "{error}");
    assert!(error.remedy.contains("drop_identical"), "{error}");
    let bars = check_with(&rows, Duplicates::DropIdentical).unwrap();
    assert_eq!(bars.duplicates_dropped(), 2);
    let clean = check(&sound(100)).unwrap();
    assert_eq!(bars.label()[..], clean.label()[..]);
    assert_eq!(bars.quotes().prices(), clean.quotes().prices());
}

#[rstest]
fn conflicting_duplicates_are_always_refused(
    #[values(Duplicates::Reject, Duplicates::DropIdentical)] policy: Duplicates,
) {
    let mut rows = sound(100);
    rows.insert(81, (row(80).0, row(81).1));
    let error = check_with(&rows, policy).unwrap_err();
    assert!(error.code == 1006 && error.what.contains("other values"), "{error}");
}

#[test]
fn five_rows_are_shown_and_all_are_counted() {
    let mut rows = sound(50);
    (10..20).for_each(|k| rows[k].1[3] = f64::NAN);
    let error = check(&rows).unwrap_err();
    assert!(error.what.starts_with("10 rows "), "{error}");
    assert_eq!(error.place.matches("close NaN").count(), 5);
    assert!(error.place.contains(": 10 (") && error.place.contains("14 (") && !error.place.contains("15 ("));
}

#[test]
fn all_classes_are_reported_together_in_a_fixed_order() {
    let mut rows = sound(60);
    rows[5].1[4] = -1.0;
    rows[6].1[3] = 9.0;
    rows[50].1[0] = f64::NAN;
    rows[20].0 = row(21).0;
    rows[30].0 -= 1;
    rows[59].0 = i64::MAX;
    let error = check(&rows).unwrap_err();
    assert_eq!(
        error.what,
        "1 row with a NaN or infinite value (also: 1 row with a negative volume [1006], \
         1 row against low <= open, close <= high [1006], 1 row outside the years 1900 to 2200 [1003], \
         1 row with the label of the row before and other values [1006], \
         1 row closer to the row before than one bar [1006])"
    );
    assert!(error.place.contains(": 50 ("), "{error}");
}

/// Rows are checked in blocks: the edges of these leave no trace.
#[rstest]
fn a_defect_is_found_in_any_row(
    #[values(0, 1, 511, 1022, 1023, 1024, 1025, 2047, 2048, 2499)] at: usize,
    #[values(0, 1, 2, 3, 4)] column: usize,
    #[values(f64::NAN, -1.0, f64::INFINITY)] value: f64,
) {
    let mut rows = sound(2500);
    rows[at].1[column] = value;
    let found = Bars::defects(&raw(&rows), "bid", "M1".parse().unwrap(), Duplicates::Reject).unwrap();
    assert!(found.iter().all(|defect| defect.count == 1 && defect.rows[0].row == at), "{found:?}");
    assert!(!found.is_empty());
}

#[rstest]
fn a_label_too_early_is_found_in_any_row(
    #[values(1, 511, 1023, 1024, 1025, 2048, 2499)] at: usize,
    #[values(1, M, M + 1)] early: i64,
) {
    let mut rows = sound(2500);
    rows[at..].iter_mut().for_each(|row| row.0 -= early);
    let found = Bars::defects(&raw(&rows), "bid", "M1".parse().unwrap(), Duplicates::Reject).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].count, found[0].rows[0].row), (1, at));
}

#[test]
fn defects_are_there_for_machines() {
    let mut rows = sound(60);
    (40..50).for_each(|k| rows[k].1[3] = f64::NAN);
    rows[59].0 = i64::MAX;
    let error = check(&rows).unwrap_err();
    let timeframe = "M1".parse().unwrap();
    let found = Bars::defects(&raw(&rows), "bid", timeframe, Duplicates::Reject).unwrap();
    assert_eq!(error.context["defects"], serde_json::json!(found));
    let told: Vec<_> = found.iter().map(|d| (d.defect, d.code, d.count)).collect();
    assert_eq!(told, [("not_finite", 1006, 10), ("label_range", 1003, 1)]);
    assert_eq!(found[0].rows.iter().map(|r| r.row).collect::<Vec<_>>(), [40, 41, 42, 43, 44]);
    assert_eq!((found[0].rows[0].label, found[0].rows[0].detail.as_str()), (Some(row(40).0), "close NaN"));
    assert_eq!(
        (found[0].what.as_str(), found[1].remedy.as_str()),
        ("10 rows with a NaN or infinite value", "wrong epoch unit?")
    );
    let sound = Bars::defects(&raw(&sound(60)), "bid", timeframe, Duplicates::Reject).unwrap();
    assert_eq!(sound, []);
    let none = Bars::defects(&raw(&[]), "bid", timeframe, Duplicates::Reject).unwrap();
    assert_eq!((none[0].defect, none[0].code, none[0].count), ("no_rows", 1010, 0));
}

#[test]
fn columns_of_different_length_and_no_rows_are_refused() {
    let short = RawBars { low: vec![1.0].into(), ..raw(&sound(2)) };
    let error = Bars::check(short, "bid", "M1".parse().unwrap(), Duplicates::Reject).unwrap_err();
    assert!(error.code == 1011 && error.what.contains("low"), "{error}");
    assert_eq!(check(&[]).unwrap_err().code, 1010);
}

/// The contract, said once more without any thought of speed.
fn sound_by_the_book(rows: &[Row]) -> bool {
    let value = |r: &Row| {
        let [o, h, l, c, v] = r.1;
        [o, h, l, c].iter().all(|x| x.is_finite() && *x > 0.0 && *x < 1e12)
            && v.is_finite()
            && v >= 0.0
            && l <= o.min(c)
            && o.max(c) <= h
    };
    rows.iter().all(value) && rows.windows(2).all(|w| w[1].0 - w[0].0 >= M)
}

proptest! {
    #[test]
    fn exactly_the_sound_series_pass(
        edits in proptest::collection::vec(
            (0_usize..20, 0_usize..6, prop_oneof![
                Just(0.0), Just(-0.0), Just(-1.0), Just(f64::NAN), Just(f64::INFINITY), Just(1e12), 1.0..1.2_f64,
            ]),
            0..3,
        ),
    ) {
        let mut rows = sound(20);
        for (k, field, value) in edits {
            if field == 5 {
                rows[k].0 += (value.clamp(-1.5, 1.5) * M as f64) as i64;
            } else {
                rows[k].1[field] = value;
            }
        }
        prop_assert_eq!(check(&rows).is_ok(), sound_by_the_book(&rows), "{:?}", rows);
    }
}
