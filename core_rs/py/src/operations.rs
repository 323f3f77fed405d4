//! Operations of a portfolio as Python states them: a mapping per operation, or a table with a row per operation.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Int64Array, LargeStringArray, ListArray, PrimitiveArray,
    RecordBatch, StringArray, StringViewArray, UInt64Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, TimeUnit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyMapping, PyString};
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use std::sync::Arc;
use sweep_engine::orders::{Meta, Note};
use sweep_engine::portfolio::api::{Batch, Operation, Quote, Row};
use sweep_engine::suggest::suggestion;
use sweep_engine::{Error, Result};

/// Fields of an operation.
const FIELDS: [&str; 27] = [
    "op",
    "position",
    "position_id",
    "symbol",
    "direction",
    "order_type",
    "status",
    "price",
    "order_price",
    "size",
    "stop_loss",
    "take_profit",
    "clear_take_profit",
    "stop_kind",
    "risk_per_trade",
    "time",
    "order_time",
    "fee",
    "amount",
    "kind",
    "reason",
    "buffer_pips",
    "scenario",
    "tag",
    "meta",
    "quotes",
    "lots",
];

fn unknown(name: &str) -> Error {
    Error::config(1001, format!("unknown field {name:?}")).at("operation").fix(suggestion(name, FIELDS))
}

fn mistyped(name: &str, wanted: &str) -> Error {
    Error::config(1004, format!("{name} is no {wanted}")).at("operation").fix(format!("give a {wanted}"))
}

// ---------------------------------------------------------------------------------------------------------------------

/// An operation of a mapping; a value of None is as good as absent.
///
/// # Errors
/// [1001] an unknown field, [1004] no mapping, or a value of another type.
pub fn of_mapping(fields: &Bound<'_, PyAny>) -> Result<Row<'static>> {
    let mut row = Row::default();
    fill(&mut row, &plain("the row", fields)?, false)?;
    Ok(row)
}

/// A mapping as a dict: a copy, unless it is one.
fn plain<'py>(name: &str, value: &Bound<'py, PyAny>) -> Result<Bound<'py, PyDict>> {
    if let Ok(dict) = value.cast::<PyDict>() {
        return Ok(dict.clone());
    }
    let copy = PyDict::new(value.py());
    let copied = value.cast::<PyMapping>().ok().map(|mapping| copy.update(mapping));
    match copied {
        Some(Ok(())) => Ok(copy),
        _ => Err(mistyped(name, "mapping")),
    }
}

/// `nested` where the fields are those of `position`, in which no other one can be.
fn fill(row: &mut Row<'static>, fields: &Bound<'_, PyDict>, nested: bool) -> Result<()> {
    for (key, value) in fields.iter() {
        let key = key.cast::<PyString>().map_err(|_| mistyped("a field's name", "text"))?;
        let key = key.to_cow().map_err(|_| mistyped("a field's name", "text"))?;
        let value = Cell { name: &key, value };
        if value.value.is_none() {
            if !FIELDS.contains(&value.name) && !alias(value.name) {
                return Err(unknown(value.name));
            }
            continue;
        }
        match value.name {
            "op" if !nested => row.op = Some(value.text()?),
            "position" if !nested => fill(row, &plain("position", &value.value)?, true)?,
            "position_id" | "id" => row.position_id = Some(value.id()?),
            "symbol" => row.symbol = Some(value.text()?),
            "direction" => row.direction = Some(value.direction()?),
            "order_type" => row.order_type = Some(value.text()?),
            "status" => row.status = Some(value.text()?),
            "price" | "entry_price" => row.price = Some(value.number()?),
            "order_price" => row.order_price = Some(value.number()?),
            "size" | "lots" => row.size = Some(value.number()?),
            "stop_loss" => row.stop_loss = Some(value.number()?),
            "take_profit" => row.take_profit = Some(value.number()?),
            "clear_take_profit" => row.clear_take_profit = value.flag()?,
            "stop_kind" => row.stop_kind = Some(value.text()?),
            "risk_per_trade" => row.risk_per_trade = Some(value.number()?),
            "time" | "entry_time" => row.time = Some(value.time()?),
            "order_time" => row.order_time = Some(value.time()?),
            "fee" => row.fee = Some(value.number()?),
            "amount" => row.amount = Some(value.number()?),
            "kind" => row.kind = Some(value.text()?),
            "reason" => row.reason = Some(value.text()?),
            "buffer_pips" => row.buffer_pips = Some(value.number()?),
            "scenario" => row.scenario = Some(value.text()?),
            "tag" => row.tag = Some(value.text()?),
            "meta" => row.meta = value.meta()?,
            "quotes" => row.quotes = value.quotes()?,
            other if nested && FIELDS.contains(&other) => {
                let what = format!("{other:?} is no field of a position");
                return Err(Error::config(1001, what).at("position").fix("name it beside the position"));
            }
            other => return Err(unknown(other)),
        }
    }
    Ok(())
}

