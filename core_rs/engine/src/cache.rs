//! Indicator series, computed once per worker and shared by all its trials, bounded by bytes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// A computed series on the raster of the primary bars.
pub type Series = Arc<[f64]>;

/// What a series is a function of, next to the market: exact bits, nothing rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesKey {
    /// Indicator or sub-result.
    pub id: &'static str,
    /// 0 bid, 1 ask.
    pub side: u8,
    /// Parameters: integers as they are, floats by their bits (−0.0 as +0.0).
    pub params: [u64; 3],
}

/// Bits of a float parameter in a key.
pub fn key_bits(x: f64) -> u64 {
    (if x == 0.0 { 0.0 } else { x }).to_bits()
}

/// Counters of a cache. They never enter a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct CacheStats {
    /// Requests answered from memory, or by waiting for another thread's computation.
    pub hits: u64,
    /// Series computed.
    pub misses: u64,
    /// Series dropped to stay within the bound.
    pub evictions: u64,
    /// Bytes held.
    pub bytes: usize,
    /// Most bytes ever held.
    pub peak_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    cell: Arc<OnceLock<Series>>,
    last_used: u64,
    bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<SeriesKey, Entry>,
    clock: u64,
    stats: CacheStats,
}

/// A cache bounded by bytes; 0 turns retention off.
///
/// Results never depend on hits, misses, eviction or the order of requests.
#[derive(Debug)]
pub struct SeriesCache {
    bound: usize,
    state: Mutex<State>,
}

impl SeriesCache {
    /// A cache that retains at most `bound` bytes.
    pub fn new(bound: usize) -> Self {
        Self { bound, state: Mutex::default() }
    }

    /// The series of `key`; computed by `compute` if it is absent. Threads that ask at the same time wait for one.
    pub fn get(&self, key: SeriesKey, compute: impl FnOnce() -> Vec<f64>) -> Series {
        let cell = self.cell(key);
        let mut computed = false;
        let series = Arc::clone(cell.get_or_init(|| {
            computed = true;
            compute().into()
        }));
        drop(cell);
        self.account(key, &series, computed);
        series
    }

    /// Counters as of now.
    pub fn stats(&self) -> CacheStats {
        self.lock().stats
    }

    /// The state stays usable after a panic elsewhere: every change to it is complete before the lock is released.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cell(&self, key: SeriesKey) -> Arc<OnceLock<Series>> {
        let state = &mut *self.lock();
        state.clock += 1;
        let clock = state.clock;
        let entry = state.entries.entry(key).or_insert_with(|| Entry {
            cell: Arc::default(),
            last_used: clock,
            bytes: 0,
        });
        entry.last_used = clock;
        Arc::clone(&entry.cell)
    }

    fn account(&self, key: SeriesKey, series: &Series, computed: bool) {
        let state = &mut *self.lock();
        if !computed {
            state.stats.hits += 1;
            return;
        }
        state.stats.misses += 1;
        let bytes = 8 * series.len() + 256;
        if bytes > self.bound {
            state.entries.remove(&key);
            return;
        }
        if let Some(entry) = state.entries.get_mut(&key) {
            entry.bytes = bytes;
            state.stats.bytes += bytes;
            state.stats.peak_bytes = state.stats.peak_bytes.max(state.stats.bytes);
        }
        self.evict(state, key);
    }

    /// Drops the least recently used series that nobody holds, until the bound is kept.
    fn evict(&self, state: &mut State, keep: SeriesKey) {
        while state.stats.bytes > self.bound {
            let idle = |e: &Entry| e.cell.get().is_some_and(|s| Arc::strong_count(s) == 1);
            let victim = state
                .entries
                .iter()
                .filter(|(k, e)| **k != keep && e.bytes > 0 && idle(e))
                .min_by_key(|(_, e)| e.last_used)
                .map(|(k, _)| *k);
            let Some(victim) = victim else { return };
            if let Some(entry) = state.entries.remove(&victim) {
                state.stats.bytes -= entry.bytes;
                state.stats.evictions += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn key(n: u64) -> SeriesKey {
        SeriesKey { id: "test", side: 0, params: [n, 0, 0] }
    }

    #[test]
    fn a_series_is_computed_once_even_when_asked_at_the_same_time() {
        let cache = SeriesCache::new(1 << 20);
        let computed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for n in 0..20 {
                        let s = cache.get(key(n), || {
                            computed.fetch_add(1, Ordering::SeqCst);
                            std::thread::yield_now();
                            vec![n as f64]
                        });
                        assert_eq!(*s, [n as f64]);
                    }
                });
            }
        });
        assert_eq!(computed.load(Ordering::SeqCst), 20);
        let stats = cache.stats();
        assert_eq!((stats.misses, stats.hits), (20, 140));
    }

    #[test]
    fn the_bound_holds_and_the_least_recently_used_goes_first() {
        let cache = SeriesCache::new(2 * (8 * 100 + 256));
        for n in [1, 2, 1, 3] {
            cache.get(key(n), || vec![n as f64; 100]);
        }
        assert!(cache.stats().bytes <= cache.bound);
        let mut recomputed = Vec::new();
        for n in [1, 3, 2] {
            cache.get(key(n), || {
                recomputed.push(n);
                vec![0.0; 100]
            });
        }
        assert_eq!(recomputed, [2]);
    }

    #[test]
    fn a_series_in_use_is_not_dropped_and_a_bound_of_zero_retains_nothing() {
        let cache = SeriesCache::new(8 * 100 + 256);
        let held = cache.get(key(1), || vec![1.0; 100]);
        cache.get(key(2), || vec![2.0; 100]);
        let again = cache.get(key(1), || unreachable!("it is held"));
        assert!(Arc::ptr_eq(&held, &again));
        let off = SeriesCache::new(0);
        off.get(key(1), || vec![1.0]);
        assert_eq!(off.stats().bytes, 0);
    }
}
