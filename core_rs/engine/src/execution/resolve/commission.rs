//! The section `costs.commission`: `defaults` overlaid by the symbol's block of `per_symbol`; flat keys are the defaults.

use super::{NOT_NEGATIVE, Section, check_currency};
use crate::error::{Error, Result};
use crate::execution::options::{Commission, CommissionSchema, FeeSide};
use crate::suggest::suggestion;
use serde_json::Value as Json;

const PLACE: &str = "costs.commission";

/// Schema and the key of its number.
const SCHEMAS: [(&str, &str); 3] =
    [("per_lot", "per_lot"), ("per_million_notional", "rate_per_million"), ("percent_of_notional", "pct")];

/// What one mapping says; `None` = it does not say.
#[derive(Default)]
struct Block {
    schema: Option<String>,
    per_lot: Option<f64>,
    rate_per_million: Option<f64>,
    pct: Option<f64>,
    fee_ccy: Option<String>,
    side: Option<FeeSide>,
    min_fee: Option<f64>,
    decimals: Option<Option<u32>>,
}

/// The commission of `symbol`.
///
/// # Errors
/// [1001] unknown key, schema or side, or a negative number; [1004] wrong type; [1008] no schema, or not its number.
pub(super) fn resolve(json: &Json, symbol: &str, account_currency: &str) -> Result<Commission> {
    let mut s = Section::new(PLACE, Some(json))?;
    let symbols = Section::new(format!("{PLACE}.per_symbol"), s.given("per_symbol"))?;
    let defaults = match s.given("defaults") {
        Some(defaults) => {
            let block = Block::read(&mut Section::new(format!("{PLACE}.defaults"), Some(defaults))?)?;
            s.finish()?;
            block
        }
        None => Block::read(&mut s)?,
    };
    let mut own = Block::default();
    for (name, block) in symbols.map.into_iter().flatten() {
        let block = Block::read(&mut Section::new(format!("{PLACE}.per_symbol.{name}"), Some(block))?)?;
        if name == symbol {
            own = block;
        }
    }
    own.over(defaults).complete(symbol, account_currency)
}

impl Block {
    /// Reads and checks all keys of a mapping.
    fn read(s: &mut Section<'_>) -> Result<Self> {
        let block = Self {
            schema: schema(s)?,
            per_lot: amount(s, "per_lot")?,
            rate_per_million: amount(s, "rate_per_million")?,
            pct: amount(s, "pct")?,
            fee_ccy: match s.given("fee_ccy") {
                None => None,
                Some(_) => {
                    let currency = s.text("fee_ccy", "")?;
                    check_currency(&currency, s.place("fee_ccy"))?;
                    Some(currency)
                }
            },
            side: s.choice("side", None, &["both", "entry", "exit"])?,
            min_fee: amount(s, "min_fee")?,
            decimals: match s.raw("decimals") {
                None => None,
                Some(Json::Null) => Some(None),
                Some(json) => Some(Some(s.to_whole::<u8>("decimals", json)?.into())),
            },
        };
        s.unread()?;
        Ok(block)
    }

    /// This block laid over another.
    fn over(self, under: Self) -> Self {
        Self {
            schema: self.schema.or(under.schema),
            per_lot: self.per_lot.or(under.per_lot),
            rate_per_million: self.rate_per_million.or(under.rate_per_million),
            pct: self.pct.or(under.pct),
            fee_ccy: self.fee_ccy.or(under.fee_ccy),
            side: self.side.or(under.side),
            min_fee: self.min_fee.or(under.min_fee),
            decimals: self.decimals.or(under.decimals),
        }
    }

    /// The block with the defaults of its keys.
    fn complete(self, symbol: &str, account_currency: &str) -> Result<Commission> {
        let missing = |key: &str, why: String| {
            let place = format!("{PLACE}.{key}");
            Error::config(1008, format!("{key} is missing")).at(place).fix(why)
        };
        let number = |key: &'static str, given: Option<f64>| {
            given.ok_or_else(|| missing(key, format!("the schema of {symbol} needs it")))
        };
        let schema = match self.schema.as_deref() {
            Some("per_lot") => CommissionSchema::PerLot { per_lot: number("per_lot", self.per_lot)? },
            Some("per_million_notional") => CommissionSchema::PerMillionNotional {
                rate_per_million: number("rate_per_million", self.rate_per_million)?,
            },
            Some(_) => CommissionSchema::PercentOfNotional { pct: number("pct", self.pct)? },
            None => {
                let names = SCHEMAS.map(|(name, _)| name).join(", ");
                return Err(missing("schema", format!("use one of {names}; without commission write null")));
            }
        };
        Ok(Commission {
            schema,
            fee_ccy: self.fee_ccy.unwrap_or_else(|| account_currency.to_owned()),
            side: self.side.unwrap_or(FeeSide::Both),
            min_fee: self.min_fee.unwrap_or(0.0),
            decimals: self.decimals.unwrap_or(Some(2)),
        })
    }
}