fn alias(name: &str) -> bool {
    ["id", "entry_price", "entry_time"].contains(&name)
}

/// A value of a mapping.
struct Cell<'a, 'py> {
    name: &'a str,
    value: Bound<'py, PyAny>,
}

impl Cell<'_, '_> {
    fn wrong(&self, wanted: &str) -> Error {
        mistyped(self.name, wanted)
    }

    fn text(&self) -> Result<Cow<'static, str>> {
        let text = self.value.extract::<String>().map_err(|_| self.wrong("text"))?;
        Ok(Cow::Owned(text))
    }

    fn number(&self) -> Result<f64> {
        number(&self.value).ok_or_else(|| self.wrong("number"))
    }

    fn flag(&self) -> Result<bool> {
        self.value.extract().map_err(|_| self.wrong("bool"))
    }

    /// Numbers that are no id, such as -1, become one that cannot be known.
    fn id(&self) -> Result<u64> {
        if let Ok(id) = self.value.extract::<u64>() {
            return Ok(id);
        }
        let whole = self.value.hasattr("__index__").unwrap_or(false);
        if !whole {
            return Err(self.wrong("whole number"));
        }
        let told = self.value.str().map(|text| text.to_string()).unwrap_or_default();
        Err(Error::config(1001, format!("{} is {told}", self.name))
            .at("operation")
            .fix("give an id from 1 on"))
    }

    /// µs as an integer, or what Python makes of a date and time.
    fn time(&self) -> Result<i64> {
        if let Ok(time) = self.value.extract::<i64>() {
            return Ok(time);
        }
        let micros = self.value.py().import("sweep.portfolio").and_then(|m| m.getattr("micros"));
        let time = micros.and_then(|f| f.call1((&self.value,))).and_then(|t| t.extract::<i64>());
        time.map_err(|_| self.wrong("time").fix("give µs since 1970-01-01 UTC, or a datetime"))
    }

    fn direction(&self) -> Result<Cow<'static, str>> {
        match self.value.extract::<i64>() {
            Ok(sign) => Ok(Cow::Owned(sign.to_string())),
            Err(_) => self.text(),
        }
    }

    fn meta(&self) -> Result<Option<Arc<Meta>>> {
        let wrong = || self.wrong("mapping of texts, whole numbers and bools");
        let mut notes = Meta::new();
        for (key, value) in plain(self.name, &self.value)?.iter() {
            let note = if let Ok(text) = value.extract::<String>() {
                Note::Text(text)
            } else if value.is_instance_of::<PyBool>() {
                Note::Bool(value.extract().map_err(|_| wrong())?)
            } else {
                Note::Int(value.extract().map_err(|_| wrong())?)
            };
            notes.insert(key.extract().map_err(|_| wrong())?, note);
        }
        Ok(shared(notes))
    }

    fn quotes(&self) -> Result<Vec<Quote<'static>>> {
        let wrong = || self.wrong("mapping of symbols to (bid, ask)");
        let items = self.value.cast::<PyMapping>().map_err(|_| wrong())?.items().map_err(|_| wrong())?;
        let quote = |item: Bound<'_, PyAny>| {
            let (symbol, (bid, ask)): (String, (f64, f64)) = item.extract().map_err(|_| wrong())?;
            Ok(Quote { symbol: symbol.into(), bid, ask })
        };
        items.iter().map(quote).collect()
    }
}

