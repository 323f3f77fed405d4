//! The tree of operations.

use super::function::Function;
use crate::Value;

/// One operation, literal or name.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Literal(Value),
    Name(String),
    Not(Box<Node>),
    /// Unary plus (`false`) or minus (`true`).
    Sign(bool, Box<Node>),
    Arithmetic(Operator, Box<Node>, Box<Node>),
    /// `a < b <= c`: the first operand, then each comparison with its right operand.
    Compare(Box<Node>, Vec<(Comparison, Node)>),
    /// `a in [..]`, negated or not.
    Member {
        value: Box<Node>,
        items: Vec<Value>,
        negated: bool,
    },
    And(Vec<Node>),
    Or(Vec<Node>),
    If {
        condition: Box<Node>,
        then: Box<Node>,
        otherwise: Box<Node>,
    },
    Call(Function, Vec<Node>),
}

/// A binary arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}
