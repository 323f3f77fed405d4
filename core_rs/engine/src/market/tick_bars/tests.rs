//! Bars of ticks: their buckets, what completes them, their windows, and the way to a worker and back.

use proptest::prelude::*;
use rstest::rstest;

use super::super::SyntheticOptions;
use super::*;

/// 2024-01-01 12:00 UTC, a Monday.
const T: i64 = 1_704_110_400_000_000;
const S: i64 = 1_000_000;
const M: i64 = 60 * S;
const H: i64 = 60 * M;
const DAY: i64 = 24 * H;

fn options(timeframe: &str) -> TickOptions {
    let spec = SymbolSpec::resolve("EURUSD", &serde_json::Map::new()).unwrap();
    TickOptions::new(spec, timeframe.parse().unwrap())
}

/// Ticks at these times; the bid of tick k is 1 + k / 1000.
fn ticks(time: &[i64]) -> RawTicks {
    let bid: Vec<f64> = (0..time.len()).map(|k| 1.0 + k as f64 / 1000.0).collect();
    RawTicks {
        time: time.to_vec().into(),
        ask: bid.iter().map(|b| b + 0.0002).collect::<Vec<_>>().into(),
        bid: bid.into(),
        bid_size: None,
        ask_size: None,
    }
}

fn market(time: &[i64], timeframe: &str) -> Market {
    Market::from_ticks(ticks(time), &options(timeframe)).unwrap()
}

fn day(zone: &str, start_hour: i64) -> Alignment {
    Alignment { day: Day::new(zone, start_hour).unwrap(), stale_after: None }
}

#[test]
fn a_bar_has_the_extremes_of_its_bucket_on_each_side() {
    let raw = RawTicks {
        time: vec![T, T + 10 * S, T + 59 * S, T + M].into(),
        bid: vec![1.2, 1.3, 1.1, 9.0].into(),
        ask: vec![1.21, 1.29, 1.12, 9.0].into(),
        bid_size: Some(vec![0.1, 0.2, 0.3, 9.0].into()),
        ask_size: Some(vec![5.0; 4].into()),
    };
    let market = Market::from_ticks(raw, &options("M1")).unwrap();
    assert_eq!((market.label(), market.kind()), (&[T][..], Kind::Ticks));
    assert_eq!(market.bid().prices().map(|c| c[0]), [1.2, 1.3, 1.1, 1.1]);
    assert_eq!(market.ask().prices().map(|c| c[0]), [1.21, 1.29, 1.12, 1.12]);
    assert_eq!((market.bid().volume[0], market.ask().volume[0]), (0.1 + 0.2 + 0.3, 0.1 + 0.2 + 0.3));
}

#[test]
fn buckets_are_half_open_and_empty_ones_make_no_bar() {
    let market = market(&[T - 1, T, T, T + M - 1, T + M, T + 5 * M, T + 6 * M], "M1");
    assert_eq!(market.label(), [T - M, T, T + M, T + 5 * M]);
    assert_eq!(market.bid().open[..], [1.0, 1.001, 1.004, 1.005]);
    assert_eq!(market.bid().close[..], [1.0, 1.003, 1.004, 1.005]);
    assert_eq!(market.bid().volume[..], [1.0, 3.0, 1.0, 1.0]);
}

#[rstest]
#[case::one_microsecond_short(T + 2 * M - 1, 1)]
#[case::exactly_at_the_end(T + 2 * M, 2)]
#[case::much_later(T + 90 * M, 2)]
fn a_bar_is_complete_when_a_tick_is_at_its_end_or_later(#[case] last: i64, #[case] bars: usize) {
    let market = market(&[T, T + M, last], "M1");
    assert_eq!(market.len(), bars);
    assert_eq!(market.ticks().unwrap().len(), 3, "the forming bar's ticks stay");
    assert_eq!(market.trade_until(), last - last.rem_euclid(M) + M);
}

#[rstest]
#[case("M7", T - T.rem_euclid(7 * M))]
#[case("M30", T)]
#[case("H5", T - T.rem_euclid(5 * H))]
#[case("D1", T - 12 * H)]
#[case("W1", T - 12 * H)]
fn buckets_are_counted_in_utc(#[case] timeframe: &str, #[case] label: i64) {
    assert_eq!(market(&[T, T + 8 * DAY], timeframe).label(), [label]);
}

