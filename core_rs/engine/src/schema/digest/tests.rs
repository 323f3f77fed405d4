//! The digests of the specification, and independence from how values arrive.

use proptest::prelude::*;
use rstest::rstest;

use super::super::registry::schema;
use super::*;

const T: i64 = 1_704_110_400_000_000;

fn metrics(rows: &[(&str, Option<f64>, &str)]) -> Digest {
    let mut table = TableHasher::new(schema("metrics").unwrap(), rows.len());
    table.texts(rows.iter().map(|r| r.0));
    table.floats_or_null(rows.iter().map(|r| r.1));
    table.texts(rows.iter().map(|r| r.2));
    table.finish()
}

fn daily(rows: &[(i64, f64)]) -> Digest {
    let mut table = TableHasher::new(schema("daily").unwrap(), rows.len());
    table.timestamps(rows.iter().map(|r| r.0));
    table.floats(rows.iter().map(|r| r.1));
    table.finish()
}

fn equity(rows: &[(i64, [f64; 4])]) -> Digest {
    let mut table = TableHasher::new(schema("equity").unwrap(), rows.len());
    table.timestamps(rows.iter().map(|r| r.0));
    (0..4).for_each(|c| table.floats(rows.iter().map(|r| r.1[c])));
    table.finish()
}

/// The trades table of vector R1 (`rows` = 1), or the same without rows.
fn trades(rows: usize) -> Digest {
    let mut table = TableHasher::new(schema("trades").unwrap(), rows);
    table.timestamps([T].into_iter().take(rows));
    table.timestamps([T + 60_000_000].into_iter().take(rows));
    table.texts(["long"].into_iter().take(rows));
    table.texts(["EURUSD"].into_iter().take(rows));
    for price in [1.1, 1.095, 1.095, 1.095] {
        table.floats([price].into_iter().take(rows));
    }
    table.floats_or_null([Some(1.11)].into_iter().take(rows));
    for amount in [0.2, -100.0, 0.0, 0.0, 0.0] {
        table.floats([amount].into_iter().take(rows));
    }
    for text in ["stop_loss", "market", "closed"] {
        table.texts([text].into_iter().take(rows));
    }
    table.floats([-1.0].into_iter().take(rows));
    table.texts(["{}"].into_iter().take(rows));
    table.unsigned([1].into_iter().take(rows));
    table.timestamps([T].into_iter().take(rows));
    table.bools([false].into_iter().take(rows));
    table.finish()
}

fn first_metrics() -> Digest {
    metrics(&[("net_profit", Some(-100.0), "money"), ("sharpe_ratio", None, "ratio")])
}

#[rstest]
#[case::metrics(first_metrics(), "7c58e03b2e5093b1dcae60f0e72a37857ed611320492ef267d221a94130f9d14")]
#[case::negative_zero_and_nan(
    metrics(&[("a", Some(-0.0), "money"), ("b", Some(f64::from_bits(0xfff8_0000_0000_0001)), "ratio")]),
    "43d156c433387437706a05c365edf5dc54e3080db36f97b31ae70e9b03bb58cd"
)]
#[case::zero_and_nan(
    metrics(&[("a", Some(0.0), "money"), ("b", Some(f64::NAN), "ratio")]),
    "43d156c433387437706a05c365edf5dc54e3080db36f97b31ae70e9b03bb58cd"
)]
#[case::equity(
    equity(&[
        (T, [10_000.0, 10_000.0, 0.0, 10_000.0]),
        (T, [10_000.0, 10_000.0, -0.0, 10_000.0]),
        (T + 60_000_000, [9_900.0, 9_900.0, -100.0, 10_000.0]),
    ]),
    "3432da95d0a989ffa29917534eca0a23d82e3b3ea82a6f18691e5008f0ab0406"
)]
#[case::trades(trades(1), "e35da2653fd4b4e6b04603c03bdb1c61d352fa192ba4c47e0f6d0f7f0029e33c")]
#[case::no_trades(trades(0), "7f74076cc32a44e708732b9b910ba4d8feb0356b06328601369dce3fdddbbb88")]
#[case::one_day(
    daily(&[(1_704_067_200_000_000, 9_900.0)]),
    "5dfc745ca720af6dd6506f8c0b27270e67832cba8c15cc4cb48c153ecbd7ff12"
)]
#[case::two_days(
    daily(&[(1_704_067_200_000_000, 9_900.0), (1_704_153_600_000_000, 10_000.0)]),
    "3fac496e48f95c251cd16843e9bc50c68bafa9a913001ab7239f8dc22b78c9f2"
)]
#[case::result(
    result_digest(&trades(1), &daily(&[(1_704_067_200_000_000, 9_900.0)]), &first_metrics()),
    "c91aa968748a50c83463279093527dcb2593b5dc2587363dcb13a131c784e3eb"
)]
fn digests_are_as_specified(#[case] digest: Digest, #[case] expected: &str) {
    assert_eq!(digest.to_string(), expected);
    assert_eq!(Digest::from_hex(expected), Some(digest));
}

