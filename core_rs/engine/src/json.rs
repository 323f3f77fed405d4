//! RFC 8785 canonical JSON: one text per value, so that a hash of it is an identity.
//!
//! No blanks, object keys in the order of their UTF-16 code units, numbers as ECMAScript prints them (so 5.0 and 5
//! are one text, and −0 is 0), the shortest escapes.

use serde_json::Value as Json;

use crate::{Error, Result};

/// Largest |integer| that every reader of JSON keeps exactly (I-JSON, RFC 7493 2.2).
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// The canonical text of `value`.
///
/// ```
/// let value = serde_json::json!({"b": 5.0, "a": [-0.0, "x"]});
/// assert_eq!(sweep_engine::json::canonical(&value)?, r#"{"a":[0,"x"],"b":5}"#);
/// # Ok::<(), sweep_engine::Error>(())
/// ```
///
/// # Errors
/// `[1003]` for an integer beyond ±(2^53 − 1): it has to be text.
pub fn canonical(value: &Json) -> Result<String> {
    let mut out = String::new();
    write(&mut out, value)?;
    Ok(out)
}

/// The canonical text of a number.
///
/// # Errors
/// `[1006]` for NaN and infinities, which JSON does not have.
pub fn number(x: f64) -> Result<String> {
    if !x.is_finite() {
        return Err(Error::config(1006, format!("{x} has no JSON form")).fix("give a finite number, or null"));
    }
    Ok(ryu_js::Buffer::new().format_finite(x).to_owned())
}

