//! The tolerance rules that were needed to understand a request that does not follow SCIM exactly, by their numbers.

use std::cell::Cell;

/// A rule that changes how a request is read. The other rules of the same list (T12, T18–T20, T22, T24, T25, T30–T32)
/// apply to all requests, so the log does not name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Tolerance {
    /// Names and keywords in another case than the RFCs write them.
    LetterCase = 1,
    /// Text for a boolean or a number, or the reverse.
    Conversion = 2,
    /// `remove` with a value.
    RemoveListed = 3,
    /// Members in other forms than `{"value"}`.
    MemberForm = 4,
    /// Read-only attributes in the value of an operation.
    ReadOnlyInValue = 5,
    /// Attributes that the schema does not have.
    Unknown = 6,
    /// Paths as the names of attributes.
    PathAsName = 7,
    /// A dot between a schema's URN and the attribute.
    DotAfterUrn = 8,
    /// A path that matches no value.
    CreatedByPath = 9,
    /// Managers in other forms than `{"value"}`.
    ManagerForm = 10,
    /// An attribute of an extension without the extension's URN.
    BareExtensionAttribute = 11,
    /// One value in an array or an object, or a complex value without its object.
    ValueForm = 13,
    /// Filters that are not of the RFC's grammar.
    FilterForm = 14,
    /// Parts of the URL that mean nothing.
    Url = 15,
    /// An `Authorization` header in another form.
    Authorization = 16,
    /// Media types that are missing or unknown.
    MediaType = 17,
    /// POST of an inactive user who already exists.
    ReactivatedByPost = 21,
    /// PUT without `active`, or PATCH that removes it.
    LeftOut = 23,
    /// A password that the client sends.
    Password = 26,
    /// Values that are not well-formed.
    MalformedValue = 27,
    /// PATCH without operations.
    NoOperations = 28,
    /// Older names of endpoints.
    Alias = 29,
    /// Members of a group that do not exist.
    UnknownMembers = 33,
    /// Endpoints in another case than the RFC writes them.
    EndpointCase = 34,
    /// Base64 in another form than the standard's.
    Base64Form = 35,
}

impl Tolerance {
    const ALL: [Self; 25] = [
        Self::LetterCase,
        Self::Conversion,
        Self::RemoveListed,
        Self::MemberForm,
        Self::ReadOnlyInValue,
        Self::Unknown,
        Self::PathAsName,
        Self::DotAfterUrn,
        Self::CreatedByPath,
        Self::ManagerForm,
        Self::BareExtensionAttribute,
        Self::ValueForm,
        Self::FilterForm,
        Self::Url,
        Self::Authorization,
        Self::MediaType,
        Self::ReactivatedByPost,
        Self::LeftOut,
        Self::Password,
        Self::MalformedValue,
        Self::NoOperations,
        Self::Alias,
        Self::UnknownMembers,
        Self::EndpointCase,
        Self::Base64Form,
    ];

    /// A description of the rule, for administrators.
    fn description(self) -> &'static str {
        match self {
            Self::LetterCase => "names or keywords were read without regard to case",
            Self::Conversion => "text was read as a boolean or a number, or a number or boolean as text",
            Self::RemoveListed => "a remove with a value took away the listed values only",
            Self::MemberForm => "members were read in another form, or named twice",
            Self::ReadOnlyInValue => "read-only attributes in an operation's value were ignored",
            Self::Unknown => "unknown attributes, unknown schemas or empty strings were ignored",
            Self::PathAsName => "names of attributes were read as paths",
            Self::DotAfterUrn => "a dot after a schema's URN was read as a colon",
            Self::CreatedByPath => "a path matched no value, so one was created",
            Self::ManagerForm => "the manager was read in another form",
            Self::BareExtensionAttribute => "an attribute was found in an extension that the request did not name",
            Self::ValueForm => "a value was read in another form than the schema's",
            Self::FilterForm => "the filter is not of the standard's grammar and was read as it was meant",
            Self::Url => "parts of the URL that mean nothing were ignored",
            Self::Authorization => "the Authorization header was read in another form",
            Self::MediaType => "a missing or unknown media type was taken for SCIM's",
            Self::ReactivatedByPost => "a POST of an inactive user reactivated the user",
            Self::LeftOut => "'active' was left out or removed, and kept as it was",
            Self::Password => "the password that was sent was dropped, because Insomnia makes its own passphrases",
            Self::MalformedValue => "a date, a reference or base64 was kept as sent though it is malformed",
            Self::NoOperations => "a PATCH without operations changed nothing",
            Self::Alias => "an older name of an endpoint was accepted",
            Self::UnknownMembers => "members whom nobody knows were left out, and the known ones taken",
            Self::EndpointCase => "an endpoint was found without regard to the case of its name",
            Self::Base64Form => "base64 for URLs, without padding or in lines was written as standard base64",
        }
    }
}

/// The rules that were needed to read one request.
#[derive(Clone, Debug, Default)]
pub struct Tolerances(Cell<u64>);

impl Tolerances {
    /// Notes that the rule was applied.
    pub fn note(&self, rule: Tolerance) {
        self.0.set(self.0.get() | bit(rule));
    }

    /// All rules.
    #[cfg(test)]
    pub(crate) fn all() -> Self {
        let all = Self::default();
        Tolerance::ALL.into_iter().for_each(|rule| all.note(rule));
        all
    }

    /// One line for each rule, such as `tolerance T3: …`, in the order of their numbers.
    pub fn lines(&self) -> impl Iterator<Item = String> + use<> {
        let applied = self.0.get();
        let is_applied = move |rule: &Tolerance| applied & bit(*rule) != 0;
        Tolerance::ALL
            .into_iter()
            .filter(is_applied)
            .map(|rule| format!("tolerance T{}: {}", rule as u32, rule.description()))
    }
}

fn bit(rule: Tolerance) -> u64 {
    1 << (rule as u32 - 1)
}
