//! Indicator series, computed once per worker and shared by all its trials, bounded by bytes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use sweep_indicators::scope::{Key, Outputs, Series, Store};
use sweep_indicators::slots::Slots;

/// Bytes that an entry counts beside its values.
const OVERHEAD: usize = 256;

/// Which bars a value was computed on, or put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frame {
    /// 0 bid, 1 ask.
    pub side: u8,
    /// Length of a bar in microseconds, 0 for the primary timeframe; months and zones do not occur within one market.
    pub timeframe: i64,
    /// How the bars are laid out.
    pub layout: Layout,
}

/// How the bars of a timeframe are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// One value per bar of the timeframe.
    Bars,
    /// Computed on the bars of the timeframe, then repeated on every primary bar.
    Expanded,
    /// Computed on the bars repeated on every primary bar.
    Raster,
}

type CacheKey = (Frame, Key);

/// Counters of a cache. They never enter a result.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct CacheStats {
    /// Requests answered from memory, or by waiting for another thread's computation.
    pub hits: u64,
    /// Entries computed.
    pub misses: u64,
    /// Entries dropped to stay within the bound.
    pub evictions: u64,
    /// Bytes held.
    pub bytes: usize,
    /// Most bytes ever held.
    pub peak_bytes: usize,
    /// By indicator or sub-result.
    pub by_id: BTreeMap<&'static str, IdStats>,
}

impl CacheStats {
    /// Adds the counters of another cache.
    pub fn add(&mut self, other: &Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.evictions += other.evictions;
        self.bytes += other.bytes;
        self.peak_bytes += other.peak_bytes;
        for (id, theirs) in &other.by_id {
            let ours = self.by_id.entry(id).or_default();
            ours.hits += theirs.hits;
            ours.misses += theirs.misses;
            ours.seconds += theirs.seconds;
        }
    }
}

/// Counters of one indicator or sub-result.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct IdStats {
    /// Requests answered from memory.
    pub hits: u64,
    /// Entries computed.
    pub misses: u64,
    /// Seconds spent computing, sub-results included.
    pub seconds: f64,
}

#[derive(Debug, Clone)]
enum Content {
    Outputs(Arc<OnceLock<Outputs>>),
    Window(Arc<OnceLock<Series>>),
    Slots(Arc<Slots>),
}

impl Content {
    /// Windows of single bars are dropped before whole series.
    fn rank(&self) -> u8 {
        u8::from(!matches!(self, Self::Window(_)))
    }

    /// Whether it is complete and nobody but the cache holds it.
    fn idle(&self) -> bool {
        match self {
            Self::Outputs(cell) => cell.get().is_some_and(|outputs| {
                Arc::strong_count(cell) == 1
                    && Arc::strong_count(outputs) == 1
                    && !outputs.iter().any(Series::is_shared)
            }),
            Self::Window(cell) => {
                Arc::strong_count(cell) == 1 && cell.get().is_some_and(|series| !series.is_shared())
            }
            Self::Slots(slots) => Arc::strong_count(slots) == 1,
        }
    }
}

#[derive(Debug)]
struct Entry {
    content: Content,
    last_used: u64,
    bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<CacheKey, Entry>,
    /// Accounted entries by (rank, last use): the first idle one is dropped next.
    order: BTreeMap<(u8, u64), CacheKey>,
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

