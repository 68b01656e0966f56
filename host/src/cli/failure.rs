//! The failures of commands. Each failure has a kind for programs: as the exit code and, with `--json`, by name.

use std::process::ExitCode;

use serde_json::json;

use super::arguments::WrongArguments;
use super::backup::InUse;
use super::host::NoOrganization;
use super::key::KeyError;
use super::moved::Moved;
use crate::api_keys::ApiKeyError;
use crate::capability::storage::{InvalidOrganizationId, StorageError};
use crate::component::CallError;
use crate::directory::Requirement;
use crate::email::EmailConfigError;
use crate::error::{ActionError, SchemasError};
use crate::organization::CreateOrganizationError;
use crate::provisioner::ComponentsError;
use crate::registry::{ComponentBookError, InvalidComponentId, QuotaError, RegistryError};
use crate::server::ServeError;
use crate::storage::copy::CopyError;
use crate::storage::{OpenError, PostgresConfigError, PostgresOpenError};

/// The end of an error message: the commands that have to be run before SCIM can be enabled.
fn commands(unmet: &[Requirement]) -> String {
    let command = |requirement: &Requirement| match requirement {
        Requirement::EnterprisePlan => "insomnia-scim org set ID --plan enterprise",
        Requirement::OwnerOrCoOwner => "insomnia-scim member set-role MEMBER owner --organization ID",
        Requirement::VerifiedDomain => "insomnia-scim org set ID --domain DOMAIN",
        Requirement::SingleSignOn => "insomnia-scim org set ID --sso PROVIDER",
    };
    let commands: Vec<String> = unmet.iter().map(|requirement| format!("`{}`", command(requirement))).collect();
    format!("; first run {}", commands.join(" and "))
}

/// The kind of a failure. The numbers are the exit codes. They are documented, so they must not change. The parser of
/// the arguments also ends the process with 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Any other failure; the message says which.
    Failed = 1,
    /// Settings that contradict each other, or can't be used.
    Arguments = 2,
    /// Something that was named does not exist.
    NotFound = 3,
    /// The request contradicts the present state, or something has to be done first.
    Conflict = 4,
    /// Whoever acts may not do this.
    Forbidden = 5,
    /// A value is not valid.
    Invalid = 6,
    /// The same command may succeed later. Nothing has changed.
    Unavailable = 7,
    /// The command was broken off in the middle, and may have had its effect.
    Unknown = 8,
}

