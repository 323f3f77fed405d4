//! The check values of the specification, the stylised facts, and what a seed does and does not decide.

use rstest::rstest;
use serde_json::json;

use super::super::calendar::{iso, since_monday};
use super::*;

const EURUSD: &str = r#"{"spec": {"symbol": "EURUSD"}, "timeframe": "M5", "bars": 1000, "seed": 7}"#;
const USDJPY: &str = r#"{"spec": {"symbol": "USDJPY"}, "timeframe": "H1", "bars": 1000, "seed": 7,
    "correlation": 0.5, "jump_rate": 0.01, "gap_rate": 0.02, "weekends": "open"}"#;

fn market(options: &str) -> Market {
    Market::synthetic(&SyntheticOptions::from_json(options).unwrap()).unwrap()
}

fn drawn(change: impl Fn(&mut SyntheticOptions)) -> Result<Market> {
    let mut options = SyntheticOptions::from_json(EURUSD).unwrap();
    change(&mut options);
    Market::synthetic(&options)
}

fn bid_bar(market: &Market, row: usize) -> [f64; 4] {
    market.bid().prices().map(|column| column[row])
}

#[test]
fn the_default_market_is_as_specified() {
    let market = market(EURUSD);
    let grid = market.spec().grid();
    assert_eq!(market.len(), 1_000);
    assert_eq!(
        market.digest().to_string(),
        "8b045335c3f22ccaf1118cebd411bf4a88a38b99001ad79de689d88daea48696"
    );
    let ticks = |column: &[f64]| column.iter().map(|&p| grid.ticks(p)).sum::<i64>();
    assert_eq!(ticks(&market.bid().close), 119_151_974);
    assert_eq!(ticks(&market.ask().close) - ticks(&market.bid().close), 10_326);
    assert_eq!(market.bid().volume.iter().sum::<f64>(), 85_314.0);
    assert_eq!(market.bid().volume[..], market.ask().volume[..]);
}

#[rstest]
#[case(0, "2020-01-02T00:00:00Z", [1.2, 1.2, 1.19976, 1.19994], 8, 65.0)]
#[case(1, "2020-01-02T00:05:00Z", [1.19993, 1.19993, 1.19975, 1.19976], 10, 36.0)]
#[case(2, "2020-01-02T00:10:00Z", [1.19971, 1.20004, 1.19971, 1.20004], 10, 29.0)]
#[case(551, "2020-01-03T21:55:00Z", [1.19337, 1.19337, 1.19314, 1.19326], 25, 39.0)]
#[case(552, "2020-01-05T22:00:00Z", [1.19472, 1.19475, 1.19466, 1.19473], 25, 54.0)]
fn bars_are_as_specified(
    #[case] row: usize,
    #[case] label: &str,
    #[case] bid: [f64; 4],
    #[case] spread: i64,
    #[case] volume: f64,
) {
    let market = market(EURUSD);
    let grid = market.spec().grid();
    assert_eq!(iso(market.label()[row]), label);
    assert_eq!(bid_bar(&market, row), bid);
    assert_eq!(market.bid().volume[row], volume);
    for (bid, ask) in market.bid().prices().into_iter().zip(market.ask().prices()) {
        assert_eq!(grid.ticks(ask[row]) - grid.ticks(bid[row]), spread);
    }
}

#[test]
fn every_feature_together_is_as_specified() {
    let market = market(USDJPY);
    assert_eq!(
        market.digest().to_string(),
        "4c283360ca8acef710bf6b705001a4e63f3be8c799978cc34457585ea637f65a"
    );
    assert_eq!(bid_bar(&market, 0), [120.0, 120.125, 119.988, 120.125]);
    assert_eq!(market.bid().volume[0], 501.0);
    assert_eq!(bid_bar(&market, 999), [113.77, 113.954, 113.77, 113.954]);
    assert_eq!(iso(market.label()[999]), "2020-02-13T07:00:00Z");
}

/// Autocorrelation of `series` at `lag`.
fn autocorrelation(series: &[f64], lag: usize) -> f64 {
    let n = series.len() as f64;
    let mean = series.iter().sum::<f64>() / n;
    let variance: f64 = series.iter().map(|x| (x - mean) * (x - mean)).sum();
    series.iter().zip(&series[lag..]).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>() / variance
}

#[test]
fn the_stylised_facts_hold() {
    let market = drawn(|o| o.bars = 40_000).unwrap();
    let returns: Vec<f64> = market.bid().close.windows(2).map(|c| (c[1] / c[0]).ln()).collect();
    let n = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / n;
    let moment = |k: i32| returns.iter().map(|r| (r - mean).powi(k)).sum::<f64>() / n;
    let year = (252.0 * 288.0_f64).sqrt() * moment(2).sqrt();
    assert!((year - 0.098).abs() < 0.0005, "volatility {year}");
    let kurtosis = moment(4) / (moment(2) * moment(2));
    assert!((kurtosis - 9.9).abs() < 0.05, "kurtosis {kurtosis}");
    for lag in 1..=10 {
        let r = autocorrelation(&returns, lag);
        assert!(r.abs() < 0.02, "returns correlate by {r} at lag {lag}");
    }
    let absolute: Vec<f64> = returns.iter().map(|r| r.abs()).collect();
    for (lag, expected) in [(1, 0.24), (20, 0.17)] {
        let r = autocorrelation(&absolute, lag);
        assert!((r - expected).abs() < 0.005, "absolute returns correlate by {r} at lag {lag}");
    }
}

