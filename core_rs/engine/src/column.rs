//! A column of numbers whose memory belongs to somebody else: Arrow, Ray's object store, a `Vec`.

use std::ops::Range;
use std::sync::Arc;

/// A read-only, cheaply cloned slice of a shared buffer.
///
/// The owner is kept alive by the `Arc`; slicing never copies.
#[derive(Clone)]
pub struct Column<T: 'static> {
    owner: Arc<dyn AsRef<[T]> + Send + Sync>,
    range: Range<usize>,
}

impl<T> Column<T> {
    /// A column over the whole buffer of `owner`.
    pub fn new(owner: Arc<dyn AsRef<[T]> + Send + Sync>) -> Self {
        let range = 0..(*owner).as_ref().len();
        Self { owner, range }
    }

    /// The values.
    pub fn as_slice(&self) -> &[T] {
        &(*self.owner).as_ref()[self.range.clone()]
    }

    /// The same memory, restricted to `range` of this column.
    ///
    /// # Panics
    /// If `range` does not lie within the column.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.range.len(), "slice outside the column");
        let start = self.range.start;
        Self { owner: Arc::clone(&self.owner), range: start + range.start..start + range.end }
    }
}

impl<T: Send + Sync> From<Vec<T>> for Column<T> {
    fn from(values: Vec<T>) -> Self {
        Self::new(Arc::new(values))
    }
}

impl<T> std::ops::Deref for Column<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Column<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Column({} values)", self.range.len())
    }
}
