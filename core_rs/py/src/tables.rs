//! Results as Arrow tables, with the types of the schema registry.

use arrow_array::builder::{Float64Builder, ListBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer};
use arrow_schema::{Field, Schema};
use std::sync::Arc;
use sweep_engine::execution::validation::reference_price;
use sweep_engine::market::higher::NONE;
use sweep_engine::market::{Higher, Market, Quote, Quotes, RawTicks, Ticks};
use sweep_engine::metrics::CATALOGUE;
use sweep_engine::orders::Position;
use sweep_engine::portfolio::Curve;
use sweep_engine::run::batch::Timed;
use sweep_engine::run::{Outcome, Said, Session, TrialResult, digest};
use sweep_engine::{Column, Error, Result};
use sweep_indicators::scope::Series;

/// Columns of a table under construction: name, values, nullable.
#[derive(Default)]
pub struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    /// A column; `nullable` says whether the registry allows nulls.
    pub fn push(&mut self, name: impl Into<String>, array: ArrayRef, nullable: bool) {
        self.fields.push(Field::new(name, array.data_type().clone(), nullable));
        self.arrays.push(array);
    }

    /// Times, µs UTC.
    pub fn times(&mut self, name: &str, values: impl IntoIterator<Item = i64>) {
        let array = TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC");
        self.push(name, Arc::new(array), false);
    }

    /// Times, µs UTC, some of them null.
    pub fn times_or_null(&mut self, name: &str, values: impl IntoIterator<Item = Option<i64>>) {
        let array = values.into_iter().collect::<TimestampMicrosecondArray>().with_timezone("UTC");
        self.push(name, Arc::new(array), true);
    }

    /// Numbers.
    pub fn floats(&mut self, name: &str, values: impl IntoIterator<Item = f64>) {
        self.push(name, Arc::new(Float64Array::from_iter_values(values)), false);
    }

    /// Numbers, some of them null.
    pub fn floats_or_null(&mut self, name: impl Into<String>, values: impl IntoIterator<Item = Option<f64>>) {
        self.push(name, Arc::new(values.into_iter().collect::<Float64Array>()), true);
    }

    /// Words of few values.
    pub fn words<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a str>) {
        self.push(name, Arc::new(values.into_iter().collect::<DictionaryArray<Int32Type>>()), false);
    }

    /// Texts.
    pub fn texts<T: AsRef<str>>(&mut self, name: &str, values: impl IntoIterator<Item = T>) {
        self.push(name, Arc::new(StringArray::from_iter_values(values)), false);
    }

    /// Texts, some of them null.
    pub fn texts_or_null<T: AsRef<str>>(&mut self, name: &str, values: impl IntoIterator<Item = Option<T>>) {
        self.push(name, Arc::new(values.into_iter().collect::<StringArray>()), true);
    }

    /// bid_open … bid_volume, ask_open … ask_volume.
    fn both_sides(&mut self, sides: [&Quotes; 2], values: impl Fn(&Column<f64>) -> ScalarBuffer<f64>) {
        for (prefix, quotes) in ["bid", "ask"].into_iter().zip(sides) {
            for (name, column) in quotes.columns() {
                let array = Float64Array::new(values(column), None);
                self.push(format!("{prefix}_{name}"), Arc::new(array), false);
            }
        }
    }

    /// The table.
    ///
    /// # Errors
    /// [5000] if the columns do not fit together.
    pub fn build(self) -> Result<RecordBatch> {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)
            .map_err(|e| Error::engine(5000, format!("result table: {e}")))
    }
}

/// Trades with the columns of the registry: closed positions in closing order, then the closed parts of positions.
pub fn trades_table(outcome: &Outcome, session: &Session) -> Result<RecordBatch> {
    records_table(&outcome.records(), |number| session.symbol(number))
}

/// Closed records with the columns of the registry's trades; `symbol` names the symbol of a number.
pub fn records_table<'a>(
    records: &(impl Iterator<Item = &'a Position> + Clone),
    symbol: impl Fn(usize) -> &'a str,
) -> Result<RecordBatch> {
    let trades = || records.clone();
    let mut t = Columns::default();
    t.times("entry_time", trades().map(|p| p.entry_time));
    t.times("exit_time", trades().map(|p| p.exit_time));
    t.words("direction", trades().map(|p| p.direction().name()));
    t.words("symbol", trades().map(|p| symbol(p.symbol)));
    t.floats("entry_price", trades().map(|p| p.entry_price));
    t.floats("exit_price", trades().map(|p| p.exit_price));
    t.floats("initial_stop_loss", trades().map(|p| p.initial_stop_loss));
    t.floats("stop_loss", trades().map(|p| p.stop_loss));
    t.floats_or_null("take_profit", trades().map(|p| p.take_profit));
    t.floats("size", trades().map(|p| p.size));
    t.floats("result", trades().map(|p| p.result));
    t.floats("entry_fee", trades().map(|p| p.entry_fee));
    t.floats("exit_fee", trades().map(|p| p.exit_fee));
    t.floats("total_fee", trades().map(|p| p.entry_fee + p.exit_fee));
    t.words("reason", trades().map(|p| p.reason.map_or("", |r| r.name())));
    t.words("order_type", trades().map(|p| p.signal.order_type.name()));
    t.words("status", trades().map(|_| "closed"));
    t.floats("r_multiple", trades().map(|p| p.r_multiple));
    t.texts("meta", trades().map(digest::meta));
    t.push("position_id", Arc::new(UInt64Array::from_iter_values(trades().map(|p| p.id))), false);
    t.times("order_time", trades().map(|p| p.order_time));
    let ambiguous: BooleanArray = trades().map(|p| Some(p.same_bar_ambiguous)).collect();
    t.push("same_bar_ambiguous", Arc::new(ambiguous), false);
    t.build()
}

