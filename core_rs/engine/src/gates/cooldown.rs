//! Gate `cooldown`: a pause after the last exit and after the last accepted order of a symbol.

use super::clock::MINUTE;
use crate::Result;
use crate::execution::resolve::Section;
use serde::Serialize;
use serde_json::Value as Json;

/// How long to pause; 0 is not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Cooldown {
    /// Minutes after the moment of the last full close.
    pub after_exit_minutes: u32,
    /// Bars from that of the last full close on; 1 is that bar alone.
    pub after_exit_bars: u32,
    /// Minutes after the moment of the last accepted order.
    pub after_signal_minutes: u32,
    /// Bars from that of the last accepted order on.
    pub after_signal_bars: u32,
}

impl Cooldown {
    /// # Errors
    /// [1001] unknown key, [1004] no whole number.
    pub(super) fn read(json: &Json) -> Result<Self> {
        let mut s = Section::new("gates.cooldown", Some(json))?;
        let cooldown = Self {
            after_exit_minutes: s.whole("after_exit_minutes", 0)?,
            after_exit_bars: s.whole("after_exit_bars", 0)?,
            after_signal_minutes: s.whole("after_signal_minutes", 0)?,
            after_signal_bars: s.whole("after_signal_bars", 0)?,
        };
        s.finish()?;
        Ok(cooldown)
    }

    /// Whether it ever blocks.
    pub fn active(&self) -> bool {
        *self != Self::default()
    }

    /// With at least `bars` bars after an exit.
    #[must_use]
    pub fn at_least(self, bars: usize) -> Self {
        let bars = u32::try_from(bars).unwrap_or(u32::MAX);
        Self { after_exit_bars: self.after_exit_bars.max(bars), ..self }
    }

    /// The first bar whose decision it does not block; `first_at` gives the first bar whose moment of decision is not before
    /// a time.
    #[inline]
    pub fn free_from(
        &self,
        last_exit: Option<(i64, usize)>,
        last_order: Option<(i64, usize)>,
        first_at: impl Fn(i64) -> usize,
    ) -> usize {
        let over = |last: Option<(i64, usize)>, minutes: u32, bars: u32| {
            let Some((then, at)) = last else { return 0 };
            let by_bars = if bars > 0 { at + bars as usize } else { 0 };
            let by_time = if minutes > 0 { first_at(then + i64::from(minutes) * MINUTE) } else { 0 };
            by_bars.max(by_time)
        };
        over(last_exit, self.after_exit_minutes, self.after_exit_bars).max(over(
            last_order,
            self.after_signal_minutes,
            self.after_signal_bars,
        ))
    }

    /// Whether it blocks the decision at `moment` on bar `bar`; (moment, bar) of the last exit and accepted order.
    #[inline]
    pub fn blocks(
        &self,
        moment: i64,
        bar: usize,
        last_exit: Option<(i64, usize)>,
        last_order: Option<(i64, usize)>,
    ) -> bool {
        let within = |last: Option<(i64, usize)>, minutes: u32, bars: u32| {
            last.is_some_and(|(then, at)| {
                moment - then < i64::from(minutes) * MINUTE || bar.saturating_sub(at) < bars as usize
            })
        };
        within(last_exit, self.after_exit_minutes, self.after_exit_bars)
            || within(last_order, self.after_signal_minutes, self.after_signal_bars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("after_exit_bars", 1, 0, false, true)]
    #[case("after_exit_bars", 1, 1, false, false)]
    #[case("after_exit_bars", 2, 1, false, true)]
    #[case("after_exit_bars", 2, 2, false, false)]
    #[case("after_exit_minutes", 10, 1, false, true)]
    #[case("after_exit_minutes", 10, 2, false, false)]
    #[case("after_signal_bars", 2, 1, true, true)]
    #[case("after_signal_bars", 2, 2, true, false)]
    #[case("after_signal_minutes", 10, 1, true, true)]
    #[case("after_signal_minutes", 10, 2, true, false)]
    fn it_counts_from_the_moment_and_the_bar_of_the_last_event(
        #[case] key: &str,
        #[case] length: u32,
        #[case] bars: usize,
        #[case] signal: bool,
        #[case] blocked: bool,
    ) {
        let cooldown = Cooldown::read(&json!({ key: length })).unwrap();
        let (then, now) = (Some((0, 7)), (bars as i64 * 5 * MINUTE, 7 + bars));
        let (exit, order) = if signal { (None, then) } else { (then, None) };
        assert!(cooldown.active());
        assert_eq!(cooldown.blocks(now.0, now.1, exit, order), blocked);
        let first_at = |time: i64| 7 + usize::try_from((time + 5 * MINUTE - 1) / (5 * MINUTE)).unwrap();
        assert_eq!(now.1 < cooldown.free_from(exit, order, first_at), blocked);
        assert_eq!(cooldown.free_from(order, exit, first_at), 0);
        // The other kind of event does not count, nor does none.
        assert!(!cooldown.blocks(now.0, now.1, order, exit));
        assert!(!cooldown.blocks(now.0, now.1, None, None));
    }

    #[test]
    fn the_larger_number_of_bars_counts() {
        let configured = Cooldown::read(&json!({"after_exit_bars": 3})).unwrap();
        assert_eq!(configured.at_least(2), configured);
        assert_eq!(configured.at_least(5).after_exit_bars, 5);
        assert!(!Cooldown::default().at_least(0).active());
    }
}
