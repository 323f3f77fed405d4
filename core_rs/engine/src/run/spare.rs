//! Memory of a thread's last list of closed positions, for its next backtest: large lists that come and go would be given
//! back to the system and cleared by it each time.

use crate::orders::Position;
use std::cell::Cell;

/// Positions of the largest list that is kept, some megabytes.
const MOST: usize = 1 << 14;

thread_local! {
    static CLOSED: Cell<Vec<Position>> = const { Cell::new(Vec::new()) };
}

/// An empty list, with the memory of one that this thread has given back.
pub fn take() -> Vec<Position> {
    CLOSED.take()
}

/// Keeps the memory of a list that is not needed any more.
pub fn give_back(mut list: Vec<Position>) {
    list.clear();
    if list.capacity() <= MOST {
        CLOSED.set(list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_comes_back_empty_with_its_memory_unless_it_is_huge() {
        let list = Vec::with_capacity(100);
        let memory = list.as_ptr();
        give_back(list);
        let again = take();
        assert_eq!((again.as_ptr(), again.capacity(), again.len()), (memory, 100, 0));
        assert_eq!(take().capacity(), 0, "it is given once");
        give_back(Vec::with_capacity(MOST + 1));
        assert_eq!(take().capacity(), 0);
    }
}
