//! The close crosses its moving average: entered at the market, with an ATR stop.

use sweep_engine::declare::{Canonical, Declaration, float, int};
use sweep_engine::error::Result;
use sweep_engine::orders::{Direction, Signal};
use sweep_engine::series::Indicators;
use sweep_engine::strategy::{Decide, Rounder, Rules, Strategy, View};
use sweep_indicators::atr::Atr;
use sweep_indicators::scope::Series;
use sweep_indicators::sma::Sma;
use sweep_strategies::directions::Directions;
use sweep_strategies::position_rules::{
    PositionRules, cooldown_bars, direction_filter, max_holding_bars, round_digits, stop_moves,
};

/// The strategy, prepared for one parameter set.
#[derive(Debug)]
pub struct MyStrategy {
    average: Series,
    atr: Series,
    sl_atr: f64,
    tp_r: f64,
    directions: Directions,
    rounder: Rounder,
    position: PositionRules,
}

impl Strategy for MyStrategy {
    fn declaration() -> Declaration {
        Declaration::builder("my_strategy", "1.0.0", "Close crosses its moving average")
            .doc("Buys when the bid close crosses above its simple average and sells when it crosses below.")
            .order_types(&["market"])
            .warmup("max(period, atr_period)")
            .parameters([
                int("period", 50)
                    .at_least(1)
                    .search(10..=200)
                    .step(5)
                    .unit("bars")
                    .group("entry")
                    .doc("period of the average; larger follows the price more slowly"),
                int("atr_period", 14)
                    .at_least(1)
                    .unit("bars")
                    .group("risk")
                    .doc("period of the ATR of the stop; larger reacts more slowly to volatility"),
                float("sl_atr", 2.0)
                    .at_least(0)
                    .search(1..=5)
                    .step(0.25)
                    .unit("ATR")
                    .group("risk")
                    .doc("distance of the stop; larger stops are hit less often and cost more"),
                float("tp_r", 2.0)
                    .at_least(0)
                    .search(1..=6)
                    .step(0.5)
                    .unit("R")
                    .group("exit")
                    .doc("distance of the target in multiples of the risk; larger wins more, less often"),
                direction_filter(),
                cooldown_bars(),
                max_holding_bars(0),
                round_digits(),
            ])
            .parameters(stop_moves())
            .checked()
    }

    fn warmup(params: &Canonical) -> usize {
        params.count("period").max(params.count("atr_period"))
    }

    fn prepare(view: &View<'_>, indicators: &Indicators<'_>, params: &Canonical) -> Result<Self> {
        let bid = indicators.bid();
        let atr = bid.get(&Atr { period: params.count("atr_period") });
        let own = Rules { timeout_bars: params.count("max_holding_bars"), ..Rules::default() };
        let position = PositionRules::of(params, &atr, own);
        Ok(Self {
            average: bid.get(&Sma { period: params.count("period") }),
            atr,
            sl_atr: params.float("sl_atr"),
            tp_r: params.float("tp_r"),
            directions: Directions::of(params),
            rounder: Rounder::new(view.spec, params.optional_int("round_digits")),
            position,
        })
    }
}

impl Decide for MyStrategy {
    fn rules(&self) -> Rules {
        self.position.rules
    }

    fn evaluate(&self, i: usize, view: &View<'_>, signals: &mut Vec<Signal>) {
        for direction in [Direction::Long, Direction::Short] {
            let allowed = self.directions.allow(direction) && self.atr[i].is_finite();
            if allowed && self.crosses(i, direction, view) {
                signals.push(self.signal(i, direction, view));
            }
        }
    }

    fn trail_distance(&self, i: usize) -> f64 {
        self.position.trail_distance(i)
    }
}

impl MyStrategy {
    /// Whether the close of bar `i` is beyond the average in this direction, and that of the bar before was not.
    fn crosses(&self, i: usize, direction: Direction, view: &View<'_>) -> bool {
        let Some(before) = i.checked_sub(1) else { return false };
        let beyond = |i: usize| direction.sign() * (view.bid.close[i] - self.average[i]);
        beyond(i) > 0.0 && beyond(before) <= 0.0
    }

    fn signal(&self, i: usize, direction: Direction, view: &View<'_>) -> Signal {
        let s = direction.sign();
        let price = match direction {
            Direction::Long => view.ask.close[i],
            Direction::Short => view.bid.close[i],
        };
        let stop = self.rounder.round(price - s * (self.sl_atr * self.atr[i]));
        let target = self.rounder.round(price + s * (self.tp_r * (s * (price - stop))));
        Signal::market(direction, stop, Some(target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};
    use std::collections::BTreeMap;
    use sweep_engine::declare::canonicalise;
    use sweep_engine::execution::resolve::resolve;
    use sweep_engine::market::{Market, SymbolSpec, SyntheticOptions};
    use sweep_engine::run::{Native, NativeStrategy, Session};

    #[test]
    fn its_declaration_is_sound() {
        assert_eq!(MyStrategy::declaration().self_check(), Vec::<String>::new());
    }

    #[test]
    fn it_enters_where_the_close_crosses_its_average() {
        let spec = SymbolSpec::resolve("EURUSD", &Map::new()).unwrap();
        let options = SyntheticOptions::new(spec, "M15".parse().unwrap(), 3_000);
        let markets = [Market::synthetic(&options).unwrap()];
        let options = resolve(&json!({}), "EURUSD").unwrap();
        let session = Session::new(&markets, vec![options], &BTreeMap::new(), 1 << 20).unwrap();
        let raw = json!({"period": 30});
        let params =
            canonicalise(&MyStrategy::declaration(), &session.context(), raw.as_object().unwrap()).unwrap();
        let said = Native::<MyStrategy>::new().signals(&session, &params).unwrap();
        assert!(said.len() > 20);
        let close = &markets[0].bid().close;
        let average = |i: usize| close[i - 29..=i].iter().sum::<f64>() / 30.0;
        for one in said {
            let (i, sign) = (one.bar, one.signal.direction.sign());
            assert!(sign * (close[i] - average(i)) > -1e-9, "bar {i}");
            assert!(sign * (close[i - 1] - average(i - 1)) < 1e-9, "bar {i}");
            assert!(sign * (close[i] - one.signal.stop_loss) > 0.0, "bar {i}");
        }
    }
}
