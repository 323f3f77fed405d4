//! The tables that enter or leave the engine: names, versions, fields. A committed file holds their fingerprints,
//! and a test recomputes them, so that a change of a schema is never an accident.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::digest::Digest;

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Microseconds since 1970-01-01 UTC.
    Timestamp,
    /// binary64.
    Float,
    /// i32.
    Int,
    /// i64.
    Long,
    /// u64.
    Unsigned,
    /// true or false.
    Bool,
    /// UTF-8 text.
    Text,
    /// UTF-8 text of few values; plain text is accepted in its place.
    Dictionary,
}

impl Kind {
    /// The type's text in a fingerprint.
    pub fn name(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamp[us, tz=UTC]",
            Self::Float => "double",
            Self::Int => "int32",
            Self::Long => "int64",
            Self::Unsigned => "uint64",
            Self::Bool => "bool",
            Self::Text => "string",
            Self::Dictionary => "dictionary<values=string, indices=int32, ordered=0>",
        }
    }

    /// The type's letter in a table digest; a dictionary's encoding leaves no trace.
    pub fn letter(self) -> u8 {
        match self {
            Self::Timestamp => b't',
            Self::Float => b'f',
            Self::Int => b'i',
            Self::Long => b'l',
            Self::Unsigned => b'u',
            Self::Bool => b'b',
            Self::Text | Self::Dictionary => b's',
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One column of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Column name.
    pub name: &'static str,
    /// Column type.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Whether a cell may be null.
    pub nullable: bool,
}

impl Field {
    const fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }
}

/// A table: its columns in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schema {
    /// Name, part of every digest.
    #[serde(skip)]
    pub name: &'static str,
    /// Semantic version: a nullable field added at the end is minor, anything else major.
    pub version: &'static str,
    /// SHA-256 of the field list, lower-case hex.
    pub fingerprint: String,
    /// Columns.
    pub fields: &'static [Field],
}

const VERSION: &str = "1.0.0";

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, nullable: false }
}
const fn ts(name: &'static str) -> Field {
    field(name, Kind::Timestamp)
}
const fn f(name: &'static str) -> Field {
    field(name, Kind::Float)
}
const fn i(name: &'static str) -> Field {
    field(name, Kind::Int)
}
const fn u(name: &'static str) -> Field {
    field(name, Kind::Unsigned)
}
const fn b(name: &'static str) -> Field {
    field(name, Kind::Bool)
}
const fn s(name: &'static str) -> Field {
    field(name, Kind::Text)
}
const fn d(name: &'static str) -> Field {
    field(name, Kind::Dictionary)
}

const OHLCV: &[Field] =
    &[ts("timestamp"), f("open"), f("high"), f("low"), f("close"), f("volume"), b("valid")];

const TICKS: &[Field] =
    &[ts("timestamp"), f("bid"), f("ask"), f("bid_size").or_null(), f("ask_size").or_null()];

const TRADE_SIGNAL: &[Field] = &[
    i("bar_index").or_null(),
    ts("timestamp"),
    d("symbol"),
    d("direction"),
    d("order_type"),
    f("entry").or_null(),
    f("stop_loss"),
    f("take_profit").or_null(),
    f("size").or_null(),
    i("valid_bars").or_null(),
    ts("good_till").or_null(),
    s("oco_group").or_null(),
    s("reason").or_null(),
    s("scenario").or_null(),
    s("tag").or_null(),
];

const EXECUTION_POSITION: &[Field] = &[
    u("position_id"),
    u("parent_id").or_null(),
    d("symbol"),
    d("direction"),
    d("order_type"),
    d("status"),
    ts("order_time"),
    ts("entry_time").or_null(),
    ts("exit_time").or_null(),
    f("order_price").or_null(),
    f("entry_price").or_null(),
    f("exit_price").or_null(),
    f("stop_loss"),
    f("take_profit").or_null(),
    f("initial_stop_loss"),
    f("initial_take_profit").or_null(),
    d("stop_kind"),
    f("size"),
    f("risk_per_trade"),
    f("entry_fee"),
    f("exit_fee"),
    f("result").or_null(),
    f("r_multiple").or_null(),
    d("reason").or_null(),
    b("same_bar_ambiguous"),
    s("scenario").or_null(),
    s("tag").or_null(),
    s("meta").or_null(),
];

const SIGNAL_EXIT: &[Field] =
    &[i("bar_index").or_null(), ts("timestamp"), d("symbol"), d("direction"), d("action")];

const SYMBOL_SPEC: &[Field] = &[
    s("symbol"),
    f("contract_size"),
    f("pip_size"),
    f("tick_size"),
    f("tick_value").or_null(),
    f("volume_min"),
    f("volume_step"),
    f("volume_max"),
    s("base_currency"),
    s("quote_currency"),
];

const TRADES: &[Field] = &[
    ts("entry_time"),
    ts("exit_time"),
    d("direction"),
    d("symbol"),
    f("entry_price"),
    f("exit_price"),
    f("initial_stop_loss"),
    f("stop_loss"),
    f("take_profit").or_null(),
    f("size"),
    f("result"),
    f("entry_fee"),
    f("exit_fee"),
    f("total_fee"),
    d("reason"),
    d("order_type"),
    d("status"),
    f("r_multiple"),
    s("meta"),
    u("position_id"),
    ts("order_time"),
    b("same_bar_ambiguous"),
];

const EQUITY: &[Field] = &[ts("timestamp"), f("equity"), f("balance"), f("drawdown"), f("high_water")];

const DAILY: &[Field] = &[ts("date"), f("equity")];

const METRICS: &[Field] = &[s("name"), f("value").or_null(), s("unit")];

