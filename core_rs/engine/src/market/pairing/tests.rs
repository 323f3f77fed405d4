//! Two series become one market: on labels, with the losses, spreads and crossings that were allowed.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const T: i64 = 1_704_110_400_000_000;
const M: i64 = 60_000_000;

/// Flat bars at `price(k)` with the labels T + k minutes.
fn bars(rows: impl IntoIterator<Item = i64>, price: impl Fn(i64) -> f64) -> RawBars {
    let rows: Vec<i64> = rows.into_iter().collect();
    let column: Column<f64> = rows.iter().map(|&k| price(k)).collect::<Vec<_>>().into();
    RawBars {
        label: rows.iter().map(|k| T + M * k).collect::<Vec<_>>().into(),
        open: column.clone(),
        high: column.clone(),
        low: column.clone(),
        close: column.clone(),
        volume: Some(column),
    }
}

fn options() -> MarketOptions {
    let spec = SymbolSpec::resolve("EURUSD", &serde_json::Map::new()).unwrap();
    MarketOptions::new(spec, "M1".parse().unwrap())
}

fn rising(k: i64) -> f64 {
    1.1 + 0.0001 * k as f64
}

#[test]
fn equal_labels_are_shared_not_copied() {
    let (bid, ask) = (bars(0..100, rising), bars(0..100, |k| rising(k) + 0.0001));
    let addresses = [bid.open.as_ptr(), ask.low.as_ptr()];
    let label = bid.label.as_ptr();
    let market = Market::from_bars(bid, Some(ask), &options()).unwrap();
    assert_eq!([market.bid().open.as_ptr(), market.ask().low.as_ptr()], addresses);
    assert_eq!(market.label().as_ptr(), label);
    assert_eq!(market.notes(), &ImportNotes::default());
}

/// A one-sided market has no ask memory before it is looked at, and nobody can tell.
#[rstest]
fn a_constant_spread_is_a_side_like_any_other(#[values(100, 150_000)] rows: i64) {
    let one_sided = MarketOptions { spread_pips: Some(0.8), ..options() };
    let spread = 0.8 * one_sided.spec.pip_size;
    let narrow = Market::from_bars(bars(0..rows, rising), None, &one_sided).unwrap();
    let mut ask = bars(0..rows, |k| rising(k) + spread);
    ask.volume = bars(0..rows, rising).volume;
    let wide = Market::from_bars(bars(0..rows, rising), Some(ask), &options()).unwrap();
    assert_eq!((narrow.spread(), wide.spread()), (Some(spread), None));
    assert_eq!(narrow.digest(), wide.digest());
    for (of_narrow, of_wide) in narrow.ask().prices().iter().zip(wide.ask().prices()) {
        assert_eq!(*of_narrow, of_wide);
    }
    assert_eq!(narrow.ask().volume.as_ptr(), narrow.bid().volume.as_ptr());
    let (fresh, start) = (Market::from_bars(bars(0..rows, rising), None, &one_sided).unwrap(), T + 60 * M);
    for change in [
        |m: &Market, start| m.window(Some(start), None, 10),
        |m: &Market, _| m.spread_multiplied(3.0),
        |m: &Market, start| m.window(Some(start), None, 10)?.spread_multiplied(0.5),
    ] {
        let (one, other) = (change(&fresh, start).unwrap(), change(&wide, start).unwrap());
        assert_eq!((one.digest(), &one.ask().high[..]), (other.digest(), &other.ask().high[..]));
    }
}

#[test]
fn rows_are_joined_on_labels() {
    let bid = bars((0..200).filter(|k| *k != 40), rising);
    let ask = bars((0..200).filter(|k| *k != 41), |k| rising(k) + 0.001);
    let market = Market::from_bars(bid, Some(ask), &options()).unwrap();
    assert_eq!(market.len(), 198);
    for (i, &label) in market.label().iter().enumerate() {
        let k = (label - T) / M;
        assert_eq!((market.bid().close[i], market.ask().high[i]), (rising(k), rising(k) + 0.001));
    }
    let notes = market.notes();
    assert_eq!((notes.labels_only_bid, notes.labels_only_ask, notes.alignment_loss), (1, 1, 0.01));
}

