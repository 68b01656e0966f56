//! Random choices that the same seed makes again.

use crate::dice;

/// Choices among what is in a list, and words.
pub(super) struct Dice(dice::Dice);

impl Dice {
    /// Choices that this seed makes.
    pub(super) fn new(seed: u64) -> Self {
        Self(dice::Dice::new(seed))
    }

    /// A number below this one.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0.index(bound)
    }

    /// True as often as this, in percent.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub(super) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// A word, not always in ASCII.
    pub(super) fn word(&mut self) -> &'static str {
        self.pick(&[
            "amber",
            "Birch",
            "cedar",
            "Dünen",
            "elm",
            "Ångström",
            "fir",
            "O'Malley",
            "zürich",
            "Tour Guide",
            "x",
            "42",
        ])
    }
}