#[test]
fn days_begin_at_the_hour_of_their_zone() {
    let new_york = TickOptions { alignment: day("America/New_York", 17), ..options("D1") };
    let market = Market::from_ticks(ticks(&[T, T + 9 * H, T + 10 * H, T + 2 * DAY]), &new_york).unwrap();
    // 17:00 in New York is 22:00 UTC in winter.
    assert_eq!(market.label(), [T - 14 * H, T + 10 * H]);
    assert_eq!(market.alignment(), new_york.alignment);
}

/// Around the changes of New York's clocks: 2024-03-10 makes a day of 23 hours, 2024-11-03 one of 25.
#[rstest]
#[case::closed_in_spring("D1", &[1_710_000_000_000_000, 1_710_108_000_000_000, 1_710_194_400_000_000], true)]
#[case::open_in_spring("D1", &[1_710_025_200_000_000, 1_710_108_000_000_000, 1_710_194_400_000_000], false)]
#[case::open_in_autumn("D1", &[1_730_584_800_000_000, 1_730_669_000_000_000, 1_730_800_000_000_000], false)]
#[case::closed_in_autumn("D1", &[1_730_584_800_000_000, 1_730_590_000_000_000, 1_730_800_000_000_000], true)]
#[case::a_short_week("W1", &[1_710_000_000_000_000, 1_710_200_000_000_000, 1_711_000_000_000_000], false)]
fn bars_that_clocks_make_overlap_are_refused(
    #[case] timeframe: &str,
    #[case] time: &[i64],
    #[case] legal: bool,
) {
    let new_york = TickOptions { alignment: day("America/New_York", 17), ..options(timeframe) };
    match Market::from_ticks(ticks(time), &new_york) {
        Ok(market) => {
            let bar = market.timeframe().micros();
            assert!(legal && market.label().windows(2).all(|w| w[1] - w[0] >= bar));
        }
        Err(error) => {
            assert!(!legal && error.code == 1006, "{error}");
            assert!(error.remedy.contains("market.day"), "{error}");
        }
    }
}

#[rstest]
#[case("D2")]
#[case("W3")]
fn several_days_are_no_buckets(#[case] timeframe: &str) {
    let error = Market::from_ticks(ticks(&[T, T + 99 * DAY]), &options(timeframe)).unwrap_err();
    assert_eq!((error.code, error.stage), (1001, crate::Stage::Config));
    assert!(error.what.contains(timeframe), "{error}");
}

#[test]
fn ticks_that_complete_no_bar_are_a_market_without_bars() {
    let market = market(&[T + S, T + 59 * S], "M1");
    assert_eq!((market.len(), market.first_traded(), market.ticks().unwrap().len()), (0, 0, 2));
    assert_eq!((market.history_from(), market.trade_from(), market.trade_until()), (T, T, T + M));
    let report = market.report();
    assert_eq!((report.rows, report.first, report.last, report.crossed.share), (0, T, T, 0.0));
    assert_eq!(report.ticks.unwrap().unfinished, 2);
    let some = self::market(&[T + S, T + 59 * S, T + M, T + 61 * S], "M1");
    assert_eq!((some.len(), some.report().ticks.unwrap().unfinished), (1, 2));
    let whole = market.window(None, None, 5).unwrap();
    assert_eq!((whole.digest(), whole.meta()), (market.digest(), market.meta()));
    let again = Market::trusted_ticks(market.meta(), market.ticks().unwrap().columns().clone()).unwrap();
    assert_eq!((again.digest(), again.meta()), (market.digest(), market.meta()));
    assert!(market.higher("H1".parse().unwrap()).unwrap().is_empty());
    assert!(market.higher("M1".parse().unwrap()).unwrap().is_empty());
    assert_eq!(market.spread_multiplied(2.0).unwrap().len(), 0);
    let given = Market::synthetic(&SyntheticOptions::new(market.spec().clone(), "H1".parse().unwrap(), 9));
    assert_eq!(market.with_higher(&[given.unwrap()]).unwrap_err().code, 1010);
}

