//! How exactly a client must speak.

use super::tolerance::{Tolerance, Tolerances};

/// Compat by default; strict where an organization wants it, for RFC test suites and clients that want to hear of their
/// mistakes.
///
/// It travels with the request to wherever it is read, and so takes along where to note the tolerances that this took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode<'t> {
    strict: bool,
    applied: Option<&'t Tolerances>,
}

impl<'t> Mode<'t> {
    /// What real identity providers send is taken, also where the RFCs would refuse it.
    pub const COMPAT: Self = Self { strict: false, applied: None };
    /// What the RFCs let a server refuse is refused.
    pub const STRICT: Self = Self { strict: true, applied: None };

    /// The same mode, which notes in `applied` the tolerances that it takes.
    #[must_use]
    pub fn noting(self, applied: &'t Tolerances) -> Self {
        Self { applied: Some(applied), ..self }
    }

    /// The tolerant mode, which notes tolerances where this one does.
    #[must_use]
    pub fn leniently(self) -> Self {
        Self { strict: false, ..self }
    }

    /// Whether this is [`Mode::STRICT`].
    #[must_use]
    pub fn is_strict(self) -> bool {
        self.strict
    }

    /// Whether the rule may be applied, which is noted if so: to be asked only where it is needed.
    #[must_use]
    pub fn tolerates(self, rule: Tolerance) -> bool {
        if !self.strict {
            self.note(rule);
        }
        !self.strict
    }

    /// Notes that a rule was applied that holds in either mode.
    pub fn note(self, rule: Tolerance) {
        if let Some(applied) = self.applied {
            applied.note(rule);
        }
    }
}