#[rstest]
#[case::at_the_limit(0.01, 1, true)] // 2 of 200 labels
#[case::beyond(0.0099, 1, false)]
#[case::ask_shorter(0.01, 10, false)]
#[case::all_allowed(1.0, 80, true)]
fn losses_beyond_the_limit_are_refused(#[case] limit: f64, #[case] missing: i64, #[case] legal: bool) {
    let bid = bars(0..200 - missing, rising);
    let ask = bars(missing..200, rising);
    let options = MarketOptions { max_alignment_loss: limit, ..options() };
    match Market::from_bars(bid, Some(ask), &options) {
        Ok(_) => assert!(legal),
        Err(error) => {
            assert!(!legal && error.code == 1011, "{error}");
            assert!(error.what.contains(&format!("{missing} only bid, {missing} only ask")), "{error}");
            assert!(error.place.contains("only in bid: 2024-01-01T12:00:00Z"), "{error}");
            assert!(error.remedy.contains("max_alignment_loss"), "{error}");
        }
    }
}

#[test]
fn sides_without_a_common_label_are_no_market() {
    let options = MarketOptions { max_alignment_loss: 1.0, ..options() };
    let error = Market::from_bars(bars(0..5, rising), Some(bars(5..9, rising)), &options).unwrap_err();
    assert_eq!(error.code, 1010);
}

#[test]
fn one_side_gets_a_constant_spread() {
    let options = MarketOptions { spread_pips: Some(1.5), ..options() };
    let market = Market::from_bars(bars(0..10, rising), None, &options).unwrap();
    for i in 0..10 {
        let bid = rising(i as i64);
        assert_eq!(market.bid().open[i], bid);
        assert_eq!(market.ask().prices().map(|column| column[i]), [bid + 1.5 * 0.0001; 4]);
        assert_eq!(market.ask().volume[i], market.bid().volume[i]);
    }
}

#[test]
fn no_spread_is_a_spread_that_must_be_said() {
    let error = Market::from_bars(bars(0..3, rising), None, &options()).unwrap_err();
    assert_eq!(error.code, 1008);
    let said = MarketOptions { spread_pips: Some(0.0), ..options() };
    let market = Market::from_bars(bars(0..3, rising), None, &said).unwrap();
    assert_eq!(market.ask().close.as_ptr(), market.bid().close.as_ptr());
}

#[rstest]
#[case(Some(-1.0), 0.01, false, 1003)]
#[case(Some(f64::NAN), 0.01, false, 1003)]
#[case(Some(1.0), 0.01, true, 1001)]
#[case(None, -0.1, true, 1003)]
#[case(None, f64::NAN, true, 1003)]
fn bad_options_are_refused(
    #[case] spread_pips: Option<f64>,
    #[case] max_alignment_loss: f64,
    #[case] two_sided: bool,
    #[case] code: u16,
) {
    let options = MarketOptions { spread_pips, max_alignment_loss, ..options() };
    let ask = two_sided.then(|| bars(0..3, rising));
    assert_eq!(Market::from_bars(bars(0..3, rising), ask, &options).unwrap_err().code, code);
}

#[rstest]
#[case(Crossed::Count, 3)]
#[case(Crossed::Clamp, 0)]
fn crossed_bars_stay_or_are_clamped(#[case] crossed: Crossed, #[case] left: usize) {
    let ask = |k: i64| if (4..7).contains(&k) { rising(k) - 0.0003 } else { rising(k) + 0.0001 };
    let options = MarketOptions { crossed, ..options() };
    let market = Market::from_bars(bars(0..10, rising), Some(bars(0..10, ask)), &options).unwrap();
    let report = market.report();
    assert_eq!(report.crossed.bars, left);
    assert_eq!(report.import.bars_clamped, 3 - left);
    for k in 0..10_i64 {
        let expected = if left == 0 { ask(k).max(rising(k)) } else { ask(k) };
        assert_eq!(market.ask().prices().map(|column| column[k as usize]), [expected; 4]);
    }
}

