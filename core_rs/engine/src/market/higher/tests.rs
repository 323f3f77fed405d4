//! Bars made of bars, and what is seen of them when.

use proptest::prelude::*;
use rstest::rstest;

use super::super::{Day, MarketOptions, RawBars, SymbolSpec, SyntheticOptions};
use super::*;

const M: i64 = 60_000_000;
const H: i64 = 60 * M;
/// Friday 2024-01-05 20:00 UTC.
const FRIDAY: i64 = 1_704_484_800_000_000;
const SUNDAY: i64 = FRIDAY + 50 * H;

/// Bars with labels of their own; the close of row i is 1 + i/100.
fn market(timeframe: &str, label: Vec<i64>, change: impl Fn(&mut MarketOptions)) -> Market {
    let spec = SymbolSpec::resolve("EURUSD", &serde_json::Map::new()).unwrap();
    let mut options = MarketOptions::new(spec, timeframe.parse().unwrap());
    options.spread_pips = Some(1.0);
    change(&mut options);
    let column =
        |of: fn(f64) -> f64| Column::from((0..label.len()).map(|i| of(i as f64)).collect::<Vec<_>>());
    let raw = RawBars {
        open: column(|i| 1.0 + i / 100.0 - 0.002),
        high: column(|i| 1.0 + i / 100.0 + 0.01 * (i % 3.0)),
        low: column(|i| 1.0 + i / 100.0 - 0.01 - 0.01 * (i % 2.0)),
        close: column(|i| 1.0 + i / 100.0),
        volume: Some(column(|i| 1.0 + i)),
        label: label.into(),
    };
    Market::from_bars(raw, None, &options).unwrap()
}

fn quarters(starts: &[i64], count: i64) -> Vec<i64> {
    starts.iter().flat_map(|&t| (0..count).map(move |k| t + k * 15 * M)).collect()
}

/// Two hours on Friday evening and two on Sunday.
fn weekend(change: impl Fn(&mut MarketOptions)) -> Market {
    market("M15", quarters(&[FRIDAY, SUNDAY], 8), change)
}

fn higher(market: &Market, timeframe: &str) -> Arc<Higher> {
    market.higher(market.timeframe_named(timeframe).unwrap()).unwrap()
}

#[test]
fn resampled_hours_are_seen_when_they_end() {
    let market = weekend(|_| {});
    let hours = higher(&market, "H1");
    assert_eq!(hours.start(), [FRIDAY, FRIDAY + H, SUNDAY, SUNDAY + H]);
    assert_eq!(hours.newest(), [-1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3]);
    let four = higher(&market, "H4");
    assert_eq!(
        (four.start(), four.end()),
        (&[FRIDAY, SUNDAY - 2 * H][..], &[FRIDAY + 4 * H, SUNDAY + 2 * H][..])
    );
    assert_eq!(four.newest(), [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 1]);
    let friday = market.window(None, Some(SUNDAY), 0).unwrap();
    assert!(higher(&friday, "H4").is_empty());
    assert_eq!(higher(&friday, "H4").newest(), [NONE; 8]);
}

#[rstest]
#[case(&[FRIDAY - H, FRIDAY, FRIDAY + H, SUNDAY, SUNDAY + H], [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4])]
fn given_hours_are_seen_when_they_end(#[case] label: &[i64], #[case] newest: [i32; 16]) {
    let hours = market("H1", label.to_vec(), |_| {});
    let market = weekend(|_| {}).with_higher(&[hours]).unwrap();
    assert_eq!(higher(&market, "H1").newest(), newest);
}

#[test]
fn several_bars_can_become_known_at_once() {
    let label = quarters(&[FRIDAY, FRIDAY + 4 * H], 4);
    let hours = market("H1", (-2..6).map(|k| FRIDAY + k * H).collect(), |_| {});
    let market = market("M15", label, |_| {}).with_higher(&[hours]).unwrap();
    assert_eq!(higher(&market, "H1").newest(), [1, 1, 1, 2, 5, 5, 5, 6]);
}

