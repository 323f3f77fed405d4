//! Canonical digests: bytes of a table that do not depend on chunking, encoding or a library's version, hashed
//! column by column straight from the engine's own vectors.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::registry::{Kind, Schema};

/// A SHA-256; shown in lower-case hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// From 64 hexadecimal characters of either case.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text).ok_or_else(|| serde::de::Error::custom("not a SHA-256 in hexadecimal"))
    }
}

/// SHA-256 over the raw digests of trades, daily equity and metrics (those without `pow`).
pub fn result_digest(trades: &Digest, daily: &Digest, metrics: &Digest) -> Digest {
    let mut sink = Sink::new();
    sink.put(b"sweep.result.v1\n");
    for part in [trades, daily, metrics] {
        sink.put(&part.0);
    }
    sink.finish()
}

const BUFFER: usize = 8192;

/// SHA-256 behind a buffer: single values are copied, the hash sees whole blocks.
#[derive(Clone)]
struct Sink {
    hash: Sha256,
    buffer: [u8; BUFFER],
    used: usize,
}

impl Sink {
    fn new() -> Self {
        Self { hash: Sha256::new(), buffer: [0; BUFFER], used: 0 }
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        if bytes.len() > BUFFER - self.used {
            self.flush();
            if bytes.len() > BUFFER {
                self.hash.update(bytes);
                return;
            }
        }
        self.buffer[self.used..self.used + bytes.len()].copy_from_slice(bytes);
        self.used += bytes.len();
    }

    /// The first `n` bytes of a cell; it is copied as a whole, which needs no look at `n`.
    #[inline]
    fn put_padded(&mut self, cell: &Cell, n: usize) {
        if BUFFER - self.used < cell.len() {
            self.flush();
        }
        self.buffer[self.used..self.used + cell.len()].copy_from_slice(cell);
        self.used += n;
    }

    /// Many values of `N` bytes, without a look at the room for each. Returns their number.
    fn put_all<const N: usize>(&mut self, values: impl IntoIterator<Item = [u8; N]>) -> usize {
        let (mut values, mut rows) = (values.into_iter(), 0);
        loop {
            let mut filled = 0;
            let (room, _) = self.buffer[self.used..].as_chunks_mut::<N>();
            for (place, value) in room.iter_mut().zip(&mut values) {
                *place = value;
                filled += 1;
            }
            let full = filled == room.len();
            self.used += N * filled;
            rows += filled;
            if !full {
                return rows;
            }
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.hash.update(&self.buffer[..self.used]);
        self.used = 0;
    }

    fn finish(mut self) -> Digest {
        self.flush();
        Digest(self.hash.finalize().into())
    }
}

/// Streams a table into its canonical digest: columns in the schema's order, each with all its rows.
///
/// Column methods come in two forms: plain, for fields that cannot be null, and `_or_null`, which pass over
/// their iterator twice (presence first, then values).
///
/// # Panics
/// All methods panic if a column is not the next one of the schema, or does not have the announced row count:
/// the digest would be of no table.
///
/// ```
/// use sweep_engine::schema::{TableHasher, schema};
///
/// let mut table = TableHasher::new(schema("daily").expect("a known schema"), 1);
/// table.timestamps([1_704_067_200_000_000]);
/// table.floats([9900.0]);
/// assert_eq!(
///     table.finish().to_string(),
///     "5dfc745ca720af6dd6506f8c0b27270e67832cba8c15cc4cb48c153ecbd7ff12"
/// );
/// ```
#[derive(Clone)]
pub struct TableHasher {
    schema: &'static Schema,
    rows: usize,
    column: usize,
    sink: Sink,
}

impl TableHasher {
    /// A table of `rows` rows.
    pub fn new(schema: &'static Schema, rows: usize) -> Self {
        let mut sink = Sink::new();
        sink.put(b"sweep.table.v1\n");
        sink.put(schema.name.as_bytes());
        sink.put(&[0]);
        sink.put(schema.fingerprint.as_bytes());
        sink.put(&(rows as u64).to_le_bytes());
        Self { schema, rows, column: 0, sink }
    }

    /// Times in microseconds.
    pub fn timestamps(&mut self, values: impl IntoIterator<Item = i64>) {
        self.plain(Kind::Timestamp, |sink| sink.put_all(values.into_iter().map(i64::to_le_bytes)));
    }

    /// Times in microseconds, null allowed.
    pub fn timestamps_or_null<I>(&mut self, values: I)
    where
        I: IntoIterator<Item = Option<i64>>,
        I::IntoIter: Clone,
    {
        self.nullable(Kind::Timestamp, values, |sink, v| sink.put(&v.unwrap_or(0).to_le_bytes()));
    }

    /// binary64 values; every NaN counts as one, and −0.0 as 0.0.
    pub fn floats(&mut self, values: impl IntoIterator<Item = f64>) {
        self.plain(Kind::Float, |sink| sink.put_all(values.into_iter().map(|v| canonical(v).to_le_bytes())));
    }

    /// binary64 values, null allowed.
    pub fn floats_or_null<I>(&mut self, values: I)
    where
        I: IntoIterator<Item = Option<f64>>,
        I::IntoIter: Clone,
    {
        self.nullable(Kind::Float, values, |sink, v| sink.put(&v.map_or(0, canonical).to_le_bytes()));
    }

    /// i32 values.
    pub fn ints(&mut self, values: impl IntoIterator<Item = i32>) {
        self.plain(Kind::Int, |sink| sink.put_all(values.into_iter().map(i32::to_le_bytes)));
    }

    /// i32 values, null allowed.
    pub fn ints_or_null<I>(&mut self, values: I)
    where
        I: IntoIterator<Item = Option<i32>>,
        I::IntoIter: Clone,
    {
        self.nullable(Kind::Int, values, |sink, v| sink.put(&v.unwrap_or(0).to_le_bytes()));
    }