#[rstest]
fn drawn_bars_keep_the_data_contract_and_the_grid(
    #[values("M1", "M15", "H1", "H4", "D1")] timeframe: &str,
    #[values("EURUSD", "DE40", "XAGUSD")] symbol: &str,
) {
    let text = json!({
        "spec": {"symbol": symbol}, "timeframe": timeframe, "bars": 500, "volatility": 2, "jump_rate": 0.2,
        "gap_rate": 0.3, "correlation": 0.4, "price": null,
    });
    let market = market(&text.to_string());
    let grid = market.spec().grid();
    for side in [market.bid(), market.ask()] {
        let Quotes { open, high, low, close, volume } = side.clone();
        assert!(open.iter().chain(&high[..]).chain(&low[..]).chain(&close[..]).all(|&p| grid.on_grid(p)));
        let label = market.label_column().clone();
        let raw = super::super::RawBars { label, open, high, low, close, volume: Some(volume) };
        super::super::Bars::check(raw, "drawn", market.timeframe(), super::super::Duplicates::Reject)
            .unwrap();
    }
    assert_eq!(market.report().crossed.bars, 0);
    assert!(market.report().gaps.count > 50);
}

#[test]
fn prices_stay_above_their_floor() {
    let market = drawn(|o| (o.price, o.volatility, o.bars) = (0.0011, 2.0, 5_000)).unwrap();
    let lowest = market.bid().low.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(lowest, 0.001);
}

#[test]
fn weekends_are_closed_unless_open() {
    let hours = |market: &Market| -> Vec<i64> {
        market.label().iter().map(|&t| since_monday(t) / 3_600_000_000).collect()
    };
    let closed = hours(&drawn(|o| o.bars = 3_000).unwrap());
    assert!(closed.iter().all(|h| !(118..166).contains(h)));
    let open = hours(&drawn(|o| (o.bars, o.weekends) = (3_000, Weekends::Open)).unwrap());
    assert!((0..168).all(|h| open.contains(&h)));
}

#[test]
fn a_shorter_market_is_the_beginning_of_a_longer_one() {
    let (short, long) = (drawn(|o| o.bars = 600).unwrap(), drawn(|o| o.bars = 900).unwrap());
    assert_eq!(short.label(), &long.label()[..600]);
    assert_eq!(short.ask().low[..], long.ask().low[..600]);
}

#[test]
fn gaps_only_leave_bars_out() {
    let (whole, holes) = (drawn(|_| ()).unwrap(), drawn(|o| (o.gap_rate, o.bars) = (0.3, 500)).unwrap());
    for (row, label) in holes.label().iter().enumerate() {
        let of_whole = whole.label().binary_search(label).unwrap();
        assert_eq!(bid_bar(&holes, row), bid_bar(&whole, of_whole));
    }
}

#[test]
fn correlation_is_between_symbols_of_one_seed() {
    let returns = |symbol: &str, correlation: f64| -> Vec<f64> {
        let spec = SymbolSpec::resolve(symbol, &serde_json::Map::new()).unwrap();
        let mut options = SyntheticOptions::new(spec, "H1".parse().unwrap(), 10_000);
        options.correlation = correlation;
        let market = Market::synthetic(&options).unwrap();
        market.bid().close.windows(2).map(|c| (c[1] / c[0]).ln()).collect()
    };
    let correlation = |rho: f64| {
        let (x, y) = (returns("EURUSD", rho), returns("USDJPY", rho));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(p, q)| p * q).sum::<f64>();
        dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt()
    };
    assert!(correlation(0.0).abs() < 0.03);
    assert!((0.6..0.85).contains(&correlation(0.8)), "{}", correlation(0.8));
}

#[rstest]
#[case(json!({"timeframe": "M7"}), 1001, "timeframe")]
#[case(json!({"timeframe": "W1"}), 1001, "timeframe")]
#[case(json!({"timeframe": "5M"}), 1009, "timeframe")]
#[case(json!({"start": 60_000_000}), 1001, "start")]
#[case(json!({"start": "2020-01-01"}), 1004, "start")]
#[case(json!({"bars": 0}), 1003, "bars")]
#[case(json!({"bars": 50_000_000}), 1003, "bars")]
#[case(json!({"bars": i64::MAX}), 1003, "bars")]
#[case(json!({"bars": 1.5}), 1004, "bars")]
#[case(json!({"bars": null}), 1008, "bars")]
#[case(json!({"seed": -1}), 1004, "seed")]
#[case(json!({"price": 0}), 1003, "price")]
#[case(json!({"price": 1e12}), 1003, "price")]
#[case(json!({"volatility": 0}), 1003, "volatility")]
#[case(json!({"volatility": 2.1}), 1003, "volatility")]
#[case(json!({"spread_pips": -0.1}), 1003, "spread_pips")]
#[case(json!({"spread_pips": 1e300}), 1003, "price")]
#[case(json!({"correlation": 1.1}), 1003, "correlation")]
#[case(json!({"jump_rate": 1}), 1003, "jump_rate")]
#[case(json!({"gap_rate": 1}), 1003, "gap_rate")]
#[case(json!({"weekends": "shut"}), 1001, "weekends")]
#[case(json!({"volatilty": 0.1}), 1001, "volatility?")]
#[case(json!({"spec": {"symbol": "EURUSDX"}}), 1001, "EURUSD")]
#[case(json!({"spec": null}), 1008, "spec")]
fn bad_options_are_refused(#[case] changed: serde_json::Value, #[case] code: u16, #[case] named: &str) {
    let mut options: serde_json::Value = serde_json::from_str(EURUSD).unwrap();
    for (key, value) in changed.as_object().unwrap() {
        options[key] = value.clone();
    }
    let error = SyntheticOptions::from_json(&options.to_string())
        .and_then(|o| Market::synthetic(&o))
        .err()
        .unwrap_or_else(|| panic!("{changed} was accepted"));
    assert_eq!(error.code, code, "{error}");
    assert!(error.to_string().contains(named), "{error}");
}