    /// The part of the cache that belongs to some bars.
    pub fn on(&self, frame: Frame) -> FrameStore<'_> {
        FrameStore { cache: self, frame }
    }

    /// Counters as of now.
    pub fn stats(&self) -> CacheStats {
        self.lock().stats.clone()
    }

    /// The state stays usable after a panic elsewhere: every change to it is complete before the lock is released.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The content of `key`, made empty by `empty` if it is absent.
    fn content(&self, key: &CacheKey, empty: impl FnOnce() -> Content) -> Content {
        let state = &mut *self.lock();
        state.clock += 1;
        let now = state.clock;
        let entry = state.entries.entry(key.clone()).or_insert_with(|| Entry {
            content: empty(),
            last_used: now,
            bytes: 0,
        });
        if entry.bytes > 0 {
            let rank = entry.content.rank();
            if let Some(key) = state.order.remove(&(rank, entry.last_used)) {
                state.order.insert((rank, now), key);
            }
        }
        entry.last_used = now;
        entry.content.clone()
    }

    /// Counts a request; one that `computed` something is accounted with `values` values of 8 bytes.
    fn account(&self, key: CacheKey, computed: Option<Duration>, values: usize) {
        let state = &mut *self.lock();
        let by_id = state.stats.by_id.entry(key.1.id).or_default();
        let Some(spent) = computed else {
            state.stats.hits += 1;
            by_id.hits += 1;
            return;
        };
        state.stats.misses += 1;
        by_id.misses += 1;
        by_id.seconds += spent.as_secs_f64();
        let bytes = values + OVERHEAD;
        if bytes > self.bound {
            state.entries.remove(&key);
            return;
        }
        if let Some(entry) = state.entries.get_mut(&key).filter(|entry| entry.bytes == 0) {
            entry.bytes = bytes;
            state.order.insert((entry.content.rank(), entry.last_used), key.clone());
            state.stats.bytes += bytes;
            state.stats.peak_bytes = state.stats.peak_bytes.max(state.stats.bytes);
        }
        self.evict(state, Some(&key));
    }

    /// Keeps the bound again: entries that were held when it was passed could not be dropped then.
    pub fn trim(&self) {
        self.evict(&mut self.lock(), None);
    }

    /// Drops the least recently used entries that nobody holds, until the bound is kept.
    fn evict(&self, state: &mut State, keep: Option<&CacheKey>) {
        while state.stats.bytes > self.bound {
            let idle = |key: &CacheKey| {
                Some(key) != keep && state.entries.get(key).is_some_and(|entry| entry.content.idle())
            };
            let Some((&at, _)) = state.order.iter().find(|(_, key)| idle(key)) else { return };
            let entry = state.order.remove(&at).and_then(|key| state.entries.remove(&key));
            if let Some(entry) = entry {
                state.stats.bytes -= entry.bytes;
                state.stats.evictions += 1;
            }
        }
    }
}

/// The values of one side, timeframe and layout.
#[derive(Debug, Clone, Copy)]
pub struct FrameStore<'a> {
    cache: &'a SeriesCache,
    frame: Frame,
}

/// Runs `compute` and says how long it took.
fn timed<T>(compute: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (compute(), start.elapsed())
}