/// The equity of every bar.
pub fn equity_table(curve: &Curve) -> Result<RecordBatch> {
    let mut t = Columns::default();
    t.times("timestamp", curve.time.iter().copied());
    t.floats("equity", curve.equity.iter().copied());
    t.floats("balance", curve.balance.iter().copied());
    t.floats("drawdown", curve.drawdown.iter().copied());
    t.floats("high_water", curve.high_water.iter().copied());
    t.build()
}

/// Daily equity.
pub fn daily_table(dates: &[i64], equity: &[f64]) -> Result<RecordBatch> {
    let mut t = Columns::default();
    t.times("date", dates.iter().take(equity.len()).copied());
    t.floats("equity", equity.iter().copied());
    t.build()
}

/// Signals at their bars, with the fields of a signal table; the entry of a market order is its reference price.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
pub fn signals_table(rows: &[Said], session: &Session) -> Result<RecordBatch> {
    let market = |said: &Said| &session.instruments[said.symbol].market;
    let reference = |said: &Said| {
        let (bid, ask) = (market(said).bid().close[said.bar], market(said).ask().close[said.bar]);
        reference_price(&said.signal, bid, ask)
    };
    let signals = || rows.iter().map(|said| &said.signal);
    let mut t = Columns::default();
    t.push("bar_index", Arc::new(Int32Array::from_iter_values(rows.iter().map(|r| r.bar as i32))), true);
    t.times("timestamp", rows.iter().map(|r| market(r).label()[r.bar]));
    t.words("direction", signals().map(|s| s.direction.name()));
    t.words("order_type", signals().map(|s| s.order_type.name()));
    t.floats_or_null("entry", rows.iter().map(|r| Some(reference(r))));
    t.floats("stop_loss", signals().map(|s| s.stop_loss));
    t.floats_or_null("take_profit", signals().map(|s| s.take_profit));
    t.texts_or_null("tag", signals().map(|s| s.labels().tag.as_deref()));
    t.words("symbol", rows.iter().map(|r| session.symbol(r.symbol)));
    t.floats_or_null("size", signals().map(|s| s.size));
    let valid: Int32Array = signals().map(|s| s.valid_bars.map(|n| n as i32)).collect();
    t.push("valid_bars", Arc::new(valid), true);
    let till: TimestampMicrosecondArray = signals().map(|s| s.good_till).collect();
    t.push("good_till", Arc::new(till.with_timezone("UTC")), true);
    t.texts_or_null("oco_group", signals().map(|s| s.labels().oco_group.as_deref()));
    t.texts_or_null("reason", signals().map(|s| s.labels().reason.as_deref()));
    t.texts_or_null("scenario", signals().map(|s| s.labels().scenario.as_deref()));
    t.build()
}

/// The loaded rows of a market, sharing its memory.
pub fn market_table(market: &Market) -> Result<RecordBatch> {
    let mut t = Columns::default();
    let label = TimestampMicrosecondArray::new(shared(market.label_column()), None).with_timezone("UTC");
    t.push("timestamp", Arc::new(label), false);
    t.both_sides([market.bid(), market.ask()], shared);
    t.build()
}

/// A column of the engine as an Arrow buffer over the same memory.
fn shared<T: ArrowNativeType + bytemuck::Pod + Send + Sync>(column: &Column<T>) -> ScalarBuffer<T> {
    struct Owner<T: 'static>(Column<T>);
    impl<T: bytemuck::Pod> AsRef<[u8]> for Owner<T> {
        fn as_ref(&self) -> &[u8] {
            bytemuck::cast_slice(&self.0)
        }
    }
    ScalarBuffer::from(Buffer::from(bytes::Bytes::from_owner(Owner(column.clone()))))
}

/// The ticks of a market, without a copy; sizes that are not known have no column.
pub fn ticks_table(ticks: &Ticks) -> Result<RecordBatch> {
    let RawTicks { time, bid, ask, bid_size, ask_size } = ticks.columns();
    let floats = |column| Arc::new(Float64Array::new(shared(column), None));
    let mut t = Columns::default();
    let times = TimestampMicrosecondArray::new(shared(time), None).with_timezone("UTC");
    t.push("timestamp", Arc::new(times), false);
    t.push("bid", floats(bid), false);
    t.push("ask", floats(ask), false);
    for (name, size) in [("bid_size", bid_size), ("ask_size", ask_size)] {
        if let Some(size) = size {
            t.push(name, floats(size), true);
        }
    }
    t.build()
}