    /// i64 values.
    pub fn longs(&mut self, values: impl IntoIterator<Item = i64>) {
        self.plain(Kind::Long, |sink| sink.put_all(values.into_iter().map(i64::to_le_bytes)));
    }

    /// i64 values, null allowed.
    pub fn longs_or_null<I>(&mut self, values: I)
    where
        I: IntoIterator<Item = Option<i64>>,
        I::IntoIter: Clone,
    {
        self.nullable(Kind::Long, values, |sink, v| sink.put(&v.unwrap_or(0).to_le_bytes()));
    }

    /// u64 values.
    pub fn unsigned(&mut self, values: impl IntoIterator<Item = u64>) {
        self.plain(Kind::Unsigned, |sink| sink.put_all(values.into_iter().map(u64::to_le_bytes)));
    }

    /// u64 values, null allowed.
    pub fn unsigned_or_null<I>(&mut self, values: I)
    where
        I: IntoIterator<Item = Option<u64>>,
        I::IntoIter: Clone,
    {
        self.nullable(Kind::Unsigned, values, |sink, v| sink.put(&v.unwrap_or(0).to_le_bytes()));
    }

    /// Booleans.
    pub fn bools(&mut self, values: impl IntoIterator<Item = bool>) {
        self.plain(Kind::Bool, |sink| sink.put_all(values.into_iter().map(|v| [u8::from(v)])));
    }

    /// UTF-8 text, also for dictionary fields.
    pub fn texts<T: AsRef<str>>(&mut self, values: impl IntoIterator<Item = T>) {
        self.plain(Kind::Text, |sink| {
            let mut rows = 0;
            for value in values {
                put_text(sink, value.as_ref());
                rows += 1;
            }
            rows
        });
    }

    /// As [`Self::texts`], of few different words, by their numbers in a dictionary.
    pub fn words(&mut self, dictionary: &[&str], codes: impl IntoIterator<Item = usize>) {
        let cells: Vec<Option<Cell>> = dictionary.iter().map(|word| cell(word)).collect();
        self.plain(Kind::Text, |sink| {
            let mut rows = 0;
            for code in codes {
                match &cells[code] {
                    Some(cell) => sink.put_padded(cell, LENGTH + dictionary[code].len()),
                    None => put_text(sink, dictionary[code]),
                }
                rows += 1;
            }
            rows
        });
    }

    /// UTF-8 text, null allowed; also for dictionary fields.
    pub fn texts_or_null<T, I>(&mut self, values: I)
    where
        T: AsRef<str>,
        I: IntoIterator<Item = Option<T>>,
        I::IntoIter: Clone,
    {
        self.nullable(Kind::Text, values, |sink, v| put_text(sink, v.as_ref().map_or("", AsRef::as_ref)));
    }

    /// The digest.
    pub fn finish(self) -> Digest {
        assert_eq!(self.column, self.schema.fields.len(), "table {} lacks columns", self.schema.name);
        self.sink.finish()
    }

    /// `put` gives the rows to the sink and says how many there were.
    fn plain(&mut self, kind: Kind, put: impl FnOnce(&mut Sink) -> usize) {
        self.begin(kind, false);
        let rows = put(&mut self.sink);
        self.end(rows);
    }

    fn nullable<T, I>(&mut self, kind: Kind, values: I, mut put: impl FnMut(&mut Sink, Option<T>))
    where
        I: IntoIterator<Item = Option<T>>,
        I::IntoIter: Clone,
    {
        self.begin(kind, true);
        let values = values.into_iter();
        for value in values.clone() {
            self.sink.put(&[u8::from(value.is_some())]);
        }
        let mut rows = 0;
        for value in values {
            put(&mut self.sink, value);
            rows += 1;
        }
        self.end(rows);
    }

    fn begin(&mut self, kind: Kind, nullable: bool) {
        let (table, column) = (self.schema.name, self.column);
        assert!(column < self.schema.fields.len(), "table {table} has no column {column}");
        let field = &self.schema.fields[column];
        assert_eq!(
            (field.kind.letter(), field.nullable),
            (kind.letter(), nullable),
            "column {} of table {table} has another type",
            field.name
        );
        self.sink.put(field.name.as_bytes());
        self.sink.put(&[0, field.kind.letter()]);
    }

    fn end(&mut self, rows: usize) {
        let field = self.schema.fields[self.column].name;
        assert_eq!(rows, self.rows, "column {field} of table {} has another length", self.schema.name);
        self.column += 1;
    }
}

/// The bits that stand for a float: one zero, one NaN.
#[inline]
fn canonical(x: f64) -> u64 {
    if x.is_nan() { 0x7ff8_0000_0000_0000 } else { (x + 0.0).to_bits() }
}

#[inline]
fn put_text(sink: &mut Sink, text: &str) {
    // The format's length field has 32 bits; a cell of 4 GiB does not occur.
    #[allow(clippy::cast_possible_truncation)]
    sink.put(&(text.len() as u32).to_le_bytes());
    sink.put(text.as_bytes());
}

/// Bytes of the length of a text.
const LENGTH: usize = 4;

/// Bytes of a short word: its length, itself, and zeros.
type Cell = [u8; 32];

/// `None` of a word that is too long.
fn cell(word: &str) -> Option<Cell> {
    let mut cell = [0; 32];
    let length = u32::try_from(word.len()).ok()?.to_le_bytes();
    cell[..LENGTH].copy_from_slice(&length);
    cell[LENGTH..].get_mut(..word.len())?.copy_from_slice(word.as_bytes());
    Some(cell)
}

#[cfg(test)]
mod tests;
