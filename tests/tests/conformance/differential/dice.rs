//! Random choices that a seed repeats.

/// SplitMix64.
pub(super) struct Dice {
    state: u64,
}

impl Dice {
    /// Choices that this seed makes.
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below this one.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap_or_default()
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
