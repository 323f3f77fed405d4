//! Bars on which something may happen, found many at a time: where a decision is a function of series, one look over them
//! takes the place of a question per bar.

use std::ops::Range;
use std::sync::OnceLock;

/// Bars per word.
const WORD: usize = 64;
/// Words per chunk.
const WORDS: usize = 16;
/// Bars that are judged at once.
const CHUNK: usize = WORD * WORDS;

/// One bit per bar. A chunk of them is filled in when one of its bars is first asked for: a run over a part of a market
/// pays for that part.
///
/// ```
/// use sweep_engine::marks::Marks;
///
/// let series = [3.0, 8.0, 2.0, f64::NAN, 9.0];
/// let marks = Marks::new(series.len());
/// let high = |bars: std::ops::Range<usize>, marks: &mut [bool]| {
///     for (mark, x) in marks.iter_mut().zip(&series[bars]) {
///         *mark = *x > 5.0;
///     }
/// };
/// assert_eq!(marks.next(2, 5, high), 4);
/// assert_eq!(marks.next(2, 4, high), 4, "the end, if there is none before");
/// ```
#[derive(Debug)]
pub struct Marks {
    bars: usize,
    chunks: Vec<OnceLock<[u64; WORDS]>>,
}

impl Marks {
    /// Of a market with so many bars; none is judged yet.
    pub fn new(bars: usize) -> Self {
        Self { bars, chunks: (0..bars.div_ceil(CHUNK)).map(|_| OnceLock::new()).collect() }
    }

    /// The first marked bar from `from` on, before `end`; `end` if there is none.
    ///
    /// `judge` writes for each of some bars whether it is marked: always the same for the same bar. It may be called for
    /// any bars of the market, so it must not depend on `from` and `end`. Plain comparisons without branches are judged
    /// several at a time.
    #[inline]
    pub fn next(&self, from: usize, end: usize, judge: impl Fn(Range<usize>, &mut [bool])) -> usize {
        let end = end.min(self.bars);
        if from >= end {
            return end;
        }
        let mut word = from / WORD;
        let mut left = self.word(word, &judge) & (u64::MAX << (from % WORD));
        while left == 0 {
            word += 1;
            if word * WORD >= end {
                return end;
            }
            left = self.word(word, &judge);
        }
        (word * WORD + left.trailing_zeros() as usize).min(end)
    }

    /// The first marked bar of those for which `sure` says yes too; the rest as [`Self::next`].
    #[inline]
    pub fn first(
        &self,
        from: usize,
        end: usize,
        judge: impl Fn(Range<usize>, &mut [bool]),
        mut sure: impl FnMut(usize) -> bool,
    ) -> usize {
        let mut bar = self.next(from, end, &judge);
        while bar < end && !sure(bar) {
            bar = self.next(bar + 1, end, &judge);
        }
        bar
    }

    #[inline]
    fn word(&self, word: usize, judge: &impl Fn(Range<usize>, &mut [bool])) -> u64 {
        let chunk = word / WORDS;
        let words = match self.chunks[chunk].get() {
            Some(words) => words,
            None => self.chunks[chunk].get_or_init(|| self.judged(chunk, judge)),
        };
        words[word % WORDS]
    }

    #[inline(never)]
    fn judged(&self, chunk: usize, judge: &impl Fn(Range<usize>, &mut [bool])) -> [u64; WORDS] {
        let start = chunk * CHUNK;
        let bars = start..self.bars.min(start + CHUNK);
        let mut marks = [false; CHUNK];
        let n = bars.len();
        judge(bars, &mut marks[..n]);
        let (bytes, _) = marks.as_chunks::<8>();
        let (groups, _) = bytes.as_chunks::<8>();
        std::array::from_fn(|word| u64::from_le_bytes(groups[word].map(packed)))
    }
}

/// Eight marks as the bits of a byte, the first one lowest.
#[inline]
fn packed(marks: [bool; 8]) -> u8 {
    // The product brings byte k, a 0 or a 1, to bit 56 + k; nothing else reaches the highest byte.
    let spread = u64::from_le_bytes(marks.map(u8::from)).wrapping_mul(0x0102_0408_1020_4080);
    spread.to_be_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;

    #[test]
    fn a_byte_has_a_bit_per_mark() {
        for bits in 0..=u8::MAX {
            assert_eq!(packed(std::array::from_fn(|k| bits >> k & 1 > 0)), bits);
        }
    }

    #[test]
    fn only_chunks_that_are_asked_for_are_judged_and_each_once() {
        let marks = Marks::new(3 * CHUNK + 5);
        let judged = Cell::new(Vec::new());
        let never = |bars: Range<usize>, marks: &mut [bool]| {
            assert_eq!(bars.len(), marks.len());
            let mut all = judged.take();
            all.push(bars);
            judged.set(all);
        };
        assert_eq!(marks.next(CHUNK + 7, 2 * CHUNK, never), 2 * CHUNK);
        assert_eq!(marks.next(CHUNK, 2 * CHUNK, never), 2 * CHUNK);
        assert_eq!(marks.next(3 * CHUNK + 1, usize::MAX, never), 3 * CHUNK + 5);
        assert_eq!(judged.take(), [CHUNK..2 * CHUNK, 3 * CHUNK..3 * CHUNK + 5]);
        assert_eq!(marks.next(9, 9, never), 9);
        assert_eq!(Marks::new(0).next(0, 0, never), 0);
        assert!(judged.take().is_empty());
    }

    proptest! {
        #[test]
        fn the_next_mark_is_the_one_that_a_plain_search_finds(
            held in prop::collection::vec(prop::bool::weighted(0.01), 1..4000),
            from in 0..4000usize,
            end in 0..4000usize,
        ) {
            let (marks, end) = (Marks::new(held.len()), end.min(held.len()));
            let judge = |bars: Range<usize>, marks: &mut [bool]| marks.copy_from_slice(&held[bars]);
            let plain = (from..end).find(|&bar| held[bar]).unwrap_or(end);
            prop_assert_eq!(marks.next(from, end, judge), plain);
            let even = (from..end).find(|&bar| held[bar] && bar % 2 == 0).unwrap_or(end);
            prop_assert_eq!(marks.first(from, end, judge, |bar| bar % 2 == 0), even);
        }
    }
}
