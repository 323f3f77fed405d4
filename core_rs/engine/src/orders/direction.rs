//! Long or short.

use crate::error::{Error, Result};

/// Direction of an order or position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Buys first.
    Long,
    /// Sells first.
    Short,
}

impl Direction {
    /// Both, in the order of their declaration.
    pub const ALL: [Self; 2] = [Self::Long, Self::Short];

    /// +1 long, −1 short.
    pub fn sign(self) -> f64 {
        match self {
            Self::Long => 1.0,
            Self::Short => -1.0,
        }
    }

    /// The other one.
    pub fn opposite(self) -> Self {
        match self {
            Self::Long => Self::Short,
            Self::Short => Self::Long,
        }
    }

    /// `long` or `short`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Short => "short",
        }
    }

    /// From `long`, `buy`, `short`, `sell`, `1`, `-1`, in any case.
    ///
    /// # Errors
    /// [1001] for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let word = text.trim();
        let is_one_of = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
        if is_one_of(&["long", "buy", "1", "+1"]) {
            Ok(Self::Long)
        } else if is_one_of(&["short", "sell", "-1"]) {
            Ok(Self::Short)
        } else {
            Err(Error::config(1001, format!("unknown direction {text:?}")).fix("use long or short"))
        }
    }
}
