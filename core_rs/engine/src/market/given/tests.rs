//! Higher timeframes that came as files: stamps, comparison, cuts and digests.

use rstest::rstest;

use super::super::{Alignment, Day, MarketOptions, Quote, SymbolSpec, SyntheticOptions};
use super::*;

const M: i64 = 60_000_000;
const H: i64 = 60 * M;
/// Tuesday 2024-01-02.
const T: i64 = 1_704_153_600_000_000;

fn spec(symbol: &str) -> SymbolSpec {
    SymbolSpec::resolve(symbol, &serde_json::Map::new()).unwrap()
}

/// `bars` drawn M15 bars from T.
fn primary(bars: i64) -> Market {
    let mut options = SyntheticOptions::new(spec("EURUSD"), "M15".parse().unwrap(), bars);
    (options.start, options.weekends) = (T, super::super::Weekends::Open);
    Market::synthetic(&options).unwrap()
}

/// The bars of a higher timeframe as a file would have them, each stamp moved and each close changed.
fn file(market: &Market, timeframe: &str, moved: i64, close: impl Fn(usize, f64) -> f64) -> Market {
    let higher = market.higher(timeframe.parse().unwrap()).unwrap();
    let side = |quote: Quote| {
        let quotes = higher.quotes(quote);
        let close: Vec<f64> = quotes.close.iter().enumerate().map(|(k, &x)| close(k, x)).collect();
        let high: Vec<f64> = quotes.high.iter().zip(&close).map(|(&h, &c)| h.max(c)).collect();
        let low: Vec<f64> = quotes.low.iter().zip(&close).map(|(&l, &c)| l.min(c)).collect();
        RawBars {
            label: higher.start().iter().map(|t| t + moved).collect::<Vec<_>>().into(),
            open: quotes.open.clone(),
            high: high.into(),
            low: low.into(),
            close: close.into(),
            volume: Some(quotes.volume.clone()),
        }
    };
    let mut options = MarketOptions::new(market.spec().clone(), timeframe.parse().unwrap());
    options.higher_stamp = Some(Stamp::Open);
    Market::from_bars(side(Quote::Bid), Some(side(Quote::Ask)), &options).unwrap()
}

fn same(_: usize, x: f64) -> f64 {
    x
}

#[test]
fn a_file_of_the_same_bars_agrees_and_changes_nothing() {
    let market = primary(1000);
    let given = market.with_higher(&[file(&market, "H4", 0, same), file(&market, "H1", 0, same)]).unwrap();
    assert_eq!(
        given.given_higher().iter().map(|m| m.timeframe().to_string()).collect::<Vec<_>>(),
        ["H1", "H4"]
    );
    let agreed = |bars| Agreement { compared: bars, differ: 0, first: Vec::new() };
    let expected: Vec<_> = [("H1", 250), ("H4", 62)]
        .map(|(t, n)| Comparison { timeframe: t.parse().unwrap(), bid: agreed(n), ask: agreed(n) })
        .to_vec();
    assert_eq!((given.compared(), &given.report().higher), (&expected[..], &expected));
    for timeframe in ["H1", "H4"] {
        let (a, b) = (market.higher(timeframe.parse().unwrap()), given.higher(timeframe.parse().unwrap()));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!((a.start(), a.end(), a.newest()), (b.start(), b.end(), b.newest()));
        assert_eq!(a.quotes(Quote::Ask).prices(), b.quotes(Quote::Ask).prices());
    }
}

#[rstest]
#[case::late("H1", H, "set market.stamp: close")]
#[case::early("H1", -H, "set market.stamp: open")]
#[case::four_late("H4", 4 * H, "set market.stamp: close")]
fn bars_shifted_by_one_are_refused(#[case] timeframe: &str, #[case] moved: i64, #[case] remedy: &str) {
    let market = primary(1000);
    let error = market.with_higher(&[file(&market, timeframe, moved, same)]).unwrap_err();
    assert_eq!(error.code, 1006);
    assert!(error.to_string().contains("market.stamp") && error.to_string().ends_with(remedy), "{error}");
}

