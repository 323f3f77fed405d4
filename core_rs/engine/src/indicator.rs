//! Indicators called by name: for users, documents and tests. Strategies use their types.

use crate::series::Side;
use crate::suggest::suggestion;
use crate::{Error, Result};
use serde_json::{Value as Json, json};
use sweep_indicators::catalogue::{self, CATALOGUE, Output, Row};
use sweep_indicators::declare::{Args, Given, Kind, Mistake, Value};

/// The indicator of this name.
///
/// # Errors
/// [1001] if there is none.
pub fn find(id: &str) -> Result<&'static Row> {
    catalogue::find(id).ok_or_else(|| {
        Error::config(1001, format!("unknown indicator {id:?}"))
            .fix(suggestion(id, CATALOGUE.iter().map(|row| row.declaration.id)))
    })
}

/// Outputs by name, in the order of the declaration.
///
/// # Errors
/// [1001] [1003] [1004] [1008] for the parameters; nothing was computed.
pub fn call(
    row: &'static Row,
    given: &[(String, Given)],
    side: &Side<'_>,
) -> Result<Vec<(&'static str, Output)>> {
    let wrong = |mistake: Mistake| {
        Error::config(mistake.code, mistake.what).at(row.declaration.id).fix(mistake.remedy)
    };
    let args = Args::read(row.declaration, given).map_err(wrong)?;
    let outputs = row.call(&args, &side.scope()).map_err(wrong)?;
    // A local form without a bar has its series alone, which is its last output.
    let names = &row.declaration.outputs[row.declaration.outputs.len() - outputs.len()..];
    Ok(names.iter().copied().zip(outputs).collect())
}

/// The catalogue as JSON: one object per indicator, in the order of the documentation.
pub fn to_json() -> Json {
    CATALOGUE.iter().map(described).collect::<Vec<_>>().into()
}

fn described(row: &Row) -> Json {
    let d = row.declaration;
    json!({
        "id": d.id,
        "version": d.version,
        "title": d.title,
        "on": if row.stepwise { "bars" } else { "raster" },
        "parameters": d.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "outputs": d.outputs,
        "first": d.first,
        "formula": d.formula,
        "source": d.source,
    })
}

fn parameter(p: &sweep_indicators::declare::Parameter) -> Json {
    let (kind, low, high, choices) = match p.kind {
        Kind::Int { low, high } => ("int", Some(json!(low)), (high < i64::MAX).then(|| json!(high)), None),
        Kind::Float { low, .. } => ("float", Some(json!(low)), None, None),
        Kind::Bool => ("bool", None, None, None),
        Kind::Text(choices) => ("text", None, None, Some(choices)),
    };
    json!({
        "name": p.name,
        "type": kind,
        "low": low,
        "low_open": matches!(p.kind, Kind::Float { open: true, .. }),
        "high": high,
        "choices": choices,
        "required": p.default.is_none(),
        "optional": p.default == Some(Value::None),
        "default": match p.default {
            Some(Value::Int(x)) => json!(x),
            Some(Value::Float(x)) => json!(x),
            Some(Value::Bool(x)) => json!(x),
            Some(Value::Text(x)) => json!(x),
            Some(Value::None) | None => Json::Null,
        },
        "doc": p.doc,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_complete_and_named_once() {
        let mut ids: Vec<&str> = CATALOGUE.iter().map(|row| row.declaration.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CATALOGUE.len());
        for row in &CATALOGUE {
            let d = row.declaration;
            for text in [d.title, d.first, d.formula, d.source] {
                assert!(!text.is_empty(), "{}", d.id);
            }
            assert!(!d.outputs.is_empty() && d.parameters.iter().all(|p| !p.doc.is_empty()), "{}", d.id);
        }
        assert_eq!(to_json().as_array().map(Vec::len), Some(CATALOGUE.len()));
    }

    #[test]
    fn an_unknown_name_gets_a_suggestion() {
        let e = find("kalman_zcore").err().unwrap();
        assert!(e.code == 1001 && e.to_string().contains("kalman_zscore"), "{e}");
    }
}
