//! Recursive descent over the tokens, with Python's precedences.

use std::collections::BTreeSet;

use super::cursor::Cursor;
use super::function::Function;
use super::syntax::{Comparison, Node, Operator};
use super::token::Token;
use super::{MAX_DEPTH, MAX_EXPONENT};
use crate::{Result, Value};

/// Deepest nesting of parentheses. They add no depth, but the recursion has to end (Python's own limit is 200).
const MAX_BRACKETS: usize = 64;

/// Words of Python that are no names here.
const RESERVED: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// A node, its depth, and where it is written.
struct Part {
    node: Node,
    depth: usize,
    position: usize,
}

/// The tree of `text` and the names in it.
pub(super) fn parse(text: &str) -> Result<(Node, BTreeSet<String>)> {
    let cursor = Cursor::new(text)?;
    let mut parser = Parser { cursor, names: BTreeSet::new(), brackets: 0, operations: 0 };
    let root = parser.expression()?;
    let root = parser.operand(root)?;
    if *parser.cursor.peek() != Token::End {
        return Err(parser.cursor.unexpected());
    }
    Ok((root.node, parser.names))
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    names: BTreeSet<String>,
    /// Open brackets, and operations that wait for their right operand: both bound the recursion.
    brackets: usize,
    operations: usize,
}

