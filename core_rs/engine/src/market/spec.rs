//! What an instrument is: contract, pip, tick, volumes and currencies. Nothing is guessed from a name.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::grid::TickGrid;
use super::symbols::BUILT_IN;
use crate::suggest::suggestion;
use crate::{Error, Result};

/// The specification of a symbol. Prices are in `quote_currency`, volumes in lots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Json>")]
pub struct SymbolSpec {
    /// Name.
    pub symbol: String,
    /// Units per lot.
    pub contract_size: f64,
    /// Size of a pip.
    pub pip_size: f64,
    /// Smallest price step.
    pub tick_size: f64,
    /// Value of a tick of one lot in the account's currency, if the broker states one.
    pub tick_value: Option<f64>,
    /// Smallest size.
    pub volume_min: f64,
    /// Step between sizes.
    pub volume_step: f64,
    /// Largest size.
    pub volume_max: f64,
    /// Currency (or thing) that a lot consists of.
    pub base_currency: String,
    /// Currency in which profit and loss arise.
    pub quote_currency: String,
}

const NUMBERS: [&str; 7] =
    ["contract_size", "pip_size", "tick_size", "tick_value", "volume_min", "volume_step", "volume_max"];
const TEXTS: [&str; 2] = ["base_currency", "quote_currency"];

impl SymbolSpec {
    /// The specification of `symbol`: the built-in one, field by field replaced by `overrides`. Null replaces nothing.
    ///
    /// # Errors
    /// [1001] if the symbol is unknown and nothing is said about it, or an override is of no field; [1008] if
    /// fields of a new symbol are missing; [1004] and [1003] if a value has the wrong type or range.
    pub fn resolve(symbol: &str, overrides: &Map<String, Json>) -> Result<Self> {
        let mut fields = match BUILT_IN.iter().find(|known| known.symbol == symbol) {
            Some(known) => built_in(known),
            None if overrides.is_empty() || symbol.is_empty() => return Err(unknown_symbol(symbol)),
            None => Map::new(),
        };
        for (name, value) in overrides {
            if !NUMBERS.contains(&name.as_str()) && !TEXTS.contains(&name.as_str()) {
                return Err(unknown_field(symbol, name));
            }
            if !value.is_null() {
                fields.insert(name.clone(), value.clone());
            }
        }
        let spec = read(symbol, &fields)?;
        spec.validate()?;
        Ok(spec)
    }

    /// Names of the built-in symbols.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|known| known.symbol)
    }

    /// `tick_size` as M/N in lowest terms, from its shortest decimal text: 0.25 is 1/4, 2.5 is 5/2.
    ///
    /// # Panics
    /// If `tick_size` is not a positive decimal of at most fifteen digits, which [`SymbolSpec::resolve`]
    /// refuses.
    pub fn tick_ratio(&self) -> (i64, i64) {
        decimal_ratio(self.tick_size).expect("a checked tick size")
    }

    /// The grid of the symbol's prices.
    pub fn grid(&self) -> TickGrid {
        let (m, n) = self.tick_ratio();
        TickGrid::new(m, n)
    }

    fn validate(&self) -> Result<()> {
        let numbers = [
            Some(self.contract_size),
            Some(self.pip_size),
            Some(self.tick_size),
            self.tick_value,
            Some(self.volume_min),
            Some(self.volume_step),
            Some(self.volume_max),
        ];
        for (name, number) in NUMBERS.iter().zip(numbers) {
            if number.is_some_and(|x| !x.is_finite() || x <= 0.0) {
                return Err(self.bad(name, "must be finite and greater than 0"));
            }
        }
        if decimal_ratio(self.tick_size).is_none() {
            return Err(self.bad("tick_size", "must be a decimal of at most fifteen digits"));
        }
        if self.volume_min > self.volume_max {
            return Err(self.bad("volume_min", "must not exceed volume_max"));
        }
        Ok(())
    }

    fn bad(&self, field: &str, rule: &str) -> Error {
        Error::config(1003, format!("{field} {rule}")).at(place(&self.symbol, field))
    }
}

