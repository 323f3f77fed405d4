//! Interprets the tree. Its depth is bounded by the parser, so plain recursion is safe.

use std::cmp::Ordering;

use super::number::{Number, arithmetic};
use super::syntax::{Comparison, Node};
use crate::Value;

type Env<'a> = &'a dyn Fn(&str) -> Option<Value>;

/// The value of `node`; `Value::None` is null.
pub(super) fn evaluate(node: &Node, env: Env<'_>) -> Value {
    match node {
        Node::Literal(value) => value.clone(),
        Node::Name(name) => read(name, env),
        Node::Not(inner) => truth(&evaluate(inner, env)).map_or(Value::None, |b| Value::Bool(!b)),
        Node::Sign(minus, inner) => match Number::of(&evaluate(inner, env)) {
            Some(number) if *minus => number.negated(),
            Some(number) => number.value(),
            None => Value::None,
        },
        Node::Arithmetic(operator, left, right) => {
            let (left, right) = (evaluate(left, env), evaluate(right, env));
            match (Number::of(&left), Number::of(&right)) {
                (Some(a), Some(b)) => arithmetic(*operator, a, b),
                _ => Value::None,
            }
        }
        Node::Compare(first, links) => chain(first, links, env),
        Node::Member { value, items, negated } => match evaluate(value, env) {
            Value::None => Value::None,
            value => Value::Bool(items.iter().any(|item| equal(&value, item)) != *negated),
        },
        Node::And(nodes) => until(nodes, false, env),
        Node::Or(nodes) => until(nodes, true, env),
        Node::If { condition, then, otherwise } => match truth(&evaluate(condition, env)) {
            Some(true) => evaluate(then, env),
            Some(false) => evaluate(otherwise, env),
            None => Value::None,
        },
        Node::Call(function, arguments) => {
            let values: Vec<Value> = arguments.iter().map(|argument| evaluate(argument, env)).collect();
            function.call(&values)
        }
    }
}

/// Python's truth of a number or boolean; nothing for null and text.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Int(i) => Some(*i != 0),
        Value::Float(x) => Some(*x != 0.0),
        Value::None | Value::Text(_) => None,
    }
}

fn read(name: &str, env: Env<'_>) -> Value {
    match env(name) {
        Some(Value::Float(x)) if !x.is_finite() => Value::None,
        Some(value) => value,
        None => Value::None,
    }
}

/// `and` (stops at a false value) and `or` (stops at a true one): the value that decides.
fn until(nodes: &[Node], stop: bool, env: Env<'_>) -> Value {
    let mut last = Value::None;
    for node in nodes {
        last = evaluate(node, env);
        match truth(&last) {
            None => return Value::None,
            Some(found) if found == stop => return last,
            Some(_) => {}
        }
    }
    last
}

fn chain(first: &Node, links: &[(Comparison, Node)], env: Env<'_>) -> Value {
    let mut left = evaluate(first, env);
    for (comparison, right) in links {
        let right = evaluate(right, env);
        match compare(*comparison, &left, &right) {
            Some(true) => left = right,
            Some(false) => return Value::Bool(false),
            None => return Value::None,
        }
    }
    Value::Bool(true)
}

fn compare(comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
    if *left == Value::None || *right == Value::None {
        return None;
    }
    let ordering = order(left, right);
    match comparison {
        Comparison::Equal => Some(ordering == Some(Ordering::Equal)),
        Comparison::NotEqual => Some(ordering != Some(Ordering::Equal)),
        Comparison::Less => ordering.map(Ordering::is_lt),
        Comparison::LessOrEqual => ordering.map(Ordering::is_le),
        Comparison::Greater => ordering.map(Ordering::is_gt),
        Comparison::GreaterOrEqual => ordering.map(Ordering::is_ge),
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    order(left, right) == Some(Ordering::Equal)
}

/// Order of two values; nothing if one is text and the other is not, or one is null.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        _ => Number::of(left)?.compare(Number::of(right)?),
    }
}