#[test]
fn the_bytes_of_a_table_are_as_specified() {
    let mut bytes = b"sweep.table.v1\nmetrics\0".to_vec();
    bytes.extend(schema("metrics").unwrap().fingerprint.as_bytes());
    for part in ["0100000000000000", "6e616d6500", "73", "01000000", "61", "76616c756500", "66", "00"] {
        bytes.extend(unhex(part));
    }
    for part in ["0000000000000000", "756e697400", "73", "01000000", "78"] {
        bytes.extend(unhex(part));
    }
    assert_eq!(metrics(&[("a", None, "x")]), Digest(Sha256::digest(&bytes).into()));
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

#[rstest]
#[case("")]
#[case("zz58e03b2e5093b1dcae60f0e72a37857ed611320492ef267d221a94130f9d14")]
#[case("+c58e03b2e5093b1dcae60f0e72a37857ed611320492ef267d221a94130f9d14")]
#[case("7c58e03b2e5093b1dcae60f0e72a37857ed611320492ef267d221a94130f9d1")]
fn what_is_no_digest_is_refused(#[case] text: &str) {
    assert_eq!(Digest::from_hex(text), None);
}

#[test]
#[should_panic(expected = "column date of table daily has another type")]
fn a_column_out_of_order_is_a_bug() {
    TableHasher::new(schema("daily").unwrap(), 1).floats([1.0]);
}

#[test]
#[should_panic(expected = "column date of table daily has another length")]
fn a_column_of_another_length_is_a_bug() {
    TableHasher::new(schema("daily").unwrap(), 2).timestamps([T]);
}

#[test]
#[should_panic(expected = "table daily lacks columns")]
fn a_missing_column_is_a_bug() {
    TableHasher::new(schema("daily").unwrap(), 0).finish();
}

proptest! {
    /// The buffer's edges leave no trace: the same bytes, put together by hand, hash to the same digest.
    #[test]
    fn buffering_is_invisible(values in proptest::collection::vec(any::<Option<i64>>(), 0..3000), long in 0..20_000_usize) {
        let text = "é".repeat(long / 2);
        let rows = values.len() + 1;
        let mut table = TableHasher::new(schema("params").unwrap(), rows);
        let names = std::iter::once(text.clone()).chain(values.iter().map(|v| format!("{v:?}")));
        table.texts(names.clone());
        table.texts(vec!["int"; rows]);
        let longs = std::iter::once(None).chain(values.iter().copied());
        table.longs_or_null(longs.clone());
        table.floats_or_null(longs.clone().map(|v| v.map(|v| v as f64)));
        table.texts_or_null(vec![None::<&str>; rows]);

        let mut bytes = b"sweep.table.v1\nparams\0".to_vec();
        bytes.extend(schema("params").unwrap().fingerprint.as_bytes());
        bytes.extend((rows as u64).to_le_bytes());
        let put = |bytes: &mut Vec<u8>, s: &str| {
            bytes.extend((s.len() as u32).to_le_bytes());
            bytes.extend(s.as_bytes());
        };
        bytes.extend(b"name\0s");
        names.for_each(|s| put(&mut bytes, &s));
        bytes.extend(b"kind\0s");
        (0..rows).for_each(|_| put(&mut bytes, "int"));
        bytes.extend(b"int_value\0l");
        bytes.extend(longs.clone().map(|v| u8::from(v.is_some())));
        longs.clone().for_each(|v| bytes.extend(v.unwrap_or(0).to_le_bytes()));
        bytes.extend(b"float_value\0f");
        bytes.extend(longs.clone().map(|v| u8::from(v.is_some())));
        longs.for_each(|v| bytes.extend((v.unwrap_or(0) as f64).to_le_bytes()));
        bytes.extend(b"str_value\0s");
        bytes.extend(vec![0; rows * 5]);
        prop_assert_eq!(table.finish(), Digest(Sha256::digest(&bytes).into()));
    }
}

#[test]
fn words_hash_as_their_texts_short_or_long_wherever_they_fall() {
    let long = "x".repeat(9_000);
    let dictionary = ["", "a", &long[..27], &long[..28], &long[..29], &long];
    let codes = |rows: usize| (0..rows).map(move |row| row * row % (6 - usize::from(row % 500 > 0)));
    let schema = schema("metrics").unwrap();
    for rows in [0, 1, 700, 5_000] {
        let table = |words: bool| {
            let mut table = TableHasher::new(schema, rows);
            if words {
                table.words(&dictionary, codes(rows));
            } else {
                table.texts(codes(rows).map(|code| dictionary[code]));
            }
            table.floats_or_null(vec![None; rows]);
            table.texts(vec![""; rows]);
            table.finish()
        };
        assert_eq!(table(true), table(false), "{rows}");
    }
}