fn number(value: &Bound<'_, PyAny>) -> Option<f64> {
    if value.is_instance_of::<PyBool>() { None } else { value.extract().ok() }
}

fn shared(notes: Meta) -> Option<Arc<Meta>> {
    if notes.is_empty() { None } else { Some(Arc::new(notes)) }
}

// ---------------------------------------------------------------------------------------------------------------------

/// A chunk of a table of operations: one column per field, null = not given. `quotes` is a list of {symbol, bid, ask},
/// `meta` is JSON.
#[derive(Default)]
pub struct OperationTable<'a> {
    rows: usize,
    op: Words<'a>,
    position_id: Ids<'a>,
    symbol: Words<'a>,
    direction: Words<'a>,
    order_type: Words<'a>,
    status: Words<'a>,
    price: Floats<'a>,
    order_price: Floats<'a>,
    size: Floats<'a>,
    stop_loss: Floats<'a>,
    take_profit: Floats<'a>,
    clear_take_profit: Option<&'a BooleanArray>,
    stop_kind: Words<'a>,
    risk_per_trade: Floats<'a>,
    time: Times<'a>,
    order_time: Times<'a>,
    fee: Floats<'a>,
    amount: Floats<'a>,
    kind: Words<'a>,
    reason: Words<'a>,
    buffer_pips: Floats<'a>,
    scenario: Words<'a>,
    tag: Words<'a>,
    meta: Words<'a>,
    quotes: Option<Quotes<'a>>,
}

impl<'a> OperationTable<'a> {
    /// Of a batch of an Arrow stream.
    ///
    /// # Errors
    /// [1001] an unknown column, [1005] one of another type.
    pub fn new(batch: &'a RecordBatch) -> Result<Self> {
        let mut t = Self { rows: batch.num_rows(), ..Self::default() };
        for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let column = Given { name: field.name(), column };
            if *column.column.data_type() == DataType::Null {
                continue;
            }
            match column.name {
                "op" => t.op = column.words()?,
                "position_id" | "id" => t.position_id = column.ids()?,
                "symbol" => t.symbol = column.words()?,
                "direction" => t.direction = column.words()?,
                "order_type" => t.order_type = column.words()?,
                "status" => t.status = column.words()?,
                "price" | "entry_price" => t.price = column.floats()?,
                "order_price" => t.order_price = column.floats()?,
                "size" | "lots" => t.size = column.floats()?,
                "stop_loss" => t.stop_loss = column.floats()?,
                "take_profit" => t.take_profit = column.floats()?,
                "clear_take_profit" => t.clear_take_profit = Some(column.flags()?),
                "stop_kind" => t.stop_kind = column.words()?,
                "risk_per_trade" => t.risk_per_trade = column.floats()?,
                "time" | "entry_time" => t.time = column.times()?,
                "order_time" => t.order_time = column.times()?,
                "fee" => t.fee = column.floats()?,
                "amount" => t.amount = column.floats()?,
                "kind" => t.kind = column.words()?,
                "reason" => t.reason = column.words()?,
                "buffer_pips" => t.buffer_pips = column.floats()?,
                "scenario" => t.scenario = column.words()?,
                "tag" => t.tag = column.words()?,
                "meta" => t.meta = column.words()?,
                "quotes" => t.quotes = Some(column.quotes()?),
                other => return Err(unknown(other)),
            }
        }
        Ok(t)
    }

    /// Applies the operations.
    pub fn apply(&self, batch: &mut Batch<'_>) {
        batch.expect(self.rows);
        (0..self.rows).for_each(|row| batch.take(Ok(&TableRow { table: self, row })));
    }
}

/// One operation of a table.
struct TableRow<'t> {
    table: &'t OperationTable<'t>,
    row: usize,
}

