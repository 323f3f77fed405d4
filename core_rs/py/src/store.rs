//! The columns of bars on their way into the file of a dataset.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result as IoResult, Seek, SeekFrom, Write};
use std::path::Path;

use sweep_engine::market::{Market, Quotes};
use sweep_engine::{Error, Result};

/// Values that are written at once, 32 KiB of them. Longer writes get huge pages, and on virtual machines whose host
/// takes back free memory just these are the ones that it has to supply anew: five times the time of the writing.
const PIECE: usize = 1 << 12;

/// For every column of a market's table the one that is to be stored: itself, or that of the bid with the same bits.
pub fn columns(market: &Market) -> Vec<(String, String)> {
    let mut columns = vec![("timestamp".to_owned(), "timestamp".to_owned())];
    columns.extend(market.bid().columns().map(|(name, _)| (format!("bid_{name}"), format!("bid_{name}"))));
    let twins: [bool; 5] = match market.spread() {
        Some(_) => market.bid().columns().map(|(name, _)| name == "volume"),
        None => {
            let (bid, ask) = (market.bid().columns(), market.ask().columns());
            std::array::from_fn(|at| same_bits(bid[at].1, ask[at].1))
        }
    };
    for ((name, _), twin) in market.bid().columns().into_iter().zip(twins) {
        columns.push((format!("ask_{name}"), format!("{}_{name}", if twin { "bid" } else { "ask" })));
    }
    columns
}

fn same_bits(a: &[f64], b: &[f64]) -> bool {
    std::ptr::eq(a, b) || bytemuck::cast_slice::<_, u64>(a) == bytemuck::cast_slice::<_, u64>(b)
}

/// Writes columns into a file that is there, each from its offset in bytes on.
///
/// # Errors
/// [3000] the file cannot be written, [3007] the disk is full; [5004] a column that a market does not have.
pub fn write(market: &Market, path: &Path, places: &[(String, u64)]) -> Result<()> {
    let failed = |problem: std::io::Error| {
        let code = if problem.kind() == ErrorKind::StorageFull { 3007 } else { 3000 };
        Error::data(code, format!("cannot be written: {problem}")).at(path.display().to_string())
    };
    let mut file = OpenOptions::new().write(true).open(path).map_err(failed)?;
    for (name, offset) in places {
        file.seek(SeekFrom::Start(*offset)).map_err(failed)?;
        let written = match (name.split_once('_'), market.spread()) {
            (None, _) => put(&mut file, market.label()),
            (Some(("ask", field)), Some(spread)) if field != "volume" => {
                put_raised(&mut file, column(market.bid(), field)?, spread)
            }
            (Some(("ask", field)), _) => put(&mut file, column(market.ask(), field)?),
            (Some((_, field)), _) => put(&mut file, column(market.bid(), field)?),
        };
        written.map_err(failed)?;
    }
    Ok(())
}

fn column<'a>(quotes: &'a Quotes, field: &str) -> Result<&'a [f64]> {
    let named = quotes.columns().into_iter().find(|(name, _)| *name == field);
    named
        .map(|(_, column)| column.as_slice())
        .ok_or_else(|| Error::data(5004, format!("a market has no column {field:?}")))
}

fn put<T: bytemuck::NoUninit>(file: &mut File, values: &[T]) -> IoResult<()> {
    values.chunks(PIECE).try_for_each(|piece| file.write_all(bytemuck::cast_slice(piece)))
}

fn put_raised(file: &mut File, values: &[f64], spread: f64) -> IoResult<()> {
    let mut raised = Vec::with_capacity(PIECE);
    values.chunks(PIECE).try_for_each(|piece| {
        raised.clear();
        raised.extend(piece.iter().map(|price| price + spread));
        put(file, &raised)
    })
}
