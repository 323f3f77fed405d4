//! Highest and lowest prices of any stretch of bars, by blocks: a stretch is looked at in a 32nd of its length.

use crate::strategy::SideView;
use std::ops::Range;

/// Bars per block.
pub const BLOCK: usize = 32;

/// The least and the greatest of some prices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    pub low: f64,
    pub high: f64,
}

impl Span {
    const EMPTY: Self = Self { low: f64::INFINITY, high: f64::NEG_INFINITY };

    #[inline]
    fn join(self, other: Self) -> Self {
        Self { low: lower(other.low, self.low), high: higher(other.high, self.high) }
    }
}

/// Prices at which something happens, such as an exit or the trigger of an order.
#[derive(Debug, Clone, Copy)]
pub struct Levels {
    /// At or below it.
    pub floor: f64,
    /// At or above it.
    pub ceiling: f64,
}

impl Levels {
    /// Whether prices from `low` to `high` reach one of them.
    #[inline]
    pub fn reached(self, low: f64, high: f64) -> bool {
        low <= self.floor || high >= self.ceiling
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

    /// The first of `bars` that reaches one of the levels; their end if none.
    pub fn first_touch(&self, side: &SideView<'_>, bars: Range<usize>, levels: Levels) -> usize {
        for (piece, block) in pieces(bars.clone()) {
            if block.is_some_and(|k| !levels.reached(self.ranges[k].low, self.ranges[k].high)) {
                continue;
            }
            let mut prices = side.low[piece.clone()].iter().zip(&side.high[piece.clone()]);
            if let Some(at) = prices.position(|(&low, &high)| levels.reached(low, high)) {
                return piece.start + at;
            }
        }
        bars.end
    }

    /// Lowest low and highest high of the blocks of `bars`, whose other bars count too: bounds that cost no look at prices.
    #[inline]
    pub fn range_around(&self, bars: Range<usize>) -> Span {
        around(&self.ranges, bars)
    }

    /// As [`Self::range_around`], of closes.
    #[inline]
    pub fn closes_around(&self, bars: Range<usize>) -> Span {
        around(&self.closes, bars)
    }

    /// Lowest low and highest high.
    #[inline]
    pub fn range(&self, side: &SideView<'_>, bars: Range<usize>) -> Span {
        let Cut { head, blocks, tail } = cut(bars);
        let ends = range_of(side, head).join(range_of(side, tail));
        self.ranges[blocks].iter().fold(ends, |span, block| span.join(*block))
    }

    /// Lowest and highest close.
    #[inline]
    pub fn closes(&self, side: &SideView<'_>, bars: Range<usize>) -> Span {
        Span { low: self.lowest_close(side, bars.clone()), high: self.highest_close(side, bars) }
    }

    /// Lowest close.
    #[inline]
    pub fn lowest_close(&self, side: &SideView<'_>, bars: Range<usize>) -> f64 {
        let Cut { head, blocks, tail } = cut(bars);
        let ends = lower(lowest(&side.close[head]), lowest(&side.close[tail]));
        self.closes[blocks].iter().fold(ends, |low, block| lower(block.low, low))
    }

    /// Highest close.
    #[inline]
    pub fn highest_close(&self, side: &SideView<'_>, bars: Range<usize>) -> f64 {
        let Cut { head, blocks, tail } = cut(bars);
        let ends = higher(highest(&side.close[head]), highest(&side.close[tail]));
        self.closes[blocks].iter().fold(ends, |high, block| higher(block.high, high))
    }
}

/// Some bars: those before the first whole block, the numbers of whole blocks, the bars after the last.
struct Cut {
    head: Range<usize>,
    blocks: Range<usize>,
    tail: Range<usize>,
}

#[inline]
fn cut(bars: Range<usize>) -> Cut {
    let Range { start, end } = bars;
    let (first, after) = (start.div_ceil(BLOCK), end / BLOCK);
    if first >= after {
        // At most the bars of two blocks, none of them whole.
        return Cut { head: start..end, blocks: 0..0, tail: end..end };
    }
    Cut { head: start..first * BLOCK, blocks: first..after, tail: after * BLOCK..end }
}

#[inline]
fn around(blocks: &[Span], bars: Range<usize>) -> Span {
    let blocks = &blocks[bars.start / BLOCK..bars.end.div_ceil(BLOCK)];
    blocks.iter().fold(Span::EMPTY, |span, block| span.join(*block))
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
    Span { low: lowest(&side.low[bars.clone()]), high: highest(&side.high[bars]) }
}

#[inline]
fn closes_of(side: &SideView<'_>, bars: Range<usize>) -> Span {
    Span { low: lowest(&side.close[bars.clone()]), high: highest(&side.close[bars]) }
}

#[inline]
fn lowest(prices: &[f64]) -> f64 {
    extreme(prices, f64::INFINITY, lower)
}

#[inline]
fn highest(prices: &[f64]) -> f64 {
    extreme(prices, f64::NEG_INFINITY, higher)
}

/// Prices are finite: plain comparisons, which become one instruction each.
#[inline]
fn lower(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

#[inline]
fn higher(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// Prices that are compared at the same time: one after the other each would wait for the one before.
const LANES: usize = 8;

/// The price that `better` prefers to all others; `none` if there are none. Looking twice at a price does no harm.
#[inline]
fn extreme(prices: &[f64], none: f64, better: impl Fn(f64, f64) -> f64) -> f64 {
    let Some(last) = prices.last_chunk::<LANES>() else {
        return prices.iter().fold(none, |best, &price| better(price, best));
    };
    let mut lanes = *last;
    for chunk in prices.as_chunks::<LANES>().0 {
        for (best, &price) in lanes.iter_mut().zip(chunk) {
            *best = better(price, *best);
        }
    }
    let mut lanes = lanes.as_mut_slice();
    while lanes.len() > 1 {
        let (left, right) = lanes.split_at_mut(lanes.len() / 2);
        for (best, &mut price) in left.iter_mut().zip(right) {
            *best = better(price, *best);
        }
        lanes = left;
    }
    lanes[0]
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
            let least = |prices: &[f64]| prices.iter().copied().fold(f64::INFINITY, f64::min);
            let most = |prices: &[f64]| prices.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let range = |bars: Range<usize>| Span { low: least(&low[bars.clone()]), high: most(&high[bars]) };
            prop_assert_eq!(extremes.first_touch(&side, stretch.clone(), Levels { floor, ceiling }), plain);
            prop_assert_eq!(extremes.range(&side, stretch.clone()), range(stretch.clone()));
            let closes = Span { low: least(&close[stretch.clone()]), high: most(&close[stretch.clone()]) };
            prop_assert_eq!(extremes.closes(&side, stretch.clone()), closes);
            prop_assert_eq!(extremes.lowest_close(&side, stretch.clone()), closes.low);
            prop_assert_eq!(extremes.highest_close(&side, stretch.clone()), closes.high);
            if !stretch.is_empty() {
                let blocks = stretch.start / BLOCK * BLOCK..(stretch.end.div_ceil(BLOCK) * BLOCK).min(low.len());
                prop_assert_eq!(extremes.range_around(stretch.clone()), range(blocks.clone()));
                let closes = Span { low: least(&close[blocks.clone()]), high: most(&close[blocks]) };
                prop_assert_eq!(extremes.closes_around(stretch), closes);
            }
        }
    }
}