impl Parser<'_> {
    fn part(&self, position: usize, depth: usize, node: Node) -> Result<Part> {
        if depth > MAX_DEPTH {
            return Err(self.cursor.refuse(position, &format!("nested deeper than {MAX_DEPTH}")));
        }
        Ok(Part { node, depth, position })
    }

    /// A part outside a comparison, where text has no meaning.
    fn operand(&self, part: Part) -> Result<Part> {
        if matches!(part.node, Node::Literal(Value::Text(_))) {
            return Err(self.cursor.refuse(part.position, "strings are allowed in comparisons only"));
        }
        Ok(part)
    }

    /// Parses the right operand of an operation that began at `position`; bounds the recursion.
    fn nested(&mut self, position: usize, inner: fn(&mut Self) -> Result<Part>) -> Result<Part> {
        if self.operations == MAX_DEPTH {
            return Err(self.cursor.refuse(position, &format!("nested deeper than {MAX_DEPTH}")));
        }
        self.operations += 1;
        let part = inner(self)?;
        self.operations -= 1;
        Ok(part)
    }

    /// `a if c else b`.
    fn expression(&mut self) -> Result<Part> {
        let then = self.disjunction()?;
        let position = self.cursor.position();
        if !self.cursor.accept_word("if") {
            return Ok(then);
        }
        let condition = self.disjunction()?;
        let condition = self.operand(condition)?;
        if !self.cursor.accept_word("else") {
            return Err(self.cursor.refuse(self.cursor.position(), "`else` expected"));
        }
        let otherwise = self.nested(position, Self::expression)?;
        let depth = 1 + then.depth.max(condition.depth).max(otherwise.depth);
        let node = Node::If {
            condition: Box::new(condition.node),
            then: Box::new(then.node),
            otherwise: Box::new(otherwise.node),
        };
        self.part(position, depth, node)
    }

    fn disjunction(&mut self) -> Result<Part> {
        self.joined("or", Self::conjunction, Node::Or)
    }

    fn conjunction(&mut self) -> Result<Part> {
        self.joined("and", Self::negation, Node::And)
    }

    fn joined(
        &mut self,
        word: &str,
        inner: fn(&mut Self) -> Result<Part>,
        make: fn(Vec<Node>) -> Node,
    ) -> Result<Part> {
        let first = inner(self)?;
        if !self.cursor.is_word(word) {
            return Ok(first);
        }
        let (position, mut depth) = (first.position, first.depth);
        let mut nodes = vec![self.operand(first)?.node];
        while self.cursor.accept_word(word) {
            let part = inner(self)?;
            let part = self.operand(part)?;
            depth = depth.max(part.depth);
            nodes.push(part.node);
        }
        self.part(position, depth + 1, make(nodes))
    }

    fn negation(&mut self) -> Result<Part> {
        let position = self.cursor.position();
        if !self.cursor.accept_word("not") {
            return self.comparison();
        }
        let inner = self.nested(position, Self::negation)?;
        let inner = self.operand(inner)?;
        self.part(position, inner.depth + 1, Node::Not(Box::new(inner.node)))
    }

    fn comparison(&mut self) -> Result<Part> {
        let first = self.sum(0)?;
        let (position, mut depth) = (first.position, first.depth);
        let mut links: Vec<(Comparison, Node)> = Vec::new();
        while let Some(comparison) = self.comparison_operator() {
            self.cursor.advance();
            let right = self.sum(0)?;
            depth = depth.max(right.depth);
            links.push((comparison, right.node));
        }
        let membership = self.cursor.position();
        let negated = self.cursor.is_word("not");
        if !negated && !self.cursor.is_word("in") {
            if links.is_empty() {
                return Ok(first);
            }
            return self.part(position, depth + 1, Node::Compare(Box::new(first.node), links));
        }
        self.cursor.advance();
        if negated && !self.cursor.accept_word("in") {
            return Err(self.cursor.refuse(membership, "`not in` expected"));
        }
        if !links.is_empty() {
            return Err(self.cursor.refuse(membership, "`in` cannot be part of a chain"));
        }
        let items = self.items()?;
        if self.comparison_operator().is_some() || self.cursor.is_word("in") || self.cursor.is_word("not") {
            return Err(self.cursor.refuse(self.cursor.position(), "`in` cannot be part of a chain"));
        }
        // The list itself is a level, its items another.
        let depth = 1 + depth.max(if items.is_empty() { 1 } else { 2 });
        self.part(position, depth, Node::Member { value: Box::new(first.node), items, negated })
    }

    fn comparison_operator(&self) -> Option<Comparison> {
        match self.cursor.peek() {
            Token::Symbol("<") => Some(Comparison::Less),
            Token::Symbol("<=") => Some(Comparison::LessOrEqual),
            Token::Symbol(">") => Some(Comparison::Greater),
            Token::Symbol(">=") => Some(Comparison::GreaterOrEqual),
            Token::Symbol("==") => Some(Comparison::Equal),
            Token::Symbol("!=") => Some(Comparison::NotEqual),
            _ => None,
        }
    }

    /// The literal list of `in`.
    fn items(&mut self) -> Result<Vec<Value>> {
        if !self.cursor.accept_symbol("[") {
            return Err(self
                .cursor
                .refuse(self.cursor.position(), "`in` needs a literal list, as in `x in [1, 2]`"));
        }
        let mut items = Vec::new();
        while !self.cursor.accept_symbol("]") {
            items.push(self.item()?);
            if !self.cursor.accept_symbol(",") && !self.cursor.is_symbol("]") {
                return Err(self.cursor.refuse(self.cursor.position(), "a list holds literals only"));
            }
        }
        Ok(items)
    }

    fn item(&mut self) -> Result<Value> {
        let (position, mut sign) = (self.cursor.position(), None);
        while self.cursor.is_symbol("-") || self.cursor.is_symbol("+") {
            let flip = self.cursor.is_symbol("-");
            sign = Some(sign.unwrap_or(false) != flip);
            self.cursor.advance();
        }
        let value = self.cursor.literal();
        match (value, sign) {
            (Some(Value::Int(i)), Some(true)) => Ok(Value::Int(-i)),
            (Some(Value::Float(x)), Some(true)) => Ok(Value::Float(-x)),
            (Some(value @ (Value::Int(_) | Value::Float(_))), Some(false)) | (Some(value), None) => Ok(value),
            _ => Err(self.cursor.refuse(position, "a list holds literals only")),
        }
    }

    /// `+ -` (level 0) and `* / // %` (level 1), left to right.
    fn sum(&mut self, level: usize) -> Result<Part> {
        let inner = |parser: &mut Self| if level == 0 { parser.sum(1) } else { parser.factor() };
        let mut left = inner(self)?;
        while let Some(operator) = self.arithmetic_operator(level) {
            self.cursor.advance();
            let right = inner(self)?;
            left = self.arithmetic(operator, left, right)?;
        }
        Ok(left)
    }

    fn arithmetic(&self, operator: Operator, left: Part, right: Part) -> Result<Part> {
        let (left, right) = (self.operand(left)?, self.operand(right)?);
        let depth = 1 + left.depth.max(right.depth);
        let node = Node::Arithmetic(operator, Box::new(left.node), Box::new(right.node));
        self.part(left.position, depth, node)
    }

    fn arithmetic_operator(&self, level: usize) -> Option<Operator> {
        match (self.cursor.peek(), level) {
            (Token::Symbol("+"), 0) => Some(Operator::Add),
            (Token::Symbol("-"), 0) => Some(Operator::Subtract),
            (Token::Symbol("*"), 1) => Some(Operator::Multiply),
            (Token::Symbol("/"), 1) => Some(Operator::Divide),
            (Token::Symbol("//"), 1) => Some(Operator::FloorDivide),
            (Token::Symbol("%"), 1) => Some(Operator::Modulo),
            _ => None,
        }
    }

    /// Signs bind less than `**` on their right: `-2 ** 2` is −4, `2 ** -1` is 0.5.
    fn factor(&mut self) -> Result<Part> {
        let position = self.cursor.position();
        let minus = self.cursor.is_symbol("-");
        if minus || self.cursor.is_symbol("+") {
            self.cursor.advance();
            let inner = self.nested(position, Self::factor)?;
            let inner = self.operand(inner)?;
            return self.part(position, inner.depth + 1, Node::Sign(minus, Box::new(inner.node)));
        }
        let base = self.atom()?;
        if !self.cursor.is_symbol("**") {
            return Ok(base);
        }
        self.cursor.advance();
        let exponent = self.nested(position, Self::factor)?;
        if literal_number(&exponent.node).is_some_and(|x| x.abs() > MAX_EXPONENT) {
            let what = format!("an exponent beyond {MAX_EXPONENT} is not allowed");
            return Err(self.cursor.refuse(exponent.position, &what));
        }
        self.arithmetic(Operator::Power, base, exponent)
    }

    fn atom(&mut self) -> Result<Part> {
        let position = self.cursor.position();
        if self.cursor.is_symbol("(") {
            self.open_bracket(position)?;
            let inner = self.expression()?;
            self.close_bracket()?;
            return self.end_of_atom(Part { position, ..inner });
        }
        if let Some(value) = self.cursor.literal() {
            let part = self.part(position, 1, Node::Literal(value))?;
            return self.end_of_atom(part);
        }
        let Token::Word(word) = self.cursor.peek().clone() else {
            return Err(self.cursor.unexpected());
        };
        if RESERVED.contains(&word.as_str()) {
            return Err(self.cursor.unexpected());
        }
        self.cursor.advance();
        if self.cursor.is_symbol("(") {
            let part = self.call(position, &word)?;
            return self.end_of_atom(part);
        }
        let part = self.part(position, 1, Node::Name(word.clone()))?;
        self.names.insert(word);
        self.end_of_atom(part)
    }

    /// Nothing is called or subscripted but the listed functions.
    fn end_of_atom(&self, part: Part) -> Result<Part> {
        if self.cursor.is_symbol("[") || self.cursor.is_symbol("(") {
            Err(self.cursor.unexpected())
        } else {
            Ok(part)
        }
    }

    fn open_bracket(&mut self, position: usize) -> Result<()> {
        if self.brackets == MAX_BRACKETS {
            return Err(self.cursor.refuse(position, "too many nested parentheses"));
        }
        self.brackets += 1;
        self.cursor.expect_symbol("(")
    }

    fn close_bracket(&mut self) -> Result<()> {
        self.brackets -= 1;
        self.cursor.expect_symbol(")")
    }

    fn call(&mut self, position: usize, word: &str) -> Result<Part> {
        let Some(function) = Function::named(word) else {
            return Err(self
                .cursor
                .refuse(position, &format!("`{word}` is not a function that can be called")));
        };
        self.open_bracket(position)?;
        let (mut arguments, mut depth) = (Vec::new(), 1);
        while !self.cursor.is_symbol(")") {
            let argument = self.expression()?;
            let argument = self.operand(argument)?;
            depth = depth.max(argument.depth);
            arguments.push(argument.node);
            if !self.cursor.accept_symbol(",") && !self.cursor.is_symbol(")") {
                return Err(self.cursor.unexpected());
            }
        }
        self.close_bracket()?;
        let allowed = function.arguments();
        if !allowed.contains(&arguments.len()) {
            let what = format!("`{word}` takes {} to {} arguments", allowed.start(), allowed.end());
            return Err(self.cursor.refuse(position, &what));
        }
        self.part(position, depth + 1, Node::Call(function, arguments))
    }
}

fn literal_number(node: &Node) -> Option<f64> {
    match node {
        Node::Literal(value) => value.number(),
        Node::Sign(_, inner) => literal_number(inner),
        _ => None,
    }
}
