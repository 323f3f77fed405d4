//! Each finding of the report, alone.

use rstest::rstest;

use super::super::{MarketOptions, RawBars, SymbolSpec};
use super::*;
use crate::Column;

/// Wednesday 2024-01-03 00:00 UTC.
const WEDNESDAY: i64 = 1_704_240_000_000_000;
const M: i64 = 60_000_000;
const H: i64 = 60 * M;

fn report_of(label: Vec<i64>, close: Vec<f64>, timeframe: &str) -> Report {
    let column: Column<f64> = close.into();
    let raw = RawBars {
        label: label.into(),
        open: column.clone(),
        high: column.clone(),
        low: column.clone(),
        close: column,
        volume: None,
    };
    let spec = SymbolSpec::resolve("EURUSD", &serde_json::Map::new()).unwrap();
    let mut options = MarketOptions::new(spec, timeframe.parse().unwrap());
    options.spread_pips = Some(1.0);
    Market::from_bars(raw, None, &options).unwrap().report()
}

fn report(label: Vec<i64>, timeframe: &str) -> Report {
    let close = vec![1.1; label.len()];
    report_of(label, close, timeframe)
}

#[test]
fn a_regular_market_has_no_findings() {
    let report = report((0..100).map(|k| WEDNESDAY + k * M).collect(), "M1");
    assert_eq!((report.rows, report.first, report.last), (100, WEDNESDAY, WEDNESDAY + 99 * M));
    assert_eq!((report.gaps, report.weekend_gaps), (Gaps::default(), Gaps::default()));
    assert_eq!((report.off_grid, report.mixed_spacing), (Finding::default(), Finding::default()));
    assert_eq!((report.crossed.bars, report.jumps.bars), (0, 0));
    assert_eq!(report.zero_volume_bars, 100);
    assert_eq!(
        (report.spacing.most_common, report.spacing.share, report.spacing.distinct),
        (Some(M), 1.0, 1)
    );
    assert!(report.import.volume_absent_bid);
}

#[test]
fn gaps_are_counted_with_their_bars() {
    let label = [0, 1, 2, 5, 6, 186, 187].map(|k| WEDNESDAY + k * M).to_vec();
    let report = report(label, "M1");
    let expected =
        Gaps { count: 2, missing_bars: 2 + 179, longest: 180 * M, longest_after: Some(WEDNESDAY + 6 * M) };
    assert_eq!((report.gaps, report.weekend_gaps.count), (expected, 0));
}

#[rstest]
#[case::fx_weekend("H1", 69, 118, true)] // Friday 21:00 bar, then Sunday 22:00
#[case::daily("D1", 48, 120, true)] // Friday, Monday
#[case::easter("D1", 24, 144, false)] // Thursday, Tuesday: four days lie between
#[case::five_days("D1", 24, 168, false)]
#[case::long_weekend("D1", 48, 144, true)] // Friday, Tuesday
#[case::saturday_afternoon("H1", 72, 96, false)] // Saturday 00:00 bar, then Sunday 00:00
#[case::a_weekday("H1", 0, 30, false)]
#[case::two_weeks("H1", 69, 118 + 168, false)]
fn weekends_are_told_from_other_gaps(
    #[case] timeframe: &str,
    #[case] before: i64,
    #[case] after: i64,
    #[case] weekend: bool,
) {
    let report = report(vec![WEDNESDAY + before * H, WEDNESDAY + after * H], timeframe);
    assert_eq!((report.gaps.count, report.weekend_gaps.count), (usize::from(!weekend), usize::from(weekend)));
}

#[test]
fn a_hole_in_a_continuous_market_is_no_weekend() {
    // Hours of four weeks without a pause but for the second Saturday.
    let saturday = 3 + 7..4 + 7;
    let label = (0..28 * 24).filter(|hour| !saturday.contains(&(hour / 24))).map(|hour| WEDNESDAY + hour * H);
    let report = report(label.collect(), "H1");
    assert_eq!((report.gaps.count, report.gaps.missing_bars, report.weekend_gaps.count), (1, 24, 0));
}

