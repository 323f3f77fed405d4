//! One value per bar, each computed when it is first asked for, and only once.

use std::sync::atomic::{AtomicU64, Ordering};

/// Quiet NaNs with payloads that no computation yields: results carry the canonical NaN alone.
const EMPTY: u64 = 0x7ff8_0000_0000_0001;
const BUSY: u64 = 0x7ff8_0000_0000_0002;
const CANONICAL: u64 = 0x7ff8_0000_0000_0000;

/// A value as it is kept.
fn word(value: f64) -> u64 {
    if value.is_nan() { CANONICAL } else { value.to_bits() }
}

/// Lazily filled values. Threads that ask for the same one wait for one computation.
#[derive(Debug)]
pub struct Slots(Vec<AtomicU64>);

/// Gives a slot back if its computation unwinds.
struct Claim<'a>(&'a AtomicU64);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let _ = self.0.compare_exchange(BUSY, EMPTY, Ordering::AcqRel, Ordering::Relaxed);
    }
}

impl Slots {
    /// Empty slots.
    pub fn new(bars: usize) -> Self {
        Self(std::iter::repeat_with(|| AtomicU64::new(EMPTY)).take(bars).collect())
    }

    /// Number of slots.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no slots.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fills the slot of bar `i`, unless it is filled or about to be.
    ///
    /// # Panics
    /// If there is no slot `i`.
    pub fn offer(&self, i: usize, value: f64) {
        let _ = self.0[i].compare_exchange(EMPTY, word(value), Ordering::AcqRel, Ordering::Relaxed);
    }

    /// The value of bar `i`, computed if it is absent.
    ///
    /// # Panics
    /// If there is no slot `i`.
    pub fn get(&self, i: usize, compute: impl FnOnce() -> f64) -> f64 {
        let slot = &self.0[i];
        loop {
            match slot.compare_exchange(EMPTY, BUSY, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    let claim = Claim(slot);
                    let bits = word(compute());
                    slot.store(bits, Ordering::Release);
                    drop(claim);
                    return f64::from_bits(bits);
                }
                Err(BUSY) => std::thread::yield_now(),
                Err(bits) => return f64::from_bits(bits),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn a_value_is_computed_once_even_when_asked_at_the_same_time() {
        let (slots, computed) = (Slots::new(50), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    for i in 0..50 {
                        let value = slots.get(i, || {
                            computed.fetch_add(1, Ordering::SeqCst);
                            std::thread::yield_now();
                            if i % 2 == 0 { f64::NAN } else { i as f64 }
                        });
                        assert!(if i % 2 == 0 { value.is_nan() } else { value == i as f64 });
                    }
                });
            }
        });
        assert_eq!(computed.load(Ordering::SeqCst), 50);
    }

    #[test]
    fn a_panic_leaves_the_slot_empty() {
        let slots = Slots::new(1);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| slots.get(0, || panic!("no"))));
        assert!(caught.is_err());
        assert_eq!(slots.get(0, || 2.0), 2.0);
    }
}