macro_rules! cells {
    ($kind:ty: $($name:ident)*) => {
        $(
            #[inline]
            fn $name(&self) -> Option<$kind> {
                self.table.$name.get(self.row)
            }
        )*
    };
}

impl Operation for TableRow<'_> {
    cells! { &str: op symbol direction order_type status stop_kind kind reason scenario tag }
    cells! { u64: position_id }
    cells! { f64: price order_price size stop_loss take_profit risk_per_trade fee amount buffer_pips }
    cells! { i64: time order_time }

    fn clear_take_profit(&self) -> bool {
        self.table.clear_take_profit.is_some_and(|column| column.is_valid(self.row) && column.value(self.row))
    }

    fn meta(&self) -> Result<Option<Arc<Meta>>> {
        self.table.meta.get(self.row).map_or(Ok(None), notes)
    }

    fn quotes(&self, take: impl FnMut(&str, f64, f64) -> Result<()>) -> Result<()> {
        self.table.quotes.as_ref().map_or(Ok(()), |quotes| quotes.each(self.row, take))
    }
}

/// A column and its name.
struct Given<'a, 'b> {
    name: &'b str,
    column: &'a ArrayRef,
}

impl<'a> Given<'a, '_> {
    fn wrong(&self, wanted: &str) -> Error {
        let what = format!("column {:?} has type {}", self.name, self.column.data_type());
        Error::config(1005, what).at("table of operations").fix(format!("use {wanted}"))
    }

    fn words(&self) -> Result<Words<'a>> {
        match self.column.data_type() {
            DataType::Utf8 => Ok(Words::Plain(self.column.as_string())),
            DataType::LargeUtf8 => Ok(Words::Large(self.column.as_string())),
            DataType::Utf8View => Ok(Words::View(self.column.as_string_view())),
            DataType::Dictionary(key, value) if **key == DataType::Int32 && **value == DataType::Utf8 => {
                let column = self.column.as_dictionary::<Int32Type>();
                Ok(Words::Dictionary(column, column.values().as_string()))
            }
            _ => Err(self.wrong("utf8, or a dictionary of int32 to utf8")),
        }
    }

    #[allow(clippy::cast_precision_loss)]
    fn floats(&self) -> Result<Floats<'a>> {
        let values = match self.column.data_type() {
            DataType::Float64 => Cow::Borrowed(&self.column.as_primitive::<Float64Type>().values()[..]),
            DataType::Int64 => {
                self.column.as_primitive::<Int64Type>().values().iter().map(|&x| x as f64).collect()
            }
            _ => return Err(self.wrong("float64 or int64")),
        };
        Ok(Floats { values, nulls: self.column.nulls() })
    }

    fn ids(&self) -> Result<Ids<'a>> {
        match self.column.data_type() {
            DataType::UInt64 => Ok(Ids::Unsigned(self.column.as_primitive::<UInt64Type>())),
            DataType::Int64 => Ok(Ids::Signed(self.column.as_primitive::<Int64Type>())),
            _ => Err(self.wrong("uint64 or int64")),
        }
    }

    fn times(&self) -> Result<Times<'a>> {
        match self.column.data_type() {
            DataType::Int64 => Ok(Times::Micros(self.column.as_primitive::<Int64Type>())),
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
                Ok(Times::Stamps(self.column.as_primitive::<TimestampMicrosecondType>()))
            }
            _ => Err(self.wrong("timestamp[us, UTC] or int64")),
        }
    }

    fn flags(&self) -> Result<&'a BooleanArray> {
        self.column.as_boolean_opt().ok_or_else(|| self.wrong("bool"))
    }

    fn quotes(&self) -> Result<Quotes<'a>> {
        let wrong = || self.wrong("list<struct<symbol: utf8, bid: float64, ask: float64>>");
        let lists = self.column.as_list_opt::<i32>().ok_or_else(wrong)?;
        let fields = lists.values().as_struct_opt().ok_or_else(wrong)?;
        let column = |name: &'static str| {
            fields.column_by_name(name).map(|column| Given { name, column }).ok_or_else(wrong)
        };
        Ok(Quotes {
            lists,
            symbol: column("symbol")?.words()?,
            bid: column("bid")?.floats()?,
            ask: column("ask")?.floats()?,
        })
    }
}