#[test]
fn crossed_bars_can_be_refused() {
    let options = MarketOptions { crossed: Crossed::Reject, ..options() };
    let ask = bars(0..10, |k| rising(k) - if k > 1 { 0.0003 } else { 0.0 });
    let error = Market::from_bars(bars(0..10, rising), Some(ask), &options).unwrap_err();
    assert!(error.code == 1006 && error.what.contains("8 bars"), "{error}");
    assert!(error.place.contains("12:02:00Z") && !error.place.contains("12:07:00Z"), "{error}");
}

#[test]
fn bars_outside_the_fx_week_are_left_out_on_request() {
    // T is a Monday; the week closes on Friday 20:00 UTC and opens on Sunday 20:00.
    let week = || bars((0..8 * 24).map(|k| 60 * k), rising);
    let filtered = MarketOptions {
        timeframe: "H1".parse().unwrap(),
        filter: Filter::FxWeek,
        spread_pips: Some(1.0),
        ..options()
    };
    let market = Market::from_bars(week(), None, &filtered).unwrap();
    assert_eq!((market.len(), market.notes().rows_filtered), (6 * 24, 48));
    let hours: Vec<i64> = market.label().iter().map(|t| (t - T) / (60 * M)).collect();
    assert_eq!((hours[103], hours[104]), (103, 152));
    for (i, hour) in hours.into_iter().enumerate() {
        let bid = rising(60 * hour);
        assert_eq!((market.bid().low[i], market.ask().high[i]), (bid, bid + 0.0001));
    }
    let all = Market::from_bars(week(), None, &MarketOptions { filter: Filter::None, ..filtered }).unwrap();
    assert_eq!((all.len(), all.notes().rows_filtered), (192, 0));
    assert_ne!(all.digest(), market.digest());
}

#[test]
fn options_are_read_from_json() {
    let text = r#"{"spec": {"symbol": "GBPUSD", "volume_max": 5}, "timeframe": "M5", "spread_pips": null,
        "crossed": "clamp", "max_alignment_loss": 0.5, "duplicates": "drop_identical", "filter": "fx_week",
        "name_bid": "b.parquet"}"#;
    let read = MarketOptions::from_json(text).unwrap();
    assert_eq!((read.spec.symbol.as_str(), read.spec.volume_max), ("GBPUSD", 5.0));
    assert_eq!((read.timeframe.to_string(), read.spread_pips), ("M5".to_owned(), None));
    assert_eq!((read.crossed, read.duplicates), (Crossed::Clamp, Duplicates::DropIdentical));
    assert_eq!((read.max_alignment_loss, read.name_bid.as_str()), (0.5, "b.parquet"));
    assert_eq!((read.name_ask.as_str(), read.filter), ("ask", Filter::FxWeek));
    for (text, code) in [
        (r#"{"spec": {"symbol": "GBPUSD"}}"#, 1008),
        (r#"{"timeframe": "M5"}"#, 1008),
        (r#"{"spec": {"symbol": "GBPUSD"}, "timeframe": "M5", "crosed": "clamp"}"#, 1001),
        (r#"{"spec": {"symbol": "GBPUSD"}, "timeframe": "M5", "crossed": "no"}"#, 1001),
        (r#"{"spec": {"symbol": "GBPUSD"}, "timeframe": "M5", "filter": "fx"}"#, 1001),
        (r#"{"spec": {}, "timeframe": "M5"}"#, 1008),
    ] {
        assert_eq!(MarketOptions::from_json(text).unwrap_err().code, code, "{text}");
    }
}

proptest! {
    #[test]
    fn the_join_is_the_intersection_of_labels(
        bid in proptest::collection::btree_set(0_i64..60, 1..60),
        ask in proptest::collection::btree_set(0_i64..60, 1..60),
    ) {
        let options = MarketOptions { max_alignment_loss: 1.0, ..options() };
        let both: Vec<i64> = bid.intersection(&ask).map(|k| T + M * k).collect();
        let paired = Market::from_bars(bars(bid, rising), Some(bars(ask, rising)), &options);
        match paired {
            Ok(market) => {
                prop_assert_eq!(market.label(), &both[..]);
                prop_assert_eq!(&market.bid().open[..], &market.ask().open[..]);
            }
            Err(error) => prop_assert!(both.is_empty() && error.code == 1010),
        }
    }
}
