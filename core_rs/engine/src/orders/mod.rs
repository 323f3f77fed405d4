//! Orders and positions: what a strategy asks for and what became of it.

mod direction;
mod order;
mod position;
mod rejection;
mod signal;

pub use direction::Direction;
pub use order::{EndedOrder, Fate, Order};
pub use position::{ExitReason, Position, Queued, StopKind};
pub use rejection::{Rejection, RejectionReason, Rejections};
pub use signal::{Labels, Meta, Note, OrderType, Signal};