/// The bars of a higher timeframe.
pub fn higher_table(higher: &Higher) -> Result<RecordBatch> {
    let mut t = Columns::default();
    t.times("timestamp", higher.start().iter().copied());
    t.times("end", higher.end().iter().copied());
    t.both_sides([Quote::Bid, Quote::Ask].map(|side| higher.quotes(side)), shared);
    t.build()
}

/// The bar of a higher timeframe that is seen at each primary bar.
pub fn aligned_table(higher: &Higher) -> Result<RecordBatch> {
    let mut t = Columns::default();
    let bars: Int32Array = higher.newest().iter().map(|&k| Some(k).filter(|&k| k != NONE)).collect();
    t.push("bar", Arc::new(bars), true);
    t.both_sides([Quote::Bid, Quote::Ask].map(|side| higher.quotes(side)), |column| {
        higher.expand(column).into()
    });
    t.build()
}

/// One row per parameter set; with `returns` also its daily returns. Metrics of one that was given up are as of then.
pub fn batch_table(rows: &[Timed], returns: bool) -> Result<RecordBatch> {
    let mut t = Columns::default();
    t.texts("status", rows.iter().map(|r| status(&r.result)));
    t.texts_or_null("kind", rows.iter().map(|r| kind(&r.result)));
    t.texts_or_null("reason", rows.iter().map(|r| reason(&r.result)));
    t.texts_or_null("params", rows.iter().map(|r| identified(&r.result).0));
    t.texts_or_null("identity", rows.iter().map(|r| identified(&r.result).1));
    let digests = |pick: fn(&digest::Digests) -> String| {
        rows.iter()
            .map(move |r| match &r.result {
                TrialResult::Complete { digests, .. } => Some(pick(digests)),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    t.texts_or_null("trades_digest", digests(|d| d.trades.to_string()));
    t.texts_or_null("daily_digest", digests(|d| d.daily.to_string()));
    t.texts_or_null("metrics_digest", digests(|d| d.metrics.to_string()));
    t.texts_or_null("result_digest", digests(|d| d.result.to_string()));
    t.floats("seconds", rows.iter().map(|r| r.seconds));
    for (at, metric) in CATALOGUE.iter().enumerate() {
        let values = rows.iter().map(|r| match &r.result {
            TrialResult::Complete { outcome, .. } => outcome.metrics[at],
            _ => None,
        });
        t.floats_or_null(format!("metrics.{}", metric.name), values);
    }
    if returns {
        t.push("returns", Arc::new(returns_column(rows)), true);
    }
    t.build()
}

fn returns_column(rows: &[Timed]) -> arrow_array::ListArray {
    let mut builder = ListBuilder::new(Float64Builder::new());
    for row in rows {
        if let Some(outcome) = whole(&row.result) {
            builder.values().append_slice(&outcome.returns);
            builder.append(true);
        } else {
            builder.append(false);
        }
    }
    builder.finish()
}

/// The outcome of a backtest that ran to its end.
fn whole(result: &TrialResult) -> Option<&Outcome> {
    match result {
        TrialResult::Complete { outcome, .. } if outcome.stopped.is_none() => Some(outcome),
        _ => None,
    }
}

fn status(result: &TrialResult) -> &'static str {
    match result {
        TrialResult::Complete { outcome, .. } if outcome.stopped.is_some() => "PRUNED",
        TrialResult::Complete { .. } => "COMPLETE",
        _ => "FAILED",
    }
}

fn kind(result: &TrialResult) -> Option<&'static str> {
    match result {
        TrialResult::Complete { outcome, .. } => outcome.stopped.map(|stopped| stopped.kind()),
        TrialResult::InvalidParams { .. } => Some("INVALID_PARAMS"),
        TrialResult::EngineError { .. } => Some("ENGINE_ERROR"),
    }
}

fn reason(result: &TrialResult) -> Option<String> {
    match result {
        TrialResult::Complete { outcome, .. } => outcome.stopped.map(|stopped| stopped.reason()),
        TrialResult::InvalidParams { reason } => Some(reason.clone()),
        TrialResult::EngineError { error, .. } => Some(error.to_string()),
    }
}

fn identified(result: &TrialResult) -> (Option<&str>, Option<&str>) {
    match result {
        TrialResult::Complete { params, identity, .. } => (Some(params), Some(identity)),
        TrialResult::EngineError { params, identity, .. } => (params.as_deref(), identity.as_deref()),
        TrialResult::InvalidParams { .. } => (None, None),
    }
}

/// One series of numbers, in the column `value`, without a copy: a series of the cache lives as long as the table.
///
/// # Errors
/// [5000] if the table cannot be made.
pub fn series_table(values: Series) -> Result<RecordBatch> {
    struct Owner(Series);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            bytemuck::cast_slice(&self.0)
        }
    }
    let values = ScalarBuffer::from(Buffer::from(bytes::Bytes::from_owner(Owner(values))));
    let mut columns = Columns::default();
    columns.push("value", Arc::new(Float64Array::new(values, None)), false);
    columns.build()
}