const PARAMS: &[Field] = &[
    s("name"),
    d("kind"),
    field("int_value", Kind::Long).or_null(),
    f("float_value").or_null(),
    s("str_value").or_null(),
];

const PORTFOLIO_STATE: &[Field] = &[
    ts("timestamp"),
    f("balance"),
    f("equity"),
    f("margin_used"),
    f("unrealised_pnl"),
    f("realised_pnl"),
    f("total_fees"),
    i("position_count"),
    i("pending_count"),
    f("drawdown"),
    f("high_water"),
];

const DEFINITIONS: [(&str, &[Field]); 12] = [
    ("ohlcv", OHLCV),
    ("ticks", TICKS),
    ("trade_signal", TRADE_SIGNAL),
    ("execution_position", EXECUTION_POSITION),
    ("signal_exit", SIGNAL_EXIT),
    ("symbol_spec", SYMBOL_SPEC),
    ("trades", TRADES),
    ("equity", EQUITY),
    ("daily", DAILY),
    ("metrics", METRICS),
    ("params", PARAMS),
    ("portfolio_state", PORTFOLIO_STATE),
];

static REGISTRY: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    DEFINITIONS
        .iter()
        .map(|&(name, fields)| Schema { name, version: VERSION, fingerprint: fingerprint(fields), fields })
        .collect()
});

/// Version and fingerprint of a schema as committed in `schemas.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    /// Semantic version.
    pub version: String,
    /// SHA-256 of the field list, lower-case hex.
    pub fingerprint: String,
}

/// The text of the committed file: schema name → version and fingerprint.
pub const COMMITTED: &str = include_str!("../../schemas.json");

/// All schemas, in the order of the specification.
pub fn schemas() -> &'static [Schema] {
    &REGISTRY
}

/// The schema of that name.
pub fn schema(name: &str) -> Option<&'static Schema> {
    REGISTRY.iter().find(|schema| schema.name == name)
}

/// All schemas as JSON: name → version, fingerprint, fields.
pub fn to_json() -> String {
    let by_name: BTreeMap<&str, &Schema> = REGISTRY.iter().map(|schema| (schema.name, schema)).collect();
    serde_json::json!(by_name).to_string()
}

/// SHA-256, lower-case hex, of the field list as JSON with sorted keys and separators `", "` and `": "`.
pub fn fingerprint(fields: &[Field]) -> String {
    let items: Vec<String> = fields
        .iter()
        .map(|field| {
            let Field { name, kind, nullable } = field;
            format!(r#"{{"name": "{name}", "nullable": {nullable}, "type": "{}"}}"#, kind.name())
        })
        .collect();
    Digest(Sha256::digest(format!("[{}]", items.join(", "))).into()).to_string()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_committed_versions_and_fingerprints_are_those_of_the_code() {
        let committed: BTreeMap<String, Committed> = serde_json::from_str(COMMITTED).unwrap();
        let computed: BTreeMap<String, Committed> = schemas()
            .iter()
            .map(|s| {
                let entry = Committed { version: s.version.into(), fingerprint: s.fingerprint.clone() };
                (s.name.to_owned(), entry)
            })
            .collect();
        assert_eq!(computed, committed, "a changed schema needs a new version in schemas.json");
    }

    /// The specification's own table, so that file and code cannot drift together.
    #[rstest]
    #[case("ohlcv", "518223a2c313ed7e3bca27d6a3979c8a3b9f2240b1e1ee3fd98f68cbbbcd3891")]
    #[case("ticks", "50b8a2ab01a465f33e215a8ef9544840352953831aac12350207ecf5cb1f0001")]
    #[case("trade_signal", "e17bf4d78c03d7017ccd35c7b06dc4cda8ce4b36d6fabaeb801226386cac2961")]
    #[case("execution_position", "dcd3a0556ce59cfdbc56f6a7a8525e11872bb6c62f8e1034c9d6544cad89404b")]
    #[case("signal_exit", "0dbef28699929d0e86f80c4b5a56f392b90701d6b82a3f7ddeea2c3b96f812ee")]
    #[case("symbol_spec", "cb5901450fce4c39204747d8633bc824bad0f92a0513d904c598b3c398704bfb")]
    #[case("trades", "d3e228d6cbf353785900d6213e2e3d38d2a4f089934e1b8ad5f836e44ac5d8b3")]
    #[case("equity", "8e6aed1cc471fec3234db08951b4f86733e160c55e6cec0c0a3e3b817b481d57")]
    #[case("daily", "409a4eb0f1dee06c4e6e37f5da70f8b9c6a026eb4d720ad4dc3ebb099de97187")]
    #[case("metrics", "5615a06bb26f96d81679e4b385cbfb1039f1da4a1d48ee24356911ad9ea0362b")]
    #[case("params", "7813385ed2ebd07eec7384568ee5b22ce0cf5ee3fd3254d4174e83ba288913be")]
    #[case("portfolio_state", "b26c476cef5392324a909f2f55e237527ff657e277a40bcf0e7c6cee5edc9831")]
    fn fingerprints_are_as_specified(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(schema(name).unwrap().fingerprint, expected);
    }

    #[test]
    fn the_specification_lists_every_schema_once() {
        let names: std::collections::BTreeSet<&str> = schemas().iter().map(|s| s.name).collect();
        assert_eq!((names.len(), schemas().len()), (12, 12));
        assert!(schema("ohlc").is_none());
    }

    #[test]
    fn the_json_form_names_types_and_nullability() {
        let json: serde_json::Value = serde_json::from_str(&to_json()).unwrap();
        assert_eq!(
            json["metrics"]["fields"][1],
            serde_json::json!({"name": "value", "type": "double", "nullable": true})
        );
        assert_eq!(json["daily"]["version"], "1.0.0");
    }
}