#[test]
fn sizes_beyond_all_numbers_are_refused() {
    let huge = Some(vec![f64::MAX; 3].into());
    let raw = RawTicks { bid_size: huge, ..ticks(&[T, T + S, T + M]) };
    assert_eq!(Market::from_ticks(raw, &options("M1")).unwrap_err().code, 1006);
}

#[test]
fn clamped_ticks_make_uncrossed_bars() {
    let crossed = RawTicks { ask: vec![0.9; 40].into(), ..ticks(&tick_times(40)) };
    let clamp = TickOptions { crossed: Crossed::Clamp, ..options("M1") };
    let report = Market::from_ticks(crossed.clone(), &clamp).unwrap().report();
    assert_eq!((report.crossed.bars, report.import.ticks_clamped), (0, 40));
    let report = Market::from_ticks(crossed, &options("M1")).unwrap().report();
    let ticks = report.ticks.unwrap();
    assert_eq!((ticks.crossed, ticks.crossed_share, report.crossed.share), (40, 1.0, 1.0));
    let deepest = 1.0 + 39.0 / 1000.0 - 0.9;
    assert_eq!(
        (ticks.worst_crossing_pips, ticks.worst_crossing_at),
        (deepest / 0.0001, Some(tick_times(40)[39]))
    );
}

#[test]
fn the_weekend_is_left_out_before_bars_are_built() {
    let friday = T + 4 * DAY + 7 * H + 58 * M; // 2024-01-05 19:58 UTC
    let time: Vec<i64> = (0..49 * 60).map(|k| friday + k * M).collect();
    let filtered = TickOptions { filter: Filter::FxWeek, ..options("H1") };
    let market = Market::from_ticks(ticks(&time), &filtered).unwrap();
    // The Friday bar is completed by the first tick on Sunday, 20:00 UTC, which forms the next one.
    assert_eq!(market.label(), [friday - 58 * M]);
    assert_eq!(market.bid().volume[..], [2.0]);
    assert_eq!(market.report().import.rows_filtered, 48 * 60);
    assert_eq!(market.ticks().unwrap().len(), 60);
}

#[test]
fn the_report_describes_the_ticks() {
    let time = [T, T, T, T + M, T + 2 * M];
    let report = market(&time, "M1").report().ticks.unwrap();
    assert_eq!((report.ticks, report.first, report.last), (5, T, T + 2 * M));
    assert_eq!((report.equal_stamps, report.bars, report.crossed, report.sizes), (2, 2, 0, false));
    assert_eq!((report.worst_crossing_pips, report.worst_crossing_at, report.locked), (0.0, None, 0));
}

#[test]
fn a_locked_quote_is_reported_and_not_crossed() {
    let mut raw = ticks(&tick_times(40));
    let mut ask = raw.ask.to_vec();
    ask[7] = raw.bid[7];
    raw.ask = ask.into();
    let reject = TickOptions { crossed: Crossed::Reject, ..options("M1") };
    let report = Market::from_ticks(raw, &reject).unwrap().report().ticks.unwrap();
    assert_eq!((report.locked, report.crossed), (1, 0));
}

/// 20 s apart from T on: three ticks a minute.
fn tick_times(count: i64) -> Vec<i64> {
    (0..count).map(|k| T + k * 20 * S).collect()
}

#[test]
fn without_bounds_a_window_is_the_market() {
    let market = market(&tick_times(100), "M1");
    let whole = market.window(None, None, 0).unwrap();
    assert_eq!((whole.digest(), whole.meta(), whole.len()), (market.digest(), market.meta(), market.len()));
}

#[rstest]
#[case::whole_minutes(Some(10 * M), Some(20 * M), 0, 10, 19)]
#[case::cut_inside_a_bar(Some(10 * M), Some(20 * M + 30 * S), 0, 10, 20)]
#[case::begun_inside_a_bar(Some(10 * M + S), Some(20 * M), 0, 11, 19)]
#[case::warmed(Some(10 * M), Some(20 * M), 4, 6, 19)]
#[case::open_end(Some(10 * M), None, 0, 10, 33)]
#[case::open_start(None, Some(5 * M), 0, 0, 4)]
fn a_window_has_the_ticks_and_the_bars_that_they_complete(
    #[case] start: Option<i64>,
    #[case] end: Option<i64>,
    #[case] warmup: usize,
    #[case] first: i64,
    #[case] last: i64,
) {
    let market = market(&tick_times(100), "M1");
    let window = market.window(start.map(|t| T + t), end.map(|t| T + t), warmup).unwrap();
    let labels: Vec<i64> = (first..last).map(|k| T + k * M).collect();
    assert_eq!(window.label(), labels);
    let until = end.map_or(i64::MAX, |t| T + t);
    let kept: Vec<i64> =
        tick_times(100).into_iter().filter(|&t| t >= window.history_from() && t < until).collect();
    assert_eq!(window.ticks().unwrap().time(), kept);
    assert_ne!(window.digest(), market.digest());
    assert_eq!(window.trade_from(), T + start.unwrap_or(0));
}

