//! Each defect of the contract of ticks alone, together, and what is legal.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const T: i64 = 1_704_110_400_000_000;

/// A row: time, bid, ask, bid size, ask size.
type Row = (i64, [f64; 4]);

fn row(k: usize) -> Row {
    let bid = 1.1 + 0.0001 * (k % 7) as f64;
    (T + 250_000 * k as i64, [bid, bid + 0.0002, 1.0 + k as f64, 2.0])
}

fn sound(n: usize) -> Vec<Row> {
    (0..n).map(row).collect()
}

fn raw(rows: &[Row]) -> RawTicks {
    let column = |i: usize| Column::from(rows.iter().map(|r| r.1[i]).collect::<Vec<_>>());
    RawTicks {
        time: rows.iter().map(|r| r.0).collect::<Vec<_>>().into(),
        bid: column(0),
        ask: column(1),
        bid_size: Some(column(2)),
        ask_size: Some(column(3)),
    }
}

fn check(rows: &[Row]) -> Result<(Ticks, usize)> {
    Ticks::check(raw(rows), "ticks.parquet", Crossed::Count)
}

#[test]
fn sound_ticks_pass_without_a_copy() {
    let raw = raw(&sound(300));
    let address = raw.ask.as_ptr();
    for crossed in [Crossed::Count, Crossed::Clamp, Crossed::Reject] {
        let (ticks, clamped) = Ticks::check(raw.clone(), "ticks", crossed).unwrap();
        assert_eq!((ticks.ask().as_ptr(), ticks.len(), clamped), (address, 300, 0));
    }
}

#[test]
fn equal_times_zero_sizes_and_the_years_before_1970_are_legal() {
    let mut rows = sound(20);
    rows.iter_mut().for_each(|r| r.0 -= 3_000_000_000_000_000);
    (5..10).for_each(|k| rows[k].0 = rows[5].0);
    rows[3].1[2] = 0.0;
    let (ticks, _) = check(&rows).unwrap();
    assert_eq!(ticks.time(), raw(&rows).time.as_slice());
    assert_eq!(ticks.bid(), raw(&rows).bid.as_slice());
}

#[rstest]
#[case::nan_bid(0, f64::NAN, "not_finite", "bid NaN")]
#[case::infinite_ask(1, f64::INFINITY, "not_finite", "ask inf")]
#[case::nan_size(2, f64::NAN, "not_finite", "bid_size NaN")]
#[case::infinite_size(3, f64::INFINITY, "not_finite", "ask_size inf")]
#[case::zero_bid(0, 0.0, "not_positive", "bid 0.0")]
#[case::negative_ask(1, -1.1, "not_positive", "ask -1.1")]
#[case::huge_ask(1, 1e12, "too_large", "ask 1000000000000.0")]
#[case::negative_size(2, -1.0, "negative_size", "bid_size -1.0")]
fn a_bad_value_is_refused(
    #[case] field: usize,
    #[case] value: f64,
    #[case] slug: &str,
    #[case] detail: &str,
    #[values(0, 7, 99)] at: usize,
) {
    let mut rows = sound(100);
    rows[at].1[field] = value;
    let error = check(&rows).unwrap_err();
    assert_eq!((error.code, error.stage), (1006, crate::Stage::Data));
    assert!(error.place.starts_with("ticks.parquet") && error.place.contains(detail), "{error}");
    let defects = error.context["defects"].as_array().unwrap();
    assert_eq!(defects.len(), 1, "{defects:?}");
    assert_eq!((&defects[0]["defect"], &defects[0]["count"]), (&slug.into(), &1.into()));
    assert_eq!(defects[0]["rows"][0]["row"], at);
    assert_eq!(defects[0]["rows"][0]["label"], rows[at].0);
    assert_eq!(defects[0]["rows"][0]["detail"], detail);
}

#[test]
fn a_backward_step_is_refused() {
    let mut rows = sound(100);
    rows.swap(50, 51);
    let error = check(&rows).unwrap_err();
    assert_eq!((error.code, error.remedy.as_str()), (1006, "sort the input by time"));
    assert!(error.what.starts_with("1 row earlier") && error.place.contains(": 51 ("), "{error}");
}

#[rstest]
#[case(-2_208_988_800_000_001, false)]
#[case(-2_208_988_800_000_000, true)]
#[case(7_289_654_399_999_999, true)]
#[case(T * 1_000, false)]
fn times_lie_in_three_centuries(#[case] time: i64, #[case] legal: bool) {
    let result = check(&[(time, row(0).1)]);
    assert_eq!(result.err().map(|e| e.code), (!legal).then_some(1003));
}

