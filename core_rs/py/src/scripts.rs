//! Signal tables as JSON rows: what scripted backtests are made of.

use serde_json::{Map, Value as Json};
use std::sync::Arc;
use sweep_engine::orders::{Direction, Labels, Meta, Note, OrderType, Signal, StopKind};
use sweep_engine::run::script::{Reply, Script, Trail};
use sweep_engine::run::{Instrument, Prepared, Session};
use sweep_engine::strategy::{Part, Rules};
use sweep_engine::{Error, Result};

type Row = Map<String, Json>;

/// One script per symbol of the session; a row without a symbol is of the first.
///
/// # Errors
/// [1001] unknown word, symbol or time; [1006] rows that are not sorted; [1008] missing field; [3004] no JSON.
pub fn read(session: &Session, signals: &str, exits: &str, rules: &Row) -> Result<Vec<Prepared<Script>>> {
    let (signals, exits) = (rows(signals)?, rows(exits)?);
    for row in signals.iter().chain(&exits) {
        let named = text(row, "symbol");
        if !session.instruments.iter().any(|x| of_symbol(x, session, named)) {
            return Err(wrong(&format!("{} is not traded", named.unwrap_or_default())));
        }
    }
    session.instruments.iter().map(|x| script(session, x, &signals, &exits, rules)).collect()
}

fn script(
    session: &Session,
    instrument: &Instrument,
    signals: &[Row],
    exits: &[Row],
    rules: &Row,
) -> Result<Prepared<Script>> {
    let view = instrument.view();
    let own = |row: &&Row| of_symbol(instrument, session, text(row, "symbol"));
    let bar = |row: &Row| -> Result<usize> {
        let time = row.get("time").and_then(Json::as_i64);
        Script::bar_of(&view, time.ok_or_else(|| Error::config(1008, "time is missing").at(PLACE))?)
    };
    let entries = signals.iter().filter(own).map(|row| Ok((bar(row)?, signal(row)?)));
    let replies = exits.iter().filter(own).map(|row| Ok((bar(row)?, (direction(row)?, reply(row)?))));
    let script = Script::new(
        entries.collect::<Result<_>>()?,
        replies.collect::<Result<_>>()?,
        position_rules(rules),
        trail(rules, view.label.len())?,
    )?;
    Ok(Prepared { decider: script, warmup: 0 })
}

const PLACE: &str = "signal table";

fn wrong(what: &str) -> Error {
    Error::config(1001, what).at(PLACE)
}

fn rows(text: &str) -> Result<Vec<Row>> {
    serde_json::from_str(text).map_err(|e| Error::config(3004, format!("not a JSON list: {e}")).at(PLACE))
}

fn of_symbol(instrument: &Instrument, session: &Session, named: Option<&str>) -> bool {
    instrument.market.spec().symbol == named.unwrap_or_else(|| session.symbol(0))
}

fn text<'a>(row: &'a Row, key: &str) -> Option<&'a str> {
    row.get(key).and_then(Json::as_str)
}

/// JSON has no NaN and no infinity; they come as text.
fn number(row: &Row, key: &str) -> Option<f64> {
    row.get(key).and_then(|v| v.as_f64().or_else(|| v.as_str().and_then(|text| text.parse().ok())))
}

fn direction(row: &Row) -> Result<Direction> {
    Direction::parse(text(row, "direction").unwrap_or(""))
}

fn signal(row: &Row) -> Result<Signal> {
    let order_type = text(row, "order_type").unwrap_or("market");
    let order_type = OrderType::parse(order_type)
        .ok_or_else(|| wrong(&format!("unknown order type {order_type:?}")).fix("market, limit or stop"))?;
    let shared = |key| text(row, key).map(Arc::from);
    let labels = Labels {
        oco_group: shared("oco_group"),
        reason: shared("reason"),
        scenario: shared("scenario"),
        tag: shared("tag"),
        meta: meta(row)?,
    };
    let stop = number(row, "stop_loss").unwrap_or(f64::NAN);
    Ok(Signal {
        order_type,
        entry: number(row, "entry"),
        size: number(row, "size"),
        valid_bars: row.get("valid_bars").and_then(Json::as_i64),
        good_till: row.get("good_till").and_then(Json::as_i64),
        labels: labels.shared(),
        ..Signal::market(direction(row)?, stop, number(row, "take_profit"))
    })
}

fn meta(row: &Row) -> Result<Option<Arc<Meta>>> {
    let Some(notes) = row.get("meta").and_then(Json::as_object).filter(|notes| !notes.is_empty()) else {
        return Ok(None);
    };
    let note = |value: &Json| match value {
        Json::String(text) => Ok(Note::Text(text.clone())),
        Json::Bool(yes) => Ok(Note::Bool(*yes)),
        other => {
            other.as_i64().map(Note::Int).ok_or_else(|| wrong("a note is a text, a whole number or a bool"))
        }
    };
    let notes = notes.iter().map(|(key, value)| Ok((key.clone(), note(value)?)));
    Ok(Some(Arc::new(notes.collect::<Result<_>>()?)))
}

fn reply(row: &Row) -> Result<Reply> {
    let price = || number(row, "price").unwrap_or(f64::NAN);
    Ok(match text(row, "action").unwrap_or("close") {
        "close" => Reply::Close,
        "cancel" => Reply::Cancel,
        "modify_stop" => {
            let kind = text(row, "kind").unwrap_or("manual");
            let kind = StopKind::parse(kind).filter(|kind| *kind != StopKind::Initial);
            Reply::ModifyStop(price(), kind.ok_or_else(|| wrong("unknown kind of stop"))?)
        }
        "modify_target" => Reply::ModifyTarget(number(row, "price")),
        "partial_close" => Reply::PartialClose(match number(row, "lots") {
            Some(lots) => Part::Lots(lots),
            None => Part::Fraction(number(row, "fraction").unwrap_or(f64::NAN)),
        }),
        other => return Err(wrong(&format!("unknown action {other:?}")).fix("close or cancel")),
    })
}

fn position_rules(row: &Row) -> Rules {
    let whole = |key: &str| row.get(key).and_then(Json::as_u64);
    let number = |key: &str| number(row, key).unwrap_or(0.0);
    let bars = |key: &str| whole(key).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    Rules {
        timeout_minutes: row.get("timeout_minutes").and_then(Json::as_i64).unwrap_or(0),
        timeout_bars: bars("timeout_bars"),
        same_bar_reentry: row.get("same_bar_reentry").and_then(Json::as_bool).unwrap_or(true),
        be_r: number("be_r"),
        be_buffer_pips: number("be_buffer_pips"),
        trail_start_r: number("trail_start_r"),
        cooldown_bars: bars("cooldown_bars"),
        trails: false,
        tracks: false,
    }
}

fn trail(rules: &Row, bars: usize) -> Result<Option<Trail>> {
    match rules.get("trail_distance") {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Array(values)) if values.len() == bars => {
            Ok(Some(Trail::ByBar(values.iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect())))
        }
        Some(value) => match value.as_f64() {
            Some(distance) => Ok(Some(Trail::Fixed(distance))),
            None => Err(wrong("trail_distance is a number or one number per loaded bar")),
        },
    }
}