impl TryFrom<Map<String, Json>> for SymbolSpec {
    type Error = Error;

    /// A mapping with `symbol` and the fields that differ from the built-in ones.
    fn try_from(mut fields: Map<String, Json>) -> Result<Self> {
        match fields.remove("symbol") {
            Some(Json::String(symbol)) => Self::resolve(&symbol, &fields),
            Some(_) => Err(Error::config(1004, "symbol must be text").at("spec.symbol")),
            None => Err(Error::config(1008, "symbol is missing").at("spec")),
        }
    }
}

/// A positive decimal as a fraction in lowest terms; `None` if either side needs more than fifteen digits.
fn decimal_ratio(x: f64) -> Option<(i64, i64)> {
    // `Display` writes the shortest decimal that reads back as `x`, and never an exponent.
    let text = format!("{x}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if whole.len() > 15 || fraction.len() > 15 {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let m: i64 = digits.trim_start_matches('0').parse().ok()?;
    let n = 10_i64.pow(u32::try_from(fraction.len()).ok()?);
    let common = gcd(m, n);
    let (m, n) = (m / common, n / common);
    (m > 0 && m < 1_000_000_000_000_000).then_some((m, n))
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn built_in(known: &super::symbols::BuiltIn) -> Map<String, Json> {
    let [volume_min, volume_step, volume_max] = known.volume;
    [
        ("contract_size", Json::from(known.contract_size)),
        ("pip_size", Json::from(known.pip_size)),
        ("tick_size", Json::from(known.tick_size)),
        ("volume_min", Json::from(volume_min)),
        ("volume_step", Json::from(volume_step)),
        ("volume_max", Json::from(volume_max)),
        ("base_currency", Json::from(known.base)),
        ("quote_currency", Json::from(known.quote)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn read(symbol: &str, fields: &Map<String, Json>) -> Result<SymbolSpec> {
    let missing: Vec<&str> = NUMBERS
        .into_iter()
        .chain(TEXTS)
        .filter(|&name| name != "tick_value" && !fields.contains_key(name))
        .collect();
    if !missing.is_empty() {
        return Err(Error::config(1008, format!("the specification lacks {}", missing.join(", ")))
            .at(place(symbol, missing[0]))
            .fix("give every field of a symbol that is not built in"));
    }
    let number = |name: &str| {
        fields[name].as_f64().ok_or_else(|| {
            Error::config(1004, format!("{name} must be a number, not {}", fields[name]))
                .at(place(symbol, name))
        })
    };
    let text =
        |name: &str| match fields[name].as_str() {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(Error::config(1004, format!("{name} must be text, not {}", fields[name]))
                .at(place(symbol, name))),
        };
    Ok(SymbolSpec {
        symbol: symbol.to_owned(),
        contract_size: number("contract_size")?,
        pip_size: number("pip_size")?,
        tick_size: number("tick_size")?,
        tick_value: match fields.get("tick_value") {
            None => None,
            Some(_) => Some(number("tick_value")?),
        },
        volume_min: number("volume_min")?,
        volume_step: number("volume_step")?,
        volume_max: number("volume_max")?,
        base_currency: text("base_currency")?,
        quote_currency: text("quote_currency")?,
    })
}

fn place(symbol: &str, field: &str) -> String {
    format!("symbol_specs.{symbol}.{field}")
}

fn unknown_symbol(symbol: &str) -> Error {
    let hint = suggestion(symbol, SymbolSpec::built_in_names());
    Error::config(1001, format!("unknown symbol `{symbol}`"))
        .at("market.symbol")
        .fix(format!("{hint}; otherwise describe it under symbol_specs"))
}

fn unknown_field(symbol: &str, name: &str) -> Error {
    Error::config(1001, format!("`{name}` is no field of a symbol"))
        .at(place(symbol, name))
        .fix(suggestion(name, NUMBERS.into_iter().chain(TEXTS)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn overrides(value: Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    fn full() -> Json {
        json!({
            "contract_size": 10, "pip_size": 0.1, "tick_size": 0.025, "volume_min": 1, "volume_step": 1,
            "volume_max": 5, "base_currency": "COCOA", "quote_currency": "GBP",
        })
    }

    #[test]
    fn every_built_in_symbol_is_valid_and_survives_json() {
        for name in SymbolSpec::built_in_names() {
            let spec = SymbolSpec::resolve(name, &Map::new()).unwrap();
            assert_eq!(serde_json::from_value::<SymbolSpec>(json!(spec)).unwrap(), spec);
        }
        assert_eq!(SymbolSpec::built_in_names().count(), 21);
    }

    #[rstest]
    #[case("EURUSD", [100_000.0, 0.0001, 0.01, 0.01, 200.0], (1, 100_000), "EUR/USD")]
    #[case("GBPUSD", [100_000.0, 0.0001, 0.01, 0.01, 200.0], (1, 100_000), "GBP/USD")]
    #[case("AUDUSD", [100_000.0, 0.0001, 0.01, 0.01, 200.0], (1, 100_000), "AUD/USD")]
    #[case("NZDUSD", [100_000.0, 0.0001, 0.01, 0.01, 200.0], (1, 100_000), "NZD/USD")]
    #[case("USDCHF", [100_000.0, 0.0001, 0.01, 0.01, 200.0], (1, 100_000), "USD/CHF")]
    #[case("USDCAD", [100_000.0, 0.0001, 0.01, 0.01, 200.0], (1, 100_000), "USD/CAD")]
    #[case("EURGBP", [100_000.0, 0.0001, 0.01, 0.01, 200.0], (1, 100_000), "EUR/GBP")]
    #[case("EURCHF", [100_000.0, 0.0001, 0.01, 0.01, 200.0], (1, 100_000), "EUR/CHF")]
    #[case("AUDNZD", [100_000.0, 0.0001, 0.01, 0.01, 200.0], (1, 100_000), "AUD/NZD")]
    #[case("GBPAUD", [100_000.0, 0.0001, 0.01, 0.01, 200.0], (1, 100_000), "GBP/AUD")]
    #[case("USDJPY", [100_000.0, 0.01, 0.01, 0.01, 200.0], (1, 1_000), "USD/JPY")]
    #[case("EURJPY", [100_000.0, 0.01, 0.01, 0.01, 200.0], (1, 1_000), "EUR/JPY")]
    #[case("GBPJPY", [100_000.0, 0.01, 0.01, 0.01, 200.0], (1, 1_000), "GBP/JPY")]
    #[case("AUDJPY", [100_000.0, 0.01, 0.01, 0.01, 200.0], (1, 1_000), "AUD/JPY")]
    #[case("XAUUSD", [100.0, 0.01, 0.01, 0.01, 100.0], (1, 100), "XAU/USD")]
    #[case("XAGUSD", [5_000.0, 0.01, 0.01, 0.01, 50.0], (1, 1_000), "XAG/USD")]
    #[case("DE40", [1.0, 1.0, 0.1, 0.1, 50.0], (1, 2), "DE40/EUR")]
    #[case("US500", [1.0, 1.0, 0.1, 0.1, 100.0], (1, 10), "US500/USD")]
    #[case("BTCUSD", [1.0, 1.0, 0.001, 0.001, 100.0], (1, 100), "BTC/USD")]
    #[case("BTCPERP", [1.0, 1.0, 0.001, 0.001, 100.0], (1, 100), "BTC/USD")]
    #[case("GOOG", [1.0, 0.01, 1.0, 1.0, 1_000_000.0], (1, 100), "GOOG/USD")]
    fn built_in_values(
        #[case] symbol: &str,
        #[case] numbers: [f64; 5],
        #[case] tick: (i64, i64),
        #[case] currencies: &str,
    ) {
        let spec = SymbolSpec::resolve(symbol, &Map::new()).unwrap();
        let SymbolSpec { contract_size, pip_size, volume_min, volume_step, volume_max, .. } = spec;
        assert_eq!([contract_size, pip_size, volume_min, volume_step, volume_max], numbers);
        assert_eq!(spec.tick_ratio(), tick);
        assert_eq!(format!("{}/{}", spec.base_currency, spec.quote_currency), currencies);
        assert_eq!(spec.tick_value, None);
    }

    #[test]
    fn overrides_replace_field_by_field() {
        let changed = overrides(json!({"volume_max": 7, "tick_value": 0.9, "pip_size": null}));
        let spec = SymbolSpec::resolve("EURUSD", &changed).unwrap();
        let plain = SymbolSpec::resolve("EURUSD", &Map::new()).unwrap();
        assert_eq!(spec, SymbolSpec { volume_max: 7.0, tick_value: Some(0.9), ..plain });
    }

    #[test]
    fn a_new_symbol_needs_every_field_and_no_more() {
        let spec = SymbolSpec::resolve("COCOA", &overrides(full())).unwrap();
        assert_eq!(spec.tick_ratio(), (1, 40));
        let mut partial = overrides(full());
        partial.remove("pip_size");
        partial.remove("quote_currency");
        let error = SymbolSpec::resolve("COCOA", &partial).unwrap_err();
        assert_eq!(error.code, 1008);
        assert!(error.what.contains("pip_size, quote_currency"), "{error}");
    }

    #[rstest]
    #[case("EURUSDX", json!({}), 1001, "EURUSD")]
    #[case("eurusd", json!({}), 1001, "EURUSD")]
    #[case("", json!({"pip_size": 1}), 1001, "unknown symbol")]
    #[case("EURUSD", json!({"pips_size": 1}), 1001, "pip_size")]
    #[case("EURUSD", json!({"pip_size": "0.1"}), 1004, "pip_size")]
    #[case("COCOA", json!({"pip_size": null}), 1008, "pip_size")]
    #[case("EURUSD", json!({"pip": null}), 1001, "pip_size")]
    #[case("EURUSD", json!({"pip_size": true}), 1004, "pip_size")]
    #[case("EURUSD", json!({"quote_currency": 5}), 1004, "quote_currency")]
    #[case("EURUSD", json!({"quote_currency": ""}), 1004, "quote_currency")]
    #[case("EURUSD", json!({"pip_size": 0}), 1003, "pip_size")]
    #[case("EURUSD", json!({"contract_size": -1}), 1003, "contract_size")]
    #[case("EURUSD", json!({"tick_value": 0}), 1003, "tick_value")]
    #[case("EURUSD", json!({"volume_min": 300}), 1003, "volume_min")]
    #[case("EURUSD", json!({"tick_size": 1e-20}), 1003, "tick_size")]
    #[case("EURUSD", json!({"tick_size": 0.1234567890123456}), 1003, "tick_size")]
    fn a_bad_specification_is_refused(
        #[case] symbol: &str,
        #[case] changed: Json,
        #[case] code: u16,
        #[case] named: &str,
    ) {
        let error = SymbolSpec::resolve(symbol, &overrides(changed)).unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }

    #[rstest]
    #[case(0.000_01, 1, 100_000)]
    #[case(0.25, 1, 4)]
    #[case(2.5, 5, 2)]
    #[case(1.0, 1, 1)]
    #[case(10.0, 10, 1)]
    #[case(0.015, 3, 200)]
    fn tick_ratios(#[case] tick: f64, #[case] m: i64, #[case] n: i64) {
        assert_eq!(decimal_ratio(tick), Some((m, n)));
    }

    proptest! {
        #[test]
        #[allow(clippy::cast_precision_loss)]
        fn a_ratio_is_the_tick_in_lowest_terms(digits in 1_i64..1_000_000, places in 0_u32..9) {
            let tick = digits as f64 / 10_f64.powi(places.cast_signed());
            let (m, n) = decimal_ratio(tick).unwrap();
            prop_assert_eq!(m as f64 / n as f64, tick);
            prop_assert_eq!(gcd(m, n), 1);
        }
    }
}