#[test]
fn a_high_or_a_low_far_from_open_and_close_is_found() {
    let same = vec![1.1, 1.1, 1.1, 1.1, 2.0];
    let side = RawBars {
        label: (0..5).map(|k| WEDNESDAY + k * M).collect::<Vec<_>>().into(),
        open: vec![1.1, 1.1, 1.1, 1.1, 1.1].into(),
        high: vec![11.0, 1.1, 1.81, 1.82, 2.0].into(), // e^0.5 * 1.1 = 1.8136
        low: vec![1.1, 0.011, 1.1, 1.1, 1.1].into(),
        close: same.into(),
        volume: None,
    };
    let spec = SymbolSpec::resolve("EURUSD", &serde_json::Map::new()).unwrap();
    let mut options = MarketOptions::new(spec, "M1".parse().unwrap());
    options.spread_pips = Some(1.0);
    let spikes = Market::from_bars(side, None, &options).unwrap().report().spikes;
    assert_eq!(spikes, Finding { bars: 3, first: [0, 1, 3].map(|k| WEDNESDAY + k * M).to_vec() });
}

#[rstest]
#[case("M1", 20_000_000, 3)]
#[case("H1", 30 * M, 3)]
#[case("D1", 30 * M, 0)]
fn labels_off_the_grid_are_found(#[case] timeframe: &str, #[case] offset: i64, #[case] found: usize) {
    let report = report((0..3).map(|k| WEDNESDAY + offset + k * 24 * H).collect(), timeframe);
    assert_eq!(report.off_grid.bars, found);
}

#[test]
fn a_stretch_of_another_length_is_found() {
    let minutes = (0..100).chain((104..204).step_by(5));
    let report = report(minutes.map(|k| WEDNESDAY + k * M).collect(), "M1");
    assert_eq!(report.mixed_spacing.bars, 20);
    assert_eq!(report.mixed_spacing.first[0], WEDNESDAY + 104 * M);
    assert_eq!(report.mixed_spacing.first.len(), 5);
}

#[test]
fn jumps_are_found_in_both_directions() {
    let close: Vec<f64> = vec![1.0, 1.6, 1.0, 1.65, 0.99, 1.6487, 1.6487];
    let label: Vec<i64> = (0..7).map(|k| WEDNESDAY + k * M).collect();
    let expected: Vec<i64> = close
        .windows(2)
        .zip(&label[1..])
        .filter(|(c, _)| (c[1] / c[0]).ln().abs() > 0.5)
        .map(|(_, &t)| t)
        .collect();
    let report = report_of(label, close, "M1");
    assert_eq!(report.jumps, Finding { bars: 3, first: expected });
}

#[test]
fn the_worst_crossing_is_located() {
    let side = |close: [f64; 3]| RawBars {
        label: (0..3).map(|k| WEDNESDAY + k * M).collect::<Vec<_>>().into(),
        open: vec![1.1; 3].into(),
        high: vec![1.2; 3].into(),
        low: vec![1.0; 3].into(),
        close: close.to_vec().into(),
        volume: None,
    };
    let spec = SymbolSpec::resolve("EURUSD", &serde_json::Map::new()).unwrap();
    let options = MarketOptions::new(spec, "M1".parse().unwrap());
    let (bid, ask) = (side([1.1, 1.15, 1.1]), side([1.05, 1.05, 1.11]));
    let crossed = Market::from_bars(bid, Some(ask), &options).unwrap().report().crossed;
    assert_eq!((crossed.bars, crossed.first), (2, vec![WEDNESDAY, WEDNESDAY + M]));
    assert_eq!((crossed.worst, crossed.worst_at), (1.15 - 1.05, Some(WEDNESDAY + M)));
    assert_eq!((crossed.worst_pips, crossed.share), ((1.15 - 1.05) / 0.0001, 2.0 / 3.0));
}

#[test]
fn the_report_serialises_by_name() {
    let json = serde_json::json!(report(vec![WEDNESDAY, WEDNESDAY + 3 * M], "M1"));
    assert_eq!(json["gaps"]["missing_bars"], 2);
    assert_eq!(json["import"]["alignment_loss"], 0.0);
    assert_eq!(json["spacing"]["steps"], serde_json::json!([[3 * M, 1]]));
    assert!(json.get("ticks").is_none());
}