#[test]
fn fewer_than_twenty_bars_prove_nothing() {
    let market = primary(4 * 19);
    assert!(market.with_higher(&[file(&market, "H1", H, same)]).is_ok());
    let market = primary(4 * 22);
    assert!(market.with_higher(&[file(&market, "H1", H, same)]).is_err());
}

#[test]
fn other_disagreement_is_counted() {
    let market = primary(1000);
    let tick = market.spec().tick_size;
    let one = market.with_higher(&[file(&market, "H1", 0, |_, x| x + tick)]).unwrap();
    assert_eq!(one.compared()[0].bid.differ, 0);
    let some = file(&market, "H1", 0, |k, x| if k % 7 == 0 { x + 3.0 * tick } else { x });
    let found = market.with_higher(&[some]).unwrap().report().higher[0].clone();
    assert_eq!((found.bid.compared, found.bid.differ, found.ask.differ), (250, 36, 36));
    assert_eq!(found.bid.first, (0..5).map(|k| T + 7 * k * H).collect::<Vec<_>>());
}

#[test]
fn only_full_buckets_are_compared() {
    let market = primary(1000);
    let rows: Vec<usize> = (0..1000).filter(|i| i % 8 != 3).collect();
    let label: Vec<i64> = rows.iter().map(|&i| market.label()[i]).collect();
    let (bid, ask) = (market.bid().select(&rows), market.ask().select(&rows));
    let holes = Market::trusted(market.meta(), label.into(), bid, ask).unwrap();
    let given = holes.with_higher(&[file(&market, "H1", 0, same)]).unwrap();
    assert_eq!(given.compared()[0].bid, Agreement { compared: 125, differ: 0, first: Vec::new() });
}

#[rstest]
#[case::symbol("GBPUSD", "H1", 0, 1006)]
#[case::off_boundary("EURUSD", "H4", H, 1006)]
#[case::too_short("EURUSD", "M5", 0, 1001)]
#[case::primary("EURUSD", "M15", 0, 1001)]
#[case::too_late("EURUSD", "H1", 2000 * H, 1010)]
fn what_does_not_fit_is_refused(
    #[case] symbol: &str,
    #[case] timeframe: &str,
    #[case] moved: i64,
    #[case] code: u16,
) {
    let mut options = SyntheticOptions::new(spec(symbol), timeframe.parse().unwrap(), 30);
    options.start = T;
    let drawn = Market::synthetic(&options).unwrap();
    let label: Vec<i64> = drawn.label().iter().map(|t| t + moved).collect();
    let mut meta = drawn.meta();
    (meta.history_from, meta.trade_from) = (label[0], label[0]);
    meta.trade_until += moved;
    let given = Market::trusted(meta, label.into(), drawn.bid().clone(), drawn.ask().clone()).unwrap();
    assert_eq!(primary(100).with_higher(&[given]).unwrap_err().code, code);
}

#[test]
fn a_timeframe_is_given_once() {
    let market = primary(100);
    let hours = file(&market, "H1", 0, same);
    assert_eq!(market.with_higher(&[hours.clone(), hours]).unwrap_err().code, 1001);
}

#[test]
fn stamps_must_be_boundaries() {
    let market = primary(100);
    let label: Vec<i64> = (0..8).map(|k| T + k * H + if k > 5 { 30 * M } else { 0 }).collect();
    let column = Column::from(vec![1.0; 8]);
    let raw = RawBars {
        label: label.into(),
        open: column.clone(),
        high: column.clone(),
        low: column.clone(),
        close: column,
        volume: None,
    };
    let mut options = MarketOptions::new(market.spec().clone(), "H1".parse().unwrap());
    (options.spread_pips, options.name_bid) = (Some(0.0), "h1.csv".to_owned());
    let plain = Market::from_bars(raw.clone(), None, &options).unwrap();
    let late = market.with_higher(&[plain]).unwrap_err();
    options.higher_stamp = Some(Stamp::Open);
    let early = Market::from_bars(raw, None, &options).unwrap_err();
    for error in [late, early] {
        assert_eq!(error.code, 1006);
        let text = error.to_string();
        assert!(text.contains("2 of 8 stamps") && text.contains("2024-01-02T06:30:00Z"), "{text}");
        assert!(text.contains("market.stamp"), "{text}");
    }
}