#[rstest]
#[case::inside_one_bar(T + S, T + 50 * S, 9, 0, 3)]
#[case::not_completed(T, T + M, 9, 0, 3)]
#[case::inside_a_later_bar(T + 5 * M + S, T + 5 * M + 50 * S, 0, 0, 3)]
#[case::with_history(T + 5 * M + S, T + 5 * M + 50 * S, 2, 2, 9)]
#[case::over_one_boundary(T + 5 * M + S, T + 6 * M + S, 0, 0, 1)]
fn a_window_may_have_ticks_and_no_traded_bar(
    #[case] start: i64,
    #[case] end: i64,
    #[case] warmup: usize,
    #[case] bars: usize,
    #[case] ticks: usize,
) {
    let window = market(&tick_times(100), "M1").window(Some(start), Some(end), warmup).unwrap();
    assert_eq!((window.len(), window.first_traded()), (bars, bars));
    assert_eq!(window.ticks().unwrap().len(), ticks);
    let again = Market::trusted_ticks(window.meta(), window.ticks().unwrap().columns().clone()).unwrap();
    assert_eq!((again.label(), again.first_traded()), (window.label(), window.first_traded()));
    assert_eq!((again.meta(), again.digest()), (window.meta(), window.digest()));
}

#[rstest]
#[case::before_the_data(None, Some(T - M))]
#[case::at_the_first_tick(None, Some(T))]
#[case::after_the_data(Some(T + DAY), None)]
#[case::between_two_ticks(Some(T + S), Some(T + 19 * S))]
#[case::empty(Some(T + M), Some(T + M))]
fn a_window_without_a_tick_is_refused(#[case] start: Option<i64>, #[case] end: Option<i64>) {
    let error = market(&tick_times(100), "M1").window(start, end, 9).unwrap_err();
    assert_eq!(error.code, 1010);
    assert!(error.place.contains("2024-01-01T12:00:00Z"), "{error}");
}

