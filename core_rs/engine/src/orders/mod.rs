//! Orders and positions: what a strategy asks for and what became of it.

mod direction;
mod position;
mod rejection;
mod signal;

pub use direction::Direction;
pub use position::{ExitReason, Position, StopKind};
pub use rejection::{Rejection, RejectionReason, Rejections};
pub use signal::{OrderType, Signal};
