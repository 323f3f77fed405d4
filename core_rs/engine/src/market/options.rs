//! Options that arrive as JSON: read once into typed values, every mistake named.

use serde_json::{Map, Value as Json};

use crate::suggest::suggestion;
use crate::{Error, Result};

/// A mapping of options, consumed key by key. null means "not given".
pub(super) struct Options {
    place: &'static str,
    fields: Map<String, Json>,
    known: Vec<&'static str>,
}

impl Options {
    /// From JSON text; `place` is what messages call it.
    ///
    /// # Errors
    /// [1009] if the text is not JSON, [1004] if it is no mapping.
    pub fn parse(place: &'static str, text: &str) -> Result<Self> {
        match serde_json::from_str(text) {
            Ok(Json::Object(fields)) => Ok(Self { place, fields, known: Vec::new() }),
            Ok(_) => Err(Error::config(1004, "the options must be a mapping").at(place)),
            Err(e) => Err(Error::config(1009, format!("the options are not JSON: {e}")).at(place)),
        }
    }

    /// The value of a key, read by `read`.
    ///
    /// # Errors
    /// [1004] if `read` does not take it.
    fn take<T>(
        &mut self,
        name: &'static str,
        wanted: &str,
        read: impl FnOnce(&Json) -> Option<T>,
    ) -> Result<Option<T>> {
        self.known.push(name);
        match self.fields.remove(name) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => read(&value).map(Some).ok_or_else(|| {
                Error::config(1004, format!("{name} must be {wanted}, not {value}")).at(self.at(name))
            }),
        }
    }

    pub fn number(&mut self, name: &'static str) -> Result<Option<f64>> {
        self.take(name, "a number", Json::as_f64)
    }

    pub fn integer(&mut self, name: &'static str) -> Result<Option<i64>> {
        self.take(name, "a whole number", Json::as_i64)
    }

    pub fn unsigned(&mut self, name: &'static str) -> Result<Option<u64>> {
        self.take(name, "a whole number from 0 to 2^64 - 1", Json::as_u64)
    }

    pub fn text(&mut self, name: &'static str) -> Result<Option<String>> {
        self.take(name, "text", |v| v.as_str().map(str::to_owned))
    }

    pub fn mapping(&mut self, name: &'static str) -> Result<Option<Map<String, Json>>> {
        self.take(name, "a mapping", |v| v.as_object().cloned())
    }

    /// One of few words.
    ///
    /// # Errors
    /// [1001] if it is another word.
    pub fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(word) = self.text(name)? else { return Ok(None) };
        match choices.iter().find(|(known, _)| *known == word) {
            Some(&(_, value)) => Ok(Some(value)),
            None => {
                let words: Vec<&str> = choices.iter().map(|c| c.0).collect();
                Err(Error::config(1001, format!("{name} cannot be `{word}`"))
                    .at(self.at(name))
                    .fix(format!("choose {}", words.join(" or "))))
            }
        }
    }

    /// A value that must be there.
    ///
    /// # Errors
    /// [1008] if it is not.
    pub fn required<T>(&self, name: &'static str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| Error::config(1008, format!("{name} is missing")).at(self.at(name)))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [1001] if a key was not asked for.
    pub fn finish(self) -> Result<()> {
        let Some(name) = self.fields.keys().next() else { return Ok(()) };
        Err(Error::config(1001, format!("unknown key `{name}`"))
            .at(self.at(name))
            .fix(suggestion(name, self.known.iter().copied())))
    }

    fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Option<f64>, Option<bool>)> {
        let mut options = Options::parse("market", text)?;
        let number = options.number("spread_pips")?;
        let choice = options.choice("weekends", &[("closed", false), ("open", true)])?;
        options.finish()?;
        Ok((number, choice))
    }

    #[test]
    fn null_and_absent_are_the_same() {
        assert_eq!(read(r#"{"spread_pips": null}"#).unwrap(), (None, None));
        assert_eq!(read(r#"{"spread_pips": 1, "weekends": "open"}"#).unwrap(), (Some(1.0), Some(true)));
    }

    #[test]
    fn every_mistake_has_its_code_and_place() {
        for (text, code, named) in [
            ("{", 1009, "market"),
            ("[]", 1004, "market"),
            (r#"{"spread_pips": "1"}"#, 1004, "market.spread_pips"),
            (r#"{"spread_pips": true}"#, 1004, "market.spread_pips"),
            (r#"{"weekends": "shut"}"#, 1001, "closed or open"),
            (r#"{"spread_pip": 1}"#, 1001, "spread_pips?"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.code, code, "{error}");
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
