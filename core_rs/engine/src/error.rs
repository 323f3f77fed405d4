//! The one error type of the engine: a code of the public table, and what, where and what to do.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde_json::{Map, Value as Json};

/// Where an error arises. It decides the exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Usage, configuration, parameters.
    Config,
    /// Market data.
    Data,
    /// The backtest itself.
    Engine,
}

impl Stage {
    /// The stage's name in the Python package.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Data => "data",
            Self::Engine => "engine",
        }
    }
}

/// An error with a code of the public table. It is one pointer wide, because results of every fill carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Details>);

/// What an [`Error`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// Number in the public code table, for example 1006.
    pub code: u16,
    /// Where it arose.
    pub stage: Stage,
    /// What is wrong.
    pub what: String,
    /// Where: file, column, row, parameter.
    pub place: String,
    /// What to do about it.
    pub remedy: String,
    /// Details for machines, by name.
    pub context: Map<String, Json>,
}

/// Result of anything in the engine that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of the configuration stage.
    pub fn config(code: u16, what: impl Into<String>) -> Self {
        Self::new(code, Stage::Config, what)
    }

    /// An error in market data.
    pub fn data(code: u16, what: impl Into<String>) -> Self {
        Self::new(code, Stage::Data, what)
    }

    /// An error of a running backtest.
    pub fn engine(code: u16, what: impl Into<String>) -> Self {
        Self::new(code, Stage::Engine, what)
    }

    fn new(code: u16, stage: Stage, what: impl Into<String>) -> Self {
        let (what, place, remedy) = (what.into(), String::new(), String::new());
        Self(Box::new(Details { code, stage, what, place, remedy, context: Map::new() }))
    }

    /// The same under another code.
    #[must_use]
    pub fn renumbered(mut self, code: u16) -> Self {
        self.code = code;
        self
    }

    /// Adds where it happened.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn fix(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// Adds a detail for machines.
    #[must_use]
    pub fn with(mut self, name: &str, detail: Json) -> Self {
        self.context.insert(name.to_owned(), detail);
        self
    }
}

impl Deref for Error {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.code, self.what)?;
        for part in [&self.place, &self.remedy] {
            if !part.is_empty() {
                write!(f, "; {part}")?;
            }
        }
        Ok(())
    }
}
