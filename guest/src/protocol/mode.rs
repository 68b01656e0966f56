//! How strictly a client must follow the RFCs.

use super::tolerance::{Tolerance, Tolerances};

/// The mode is compat by default. An organization can choose strict mode, for RFC test suites and for clients that want
/// to get errors for their mistakes.
///
/// The mode is passed to all code that reads the request. It also carries the place where the applied tolerance rules
/// are noted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode<'t> {
    strict: bool,
    applied: Option<&'t Tolerances>,
}

impl<'t> Mode<'t> {
    /// Accepts what real identity providers send, even if the RFCs allow to refuse it.
    pub const COMPAT: Self = Self { strict: false, applied: None };
    /// Refuses everything that the RFCs allow a server to refuse.
    pub const STRICT: Self = Self { strict: true, applied: None };

    /// The same mode, which also notes in `applied` the tolerance rules that it applies.
    #[must_use]
    pub fn noting(self, applied: &'t Tolerances) -> Self {
        Self { applied: Some(applied), ..self }
    }

    /// The tolerant mode, which notes applied rules in the same place.
    #[must_use]
    pub fn leniently(self) -> Self {
        Self { strict: false, ..self }
    }

    /// Whether this is [`Mode::STRICT`].
    #[must_use]
    pub fn is_strict(self) -> bool {
        self.strict
    }

    /// Whether the rule may be applied. If so, it is noted, so this must only be called when the rule is needed.
    #[must_use]
    pub fn tolerates(self, rule: Tolerance) -> bool {
        if !self.strict {
            self.note(rule);
        }
        !self.strict
    }

    /// Notes that a rule was applied that is valid in both modes.
    pub fn note(self, rule: Tolerance) {
        if let Some(applied) = self.applied {
            applied.note(rule);
        }
    }
}
