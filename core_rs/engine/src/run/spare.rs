//! Memory of a thread's last backtest, for its next: large lists that come and go would be given back to the system and
//! cleared by it each time.

use crate::orders::Position;
use std::cell::Cell;

/// Positions of the largest list that is kept, about ten megabytes; and cells of their table.
const MOST: usize = 1 << 15;
const MOST_CELLS: usize = 32 * MOST;

thread_local! {
    static CLOSED: Cell<Vec<Position>> = const { Cell::new(Vec::new()) };
    static CELLS: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
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

/// Lends `n` cells to `work`, to be written before they are read: they hold what was there before.
pub fn with_cells<T>(n: usize, work: impl FnOnce(&mut [u64]) -> T) -> T {
    let mut cells = CELLS.take();
    if cells.len() < n {
        cells.resize(n, 0);
    }
    let made = work(&mut cells[..n]);
    if cells.capacity() <= MOST_CELLS {
        CELLS.set(cells);
    }
    made
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

    #[test]
    fn cells_are_lent_again_unless_they_are_many() {
        let first = with_cells(100, |cells| {
            cells.fill(7);
            cells.as_ptr()
        });
        let again = with_cells(50, |cells| (cells.as_ptr(), cells.len(), cells[49]));
        assert_eq!(again, (first, 50, 7));
        assert_eq!(with_cells(200, |cells| cells.len()), 200);
        with_cells(MOST_CELLS + 1, |cells| cells.fill(9));
        assert_eq!(with_cells(1, |cells| cells[0]), 0, "many are not kept");
    }
}