#[test]
fn a_stale_bar_is_not_seen() {
    let stale = |o: &mut MarketOptions| o.alignment.stale_after = Some(8);
    let hours = market("H1", vec![FRIDAY - H, FRIDAY], |_| {});
    let market = market("M15", quarters(&[FRIDAY], 16), stale).with_higher(&[hours]).unwrap();
    let hours = higher(&market, "H1");
    assert_eq!(hours.newest(), [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1]);
    let close = hours.aligned(Quote::Bid, Field::Close);
    assert_eq!(close[..12], [[1.0; 3].to_vec(), [1.01; 9].to_vec()].concat());
    assert!(close[12..].iter().all(|x| x.to_bits() == 0x7ff8_0000_0000_0000));
}

#[test]
fn values_of_bars_are_expanded() {
    // k(i) = none, 0 0 0, 1 1 1, 2 2 2, 3 3.
    let label: Vec<i64> = (0..12).map(|k| FRIDAY + k * 20 * M).collect();
    let shown = |stale_after| {
        let change = move |o: &mut MarketOptions| o.alignment.stale_after = stale_after;
        let hours = market("H1", (0..4).map(|k| FRIDAY + (k - 1) * H).collect(), |_| {});
        let mut late = label.clone();
        late.iter_mut().for_each(|t| *t -= 40 * M);
        let market = market("M20", late, change).with_higher(&[hours]).unwrap();
        higher(&market, "H1").expand(&[10.0, 12.0, 11.0, 14.0])
    };
    let nan = f64::NAN;
    let expected = [nan, 10.0, 10.0, 10.0, 12.0, 12.0, 12.0, 11.0, 11.0, 11.0, 14.0, 14.0];
    let stale = [nan, 10.0, 10.0, nan, 12.0, 12.0, nan, 11.0, 11.0, nan, 14.0, 14.0];
    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&shown(None)), bits(&expected));
    assert_eq!(bits(&shown(Some(1))), bits(&stale));
}

#[test]
fn a_bar_is_made_of_its_primary_bars() {
    let market = weekend(|_| {});
    let hours = higher(&market, "H1");
    for (side, quotes) in [(Quote::Bid, market.bid()), (Quote::Ask, market.ask())] {
        let bars = hours.quotes(side);
        for (k, rows) in [0..4, 4..8, 8..12, 12..16].into_iter().enumerate() {
            assert_eq!(bars.open[k], quotes.open[rows.start]);
            assert_eq!(bars.high[k], quotes.high[rows.clone()].iter().copied().fold(f64::MIN, f64::max));
            assert_eq!(bars.low[k], quotes.low[rows.clone()].iter().copied().fold(f64::MAX, f64::min));
            assert_eq!(bars.close[k], quotes.close[rows.end - 1]);
            assert_eq!(bars.volume[k], quotes.volume[rows].iter().sum::<f64>());
        }
    }
}

#[test]
fn the_primary_timeframe_means_the_primary_bars() {
    let market = weekend(|o| o.alignment.stale_after = Some(0));
    let bars = higher(&market, "m15");
    assert_eq!((bars.start(), bars.newest()), (market.label(), &(0..16).collect::<Vec<i32>>()[..]));
    assert_eq!(bars.aligned(Quote::Ask, Field::High)[..], market.ask().high[..]);
}

#[test]
fn days_of_a_zone_are_bars() {
    let label: Vec<i64> = (0..72).map(|k| FRIDAY + k * H).collect();
    let market = market("H1", label, |o| o.alignment.day = Day::new("America/New_York", 17).unwrap());
    let days = higher(&market, "D1");
    assert_eq!(days.start(), [-22, 2, 26].map(|h| FRIDAY + h * H));
    assert_eq!(days.quotes(Quote::Bid).close[..], [1.01, 1.25, 1.49]);
}

