//! Signals that did not become positions, counted by reason.

/// How many rejections are kept with their details.
const DETAILS: usize = 100;

/// Why a signal was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RejectionReason {
    /// A price or size that is not finite and positive.
    InvalidArgument,
    /// Stop or target on the wrong side.
    InvalidSide,
    /// Stop nearer than the minimum.
    StopTooClose,
    /// The quote is already beyond the price of a stop order.
    StopOrderPassed,
    /// The fill was beyond the stop.
    StopPassedAtFill,
    /// The fill was beyond the target.
    TargetPassedAtFill,
    /// Sized below the smallest volume.
    BelowMinVolume,
    /// More signals than free slots.
    MaxPositions,
    /// The margin does not suffice.
    InsufficientMargin,
    /// Decided on the last bar.
    EndOfData,
}

impl RejectionReason {
    /// All reasons, in the order in which they are reported.
    pub const ALL: [Self; 10] = [
        Self::InvalidArgument,
        Self::InvalidSide,
        Self::StopTooClose,
        Self::StopOrderPassed,
        Self::StopPassedAtFill,
        Self::TargetPassedAtFill,
        Self::BelowMinVolume,
        Self::MaxPositions,
        Self::InsufficientMargin,
        Self::EndOfData,
    ];

    /// Text of the reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidArgument => "invalid_argument",
            Self::InvalidSide => "invalid_side",
            Self::StopTooClose => "stop_too_close",
            Self::StopOrderPassed => "stop_order_passed",
            Self::StopPassedAtFill => "stop_passed_at_fill",
            Self::TargetPassedAtFill => "target_passed_at_fill",
            Self::BelowMinVolume => "below_min_volume",
            Self::MaxPositions => "max_positions",
            Self::InsufficientMargin => "insufficient_margin",
            Self::EndOfData => "end_of_data",
        }
    }

    /// Code of the error table.
    pub fn code(self) -> u16 {
        match self {
            Self::InvalidArgument => 1001,
            Self::MaxPositions | Self::InsufficientMargin => 6004,
            Self::EndOfData => 1007,
            _ => 1006,
        }
    }
}

/// One rejected signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejection {
    /// Label of the bar, µs.
    pub time: i64,
    /// Index of the bar among the loaded ones.
    pub bar: usize,
    /// Why.
    pub reason: RejectionReason,
    /// Readable text with the numbers.
    pub message: String,
}

/// Counts by reason, and the first hundred with their details.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rejections {
    counts: [u64; RejectionReason::ALL.len()],
    details: Vec<Rejection>,
}

impl Rejections {
    /// Counts one; `message` is only made while details are kept.
    pub fn add(&mut self, time: i64, bar: usize, reason: RejectionReason, message: impl FnOnce() -> String) {
        self.counts[reason as usize] += 1;
        if self.details.len() < DETAILS {
            self.details.push(Rejection { time, bar, reason, message: message() });
        }
    }

    /// Adds those of a later run.
    pub fn pool(&mut self, later: &Self) {
        self.counts.iter_mut().zip(later.counts).for_each(|(count, more)| *count += more);
        let room = DETAILS - self.details.len();
        self.details.extend(later.details.iter().take(room).cloned());
    }

    /// Count of one reason.
    pub fn count(&self, reason: RejectionReason) -> u64 {
        self.counts[reason as usize]
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The first hundred.
    pub fn details(&self) -> &[Rejection] {
        &self.details
    }

    /// (reason, count) for reasons that occurred.
    pub fn by_reason(&self) -> impl Iterator<Item = (RejectionReason, u64)> + '_ {
        RejectionReason::ALL.into_iter().zip(self.counts).filter(|(_, n)| *n > 0)
    }
}
