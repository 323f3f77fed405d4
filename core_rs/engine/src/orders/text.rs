//! Short texts that orders carry along: fixed words of a strategy, or words of a user's table.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A text that is copied without an allocation.
#[derive(Debug, Clone)]
pub enum Text {
    /// Written in a strategy.
    Static(&'static str),
    /// Read from a table.
    Shared(Arc<str>),
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Shared(text.into())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
