//! How exactly a client must speak.

/// Compat by default; strict per organization, for RFC test suites and clients that want to hear of their mistakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// What real identity providers send is taken, also where the RFCs would refuse it.
    #[default]
    Compat,
    /// What the RFCs let a server refuse is refused.
    Strict,
}

impl Mode {
    /// Whether this is [`Mode::Strict`].
    #[must_use]
    pub fn is_strict(self) -> bool {
        self == Self::Strict
    }
}
