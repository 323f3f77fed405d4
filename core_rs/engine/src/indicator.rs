//! Indicators called by name: for users, documents and tests. Strategies use their types.

use crate::market::Timeframe;
use crate::series::{Indicators, On, Quote, on_named};
use crate::suggest::suggestion;
use crate::{Error, Result};
use serde_json::{Value as Json, json};
use sweep_indicators::catalogue::{self, CATALOGUE, Output, Row};
use sweep_indicators::declare::{Args, Given, Kind, Mistake, Value};
use sweep_indicators::scope::Scope;

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

/// What an indicator is asked for.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// Name in the catalogue.
    pub id: &'a str,
    /// Parameters.
    pub given: &'a [(String, Given)],
    /// Bid or ask.
    pub quote: Quote,
    /// A timeframe of the market; `None`: the primary one.
    pub timeframe: Option<&'a str>,
    /// What it runs over on a higher timeframe; `None`: as declared.
    pub on: Option<&'a str>,
}

/// Outputs by name, in the order of the declaration; series have one value per primary bar.
///
/// # Errors
/// [1001] [1003] [1004] [1008] [1009] for what is asked; nothing was computed.
pub fn on_market(call: &Call<'_>, indicators: &Indicators<'_>) -> Result<Vec<(&'static str, Output)>> {
    let row = find(call.id)?;
    let on = call.on.map(on_named).transpose()?;
    let timeframe = call.timeframe.map(|text| indicators.timeframe(text)).transpose()?.flatten();
    let Some(timeframe) = timeframe else {
        return outputs(row, call.given, &indicators.on(call.quote).scope());
    };
    let on = on.unwrap_or(if row.stepwise { On::Bars } else { On::Raster });
    let side = indicators.higher(call.quote, timeframe, on)?;
    let expanded = |(name, output)| match output {
        Output::Series(values) => (name, Output::Series(side.expand(values))),
        other => (name, other),
    };
    Ok(outputs(row, call.given, &side.scope())?.into_iter().map(expanded).collect())
}

/// Outputs by name, in the order of the declaration, on arrays of bars: they have one side and no timeframe.
///
/// # Errors
/// [1001] [1003] [1004] [1008] [1009] for what is asked, [1006] if it is a timeframe; nothing was computed.
pub fn on_arrays(call: &Call<'_>, scope: &Scope<'_>) -> Result<Vec<(&'static str, Output)>> {
    let row = find(call.id)?;
    call.on.map(on_named).transpose()?;
    if let Some(text) = call.timeframe {
        let timeframe: Timeframe = text.trim().to_ascii_uppercase().parse()?;
        let what = format!("timeframe is {timeframe}, but arrays have no timeframe");
        return Err(Error::config(1006, what).at(call.id).fix("leave it out, or give a market"));
    }
    outputs(row, call.given, scope)
}

