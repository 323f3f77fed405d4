//! Splits the text of an expression into tokens, as Python's tokenizer does for the accepted subset.

use super::MAX_LENGTH;
use crate::{Error, Result};

/// A token. Keywords are words.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Int(i64),
    Float(f64),
    Text(String),
    Word(String),
    Symbol(&'static str),
    End,
}

/// Longest first, so that `**` is not read as two `*`.
const SYMBOLS: [&str; 18] =
    ["**", "//", "<=", ">=", "==", "!=", "(", ")", "[", "]", ",", "+", "-", "*", "/", "%", "<", ">"];

const REMEDY: &str = "allowed are numbers, 'text' in comparisons, True, False, None, names, + - * / // % **, \
                      comparisons, in [..], and or not, a if c else b, \
                      abs min max round floor ceil log exp sqrt";

/// The error for `text` at a character position counted from 0.
pub(super) fn refuse(text: &str, position: usize, what: impl Into<String>) -> Error {
    let mut excerpt: String = text.chars().take(60).collect();
    if text.chars().nth(60).is_some() {
        excerpt.push('…');
    }
    Error::config(1001, format!("expression refused: {}", what.into()))
        .at(format!("character {} of `{excerpt}`", position + 1))
        .fix(REMEDY)
}

/// Tokens of `text` with their character positions; the last one is `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>> {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() > MAX_LENGTH {
        let what = format!("{} characters, at most {MAX_LENGTH} are allowed", characters.len());
        return Err(refuse(text, MAX_LENGTH, what));
    }
    // Blanks at the ends mean nothing; in between, line breaks are blanks within brackets only.
    let start = characters.len() - text.trim_start().chars().count();
    let end = text.trim_end().chars().count();
    let mut scanner =
        Scanner { text, characters: characters[..end.max(start)].to_vec(), position: start, brackets: 0 };
    let mut found = Vec::new();
    loop {
        scanner.skip_blanks();
        let start = scanner.position;
        let token = scanner.next()?;
        let end = token == Token::End;
        found.push((token, start));
        if end {
            return Ok(found);
        }
    }
}

struct Scanner<'a> {
    text: &'a str,
    characters: Vec<char>,
    position: usize,
    brackets: usize,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> char {
        self.characters.get(self.position + ahead).copied().unwrap_or('\0')
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(0), ' ' | '\t') || self.brackets > 0 && matches!(self.peek(0), '\n' | '\r') {
            self.position += 1;
        }
    }

    fn refuse<T>(&self, position: usize, what: impl Into<String>) -> Result<T> {
        Err(refuse(self.text, position, what))
    }

    fn next(&mut self) -> Result<Token> {
        let c = self.peek(0);
        if self.position == self.characters.len() {
            return Ok(Token::End);
        }
        if c.is_ascii_digit() || c == '.' && self.peek(1).is_ascii_digit() {
            return self.number();
        }
        if c.is_ascii_alphabetic() || c == '_' {
            return self.word();
        }
        if c == '\'' || c == '"' {
            return self.string(c);
        }
        for symbol in SYMBOLS {
            if symbol.chars().enumerate().all(|(ahead, expected)| self.peek(ahead) == expected) {
                self.position += symbol.len();
                match symbol {
                    "(" | "[" => self.brackets += 1,
                    ")" | "]" => self.brackets = self.brackets.saturating_sub(1),
                    _ => {}
                }
                return Ok(Token::Symbol(symbol));
            }
        }
        let what = match c {
            '.' => "attributes are not allowed".to_owned(),
            '=' => "`=` is not allowed, a comparison is `==`".to_owned(),
            '&' | '|' | '~' | '^' => format!("`{c}` is not allowed, use and, or, not"),
            _ => format!("`{}` is not allowed", c.escape_debug()),
        };
        self.refuse(self.position, what)
    }

    fn word(&mut self) -> Result<Token> {
        let start = self.position;
        while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == '_' {
            self.position += 1;
        }
        if matches!(self.peek(0), '\'' | '"') {
            return self.refuse(start, "prefixed strings are not allowed");
        }
        Ok(Token::Word(self.characters[start..self.position].iter().collect()))
    }

    fn string(&mut self, quote: char) -> Result<Token> {
        let start = self.position;
        self.position += 1;
        let mut content = String::new();
        loop {
            if self.position == self.characters.len() {
                return self.refuse(start, "the string has no end");
            }
            let c = self.peek(0);
            self.position += 1;
            match c {
                c if c == quote => return Ok(Token::Text(content)),
                '\\' | '\n' | '\r' => {
                    return self.refuse(self.position - 1, "strings hold no backslashes and line breaks");
                }
                c => content.push(c),
            }
        }
    }

    fn number(&mut self) -> Result<Token> {
        let start = self.position;
        let radix = match (self.peek(0), self.peek(1).to_ascii_lowercase()) {
            ('0', 'x') => 16,
            ('0', 'o') => 8,
            ('0', 'b') => 2,
            _ => 10,
        };
        let mut is_float = false;
        let digits = if radix == 10 {
            is_float = self.decimal();
            self.characters[start..self.position].iter().collect::<String>()
        } else {
            self.position += 2;
            self.digits(radix);
            self.characters[start + 2..self.position].iter().collect()
        };
        let malformed = digits.is_empty()
            || digits.ends_with('_')
            || digits.contains("__")
            || !is_float && radix == 10 && has_leading_zero(&digits);
        if malformed || self.peek(0).is_ascii_alphanumeric() || self.peek(0) == '_' {
            return self.refuse(start, "this is not a number");
        }
        let clean = digits.replace('_', "");
        let token = if is_float {
            clean.parse().ok().filter(|x: &f64| x.is_finite()).map(Token::Float)
        } else {
            i64::from_str_radix(&clean, radix).ok().map(Token::Int)
        };
        token.map_or_else(|| self.refuse(start, "the number is too large"), Ok)
    }

    /// Moves over a decimal number; whether it is a float.
    fn decimal(&mut self) -> bool {
        self.digits(10);
        let mut is_float = false;
        if self.peek(0) == '.' {
            is_float = true;
            self.position += 1;
            self.digits(10);
        }
        let signed = usize::from(matches!(self.peek(1), '+' | '-'));
        if matches!(self.peek(0), 'e' | 'E') && self.peek(1 + signed).is_ascii_digit() {
            is_float = true;
            self.position += 1 + signed;
            self.digits(10);
        }
        is_float
    }

    fn digits(&mut self, radix: u32) {
        while self.peek(0).is_digit(radix) || self.peek(0) == '_' {
            self.position += 1;
        }
    }
}

/// Python refuses `07`, but not `00`.
fn has_leading_zero(digits: &str) -> bool {
    digits.starts_with('0') && digits.bytes().any(|b| b != b'0' && b != b'_')
}