#[test]
fn days_must_begin_with_primary_bars() {
    let label: Vec<i64> = (0..72).map(|k| FRIDAY + k * 4 * H).collect();
    let market = market("H4", label, |o| o.alignment.day = Day::new("America/New_York", 17).unwrap());
    for timeframe in ["D1", "W1"] {
        assert_eq!(market.higher(timeframe.parse().unwrap()).unwrap_err().code, 1006);
    }
    assert!(market.higher("H12".parse().unwrap()).is_ok());
    assert_eq!(market.higher("H1".parse().unwrap()).unwrap_err().code, 1001);
}

#[test]
fn copies_share_what_is_computed_and_other_markets_do_not() {
    let market = weekend(|_| {});
    let hours = std::thread::scope(|scope| {
        let copies: Vec<Market> = vec![market.clone(); 4];
        let asked: Vec<_> = copies.into_iter().map(|m| scope.spawn(move || higher(&m, "H1"))).collect();
        asked.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(hours.iter().all(|h| Arc::ptr_eq(h, &higher(&market, "H1"))));
    assert_eq!(higher(&market.window(None, Some(SUNDAY), 0).unwrap(), "H1").len(), 2);
    let wide = market.spread_multiplied(3.0).unwrap();
    assert_eq!(higher(&wide, "H1").quotes(Quote::Ask).open[0], wide.ask().open[0]);
}

proptest! {
    #[test]
    fn what_is_known_at_a_bar_does_not_depend_on_later_ones(
        steps in prop::collection::vec(1_i64..40, 1..120), cut in 1_usize..120, offset in 0_i64..15,
        which in prop::sample::select(vec!["M10", "M15", "H1", "H4", "D1"]), stale in prop::option::of(0_usize..9),
    ) {
        let label: Vec<i64> = steps.iter().scan(FRIDAY + offset * M, |t, s| { *t += s * 5 * M; Some(*t) }).collect();
        let cut = cut.min(label.len());
        let aligned = |o: &mut MarketOptions| o.alignment.stale_after = stale;
        // A day must not begin inside a bar.
        let label: Vec<i64> = label.iter().map(|t| t - t.rem_euclid(5 * M)).collect();
        let (whole, part) = (market("M5", label.clone(), aligned), market("M5", label[..cut].to_vec(), aligned));
        let (whole, part) = (higher(&whole, which), higher(&part, which));
        prop_assert_eq!(&whole.newest()[..cut], part.newest());
        for side in [Quote::Bid, Quote::Ask] {
            for field in [Field::Open, Field::High, Field::Low, Field::Close, Field::Volume] {
                let (all, some) = (whole.aligned(side, field), part.aligned(side, field));
                prop_assert!(all[..cut].iter().zip(&some).all(|(a, b)| a.to_bits() == b.to_bits()));
            }
        }
        for (i, &k) in whole.newest().iter().enumerate() {
            let ended = whole.end().iter().filter(|&&end| end <= label[i] + 5 * M).count();
            prop_assert!(k == NONE && (ended == 0 || stale.is_some()) || k as usize + 1 == ended);
        }
    }
}

#[test]
fn a_large_market_is_resampled_at_once() {
    let spec = SymbolSpec::resolve("EURUSD", &serde_json::Map::new()).unwrap();
    let mut options = SyntheticOptions::new(spec, "M1".parse().unwrap(), 20_000);
    options.gap_rate = 0.1;
    let market = Market::synthetic(&options).unwrap();
    let hours = higher(&market, "H1");
    let volume: f64 = hours.quotes(Quote::Bid).volume.iter().sum();
    let until = market.label().partition_point(|t| t + M <= *hours.end().last().unwrap());
    assert_eq!(volume, market.bid().volume[..until].iter().sum::<f64>());
    assert!(hours.start().windows(2).all(|pair| pair[0] < pair[1]));
}