impl Store for FrameStore<'_> {
    fn series(&self, key: Key, compute: &mut dyn FnMut() -> Vec<Series>) -> Outputs {
        let key = (self.frame, key);
        let Content::Outputs(cell) = self.cache.content(&key, || Content::Outputs(Arc::default())) else {
            return compute().into();
        };
        let mut spent = None;
        let outputs = Arc::clone(cell.get_or_init(|| {
            let (series, time) = timed(&mut *compute);
            spent = Some(time);
            series.into()
        }));
        drop(cell);
        let bytes = outputs.iter().map(|series| 8 * series.len()).sum();
        self.cache.account(key, spent, bytes);
        outputs
    }

    fn retains(&self) -> bool {
        self.cache.bound > 0
    }

    fn slots(&self, key: Key, bars: usize) -> Arc<Slots> {
        let key = (self.frame, key);
        let mut made = None;
        let content = self.cache.content(&key, || {
            made = Some(Duration::ZERO);
            Content::Slots(Arc::new(Slots::new(bars)))
        });
        let Content::Slots(slots) = content else { return Arc::new(Slots::new(bars)) };
        self.cache.account(key, made, 8 * bars);
        slots
    }

    fn window(&self, key: Key, compute: &mut dyn FnMut() -> Vec<f64>) -> Series {
        let key = (self.frame, key);
        let Content::Window(cell) = self.cache.content(&key, || Content::Window(Arc::default())) else {
            return compute().into();
        };
        let mut spent = None;
        let series = Series::clone(cell.get_or_init(|| {
            let (values, time) = timed(&mut *compute);
            spent = Some(time);
            values.into()
        }));
        drop(cell);
        self.cache.account(key, spent, 8 * series.len());
        series
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const FRAME: Frame = Frame { side: 0, timeframe: 0, layout: Layout::Bars };

    fn key(n: u64) -> Key {
        Key::part("test", [n])
    }

    fn get(cache: &SeriesCache, n: u64, compute: impl Fn() -> Vec<f64>) -> Series {
        cache.on(FRAME).series(key(n), &mut || vec![compute().into()])[0].clone()
    }

    #[test]
    fn a_series_is_computed_once_even_when_asked_at_the_same_time() {
        let cache = SeriesCache::new(1 << 20);
        let computed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for n in 0..20 {
                        let s = get(&cache, n, || {
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
        assert_eq!((stats.by_id["test"].misses, stats.by_id["test"].hits), (20, 140));
    }

    #[test]
    fn the_bound_holds_and_the_least_recently_used_goes_first() {
        let cache = SeriesCache::new(2 * (8 * 100 + OVERHEAD));
        for n in [1, 2, 1, 3] {
            get(&cache, n, || vec![n as f64; 100]);
        }
        assert!(cache.stats().bytes <= cache.bound);
        let recomputed = Mutex::new(Vec::new());
        for n in [1, 3, 2] {
            get(&cache, n, || {
                recomputed.lock().unwrap().push(n);
                vec![0.0; 100]
            });
        }
        assert_eq!(*recomputed.lock().unwrap(), [2]);
    }

    #[test]
    fn windows_go_before_series() {
        let cache = SeriesCache::new(2 * (8 * 100 + OVERHEAD));
        let window = |n| cache.on(FRAME).window(key(n), &mut || vec![0.0; 100]);
        get(&cache, 1, || vec![1.0; 100]);
        window(2);
        window(3);
        get(&cache, 1, || unreachable!("windows were dropped instead"));
        assert_eq!(cache.stats().evictions, 1);
    }

    #[test]
    fn a_series_in_use_is_not_dropped_and_a_bound_of_zero_retains_nothing() {
        let cache = SeriesCache::new(8 * 100 + OVERHEAD);
        let held = get(&cache, 1, || vec![1.0; 100]);
        get(&cache, 2, || vec![2.0; 100]);
        let again = get(&cache, 1, || unreachable!("it is held"));
        assert!(std::ptr::eq(&*held, &*again));
        let off = SeriesCache::new(0);
        get(&off, 1, || vec![1.0]);
        off.on(FRAME).slots(key(9), 10);
        assert_eq!(off.stats().bytes, 0);
    }

    #[test]
    fn what_was_held_beyond_the_bound_goes_when_it_is_let_go() {
        let cache = SeriesCache::new(8 * 100 + OVERHEAD);
        let held: Vec<Series> = (0..3).map(|n| get(&cache, n, || vec![1.0; 100])).collect();
        cache.trim();
        assert!(cache.stats().bytes > cache.bound);
        drop(held);
        cache.trim();
        assert_eq!((cache.stats().bytes, cache.stats().evictions), (cache.bound, 2));
        get(&cache, 2, || unreachable!("the latest stays"));
    }

    #[test]
    fn sides_and_layouts_do_not_share() {
        let cache = SeriesCache::new(1 << 20);
        let other = Frame { side: 1, ..FRAME };
        get(&cache, 1, || vec![1.0]);
        assert_eq!(*cache.on(other).series(key(1), &mut || vec![vec![2.0].into()])[0], [2.0]);
        assert_eq!(*get(&cache, 1, || unreachable!()), [1.0]);
    }

    #[test]
    fn slots_are_shared() {
        let cache = SeriesCache::new(1 << 20);
        let computed = AtomicUsize::new(0);
        for _ in 0..3 {
            let slots = cache.on(FRAME).slots(key(1), 4);
            let value = slots.get(2, || {
                computed.fetch_add(1, Ordering::SeqCst);
                7.0
            });
            assert_eq!(value, 7.0);
        }
        assert_eq!(computed.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn local_forms_are_computed_once_for_many_callers() {
        use sweep_indicators::catalogue::Indicator;
        use sweep_indicators::declare::Args;
        use sweep_indicators::garch_local::{GARCH_VOLATILITY_LOCAL, GarchLocal};
        use sweep_indicators::kalman_garch::{KALMAN_GARCH_ZSCORE_LOCAL, KalmanGarchLocal};
        use sweep_indicators::scope::{Bars, Scope};

        let close: Vec<f64> = (0..600u32).map(|i| 1.1 + 1e-3 * f64::from(i * 7919 % 101)).collect();
        let bars = Bars { open: &close, high: &close, low: &close, close: &close };
        let garch = GarchLocal::from_args(&Args::read(&GARCH_VOLATILITY_LOCAL, &[]).unwrap()).unwrap();
        let score =
            KalmanGarchLocal::from_args(&Args::read(&KALMAN_GARCH_ZSCORE_LOCAL, &[]).unwrap()).unwrap();
        let cache = SeriesCache::new(1 << 24);
        let ask = || {
            let store = cache.on(FRAME);
            let scope = Scope::new(bars, None, &store);
            for i in (500..600).step_by(5) {
                let (window, z) = (garch.window(&scope, i), score.at(&scope, i));
                assert!(window[window.len() - 1] > 0.0 && z.is_finite());
            }
        };
        std::thread::scope(|threads| (0..8).for_each(|_| drop(threads.spawn(ask))));
        let stats = cache.stats();
        assert_eq!((stats.by_id["garch_window"].misses, stats.by_id["garch_window"].hits), (20, 140));
        let slots = stats.by_id["kalman_garch_slots"];
        assert_eq!((slots.misses, slots.hits), (1, 159));
    }
}
