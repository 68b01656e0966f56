//! The stored form of the types that the contract defines.
//!
//! Stored documents use names in camel case, independent of the names in the admin API and in WIT. This version can
//! therefore read what earlier versions have stored, and operators' queries of stored documents keep working.

use insomnia_scim_contract::{
    ClientAssertion, Domain, EntraApiStatus, ExpiryWindow, IdpApiStatus, OktaApiStatus, Options, OrganizationRecord,
    Plan, SecretWindow,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::census::Census;

/// The stored form of the organization.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredOrganization {
    #[serde(flatten, with = "OrganizationForm")]
    pub(super) record: OrganizationRecord,
    /// The progress of the count of marked members; absent if an earlier version has stored this.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) census: Option<Census>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OrganizationRecord", default = "OrganizationRecord::default", rename_all = "camelCase")]
struct OrganizationForm {
    name: String,
    plan: Plan,
    seats: u32,
    domains: Vec<Domain>,
    single_sign_on: Option<String>,
    #[serde(with = "OptionsForm")]
    options: Options,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Options", default = "Options::default", rename_all = "camelCase")]
struct OptionsForm {
    list_manual: bool,
    verified_domains_only: bool,
    email_required: bool,
    allow_overage: bool,
    passphrase_emails: bool,
    strict: bool,
    refuse_unknown_members: bool,
    reactivate_on_post: bool,
    bare_token: bool,
    basic_authentication: bool,
    discovery_aliases: bool,
    group_patch_no_content: bool,
}

/// The kind of an identity provider's API.
#[derive(Serialize, Deserialize)]
#[serde(remote = "IdpApiStatus", tag = "kind", rename_all = "kebab-case")]
pub(super) enum IdpApiForm {
    Entra(#[serde(with = "EntraForm")] EntraApiStatus),
    Okta(#[serde(with = "OktaForm")] OktaApiStatus),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "EntraApiStatus", rename_all = "camelCase")]
struct EntraForm {
    tenant_id: String,
    client_id: String,
    service_principal_id: String,
    login_url: String,
    graph_url: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OktaApiStatus", rename_all = "camelCase")]
struct OktaForm {
    org_url: String,
    app_id: String,
    client_id: Option<String>,
}

/// People choose a time span from a list; its name in WIT is stored. A name that this version does not know counts as
/// no choice.
macro_rules! window_names {
    ($(#[$doc:meta])* $module:ident: $window:ident { $($variant:ident = $name:literal,)+ }) => {
        $(#[$doc])*
        pub(super) mod $module {
            use super::{$window, Deserialize, Deserializer, Serialize, Serializer};

            const fn name(window: $window) -> &'static str {
                match window { $($window::$variant => $name,)+ }
            }

            #[expect(clippy::ref_option, reason = "serde calls it so")]
            pub(in super::super) fn serialize<S: Serializer>(
                window: &Option<$window>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                window.map(name).serialize(serializer)
            }

            pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<$window>, D::Error> {
                let stored = Option::<String>::deserialize(deserializer)?;
                Ok(stored.and_then(|stored| $window::ALL.iter().copied().find(|window| name(*window) == stored)))
            }
        }
    };
}

window_names! {
    /// How long a token is valid.
    window: ExpiryWindow {
        Days30 = "days30",
        Days90 = "days90",
        Days180 = "days180",
        Year1 = "year1",
        Years2 = "years2",
        Never = "never",
    }
}

window_names! {
    /// How long a client's secret is valid.
    secret_window: SecretWindow {
        Year1 = "year1",
        Years2 = "years2",
        Years3 = "years3",
        Never = "never",
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ClientAssertion", rename_all = "camelCase")]
struct AssertionForm {
    issuer: Option<String>,
    subject: Option<String>,
    audience: Option<String>,
    jwks_url: String,
}

/// How a client authenticates by an assertion, in camel case.
pub(super) mod assertion {
    use super::{AssertionForm, ClientAssertion, Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Stored(#[serde(with = "AssertionForm")] ClientAssertion);

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(in super::super) fn serialize<S: Serializer>(
        assertion: &Option<ClientAssertion>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        assertion.clone().map(Stored).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<ClientAssertion>, D::Error> {
        Ok(Option::<Stored>::deserialize(deserializer)?.map(|stored| stored.0))
    }
}

#[cfg(test)]
mod tests {
    use insomnia_scim_contract::{IdentityProvider, Options, Origin, Role};
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;
    use crate::store::{ClientRecord, ConnectorRecord, IdpApiRecord, MemberRecord, SettingsRecord};

    /// Reads a stored value, and checks that it would be stored in the same form again.
    fn read_again<T: DeserializeOwned + Serialize>(stored: &Value) -> T {
        let record: T = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_value(&record).unwrap(), *stored);
        record
    }

    #[test]
    fn an_organization_keeps_the_form_in_which_earlier_versions_have_stored_it() {
        let stored = json!({
            "name": "Acme", "plan": "enterprise", "seats": 25,
            "domains": [{"name": "acme.example", "verified": true}],
            "singleSignOn": "okta",
            "options": {
                "listManual": true, "verifiedDomainsOnly": true, "allowOverage": true, "passphraseEmails": false,
                "strict": true, "refuseUnknownMembers": true, "emailRequired": true, "reactivateOnPost": true, "bareToken": true,
                "basicAuthentication": true, "discoveryAliases": true, "groupPatchNoContent": true,
            },
        });
        let StoredOrganization { record, census } = read_again(&stored);
        assert_eq!(census, None);
        assert_eq!(record.single_sign_on.as_deref(), Some("okta"));
        assert!(record.owns("ada@ACME.example"));
        let all = Options {
            list_manual: true,
            verified_domains_only: true,
            allow_overage: true,
            passphrase_emails: false,
            strict: true,
            refuse_unknown_members: true,
            email_required: true,
            reactivate_on_post: true,
            bare_token: true,
            basic_authentication: true,
            discovery_aliases: true,
            group_patch_no_content: true,
        };
        assert_eq!(record.options, all);
    }

    #[test]
    fn what_an_earlier_version_did_not_store_of_an_organization_has_its_default() {
        let early = json!({"name": "Acme", "plan": "team", "options": {"strict": true}, "ofALaterVersion": 1});
        let StoredOrganization { record, .. } = serde_json::from_value(early).unwrap();
        let options = Options { strict: true, ..Options::default() };
        assert_eq!(record, OrganizationRecord { name: "Acme".into(), plan: Plan::Team, options, ..Default::default() });
    }

    #[test]
    fn a_connector_keeps_the_form_in_which_earlier_versions_have_stored_it() {
        let token = json!({"sha256": "ab", "generation": 3, "created": 5, "expires": 9});
        let stored = |provider: &str, window: &str| {
            json!({
                "enabled": true, "identityProvider": provider, "window": window, "token": token, "previous": null,
                "enabledGeneration": 1,
            })
        };
        for (index, window) in ["days30", "days90", "days180", "year1", "years2", "never"].into_iter().enumerate() {
            let record: ConnectorRecord = read_again(&stored("azure", window));
            assert_eq!(record.window, ExpiryWindow::ALL.get(index).copied());
            assert_eq!(record.identity_provider, Some(IdentityProvider::Azure));
            assert_eq!(record.token.unwrap().generation, 3);
        }
        for (name, provider) in [
            ("okta", IdentityProvider::Okta),
            ("ping-federate", IdentityProvider::PingFederate),
            ("JumpCloud", IdentityProvider::Other("JumpCloud".into())),
        ] {
            assert_eq!(read_again::<ConnectorRecord>(&stored(name, "never")).identity_provider, Some(provider));
        }
        let unknown: ConnectorRecord = serde_json::from_value(stored("okta", "centuries5")).unwrap();
        assert_eq!(unknown.window, None);
    }

    #[test]
    fn access_to_an_identity_providers_api_keeps_the_form_in_which_earlier_versions_have_stored_it() {
        let stored =
            |api: &Value| json!({"api": api, "connectorUrl": "https://a.example", "sealed": "c2Vh", "configured": 7});
        let entra = json!({
            "kind": "entra", "tenantId": "t", "clientId": "c", "servicePrincipalId": "s",
            "loginUrl": "https://login.example", "graphUrl": "https://graph.example",
        });
        let record: IdpApiRecord = read_again(&stored(&entra));
        let expected = EntraApiStatus {
            tenant_id: "t".into(),
            client_id: "c".into(),
            service_principal_id: "s".into(),
            login_url: "https://login.example".into(),
            graph_url: "https://graph.example".into(),
        };
        assert_eq!(record.api, IdpApiStatus::Entra(expected));
        for client_id in [None, Some("c".to_owned())] {
            let okta = json!({"kind": "okta", "orgUrl": "https://o.example", "appId": "a", "clientId": client_id});
            let record: IdpApiRecord = read_again(&stored(&okta));
            let expected = OktaApiStatus { org_url: "https://o.example".into(), app_id: "a".into(), client_id };
            assert_eq!(record.api, IdpApiStatus::Okta(expected));
        }
    }

    #[test]
    fn an_oauth_client_of_an_earlier_version_is_read_and_its_secret_does_not_expire() {
        let stored = json!({
            "id": "0190a6f0-0000-7000-8000-000000000001", "name": "IdP", "clientCredentials": true,
            "authorizationCode": false, "redirectUris": [], "secret": {"sha256": "ab", "created": 5},
            "previousSecret": null, "created": 5, "createdBy": "u",
        });
        let record: ClientRecord = serde_json::from_value(stored).unwrap();
        assert_eq!((record.secret_window, record.access_minutes, record.operator), (None, None, false));
        assert_eq!((record.is_public(), record.assertion.is_some()), (false, false));
        assert_eq!(record.secret.unwrap().expires, None);
        let assertion = json!({"issuer": "i", "subject": null, "audience": "a", "jwksUrl": "https://a.example"});
        let record: ClientRecord =
            serde_json::from_value(json!({ "secretWindow": "years3", "assertion": assertion })).unwrap();
        let stored = serde_json::to_value(&record).unwrap();
        assert_eq!((&stored["secretWindow"], &stored["assertion"]), (&json!("years3"), &assertion));
    }

    #[test]
    fn a_member_keeps_the_form_in_which_earlier_versions_have_stored_it() {
        for (name, role) in [("owner", Role::Owner), ("co-owner", Role::CoOwner), ("member", Role::Member)] {
            for (origin_name, origin) in [("scim", Origin::Scim), ("manual", Origin::Manual)] {
                let record: MemberRecord = read_again(&json!({
                    "origin": origin_name, "role": name, "created": 1, "modified": 2,
                    "document": {"id": "u", "userName": "ada@acme.example"},
                }));
                assert_eq!((record.role, record.origin), (role, origin));
            }
        }
    }

    #[test]
    fn settings_of_an_earlier_version_are_read_without_what_is_no_setting_any_more() {
        let stored = json!({
            "webhook": true, "subscriber": true, "guard": {"number": 5, "share": null},
            "pageUrl": "https://a.example/scim", "retention": 30,
        });
        let record: SettingsRecord = serde_json::from_value(stored).unwrap();
        assert!(record.subscriber);
        assert_eq!(record.guard.and_then(|guard| guard.number), Some(5));
        assert_eq!(record.retention, Some(30));
    }
}
