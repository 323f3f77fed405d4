//! Windows, spread multipliers, digests, and the way to a worker and back.

use proptest::prelude::*;
use rstest::rstest;

use super::super::{MarketOptions, RawBars, SyntheticOptions};
use super::*;

const T: i64 = 1_704_110_400_000_000;
const M: i64 = 60_000_000;

fn spec() -> SymbolSpec {
    SymbolSpec::resolve("EURUSD", &serde_json::Map::new()).unwrap()
}

/// 100 drawn M1 bars from T.
fn market() -> Market {
    let mut options = SyntheticOptions::new(spec(), "M1".parse().unwrap(), 100);
    options.start = T;
    Market::synthetic(&options).unwrap()
}

/// One bar with these bid and ask prices, open, high, low, close.
fn one_bar(bid: [f64; 4], ask: [f64; 4]) -> Market {
    let side = |p: [f64; 4]| RawBars {
        label: vec![T].into(),
        open: vec![p[0]].into(),
        high: vec![p[1]].into(),
        low: vec![p[2]].into(),
        close: vec![p[3]].into(),
        volume: None,
    };
    let options = MarketOptions::new(spec(), "M1".parse().unwrap());
    Market::from_bars(side(bid), Some(side(ask)), &options).unwrap()
}

#[test]
fn without_bounds_everything_is_traded() {
    let market = market();
    let whole = market.window(None, None, 500).unwrap();
    assert_eq!((whole.len(), whole.first_traded()), (100, 0));
    assert_eq!((whole.trade_from(), whole.trade_until()), (T, T + 100 * M));
    assert_eq!(whole.digest(), market.digest());
}

#[rstest]
#[case::warmed(Some(50), Some(60), 20, 30, 60, 20)]
#[case::little_history(Some(5), Some(60), 20, 0, 60, 5)]
#[case::no_warmup(Some(50), None, 0, 50, 100, 0)]
#[case::open_start(None, Some(1), 20, 0, 1, 0)]
#[case::before_the_data(Some(-10), Some(3), 20, 0, 3, 0)]
#[case::after_the_data(Some(99), Some(300), 5, 94, 100, 5)]
fn a_window_has_its_bars_and_some_before(
    #[case] start: Option<i64>,
    #[case] end: Option<i64>,
    #[case] warmup: usize,
    #[case] first: usize,
    #[case] last: usize,
    #[case] first_traded: usize,
) {
    let market = market();
    let (start, end) = (start.map(|k| T + k * M), end.map(|k| T + k * M));
    let window = market.window(start, end, warmup).unwrap();
    assert_eq!(window.label(), &market.label()[first..last]);
    assert_eq!(window.ask().low[..], market.ask().low[first..last]);
    assert_eq!(window.bid().close.as_ptr(), market.bid().close[first..].as_ptr());
    assert_eq!(window.first_traded(), first_traded);
    assert_eq!(window.history_from(), T + M * first as i64);
    assert_eq!((window.trade_from(), window.trade_until()), (start.unwrap_or(T), end.unwrap_or(T + 100 * M)));
}

#[test]
fn bounds_between_labels_take_the_bars_inside() {
    let window = market().window(Some(T + M / 2), Some(T + 3 * M + 1), 0).unwrap();
    assert_eq!(window.label(), [T + M, T + 2 * M, T + 3 * M]);
}

#[rstest]
#[case(100, 200)]
#[case(-5, 0)]
#[case(10, 10)]
#[case(20, 10)]
fn a_window_without_bars_is_refused(#[case] start: i64, #[case] end: i64) {
    let error = market().window(Some(T + start * M), Some(T + end * M), 500).unwrap_err();
    assert_eq!(error.code, 1010);
    assert!(error.place.contains("2024-01-01T12:00:00Z"), "{error}");
}

#[test]
fn spreads_are_multiplied_field_by_field() {
    let market = one_bar([1.1, 1.102, 1.099, 1.101], [1.1002, 1.1021, 1.0991, 1.1013]);
    let twice = market.spread_multiplied(2.0).unwrap();
    let expected =
        [1.1 + (1.1002 - 1.1) * 2.0, 1.102 + (1.1021 - 1.102) * 2.0, 1.099 + (1.0991 - 1.099) * 2.0];
    assert_eq!(twice.ask().prices().map(|c| c[0])[..3], expected);
    assert_eq!(twice.ask().close[0], 1.101 + (1.1013 - 1.101) * 2.0);
    assert_eq!(twice.bid().prices(), market.bid().prices());
    let none = market.spread_multiplied(0.0).unwrap();
    assert_eq!(none.ask().prices(), market.bid().prices());
}

/// The memory of the four price columns.
fn memory(quotes: &Quotes) -> [*const f64; 4] {
    quotes.prices().map(<[f64]>::as_ptr)
}

#[test]
fn a_side_whose_prices_stay_or_become_those_of_the_bid_takes_no_memory() {
    let market = market();
    let none = market.spread_multiplied(0.0).unwrap();
    assert_ne!(memory(market.ask()), memory(market.bid()));
    assert_eq!(memory(none.ask()), memory(none.bid()));
    assert_eq!(none.ask().volume.as_ptr(), market.ask().volume.as_ptr());
    assert_eq!(none.digest(), market.digest());
    let again = none.spread_multiplied(7.0).unwrap();
    assert_eq!(memory(again.ask()), memory(none.bid()));
}