#[test]
fn all_classes_are_reported_together() {
    let mut rows = sound(60);
    rows[50].1[0] = f64::NAN;
    rows[50].1[3] = f64::NAN;
    rows[5].1[2] = -1.0;
    rows[5].1[3] = -1.0;
    rows[6].1[1] = 1.0;
    rows[59].0 = i64::MAX;
    rows.swap(20, 21);
    let slugs = |crossed| -> Vec<(&str, usize, usize)> {
        let found = Ticks::defects(&raw(&rows), "ticks", crossed).unwrap();
        found.iter().map(|d| (d.defect, d.count, d.rows[0].row)).collect()
    };
    let mut expected =
        vec![("not_finite", 1, 50), ("negative_size", 1, 5), ("time_range", 1, 59), ("unsorted", 1, 21)];
    assert_eq!(slugs(Crossed::Count), expected);
    expected.insert(2, ("crossed", 1, 6));
    assert_eq!(slugs(Crossed::Reject), expected);
}

#[test]
fn crossed_ticks_stay_are_clamped_or_refused() {
    let mut rows = sound(20);
    (4..11).for_each(|k| rows[k].1[1] = rows[k].1[0] - 0.0003);
    let (counted, clamped) = check(&rows).unwrap();
    assert_eq!((counted.ask(), clamped), (raw(&rows).ask.as_slice(), 0));
    let (ticks, clamped) = Ticks::check(raw(&rows), "ticks", Crossed::Clamp).unwrap();
    assert_eq!(clamped, 7);
    for (k, row) in rows.iter().enumerate() {
        assert_eq!(ticks.ask()[k], if (4..11).contains(&k) { row.1[0] } else { row.1[1] });
    }
    let error = Ticks::check(raw(&rows), "ticks", Crossed::Reject).unwrap_err();
    assert!(error.code == 1006 && error.what.starts_with("7 rows with the ask below the bid"), "{error}");
    assert_eq!(error.remedy, "set market.crossed: count or clamp");
    assert_eq!(error.context["defects"][0]["rows"].as_array().unwrap().len(), 5);
}

#[test]
fn no_ticks_and_columns_of_different_length_are_refused() {
    let error = check(&[]).unwrap_err();
    assert_eq!((error.code, &error.context["defects"][0]["defect"]), (1010, &"no_rows".into()));
    let short = RawTicks { ask_size: Some(vec![1.0].into()), ..raw(&sound(2)) };
    let error = Ticks::check(short, "ticks", Crossed::Count).unwrap_err();
    assert!(error.code == 1011 && error.what.contains("ask_size"), "{error}");
}

#[test]
fn the_digest_tells_sizes_that_are_absent_from_zero() {
    let plain = RawTicks { bid_size: None, ask_size: None, ..raw(&sound(5)) };
    let zeros = Some(Column::from(vec![0.0; 5]));
    let zero = RawTicks { bid_size: zeros.clone(), ask_size: zeros, ..plain.clone() };
    let digest = |raw: &RawTicks| Ticks::check(raw.clone(), "", Crossed::Count).unwrap().0.digest();
    assert_ne!(digest(&plain), digest(&zero));
    assert_ne!(digest(&plain), digest(&raw(&sound(5))));
    assert_eq!(digest(&plain), digest(&plain.clone()));
}

/// The contract, said once more without any thought of speed.
fn sound_by_the_book(rows: &[Row]) -> bool {
    let value = |r: &Row| {
        let [bid, ask, bid_size, ask_size] = r.1;
        [bid, ask].iter().all(|x| x.is_finite() && *x > 0.0 && *x < 1e12)
            && [bid_size, ask_size].iter().all(|x| x.is_finite() && *x >= 0.0)
    };
    rows.iter().all(value) && rows.windows(2).all(|w| w[0].0 <= w[1].0)
}

proptest! {
    #[test]
    fn exactly_the_sound_ticks_pass(
        edits in proptest::collection::vec(
            (0_usize..20, 0_usize..5, prop_oneof![
                Just(0.0), Just(-0.0), Just(-1.0), Just(f64::NAN), Just(f64::INFINITY), Just(1e12), 1.0..1.2_f64,
            ]),
            0..3,
        ),
    ) {
        let mut rows = sound(20);
        for (k, field, value) in edits {
            if field == 4 {
                rows[k].0 += (value.clamp(-1.5, 1.5) * 250_000.0) as i64;
            } else {
                rows[k].1[field] = value;
            }
        }
        prop_assert_eq!(check(&rows).is_ok(), sound_by_the_book(&rows), "{:?}", rows);
    }
}