impl Failure {
    /// The kind of this error. It is that of the first error in its chain of causes that has a kind.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        error.chain().find_map(Self::of_cause).unwrap_or(Self::Failed)
    }

    fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Self> {
        if cause.is::<NoOrganization>() {
            return Some(Self::NotFound);
        }
        if cause.is::<KeyError>() || cause.is::<Moved>() || cause.is::<InUse>() {
            return Some(Self::Conflict);
        }
        if cause.is::<WrongArguments>() {
            return Some(Self::Arguments);
        }
        if cause.is::<InvalidOrganizationId>() {
            return Some(Self::Invalid);
        }
        // A transparent error hides the error within it from the chain of causes, so such errors are looked into here.
        cause
            .downcast_ref()
            .map(Self::of_action)
            .or_else(|| cause.downcast_ref().and_then(Self::of_storage))
            .or_else(|| cause.downcast_ref().and_then(Self::of_opening))
            .or_else(|| cause.downcast_ref().and_then(Self::of_opening_file))
            .or_else(|| cause.is::<PostgresConfigError>().then_some(Self::Arguments))
            .or_else(|| match cause.downcast_ref()? {
                ServeError::Flush(error) => Self::of_storage(error),
                ServeError::Listener(_) => None,
            })
            .or_else(|| cause.downcast_ref().and_then(Self::of_registry))
            .or_else(|| cause.downcast_ref().and_then(Self::of_key))
            .or_else(|| match cause.downcast_ref()? {
                QuotaError::Invalid(_) => Some(Self::Invalid),
                QuotaError::Storage(error) => Self::of_storage(error),
            })
            .or_else(|| match cause.downcast_ref()? {
                CopyError::NotEmpty | CopyError::Another | CopyError::Key(_) | CopyError::InUse(_) => {
                    Some(Self::Conflict)
                }
                CopyError::Unknown(_) => Some(Self::Unknown),
                CopyError::Storage(error) => Self::of_storage(error),
                CopyError::Differs(_) => None,
            })
            .or_else(|| match cause.downcast_ref()? {
                CreateOrganizationError::Registry(error) => Self::of_registry(error),
                CreateOrganizationError::Refused(error) => Some(Self::of_action(error)),
            })
            .or_else(|| match cause.downcast_ref()? {
                SchemasError::Refused(error) => Some(Self::of_action(error)),
                SchemasError::Invalid { .. } => Some(Self::Invalid),
            })
            .or_else(|| match cause.downcast_ref()? {
                EmailConfigError::Folder { .. } | EmailConfigError::File { .. } => None,
                _ => Some(Self::Arguments),
            })
            .or_else(|| cause.downcast_ref().and_then(Self::of_component))
            .or_else(|| cause.downcast_ref().and_then(Self::of_examination))
            .or_else(|| cause.is::<InvalidComponentId>().then_some(Self::Invalid))
    }

    fn of_action(error: &ActionError) -> Self {
        match error {
            ActionError::NotFound(_) | ActionError::Call(CallError::Deleted) => Self::NotFound,
            ActionError::UnmetRequirements(_)
            | ActionError::Conflict(_)
            | ActionError::NoFreeSeat
            | ActionError::NotConfigured(_) => Self::Conflict,
            ActionError::Forbidden(_) | ActionError::WrongPassphrase => Self::Forbidden,
            ActionError::Invalid(_) => Self::Invalid,
            ActionError::Throttled(_)
            | ActionError::Unavailable(_)
            | ActionError::Call(CallError::Busy | CallError::Component) => Self::Unavailable,
            ActionError::Call(CallError::Deadline | CallError::Memory | CallError::Trap) => Self::Unknown,
            ActionError::Other(_) => Self::Failed,
        }
    }

    fn of_examination(error: &ComponentsError) -> Option<Self> {
        match error {
            ComponentsError::Component(_) | ComponentsError::Examined(_) => Some(Self::Invalid),
            ComponentsError::Busy => Some(Self::Unavailable),
            ComponentsError::Book(error) => Self::of_component(error),
        }
    }

    fn of_component(error: &ComponentBookError) -> Option<Self> {
        match error {
            ComponentBookError::Unknown(_) => Some(Self::NotFound),
            ComponentBookError::TooMany | ComponentBookError::InUse(_) | ComponentBookError::NoFormer => {
                Some(Self::Conflict)
            }
            ComponentBookError::TooLarge | ComponentBookError::Percent => Some(Self::Invalid),
            ComponentBookError::Storage(error) => Self::of_storage(error),
        }
    }

    fn of_storage(error: &StorageError) -> Option<Self> {
        match error {
            StorageError::Unavailable(_) | StorageError::Conflict(_) | StorageError::Full(_) => Some(Self::Unavailable),
            StorageError::Deleted => Some(Self::NotFound),
            _ => None,
        }
    }

    fn of_opening(error: &PostgresOpenError) -> Option<Self> {
        match error {
            PostgresOpenError::Connection { .. } | PostgresOpenError::Copying(_) => Some(Self::Unavailable),
            PostgresOpenError::Refused { .. } => Some(Self::Arguments),
            _ => None,
        }
    }

    fn of_opening_file(error: &OpenError) -> Option<Self> {
        match error {
            OpenError::Locked(_) => Some(Self::Unavailable),
            _ => None,
        }
    }

    fn of_registry(error: &RegistryError) -> Option<Self> {
        match error {
            RegistryError::Exists(_) => Some(Self::Conflict),
            RegistryError::Unknown(_) => Some(Self::NotFound),
            RegistryError::Reserved(_) => Some(Self::Invalid),
            RegistryError::Storage(error) => Self::of_storage(error),
            RegistryError::Mail(_) => Some(Self::Unknown),
        }
    }

    fn of_key(error: &ApiKeyError) -> Option<Self> {
        match error {
            ApiKeyError::Name | ApiKeyError::Scopes | ApiKeyError::Expiry => Some(Self::Invalid),
            ApiKeyError::TooMany => Some(Self::Conflict),
            ApiKeyError::Unknown(_) => Some(Self::NotFound),
            ApiKeyError::Storage(error) => Self::of_storage(error),
            ApiKeyError::Random(_) => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Arguments => "arguments",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Forbidden => "forbidden",
            Self::Invalid => "invalid",
            Self::Unavailable => "unavailable",
            Self::Unknown => "outcome-unknown",
        }
    }

    /// The exit code of the process.
    pub(super) fn exit_code(self) -> ExitCode {
        ExitCode::from(self as u8)
    }

    /// The text for stderr: a line for people, or an object for programs.
    pub(super) fn said(self, error: &anyhow::Error, json: bool) -> String {
        let mut message = format!("{error:#}");
        if let Some(ActionError::UnmetRequirements(unmet)) = error.downcast_ref() {
            message.push_str(&commands(unmet));
        }
        if json {
            let error = json!({"kind": self.name(), "message": message, "exit_code": self as u8});
            return format!("{}\n", json!({"error": error}));
        }
        format!("error: {message}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::storage::OrganizationId;

    #[test]
    fn p9_a_failure_has_the_kind_of_its_cause_whatever_was_said_about_it() {
        let acme = OrganizationId::parse("acme").unwrap();
        let database = || "the database".to_owned();
        let away = PostgresOpenError::Connection { database: database(), reason: "refused".into() };
        let closed = PostgresOpenError::Refused { database: database(), reason: "no such user".into() };
        let cases: [(anyhow::Error, Failure); 18] = [
            (EmailConfigError::NoFrom.into(), Failure::Arguments),
            (NoOrganization("acme".into()).into(), Failure::NotFound),
            (WrongArguments(anyhow::anyhow!("settings")).into(), Failure::Arguments),
            (OrganizationId::parse("Acme").unwrap_err().into(), Failure::Invalid),
            (ActionError::NoFreeSeat.into(), Failure::Conflict),
            (ActionError::WrongPassphrase.into(), Failure::Forbidden),
            (ActionError::Call(CallError::Trap).into(), Failure::Unknown),
            (RegistryError::Exists(acme).into(), Failure::Conflict),
            (RegistryError::Storage(StorageError::Unavailable("away".into())).into(), Failure::Unavailable),
            (ApiKeyError::Unknown("k".into()).into(), Failure::NotFound),
            (away.into(), Failure::Unavailable),
            (closed.into(), Failure::Arguments),
            (OpenError::Locked("scim.db".into()).into(), Failure::Unavailable),
            (ServeError::Flush(StorageError::Unavailable("away".into())).into(), Failure::Unavailable),
            (PostgresConfigError::Url.into(), Failure::Arguments),
            (CopyError::InUse("a server".into()).into(), Failure::Conflict),
            (CopyError::Unknown(StorageError::Unavailable("away".into())).into(), Failure::Unknown),
            (anyhow::anyhow!("anything else"), Failure::Failed),
        ];
        for (error, kind) in cases {
            assert_eq!(Failure::of(&error), kind, "{error:#}");
            assert_eq!(Failure::of(&error.context("while something was done")), kind);
        }
    }

    #[test]
    fn p9_a_failure_is_an_object_for_programs() {
        let error = anyhow::Error::from(NoOrganization("acme".into()));
        let said = Failure::of(&error).said(&error, true);
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!((&said["error"]["kind"], &said["error"]["exit_code"]), (&"not-found".into(), &3.into()));
        assert!(Failure::of(&error).said(&error, false).starts_with("error: there is no organization acme;"));
        let unmet = vec![Requirement::VerifiedDomain, Requirement::SingleSignOn];
        let error = anyhow::Error::from(ActionError::UnmetRequirements(unmet));
        let said = Failure::of(&error).said(&error, false);
        assert!(said.contains("org set ID --domain DOMAIN") && said.contains("org set ID --sso PROVIDER"), "{said}");
    }
}