/// Outputs by name, in the order of the declaration, on the bars of a scope.
///
/// # Errors
/// [1001] [1003] [1004] [1008] for the parameters; nothing was computed.
fn outputs(
    row: &'static Row,
    given: &[(String, Given)],
    scope: &Scope<'_>,
) -> Result<Vec<(&'static str, Output)>> {
    let wrong = |mistake: Mistake| {
        Error::config(mistake.code, mistake.what).at(row.declaration.id).fix(mistake.remedy)
    };
    let args = Args::read(row.declaration, given).map_err(wrong)?;
    let outputs = row.call(&args, scope).map_err(wrong)?;
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
    use crate::cache::SeriesCache;
    use crate::market::{Market, SymbolSpec, SyntheticOptions};
    use crate::series::CloseTicks;
    use sweep_indicators::atr::Atr;
    use sweep_indicators::bollinger::Bollinger;
    use sweep_indicators::choppiness::Choppiness;
    use sweep_indicators::dema::Dema;
    use sweep_indicators::dmi::{DirectionalMovement, Seed};
    use sweep_indicators::ema::Ema;
    use sweep_indicators::garch::{Garch, VarianceTargeting};
    use sweep_indicators::garch_local::GarchLocal;
    use sweep_indicators::kalman_garch::{KalmanGarch, KalmanGarchLocal};
    use sweep_indicators::kalman_mean::KalmanMean;
    use sweep_indicators::kalman_zscore::KalmanZscore;
    use sweep_indicators::macd::Macd;
    use sweep_indicators::momentum::Momentum;
    use sweep_indicators::roc::Roc;
    use sweep_indicators::rolling_std::RollingStd;
    use sweep_indicators::rsi::Rsi;
    use sweep_indicators::scope::{Entry, Series};
    use sweep_indicators::sma::Sma;
    use sweep_indicators::tema::Tema;
    use sweep_indicators::vol_cluster::{Feature, VolCluster};
    use sweep_indicators::zscore::{Mode, Zscore};

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

    type Named = (&'static str, Vec<(&'static str, Given)>, Box<dyn Entry>);

    /// Every indicator as a strategy names it, by type, beside its name and parameters.
    fn typed() -> Vec<Named> {
        let int = |name, x| (name, Given::Int(x));
        let mean = KalmanMean::new(0.5, 0.1);
        let noise = || vec![("r", Given::Float(0.5)), ("q", Given::Float(0.1))];
        let weights = Garch { min_periods: 5, ..Garch::default() };
        let warm = || vec![int("min_periods", 5)];
        let local = || vec![int("lookback", 9), int("min_periods", 5)];
        let period = || vec![int("period", 5)];
        let and = |mut given: Vec<_>, more: Vec<_>| {
            given.extend(more);
            given
        };
        let bollinger = Bollinger { period: 5, std_factor: 2.0, ddof: 1 };
        let score = KalmanZscore { window: 9, mean };
        let model = KalmanGarch { mean, weights };
        vec![
            ("ema", period(), Box::new(Ema { period: 5 })),
            ("ema_stepwise", period(), Box::new(Ema { period: 5 })),
            ("sma", period(), Box::new(Sma { period: 5 })),
            ("rsi", period(), Box::new(Rsi { period: 5, seed: Seed::Wilder })),
            ("macd", vec![], Box::new(Macd { fast: 12, slow: 26, signal: 9 })),
            ("roc", period(), Box::new(Roc { period: 5 })),
            ("dmi", period(), Box::new(DirectionalMovement { period: 5, seed: Seed::Wilder })),
            ("bollinger", period(), Box::new(bollinger)),
            ("bollinger_stepwise", period(), Box::new(bollinger)),
            ("atr", period(), Box::new(Atr { period: 5 })),
            ("choppiness", period(), Box::new(Choppiness { period: 5 })),
            ("kalman_mean", noise(), Box::new(mean)),
            ("kalman_zscore", and(noise(), vec![int("window", 9)]), Box::new(score)),
            ("kalman_zscore_stepwise", and(noise(), vec![int("window", 9)]), Box::new(score)),
            ("zscore", vec![int("window", 9)], Box::new(Zscore { window: 9, mode: Mode::Rolling })),
            ("garch_volatility", warm(), Box::new(weights)),
            ("garch_vt", warm(), Box::new(VarianceTargeting(weights))),
            ("garch_volatility_local", local(), Box::new(GarchLocal { idx: None, lookback: 9, weights })),
            ("kalman_garch_zscore", and(noise(), warm()), Box::new(model)),
            (
                "kalman_garch_zscore_local",
                and(noise(), local()),
                Box::new(KalmanGarchLocal { idx: None, lookback: 9, model }),
            ),
            (
                "vol_cluster_series",
                vec![int("idx", 40), int("atr_length", 5), ("feature", Given::Text("atr_points".to_owned()))],
                Box::new(VolCluster { idx: 40, feature: Feature::Atr(Atr { period: 5 }) }),
            ),
            ("dema", period(), Box::new(Dema { period: 5 })),
            ("tema", period(), Box::new(Tema { period: 5 })),
            ("momentum", period(), Box::new(Momentum { period: 5 })),
            ("rolling_std", period(), Box::new(RollingStd { period: 5, ddof: 1 })),
        ]
    }

    #[test]
    fn a_strategy_gets_the_series_that_are_called_by_name() {
        let spec = SymbolSpec::resolve("EURUSD", &serde_json::Map::new()).unwrap();
        let market = Market::synthetic(&SyntheticOptions::new(spec, "M5".parse().unwrap(), 200)).unwrap();
        let (cache, ticks) = (SeriesCache::new(1 << 20), CloseTicks::new(market.spec()));
        let strategy = Indicators::new(&market, &cache, &ticks);
        let typed = typed();
        assert!(typed.iter().map(|t| t.0).eq(CATALOGUE.iter().map(|row| row.declaration.id)));
        for (id, given, entry) in typed {
            let given: Vec<_> = given.into_iter().map(|(name, x)| (name.to_owned(), x)).collect();
            for quote in [Quote::Bid, Quote::Ask] {
                let received = strategy.on(quote).scope().outputs(&*entry);
                // Named calls have a cache of their own.
                let own = SeriesCache::new(0);
                let call = Call { id, given: &given, quote, timeframe: None, on: None };
                let named = on_market(&call, &Indicators::new(&market, &own, &ticks)).unwrap();
                let named: Vec<Series> = named
                    .into_iter()
                    .filter_map(|(_, output)| match output {
                        Output::Series(values) | Output::Window(values) => Some(values),
                        _ => None,
                    })
                    .collect();
                assert_eq!(named.len(), received.len(), "{id}");
                for (named, received) in named.iter().zip(received.iter()) {
                    assert!(received.iter().any(|x| x.is_finite()), "{id}");
                    assert!(
                        named.iter().map(|x| x.to_bits()).eq(received.iter().map(|x| x.to_bits())),
                        "{id}"
                    );
                }
            }
        }
    }
}