#[rstest]
fn days_stamped_at_either_end_are_the_same_bars(#[values("D1", "W1")] timeframe: &str) {
    // March and November 2024: days of 23 and 25 hours.
    let day = Day::new("America/New_York", 17).unwrap();
    let timeframe: Timeframe = timeframe.parse().unwrap();
    let buckets = Buckets::new(timeframe, day);
    let mut bounds = vec![buckets.containing(T).0];
    while bounds.len() < 50 {
        bounds.push(buckets.containing(bounds[bounds.len() - 1]).1);
    }
    let read = |stamps: &[i64], stamp: Stamp| {
        let column = Column::from(vec![1.0; stamps.len()]);
        let raw = RawBars {
            label: stamps.to_vec().into(),
            open: column.clone(),
            high: column.clone(),
            low: column.clone(),
            close: column,
            volume: None,
        };
        let mut options = MarketOptions::new(spec("EURUSD"), timeframe);
        (options.spread_pips, options.higher_stamp) = (Some(0.0), Some(stamp));
        options.alignment = Alignment { day, stale_after: None };
        Market::from_bars(raw, None, &options)
    };
    let (open, close) =
        (read(&bounds[..49], Stamp::Open).unwrap(), read(&bounds[1..], Stamp::Close).unwrap());
    assert_eq!((open.label(), close.label()), (&bounds[..49], &bounds[..49]));
    assert_eq!(read(&[bounds[0], bounds[0]], Stamp::Open).unwrap_err().code, 1006);
    assert_eq!(read(&[i64::MIN], Stamp::Close).unwrap_err().code, 1003);
}

#[test]
fn a_window_cuts_given_bars_by_its_own_rule() {
    let market = primary(1000);
    let given = market.with_higher(&[file(&market, "H1", 0, same)]).unwrap();
    let window = given.window(Some(T + 100 * H), Some(T + 150 * H + 30 * M), 10).unwrap();
    let hours = &window.given_higher()[0];
    assert_eq!((hours.label()[0], hours.label()[hours.len() - 1]), (T + 90 * H, T + 149 * H));
    let higher = window.higher("H1".parse().unwrap()).unwrap();
    // Ten primary bars before the window are two and a half hours.
    assert_eq!(higher.newest()[0], 6);
    let none = given.window(Some(T + 100 * H), Some(T + 100 * H + 30 * M), 0).unwrap_err();
    assert_eq!(none.code, 1010);
}

#[test]
fn data_appended_later_change_nothing() {
    let (long, short) = (primary(1000), primary(402));
    let later = long.with_higher(&[file(&long, "H1", 0, same)]).unwrap();
    let before = short.with_higher(&[file(&short, "H1", 0, same)]).unwrap();
    let (from, until) = (Some(T + 50 * H), Some(T + 100 * H + 30 * M));
    let window = |m: &Market| m.window(from, until, 20).unwrap().dataset();
    assert_eq!(window(&later), window(&before));
    assert_eq!(short.with_higher(later.given_higher()).unwrap().dataset(), before.dataset());
}

#[test]
fn the_dataset_is_of_all_digests_shortest_first() {
    let market = primary(1000);
    assert_eq!(market.dataset(), market.digest());
    let (h1, h4) = (file(&market, "H1", 0, same), file(&market, "H4", 0, |_, x| x + 0.01));
    let given = market.with_higher(&[h4.clone(), h1.clone()]).unwrap();
    let text: String = [&market, &h1, &h4].map(|m| m.digest().to_string()).concat();
    assert_eq!(given.dataset(), Digest(Sha256::digest(text).into()));
    assert_eq!(given.digest(), market.digest());
    let wide = given.spread_multiplied(2.0).unwrap();
    assert_eq!(wide.dataset(), given.dataset());
    assert_ne!(wide.given_higher()[0].ask().close[..], h1.ask().close[..]);
    assert_eq!(wide.given_higher()[0].bid().close[..], h1.bid().close[..]);
}

#[test]
fn trusted_bars_are_not_compared_again() {
    let market = primary(1000);
    let shifted = file(&market, "H1", H, same);
    assert!(market.with_trusted_higher(&[shifted]).unwrap().compared().is_empty());
}