#[test]
fn ticks_and_a_description_make_the_market_again() {
    let new_york = TickOptions { alignment: day("America/New_York", 17), ..options("H1") };
    let market = Market::from_ticks(ticks(&tick_times(2_000)), &new_york).unwrap();
    let window = market.window(Some(T + 3 * H), Some(T + 9 * H), 2).unwrap();
    for market in [market, window] {
        let text = serde_json::to_string(&market.meta()).unwrap();
        assert!(text.contains(r#""kind":"ticks""#), "{text}");
        let meta = MarketMeta::from_json(&text).unwrap();
        let again = Market::trusted_ticks(meta, market.ticks().unwrap().columns().clone()).unwrap();
        assert_eq!((again.digest(), again.meta()), (market.digest(), market.meta()));
        assert_eq!((again.label(), again.first_traded()), (market.label(), market.first_traded()));
        assert_eq!(again.bid().prices(), market.bid().prices());
        assert_eq!(again.ask().volume[..], market.ask().volume[..]);
    }
}

#[test]
fn a_description_of_other_rows_is_refused() {
    let market = market(&tick_times(100), "M1");
    let columns = market.ticks().unwrap().columns().clone();
    let other = |change: fn(&mut MarketMeta)| {
        let mut meta = market.meta();
        change(&mut meta);
        Market::trusted_ticks(meta, columns.clone()).unwrap_err().code
    };
    assert_eq!(other(|meta| meta.kind = Kind::Bars), 3008);
    assert_eq!(other(|meta| meta.history_from -= M), 3008);
    assert_eq!(other(|meta| meta.trade_until = T + 30 * M), 3008);
    assert_eq!(other(|meta| meta.trade_from = T + DAY), 1010);
    assert_eq!(other(|meta| meta.timeframe = "D3".parse().unwrap()), 1001);
    let (label, bid, ask) = (market.label_column().clone(), market.bid().clone(), market.ask().clone());
    assert_eq!(Market::trusted(market.meta(), label, bid, ask).unwrap_err().code, 3008);
    assert_eq!(Market::trusted_ticks(market.meta(), ticks(&[])).unwrap_err().code, 1010);
}

#[test]
fn the_digest_is_that_of_the_ticks() {
    let base = market(&tick_times(100), "M1");
    let later = market(&[tick_times(100), vec![T + 2_000 * S]].concat(), "M1");
    assert_eq!(base.label(), &later.label()[..base.len()]);
    let mut longer = tick_times(99);
    longer.push(T + 99 * 20 * S + 1);
    // The same bars, but one tick of the forming bar is another.
    let moved = market(&longer, "M1");
    assert_eq!((moved.label(), moved.bid().prices()), (base.label(), base.bid().prices()));
    assert!(base.digest() != later.digest() && base.digest() != moved.digest());
    assert_ne!(base.digest(), market(&tick_times(100), "M5").digest());
    let wide = base.spread_multiplied(3.0).unwrap();
    assert_eq!(wide.digest(), base.digest());
}

#[test]
fn bars_held_as_ticks_are_no_given_higher_timeframe() {
    let primary = market(&tick_times(2_000), "M1");
    let error = primary.with_higher(&[market(&tick_times(2_000), "H1")]).unwrap_err();
    assert_eq!((error.code, error.place.as_str()), (1001, "market.higher"));
}

#[test]
fn options_are_read_from_json() {
    let text = r#"{"spec": {"symbol": "GBPUSD"}, "timeframe": "M5", "crossed": "clamp", "filter": "fx_week",
        "day": {"zone": "America/New_York", "start_hour": 17}, "stale_after": 3, "name": "t.parquet"}"#;
    let read = TickOptions::from_json(text).unwrap();
    assert_eq!(
        (read.crossed, read.filter, read.name.as_str()),
        (Crossed::Clamp, Filter::FxWeek, "t.parquet")
    );
    assert_eq!((read.alignment.day.zone(), read.alignment.stale_after), ("America/New_York", Some(3)));
    for (text, code) in [
        (r#"{"spec": {"symbol": "GBPUSD"}}"#, 1008),
        (r#"{"spec": {"symbol": "GBPUSD"}, "timeframe": "M5", "spread_pips": 1}"#, 1001),
        (r#"{"spec": {"symbol": "GBPUSD"}, "timeframe": "M5", "filter": "week"}"#, 1001),
        (r#"{"spec": {"symbol": "GBPUSD"}, "timeframe": "M5", "filter": true}"#, 1004),
    ] {
        assert_eq!(TickOptions::from_json(text).unwrap_err().code, code, "{text}");
    }
}

proptest! {
    #[test]
    fn a_window_is_what_its_ticks_would_build(
        steps in proptest::collection::vec(0_i64..90, 2..150),
        from in 0_i64..4_000, length in 1_i64..4_000, warmup in 0_usize..5,
    ) {
        let mut at = T;
        let time: Vec<i64> = steps.iter().map(|step| { at += step * S; at }).collect();
        let market = Market::from_ticks(ticks(&time), &options("M1")).unwrap();
        let (start, end) = (T + from * S, T + (from + length) * S);
        let Ok(window) = market.window(Some(start), Some(end), warmup) else {
            prop_assert!(!time.iter().any(|t| (start..end).contains(t)));
            return Ok(());
        };
        let held = window.ticks().unwrap().columns().clone();
        let built = Market::from_ticks(held, &options("M1")).unwrap();
        prop_assert_eq!(built.label(), window.label());
        prop_assert_eq!(built.bid().prices(), window.bid().prices());
        prop_assert_eq!(&built.bid().volume[..], &window.bid().volume[..]);
        prop_assert_eq!(built.digest(), window.digest());
        let (history, traded) = window.label().split_at(window.first_traded());
        prop_assert!(history.iter().all(|&t| t < start) && traded.iter().all(|&t| t >= start));
    }
}
