//! The parameter `direction_filter`, which every strategy has.

use sweep_engine::declare::Canonical;
use sweep_engine::orders::Direction;

/// Directions whose entries are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directions {
    long: bool,
    short: bool,
}

impl Directions {
    /// From `direction_filter`: both, long or short.
    pub fn of(params: &Canonical) -> Self {
        let filter = params.text("direction_filter");
        Self { long: filter != "short", short: filter != "long" }
    }

    /// Whether entries of this direction are evaluated.
    pub fn allow(self, direction: Direction) -> bool {
        match direction {
            Direction::Long => self.long,
            Direction::Short => self.short,
        }
    }
}