#[test]
fn without_a_spread_crossed_fields_still_keep_their_value() {
    let market = one_bar([1.1, 1.102, 1.099, 1.101], [1.0999, 1.1021, 1.0989, 1.1012]);
    let none = market.spread_multiplied(0.0).unwrap();
    assert_eq!(none.ask().prices().map(|c| c[0]), [1.0999, 1.102, 1.0989, 1.101]);
    let crossed = one_bar([1.1, 1.102, 1.099, 1.101], [1.0999, 1.1019, 1.0989, 1.1009]);
    assert_eq!(memory(crossed.spread_multiplied(0.0).unwrap().ask()), memory(crossed.ask()));
}

#[test]
fn high_and_low_stay_the_extremes_of_the_ask() {
    // The open's spread is the widest: tripled, it passes the high.
    let market = one_bar([1.1, 1.1005, 1.0995, 1.1], [1.1006, 1.1007, 1.0996, 1.1001]);
    let wide = market.spread_multiplied(3.0).unwrap();
    let [open, high, low, close] = wide.ask().prices().map(|c| c[0]);
    assert_eq!(open, 1.1 + (1.1006 - 1.1) * 3.0);
    assert_eq!((high, low), (open, 1.0995 + (1.0996 - 1.0995) * 3.0));
    assert!(close < high);
}

#[test]
fn crossed_fields_keep_their_value() {
    let market = one_bar([1.1, 1.102, 1.099, 1.101], [1.0999, 1.1021, 1.0989, 1.101]);
    let wide = market.spread_multiplied(5.0).unwrap();
    let [open, _, low, close] = wide.ask().prices().map(|c| c[0]);
    assert_eq!((open, low, close), (1.0999, 1.0989, 1.101));
}

#[test]
fn a_multiplier_is_a_cost_and_leaves_the_digest() {
    let market = market();
    let digest = market.digest();
    let changed = market.spread_multiplied(2.0).unwrap().spread_multiplied(1.5).unwrap();
    assert_ne!(changed.ask().open[..], market.ask().open[..]);
    assert_eq!(changed.digest(), digest);
    let (from, until) = (Some(T + 10 * M), Some(T + 20 * M));
    assert_eq!(
        changed.window(from, until, 3).unwrap().digest(),
        market.window(from, until, 3).unwrap().digest()
    );
    assert_eq!(market.spread_multiplied(1.0).unwrap().ask().open.as_ptr(), market.ask().open.as_ptr());
    for m in [-0.1, f64::NAN, f64::INFINITY] {
        assert_eq!(market.spread_multiplied(m).unwrap_err().code, 1003);
    }
}

#[test]
fn the_digest_depends_on_symbol_timeframe_and_every_value() {
    let base = one_bar([1.1, 1.102, 1.099, 1.101], [1.1, 1.102, 1.099, 1.101]);
    let rename = |symbol: &str, timeframe: &str| {
        let mut meta = base.meta();
        meta.spec = SymbolSpec::resolve(symbol, &serde_json::Map::new()).unwrap();
        meta.timeframe = timeframe.parse().unwrap();
        Market::trusted(meta, base.label_column().clone(), base.bid().clone(), base.ask().clone()).unwrap()
    };
    let digests = [
        base.digest(),
        rename("GBPUSD", "M1").digest(),
        rename("EURUSD", "M5").digest(),
        one_bar([1.1, 1.102, 1.099, 1.1011], [1.1, 1.102, 1.099, 1.101]).digest(),
        one_bar([1.1, 1.102, 1.099, 1.101], [1.1, 1.102, 1.099, 1.1011]).digest(),
    ];
    for (i, a) in digests.iter().enumerate() {
        assert!(digests[..i].iter().all(|b| a != b), "digest {i} is that of another market");
    }
    assert_eq!(rename("EURUSD", "M1").digest(), base.digest());
}

#[test]
fn a_market_travels_as_rows_and_description() {
    let window = market().window(Some(T + 50 * M), Some(T + 80 * M), 7).unwrap();
    let meta = MarketMeta::from_json(&serde_json::to_string(&window.meta()).unwrap()).unwrap();
    let rows = (window.label_column().clone(), window.bid().clone(), window.ask().clone());
    let arrived = Market::trusted(meta, rows.0, rows.1, rows.2).unwrap();
    assert_eq!((arrived.first_traded(), arrived.len()), (7, 37));
    assert_eq!((arrived.meta(), arrived.digest()), (window.meta(), window.digest()));
    assert_eq!(MarketMeta::from_json("{}").unwrap_err().code, 3004);
}

#[test]
fn rows_and_description_must_belong_together() {
    let market = market();
    let with = |change: fn(&mut MarketMeta)| {
        let mut meta = market.meta();
        change(&mut meta);
        let (label, bid, ask) = (market.label_column().clone(), market.bid().clone(), market.ask().clone());
        Market::trusted(meta, label, bid, ask).unwrap_err().code
    };
    assert_eq!(with(|m| m.history_from += 1), 3008);
    assert_eq!(with(|m| m.trade_until -= M), 3008);
    assert_eq!(with(|m| m.trade_from = m.trade_until), 1010);
    let short = market.bid().slice(0..99);
    let error = Market::trusted(market.meta(), market.label_column().clone(), short, market.ask().clone());
    assert_eq!(error.unwrap_err().code, 1011);
}

proptest! {
    #[test]
    fn a_window_trades_exactly_the_labels_inside(start in -10_i64..120, end in -10_i64..120, warmup in 0_usize..200) {
        let market = market();
        let (from, until) = (T + start * M - 1, T + end * M - 1);
        let inside: Vec<i64> = market.label().iter().copied().filter(|t| (from..until).contains(t)).collect();
        match market.window(Some(from), Some(until), warmup) {
            Ok(window) => {
                prop_assert_eq!(&window.label()[window.first_traded()..], &inside[..]);
                prop_assert!(window.first_traded() <= warmup);
            }
            Err(_) => prop_assert!(inside.is_empty()),
        }
    }
}
