//! A strategy that has to be asked at every close, replaces its orders all the time, and moves stops at will.

use super::{options, plain, rules, session};
use proptest::prelude::*;
use sweep_engine::orders::{Direction, Labels, Order, OrderType, Position, Signal, StopKind};
use sweep_engine::run::script::Trail;
use sweep_engine::run::{Prepared, simulation};
use sweep_engine::strategy::{Actions, Decide, Part, Rules, View};

/// How often it does what, of a hundred.
#[derive(Debug, Clone)]
pub struct Habits {
    enters: u64,
    moves: u64,
    leaves: u64,
    cancels: u64,
    /// The longest that an order waits, in bars.
    patience: u64,
    /// Whether it names the bars on which it acts: never, always, or now and then.
    foresees: Foresight,
}

#[derive(Debug, Clone, Copy)]
enum Foresight {
    Never,
    Always,
    OnSomeBars,
    OfNothingOnly,
}

#[derive(Debug)]
pub struct Restless {
    pub seed: u64,
    pub habits: Habits,
    pub rules: Rules,
    pub trail: Option<Trail>,
}

/// What is drawn on a bar.
#[derive(Debug, Clone, Copy)]
enum Draw {
    Enter,
    Kind,
    Distance,
    Patience,
    Till,
    Move,
    Stop,
    Leave,
    Foresee,
    Cancel,
}

impl Restless {
    /// A number below `n` that depends on nothing but seed and bar.
    fn draw(&self, draw: Draw, i: usize, n: u64) -> u64 {
        let mut x = self.seed ^ (i as u64) << 8 ^ draw as u64;
        for odd in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
            x = (x ^ (x >> 30)).wrapping_mul(odd);
        }
        (x ^ (x >> 31)) % n
    }

    fn leaves(&self, i: usize) -> bool {
        self.draw(Draw::Leave, i, 100) < self.habits.leaves
    }

    fn moves(&self, i: usize) -> bool {
        self.draw(Draw::Move, i, 100) < self.habits.moves
    }

    /// Pips as a price.
    fn pips(&self, draw: Draw, i: usize, n: u64) -> f64 {
        self.draw(draw, i, n) as f64 * 1e-4
    }
}

impl Decide for Restless {
    fn rules(&self) -> Rules {
        Rules { trails: self.trail.is_some(), ..self.rules }
    }

    fn evaluate(&self, i: usize, view: &View<'_>, signals: &mut Vec<Signal>) {
        if self.draw(Draw::Enter, i, 100) >= self.habits.enters {
            return;
        }
        let (close, far) = (view.bid.close[i], self.pips(Draw::Distance, i, 12));
        let kind = self.draw(Draw::Kind, i, 10);
        let valid = 1 + self.draw(Draw::Patience, i, self.habits.patience);
        let labels = Labels { oco_group: Some("pair".into()), ..Labels::default() }.shared();
        let pending = |order_type, direction: Direction, ahead: f64| {
            let price = close + ahead * far;
            // Some are already passed, and refused.
            let order =
                Signal::pending(order_type, direction, price, price - direction.sign() * 0.0012, None);
            let till = self.draw(Draw::Till, i, 3 * valid + 1);
            let valid_bars = i64::try_from(valid).ok().filter(|_| till > 0);
            let good_till =
                i64::try_from(till).ok().filter(|&till| valid_bars.is_none_or(|bars| till < bars));
            let good_till = good_till.map(|bars| view.label[i] + bars * 300_000_000 + 60_000_000);
            Signal { valid_bars, good_till, labels: labels.clone(), ..order }
        };
        match kind {
            0 => signals.push(Signal::market(Direction::Long, close - 0.001, None)),
            1 => signals.push(Signal::market(Direction::Short, close + 0.001, Some(close - 0.003))),
            2..=4 => signals.push(pending(OrderType::Limit, Direction::Long, -1.0)),
            5 => signals.push(Signal { labels: None, ..pending(OrderType::Limit, Direction::Short, 1.0) }),
            _ => signals.extend([
                pending(OrderType::Stop, Direction::Long, 1.0),
                pending(OrderType::Stop, Direction::Short, -1.0),
            ]),
        }
    }

    fn manage(&self, position: &Position, i: usize, view: &View<'_>, actions: &mut Actions) {
        if self.leaves(i) {
            match self.draw(Draw::Kind, i, 4) {
                0 => actions.modify_target(None),
                1 => actions.partial_close(Part::Fraction(0.5)),
                2 => actions.modify_target(Some(position.entry_price + position.direction().sign() * 0.002)),
                _ => return actions.close(),
            }
        }
        if self.moves(i) {
            // Tighter or wider, now and then beyond the market.
            let far = self.pips(Draw::Stop, i, 30) - 2e-4;
            let price = view.bid.close[i] - position.direction().sign() * far;
            let kind = if far > 1e-3 { StopKind::Trailing } else { StopKind::Manual };
            actions.modify_stop(price, kind);
        }
    }

    fn next_action(&self, _position: &Position, i: usize, end: usize) -> Option<usize> {
        let foresees = match self.habits.foresees {
            Foresight::Never => false,
            Foresight::Always => true,
            Foresight::OnSomeBars => self.draw(Draw::Foresee, i, 2) > 0,
            Foresight::OfNothingOnly => i >= end,
        };
        foresees.then(|| (i..end).find(|&bar| self.leaves(bar) || self.moves(bar)).unwrap_or(end))
    }

    fn cancel(&self, order: &Order, i: usize, _view: &View<'_>) -> bool {
        self.draw(Draw::Cancel, i ^ usize::try_from(order.id).unwrap(), 100) < self.habits.cancels
    }

    fn trail_distance(&self, i: usize) -> f64 {
        self.trail.as_ref().map_or(0.0, |trail| trail.at(i))
    }
}

pub fn habits() -> impl Strategy<Value = Habits> {
    let some = |most: u64| prop_oneof![1 => Just(0), 3 => 0..most];
    let foresees = prop::sample::select(vec![
        Foresight::Never,
        Foresight::Always,
        Foresight::OnSomeBars,
        Foresight::OfNothingOnly,
    ]);
    (1..100u64, some(60), some(4), some(10), 1..12u64, foresees).prop_map(
        |(enters, moves, leaves, cancels, patience, foresees)| Habits {
            enters,
            moves,
            leaves,
            cancels,
            patience,
            foresees,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn of_a_restless_strategy(
        seed in 0..50u64,
        options in options(),
        (rules, trail) in rules(),
        habits in habits(),
        draws in any::<u64>(),
    ) {
        let session = session("EURUSD", seed, &options);
        let run = |stepwise| {
            let decider = Restless { seed: draws, habits: habits.clone(), rules, trail: trail.clone() };
            plain(simulation::run(&session, &[Prepared { decider, warmup: 20 }], stepwise).unwrap())
        };
        prop_assert_eq!(run(false), run(true));
    }
}
