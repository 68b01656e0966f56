//! Slows down callers who guess secrets: it counts the failed tries of each source, such as an address or an account,
//! whether it exists or not.
//!
//! Strangers can use any number of sources, and none may be forgotten too early. For this reason the counts are in a
//! table of fixed size (a count-min sketch): each source has a cell in each of several rows, chosen by a hash that
//! strangers can't compute, and its count is the lowest of these cells. Several sources may share a cell; only a source
//! that shares its cell in every row is slowed down by the tries of others.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The most failed tries of one address in a window.
pub(crate) const OF_ADDRESS: u32 = 20;
/// The length of a window. It is measured with a clock that only goes forwards, so a change of the machine's clock
/// locks nobody out.
const WINDOW: Duration = Duration::from_secs(10 * 60);
/// The rows of the table.
const ROWS: usize = 4;
/// The cells of a row. With 4,000 sources that have used up their tries, one source in 4,000 shares a cell with one of
/// them in every row.
const CELLS: usize = 1 << 15;

/// The tries of all sources of one kind.
pub(crate) struct Throttle {
    most: u32,
    begun: Instant,
    hashes: RandomState,
    cells: Mutex<Vec<Cell>>,
}

/// The tries in one window. Cells that were never written take no memory of the machine.
#[derive(Clone, Copy, Default)]
struct Cell {
    window: u32,
    count: u32,
}

impl Throttle {
    /// Allows this many tries of each source in a window.
    pub(crate) fn new(most: u32) -> Self {
        Self {
            most,
            begun: Instant::now(),
            hashes: RandomState::new(),
            cells: Mutex::new(vec![Cell::default(); ROWS * CELLS]),
        }
    }

    /// Counts a try before it is made, so that parallel tries count as well. The error is the number of seconds to
    /// wait.
    pub(crate) fn begin(&self, source: &impl Hash) -> Result<(), u32> {
        let (window, left) = self.window();
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |cell: &Cell| if cell.window == window { cell.count } else { 0 };
        let places = self.places(source);
        let tries = places.iter().filter_map(|place| cells.get(*place)).map(count).min().unwrap_or(0);
        if tries >= self.most {
            return Err(left);
        }
        for place in places {
            if let Some(cell) = cells.get_mut(place) {
                *cell = Cell { window, count: count(cell).saturating_add(1) };
            }
        }
        Ok(())
    }

    /// Removes the try from the count, because it was right.
    pub(crate) fn succeeded(&self, source: &impl Hash) {
        let (window, _) = self.window();
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        for place in self.places(source) {
            if let Some(cell) = cells.get_mut(place).filter(|cell| cell.window == window) {
                cell.count = cell.count.saturating_sub(1);
            }
        }
    }

    /// The number of the window, and the seconds until it ends.
    fn window(&self) -> (u32, u32) {
        let elapsed = self.begun.elapsed().as_secs();
        let window = u32::try_from(elapsed / WINDOW.as_secs()).unwrap_or(u32::MAX);
        let left = WINDOW.as_secs() - elapsed % WINDOW.as_secs();
        // The initial value of cells means window 0, so that number is not used.
        (window.saturating_add(1), u32::try_from(left).unwrap_or(u32::MAX))
    }

    fn places(&self, source: &impl Hash) -> [usize; ROWS] {
        std::array::from_fn(|row| {
            let hash = self.hashes.hash_one((row, source)) % CELLS as u64;
            row * CELLS + usize::try_from(hash).unwrap_or(0)
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_source_waits_after_its_tries_and_no_other_does() {
        let throttle = Throttle::new(3);
        for _ in 0..3 {
            assert_eq!(throttle.begin(&"one"), Ok(()));
        }
        assert_eq!(throttle.begin(&"one"), Err(600));
        assert_eq!(throttle.begin(&"other"), Ok(()));
        advance(WINDOW / 2).await;
        assert_eq!(throttle.begin(&"one"), Err(300));
        advance(WINDOW / 2).await;
        assert_eq!(throttle.begin(&"one"), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn right_secrets_do_not_count() {
        let throttle = Throttle::new(3);
        for _ in 0..9 {
            assert_eq!(throttle.begin(&"one"), Ok(()));
            throttle.succeeded(&"one");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn f11_the_tries_of_many_others_neither_forgive_a_source_nor_slow_one_down() {
        let throttle = Throttle::new(3);
        for _ in 0..3 {
            assert_eq!(throttle.begin(&"victim"), Ok(()));
        }
        for number in 0..5_000_u32 {
            // Nearly all sources have a cell of their own.
            let _ = throttle.begin(&number);
        }
        assert!(throttle.begin(&"victim").is_err(), "others have pushed its count out");
        let slowed = (0..5_000_u32).filter(|number| throttle.begin(&(number, "new")).is_err()).count();
        assert!(slowed < 50, "{slowed} of 5,000 are slowed down for the tries of others");
    }
}
