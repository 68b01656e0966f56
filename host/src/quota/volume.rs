//! How much an organization keeps in the storage, known without counting at each write.
//!
//! What it keeps is measured now and then: after it has written a part of its quota since the last time. In between it
//! can't have grown by more than it has written. So who writes little is never measured, and who writes much is measured
//! often enough to be stopped soon after the quota.

/// Into how many parts the quota is divided.
const PARTS: u64 = 16;
/// The most that is written before it is measured, however large the quota is: bytes, and keys.
const MOST_BYTES: u64 = 64 << 20;
const MOST_KEYS: u64 = 1 << 18;
/// How much of what was written since it was measured may be forgotten.
const FORGOTTEN: u64 = 64;

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Bytes of keys and values.
    pub bytes: u64,
    /// How many keys.
    pub keys: u64,
}

impl Size {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { bytes: self.bytes.saturating_add(other.bytes), keys: self.keys.saturating_add(other.keys) }
    }

    fn map(self, change: impl Fn(u64) -> u64) -> Self {
        Self { bytes: change(self.bytes), keys: change(self.keys) }
    }

    /// Whether it is more, of either.
    fn exceeds(self, most: Self) -> bool {
        self.bytes > most.bytes || self.keys > most.keys
    }
}

/// What is known of the volume.
#[derive(Debug, Default)]
pub(super) struct Volume {
    /// What was measured last.
    measured: Option<Size>,
    /// What was written since then.
    written: Size,
    /// Somebody measures.
    measuring: bool,
}

/// How full it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fullness {
    /// Below the quota.
    Below,
    /// At the quota: nothing new is kept. Changes and removals have an eighth more.
    At,
    /// Beyond that eighth: only what removes at least as many keys as it puts.
    Beyond,
}

impl Volume {
    pub(super) fn wrote(&mut self, size: Size) {
        self.written = self.written.plus(size);
    }

    /// Whether it is to be measured now; whoever is told so does it, and calls [`Volume::is`] or [`Volume::unknown`].
    pub(super) fn asks(&mut self, quota: Size) -> bool {
        let asks = !self.measuring && self.written.exceeds(step(quota));
        self.measuring |= asks;
        asks
    }

    /// Whether it is to be measured although little was written: something may have been removed.
    pub(super) fn asks_again(&mut self) -> bool {
        !std::mem::replace(&mut self.measuring, true)
    }

    /// Whether it is to be measured before it is forgotten.
    pub(super) fn asks_before_it_is_forgotten(&mut self, quota: Size) -> bool {
        let asks = !self.measuring && self.written.exceeds(step(quota).map(|step| step / FORGOTTEN));
        self.measuring |= asks;
        asks
    }

    /// It is so much, of which this was written before it was measured.
    pub(super) fn is(&mut self, size: Size, counted: Size) {
        self.measured = Some(size);
        self.written.bytes = self.written.bytes.saturating_sub(counted.bytes);
        self.written.keys = self.written.keys.saturating_sub(counted.keys);
        self.measuring = false;
    }

    /// It could not be measured; the next write tries again.
    pub(super) fn unknown(&mut self) {
        self.measuring = false;
    }

    pub(super) fn written(&self) -> Size {
        self.written
    }

    pub(super) fn measured(&self) -> Option<Size> {
        self.measured
    }

    /// How full it is at the most. What was not measured yet counts as little: then it is not known to be full.
    pub(super) fn fullness(&self, quota: Size) -> Fullness {
        let Some(measured) = self.measured else { return Fullness::Below };
        if !measured.exceeds(quota) && !measured.plus(self.written).exceeds(reserve(quota)) {
            Fullness::Below
        } else if !measured.exceeds(reserve(quota)) {
            Fullness::At
        } else {
            Fullness::Beyond
        }
    }

    /// Whether nothing is lost if it is forgotten.
    pub(super) fn is_settled(&self, quota: Size) -> bool {
        let is_small = self.measured.is_none_or(|measured| !measured.exceeds(quota.map(|most| most / 4 * 3)));
        !self.measuring && is_small && !self.written.exceeds(step(quota).map(|step| step / FORGOTTEN))
    }
}

/// How much may be written before it is measured.
fn step(quota: Size) -> Size {
    Size { bytes: (quota.bytes / PARTS).min(MOST_BYTES), keys: (quota.keys / PARTS).min(MOST_KEYS) }
}

/// What changes and removals may use.
fn reserve(quota: Size) -> Size {
    quota.map(|most| most.saturating_add(most / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Size = Size { bytes: 16_000, keys: 1_600 };

    fn bytes(bytes: u64) -> Size {
        Size { bytes, keys: 0 }
    }

    #[test]
    fn who_writes_little_is_never_measured() {
        let mut volume = Volume::default();
        volume.wrote(Size { bytes: 1_000, keys: 100 });
        assert!(!volume.asks(QUOTA));
        volume.wrote(bytes(1));
        assert!(volume.asks(QUOTA) && !volume.asks(QUOTA), "it is measured once at a time");
    }

    #[test]
    fn many_keys_are_measured_as_many_bytes_are() {
        let mut volume = Volume::default();
        volume.wrote(Size { bytes: 0, keys: 101 });
        assert!(volume.asks(QUOTA));
        volume.is(Size { bytes: 1, keys: 1_601 }, volume.written());
        assert_eq!(volume.fullness(QUOTA), Fullness::At);
    }

    #[test]
    fn what_is_written_while_it_is_measured_counts_from_then_on() {
        let mut volume = Volume::default();
        volume.wrote(bytes(2_000));
        assert!(volume.asks(QUOTA));
        let counted = volume.written();
        volume.wrote(bytes(1_500));
        volume.is(bytes(9_000), counted);
        assert_eq!((volume.written(), volume.measured()), (bytes(1_500), Some(bytes(9_000))));
        assert!(volume.asks(QUOTA));
    }

    #[test]
    fn an_eighth_is_left_for_changes_and_removals() {
        let mut volume = Volume::default();
        for (size, fullness) in [(16_000, Fullness::Below), (16_001, Fullness::At), (18_001, Fullness::Beyond)] {
            volume.is(bytes(size), Size::default());
            assert_eq!(volume.fullness(QUOTA), fullness, "{size}");
        }
        // Much was written since it was measured, and may have filled it.
        volume.is(bytes(16_000), Size::default());
        volume.wrote(bytes(2_001));
        assert_eq!(volume.fullness(QUOTA), Fullness::At);
    }

    #[test]
    fn what_is_nearly_full_or_was_written_much_is_not_forgotten() {
        let mut volume = Volume::default();
        volume.wrote(bytes(1_000 / FORGOTTEN));
        assert!(volume.is_settled(QUOTA));
        volume.wrote(bytes(1));
        assert!(!volume.is_settled(QUOTA));
        assert!(volume.asks_before_it_is_forgotten(QUOTA));
        volume.is(bytes(12_001), volume.written());
        assert!(!volume.is_settled(QUOTA));
        volume.is(bytes(12_000), volume.written());
        assert!(volume.is_settled(QUOTA));
    }
}