fn write(out: &mut String, value: &Json) -> Result<()> {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Json::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) if i.abs_diff(0) <= MAX_INTEGER.unsigned_abs() => out.push_str(&i.to_string()),
            (None, Some(x)) if n.is_f64() => out.push_str(&number(x)?),
            _ => {
                return Err(Error::config(
                    1003,
                    format!("the integer {n} is beyond 2^53 and not exact in JSON"),
                )
                .fix("give it as text"));
            }
        },
        Json::String(s) => push_text(out, s),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(out, item)?;
            }
            out.push(']');
        }
        Json::Object(map) => {
            let mut entries: Vec<(&String, &Json)> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_text(out, key);
                out.push(':');
                write(out, item)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// Appends a finite number as ECMAScript prints it.
pub fn push_number(out: &mut String, x: f64) {
    out.push_str(ryu_js::Buffer::new().format_finite(x));
}

/// Appends a quoted string.
pub fn push_text(out: &mut String, text: &str) {
    out.push('"');
    // All that is escaped is one byte long, so that what lies between is whole text.
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'"' | b'\\' | 0..b' ')) {
        out.push_str(&text[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            8 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            12 => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            _ => out.push_str(&format!("\\u{byte:04x}")),
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;
    use sha2::{Digest, Sha256};

    use super::*;

    /// RFC 8785, appendix B: IEEE-754 bits and their text.
    #[rstest]
    #[case(0x0000_0000_0000_0000, "0")]
    #[case(0x8000_0000_0000_0000, "0")]
    #[case(0x0000_0000_0000_0001, "5e-324")]
    #[case(0x8000_0000_0000_0001, "-5e-324")]
    #[case(0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308")]
    #[case(0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308")]
    #[case(0x4340_0000_0000_0000, "9007199254740992")]
    #[case(0xc340_0000_0000_0000, "-9007199254740992")]
    #[case(0x4430_0000_0000_0000, "295147905179352830000")]
    #[case(0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22")]
    #[case(0x44b5_2d02_c7e1_4af6, "1e+23")]
    #[case(0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23")]
    #[case(0x444b_1ae4_d6e2_ef4e, "999999999999999700000")]
    #[case(0x444b_1ae4_d6e2_ef4f, "999999999999999900000")]
    #[case(0x444b_1ae4_d6e2_ef50, "1e+21")]
    #[case(0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7")]
    #[case(0x3eb0_c6f7_a0b5_ed8d, "0.000001")]
    #[case(0x41b3_de43_5555_5553, "333333333.3333332")]
    #[case(0x41b3_de43_5555_5555, "333333333.3333333")]
    #[case(0xbecb_f647_612f_3696, "-0.0000033333333333333333")]
    #[case(0x4314_3ff3_c1cb_0959, "1424953923781206.2")]
    fn numbers_are_those_of_the_rfc(#[case] bits: u64, #[case] expected: &str) {
        assert_eq!(number(f64::from_bits(bits)).unwrap(), expected);
        assert_eq!(canonical(&Json::from(f64::from_bits(bits))).unwrap(), expected);
    }

    #[test]
    fn keys_sort_by_utf16_code_units() {
        // RFC 8785 3.2.3: U+1F600 has the surrogate D83D first, before U+FB33.
        let value =
            json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        let keys =
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
        assert_eq!(canonical(&value).unwrap(), keys);
    }

    #[test]
    fn the_sample_of_the_rfc_section_3_2_2() {
        let value: Json = serde_json::from_str(
            r#"{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#,
        )
        .unwrap();
        assert_eq!(
            canonical(&value).unwrap(),
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
    }

    #[test]
    fn the_identity_document_of_the_spec_has_its_digest() {
        let value = json!({
            "account": {"currency": "USD", "initial_balance": 100_000.0, "risk_per_trade": 100},
            "costs": {"slippage": {"fixed_pips": 0.2, "random_pips": -0.0}, "spread_multiplier": 1.0},
            "dataset": "ab".repeat(32), "engine": {"semantics": 1},
            "execution": {"gap_fills": true, "market_fill": "next_open"},
            "params": {"fast_period": 20, "ma_type": "ema", "reverse": true, "sl_atr": 2.5, "slow_period": 50},
            "seed": "42", "strategy": {"id": "ma_cross", "version": "1.0.0"},
            "symbols": {"GBPUSD": {"contract_size": 100_000.0, "tick_size": 1e-5}}, "v": 1,
            "window": {"history_from": "2020-12-29T00:00:00Z", "trade_from": "2021-01-01T00:00:00Z",
                       "trade_until": "2024-10-04T00:00:00Z"}
        });
        let digest = Sha256::digest(canonical(&value).unwrap());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5edce17404b6fb3a715332d698b3cf5be8873e3a157abbb9f82fce38cd1bf6f4");
    }

    #[rstest]
    #[case(json!(9_007_199_254_740_991_i64), None)]
    #[case(json!(-9_007_199_254_740_991_i64), None)]
    #[case(json!(9_007_199_254_740_992_i64), Some(1003))]
    #[case(json!([-9_007_199_254_740_992_i64]), Some(1003))]
    #[case(json!({"a": u64::MAX}), Some(1003))]
    #[case(json!(i64::MIN), Some(1003))]
    #[case(json!("9007199254740993"), None)]
    fn integers_that_json_cannot_carry_are_refused(#[case] value: Json, #[case] code: Option<u16>) {
        assert_eq!(canonical(&value).map_err(|e| e.code).err(), code);
    }

    #[test]
    fn numbers_without_a_json_form_are_refused() {
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(number(x).unwrap_err().code, 1006);
        }
    }

    proptest! {
        #[test]
        fn text_and_numbers_read_back_as_they_were(text in "\\PC{0,20}|[\\x00-\\x7f]{0,20}", x in any::<f64>()) {
            prop_assume!(x.is_finite());
            let value = json!({text.clone(): [text, x]});
            let back: Json = serde_json::from_str(&canonical(&value).unwrap()).unwrap();
            let entry = back.as_object().unwrap().iter().next().unwrap();
            prop_assert_eq!(entry.1[0].as_str().unwrap(), entry.0);
            prop_assert_eq!(entry.1[1].as_f64().unwrap(), x + 0.0);
        }
    }
}