/// A known schema, if one is given.
fn schema(s: &mut Section<'_>) -> Result<Option<String>> {
    if s.given("schema").is_none() {
        return Ok(None);
    }
    let name = s.text("schema", "")?;
    if SCHEMAS.iter().any(|(known, _)| *known == name) {
        return Ok(Some(name));
    }
    Err(Error::config(1001, format!("unknown schema {name:?}"))
        .at(s.place("schema"))
        .fix(suggestion(&name, SCHEMAS.map(|(known, _)| known))))
}

/// An amount of money or a share of one: a negative one is no amount, [1001].
fn amount(s: &mut Section<'_>, key: &'static str) -> Result<Option<f64>> {
    if s.given(key).is_none() {
        return Ok(None);
    }
    match s.number(key, 0.0, NOT_NEGATIVE) {
        Ok(x) => Ok(Some(x)),
        Err(e) if e.code == 1003 => Err(e.renumbered(1001)),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn of(commission: &Json, symbol: &str) -> Result<Commission> {
        resolve(commission, symbol, "EUR")
    }

    #[test]
    fn a_symbols_own_block_overlays_the_defaults_key_by_key() {
        let structured = json!({
            "defaults": {"schema": "per_lot", "per_lot": 2.5, "min_fee": 1, "decimals": null, "fee_ccy": "USD"},
            "per_symbol": {"EURUSD": {"schema": "percent_of_notional", "pct": 0.001, "decimals": 3, "min_fee": null}},
        });
        let own = of(&structured, "EURUSD").unwrap();
        assert_eq!(own.schema, CommissionSchema::PercentOfNotional { pct: 0.001 });
        assert_eq!((own.min_fee, own.decimals, own.fee_ccy.as_str()), (1.0, Some(3), "USD"));
        let other = of(&structured, "GBPUSD").unwrap();
        assert_eq!(other.schema, CommissionSchema::PerLot { per_lot: 2.5 });
        assert_eq!(other.decimals, None);
        let mut flat = structured["defaults"].clone();
        assert_eq!(of(&flat, "GBPUSD").unwrap(), other);
        flat["per_symbol"] = structured["per_symbol"].clone();
        assert_eq!(of(&flat, "EURUSD").unwrap(), own, "a flat mapping is the defaults");
    }

    #[test]
    fn defaults_of_the_keys() {
        let terms = of(&json!({"schema": "per_million_notional", "rate_per_million": 6}), "X").unwrap();
        assert_eq!(terms.schema, CommissionSchema::PerMillionNotional { rate_per_million: 6.0 });
        let rest = (terms.fee_ccy.as_str(), terms.side, terms.min_fee, terms.decimals);
        assert_eq!(rest, ("EUR", FeeSide::Both, 0.0, Some(2)));
    }

    #[rstest]
    #[case(json!({"schema": "per_lott", "per_lot": 1}), 1001, "per_lot")]
    #[case(json!({"schema": "per_lot", "per_lots": 1}), 1001, "per_lot")]
    #[case(json!({"schema": "per_lot", "per_lot": -1}), 1001, "per_lot")]
    #[case(json!({"schema": "per_lot", "per_lot": "1"}), 1004, "per_lot")]
    #[case(json!({"schema": "per_lot", "per_lot": 1, "min_fee": -1}), 1001, "min_fee")]
    #[case(json!({"schema": "per_lot", "per_lot": 1, "side": "entr"}), 1001, "entry")]
    #[case(json!({"schema": "per_lot", "per_lot": 1, "decimals": -1}), 1003, "decimals")]
    #[case(json!({"schema": "per_lot", "per_lot": 1, "fee_ccy": "eur"}), 1001, "fee_ccy")]
    #[case(json!({"schema": "per_lot"}), 1008, "per_lot")]
    #[case(json!({"schema": "per_million_notional", "per_lot": 1}), 1008, "rate_per_million")]
    #[case(json!({"schema": "percent_of_notional", "per_lot": 1}), 1008, "pct")]
    #[case(json!({"per_lot": 2.5}), 1008, "schema")]
    #[case(json!({"defaults": {"schema": "per_lot", "per_lot": 1}, "min_fee": 1}), 1001, "min_fee")]
    #[case(json!({"schema": "per_lot", "per_lot": 1, "per_symbol": {"X": {"pct": -1}}}), 1001, "per_symbol.X.pct")]
    #[case(json!({"per_symbol": {"X": {"schema": "per_lot", "per_lot": 1}}}), 1008, "schema")]
    #[case(json!([1]), 1004, "costs.commission")]
    fn mistakes_are_named(#[case] commission: Json, #[case] code: u16, #[case] mentions: &str) {
        let e = of(&commission, "EURUSD").unwrap_err();
        assert_eq!(e.code, code, "{e}");
        assert!(e.to_string().contains(mentions), "{e}");
    }
}