/// A column of texts.
#[derive(Default)]
enum Words<'a> {
    #[default]
    Absent,
    Plain(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
    Dictionary(&'a DictionaryArray<Int32Type>, &'a StringArray),
}

impl Words<'_> {
    #[inline]
    fn get(&self, i: usize) -> Option<&str> {
        let text = match self {
            Self::Plain(column) if column.is_valid(i) => column.value(i),
            Self::Large(column) if column.is_valid(i) => column.value(i),
            Self::View(column) if column.is_valid(i) => column.value(i),
            Self::Dictionary(column, values) => {
                let key = column.key(i)?;
                if values.is_null(key) {
                    return None;
                }
                values.value(key)
            }
            _ => return None,
        };
        Some(text)
    }
}

/// A column of numbers; without a value if it is absent.
#[derive(Default)]
struct Floats<'a> {
    values: Cow<'a, [f64]>,
    nulls: Option<&'a NullBuffer>,
}

impl Floats<'_> {
    #[inline(always)]
    fn get(&self, i: usize) -> Option<f64> {
        let value = self.values.get(i)?;
        if self.nulls.is_some_and(|nulls| nulls.is_null(i)) { None } else { Some(*value) }
    }
}

/// A column of ids.
#[derive(Default)]
enum Ids<'a> {
    #[default]
    Absent,
    Unsigned(&'a UInt64Array),
    Signed(&'a Int64Array),
}

impl Ids<'_> {
    #[inline]
    fn get(&self, i: usize) -> Option<u64> {
        match self {
            Self::Unsigned(column) if column.is_valid(i) => Some(column.value(i)),
            Self::Signed(column) if column.is_valid(i) => {
                Some(u64::try_from(column.value(i)).unwrap_or(u64::MAX))
            }
            _ => None,
        }
    }
}

/// A column of times.
#[derive(Default)]
enum Times<'a> {
    #[default]
    Absent,
    Micros(&'a Int64Array),
    Stamps(&'a PrimitiveArray<TimestampMicrosecondType>),
}

impl Times<'_> {
    #[inline]
    fn get(&self, i: usize) -> Option<i64> {
        match self {
            Self::Micros(column) if column.is_valid(i) => Some(column.value(i)),
            Self::Stamps(column) if column.is_valid(i) => Some(column.value(i)),
            _ => None,
        }
    }
}

/// A column of lists of quotes.
struct Quotes<'a> {
    lists: &'a ListArray,
    symbol: Words<'a>,
    bid: Floats<'a>,
    ask: Floats<'a>,
}

impl Quotes<'_> {
    fn each(&self, i: usize, mut take: impl FnMut(&str, f64, f64) -> Result<()>) -> Result<()> {
        if self.lists.is_null(i) {
            return Ok(());
        }
        let offsets = self.lists.value_offsets();
        let range = usize::try_from(offsets[i]).unwrap_or(0)..usize::try_from(offsets[i + 1]).unwrap_or(0);
        for k in range {
            let (Some(symbol), Some(bid), Some(ask)) = (self.symbol.get(k), self.bid.get(k), self.ask.get(k))
            else {
                return Err(mistyped("quotes", "list of {symbol, bid, ask}"));
            };
            take(symbol, bid, ask)?;
        }
        Ok(())
    }
}

/// Notes of JSON text.
fn notes(text: &str) -> Result<Option<Arc<Meta>>> {
    let wrong = || mistyped("meta", "JSON object of texts, whole numbers and bools");
    let object: Map<String, Json> = serde_json::from_str(text).map_err(|_| wrong())?;
    let note = |(key, value): (String, Json)| {
        let note = match value {
            Json::String(text) => Note::Text(text),
            Json::Bool(yes) => Note::Bool(yes),
            other => Note::Int(other.as_i64().ok_or_else(wrong)?),
        };
        Ok((key, note))
    };
    Ok(shared(object.into_iter().map(note).collect::<Result<_>>()?))
}
