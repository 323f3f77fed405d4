//! A position in the tokens of an expression, and what can be asked there.

use super::token::{Token, refuse, tokens};
use crate::{Error, Result, Value};

/// The tokens of a text, read from left to right.
pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: Vec<(Token, usize)>,
    next: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self> {
        Ok(Self { text, tokens: tokens(text)?, next: 0 })
    }
}

impl Cursor<'_> {
    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    pub(super) fn position(&self) -> usize {
        self.tokens[self.next].1
    }

    pub(super) fn advance(&mut self) {
        // `End` is never consumed.
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(s) if *s == symbol)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(w) if w == word)
    }

    pub(super) fn accept_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn accept_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn expect_symbol(&mut self, symbol: &'static str) -> Result<()> {
        if self.accept_symbol(symbol) {
            return Ok(());
        }
        Err(refuse(self.text, self.position(), format!("`{symbol}` expected")))
    }

    pub(super) fn refuse(&self, position: usize, what: &str) -> Error {
        refuse(self.text, position, what)
    }

    pub(super) fn unexpected(&self) -> Error {
        let what = match self.peek() {
            Token::End => "it ends too early".to_owned(),
            Token::Symbol(s) if *s == "[" => {
                "subscripts and lists outside `in [..]` are not allowed".to_owned()
            }
            Token::Symbol(s) if *s == "(" => "only the listed functions can be called".to_owned(),
            Token::Symbol(s) => format!("`{s}` is not expected here"),
            Token::Word(w) => format!("`{w}` is not expected here"),
            Token::Int(_) | Token::Float(_) | Token::Text(_) => "an operator is missing here".to_owned(),
        };
        refuse(self.text, self.position(), what)
    }

    /// Consumes a literal, if one is next. Adjacent strings join, as in Python.
    pub(super) fn literal(&mut self) -> Option<Value> {
        let value = match self.peek() {
            Token::Int(i) => Value::Int(*i),
            Token::Float(x) => Value::Float(*x),
            Token::Text(s) => Value::Text(s.clone()),
            Token::Word(w) => match w.as_str() {
                "True" => Value::Bool(true),
                "False" => Value::Bool(false),
                "None" => Value::None,
                _ => return None,
            },
            _ => return None,
        };
        self.advance();
        let Value::Text(mut text) = value else { return Some(value) };
        while let Token::Text(more) = self.peek() {
            text.push_str(more);
            self.advance();
        }
        Some(Value::Text(text))
    }
}
