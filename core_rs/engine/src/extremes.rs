//! Highest and lowest prices of any stretch of bars, by blocks: a stretch is looked at in a 64th of its length.

use crate::strategy::SideView;
use std::ops::Range;

/// Bars per block.
const BLOCK: usize = 64;

/// The least and the greatest of some prices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    pub low: f64,
    pub high: f64,
}

impl Span {
    const EMPTY: Self = Self { low: f64::INFINITY, high: f64::NEG_INFINITY };

    /// Prices are finite: plain comparisons, which become one instruction each.
    #[inline]
    fn with(self, low: f64, high: f64) -> Self {
        Self {
            low: if low < self.low { low } else { self.low },
            high: if high > self.high { high } else { self.high },
        }
    }

    #[inline]
    fn join(self, other: Self) -> Self {
        self.with(other.low, other.high)
    }
}

/// Spans of one side of a market, a block at a time.
#[derive(Debug)]
pub struct Extremes {
    /// Of lows and highs.
    ranges: Vec<Span>,
    /// Of closes.
    closes: Vec<Span>,
}

impl Extremes {
    /// Of all bars of a side.
    pub fn of(side: &SideView<'_>) -> Self {
        let blocks = || (0..side.close.len()).step_by(BLOCK).map(|i| i..(i + BLOCK).min(side.close.len()));
        Self {
            ranges: blocks().map(|bars| range_of(side, bars)).collect(),
            closes: blocks().map(|bars| closes_of(side, bars)).collect(),
        }
    }

    /// The first of `bars` whose low is at most `floor` or whose high is at least `ceiling`; their end if none.
    pub fn first_touch(&self, side: &SideView<'_>, bars: Range<usize>, floor: f64, ceiling: f64) -> usize {
        for (piece, block) in pieces(bars.clone()) {
            if block.is_some_and(|k| self.ranges[k].low > floor && self.ranges[k].high < ceiling) {
                continue;
            }
            let prices = side.low[piece.clone()].iter().zip(&side.high[piece.clone()]);
            if let Some(at) = prices.into_iter().position(|(&low, &high)| low <= floor || high >= ceiling) {
                return piece.start + at;
            }
        }
        bars.end
    }

    /// Lowest low and highest high.
    pub fn range(&self, side: &SideView<'_>, bars: Range<usize>) -> Span {
        let span = |(piece, block): Piece| block.map_or_else(|| range_of(side, piece), |k| self.ranges[k]);
        pieces(bars).map(span).fold(Span::EMPTY, Span::join)
    }

    /// Lowest and highest close.
    pub fn closes(&self, side: &SideView<'_>, bars: Range<usize>) -> Span {
        let span = |(piece, block): Piece| block.map_or_else(|| closes_of(side, piece), |k| self.closes[k]);
        pieces(bars).map(span).fold(Span::EMPTY, Span::join)
    }
}

/// Some bars of one block, and its number if they are all of its bars.
type Piece = (Range<usize>, Option<usize>);

/// Cuts a stretch at the bounds of blocks.
#[inline]
fn pieces(bars: Range<usize>) -> impl Iterator<Item = Piece> {
    let mut from = bars.start;
    std::iter::from_fn(move || {
        if from >= bars.end {
            return None;
        }
        let block = from / BLOCK;
        let piece = from..bars.end.min((block + 1) * BLOCK);
        from = piece.end;
        let whole = piece.len() == BLOCK;
        Some((piece, whole.then_some(block)))
    })
}

#[inline]
fn range_of(side: &SideView<'_>, bars: Range<usize>) -> Span {
    let prices = side.low[bars.clone()].iter().zip(&side.high[bars]);
    prices.fold(Span::EMPTY, |span, (&low, &high)| span.with(low, high))
}

#[inline]
fn closes_of(side: &SideView<'_>, bars: Range<usize>) -> Span {
    side.close[bars].iter().fold(Span::EMPTY, |span, &close| span.with(close, close))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bars around a walk, and a stretch of them.
    fn bars() -> impl Strategy<Value = (Vec<[f64; 4]>, Range<usize>)> {
        let bar = (-5i32..=5, 0i32..4, 0i32..4).prop_map(|(move_, up, down)| (move_, up, down));
        prop::collection::vec(bar, 1..400).prop_flat_map(|moves| {
            let mut price = 1000;
            let bars: Vec<[f64; 4]> = moves
                .iter()
                .map(|(step, up, down)| {
                    let open = price;
                    price += step;
                    let prices = [open, open.max(price) + up, open.min(price) - down, price];
                    prices.map(f64::from)
                })
                .collect();
            let n = bars.len();
            (Just(bars), 0..=n, 0..=n).prop_map(|(bars, a, b)| (bars, a.min(b)..a.max(b)))
        })
    }

    proptest! {
        #[test]
        fn blocks_say_what_the_bars_say((bars, stretch) in bars(), floor in 980i32..1000, ceiling in 1000i32..1020) {
            let column = |k: usize| -> Vec<f64> { bars.iter().map(|bar| bar[k]).collect() };
            let [open, high, low, close] = [0, 1, 2, 3].map(column);
            let side = SideView { open: &open, high: &high, low: &low, close: &close };
            let extremes = Extremes::of(&side);
            let (floor, ceiling) = (f64::from(floor), f64::from(ceiling));
            let plain = stretch.clone().find(|&i| low[i] <= floor || high[i] >= ceiling).unwrap_or(stretch.end);
            prop_assert_eq!(extremes.first_touch(&side, stretch.clone(), floor, ceiling), plain);
            let least = |prices: &[f64]| prices[stretch.clone()].iter().copied().fold(f64::INFINITY, f64::min);
            let most = |prices: &[f64]| prices[stretch.clone()].iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert_eq!(extremes.range(&side, stretch.clone()), Span { low: least(&low), high: most(&high) });
            prop_assert_eq!(extremes.closes(&side, stretch.clone()), Span { low: least(&close), high: most(&close) });
        }
    }
}
