//! Email addresses and their domains (rule P4). A member without an address can never sign in, and an address of a
//! domain that the organization has not verified may be a mistake. The organization can refuse such users by options.
//! Otherwise they are allowed, and administrators see them marked.

use insomnia_scim_contract::{Mark, OrganizationRecord};

use super::Refusal;
use crate::store::MemberRecord;

/// The address with which a member signs in: the email address, else the userName, which may be an address.
#[must_use]
pub fn address(record: &MemberRecord) -> &str {
    record.email().unwrap_or_else(|| record.user_name())
}

/// The mark that administrators see at a member; `None` if the address is fine.
#[must_use]
pub fn mark(organization: &OrganizationRecord, record: &MemberRecord) -> Option<Mark> {
    organization.mark(record.email().unwrap_or_default(), record.user_name())
}

/// Requires that a member's address meets the options of the organization.
///
/// # Errors
/// [`Refusal::NoAddress`] and [`Refusal::ForeignDomain`].
pub fn require(organization: &OrganizationRecord, record: &MemberRecord) -> Result<(), Refusal> {
    let options = &organization.options;
    if options.email_required && mark(organization, record) == Some(Mark::NoAddress) {
        return Err(Refusal::NoAddress);
    }
    let address = address(record);
    if options.verified_domains_only && !organization.owns(address) {
        return Err(Refusal::ForeignDomain { address: address.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::store::{Domain, Options, Origin, Role};

    fn member(user: Value) -> MemberRecord {
        let Value::Object(document) = user else { panic!("an object") };
        MemberRecord { origin: Origin::Scim, role: Role::Member, created: 0, modified: 0, document }
    }

    fn organization(options: Options) -> OrganizationRecord {
        let domain = |name: &str, verified| Domain { name: name.into(), verified };
        let domains = vec![domain("example.com", true), domain("pending.example", false)];
        OrganizationRecord { domains, options, ..OrganizationRecord::default() }
    }

    fn mark_of(user: Value) -> Option<String> {
        mark(&organization(Options::default()), &member(user)).map(|mark| mark.to_string())
    }

    #[test]
    fn p4_options_refuse_users_without_an_address_and_users_of_other_domains() {
        let foreign = |address: &str| Err(Refusal::ForeignDomain { address: address.to_owned() });
        let (own, other) = ("ada@EXAMPLE.com", "ada@pending.example");
        // Each case: the userName, whether an address is required, whether its domain must be verified, and the
        // expected result.
        let cases = [
            (own, true, true, Ok(())),
            (other, false, false, Ok(())),
            (other, true, false, Ok(())),
            (other, false, true, foreign(other)),
            ("ada", false, false, Ok(())),
            ("ada", true, false, Err(Refusal::NoAddress)),
            ("ada", true, true, Err(Refusal::NoAddress)),
            ("ada", false, true, foreign("ada")),
        ];
        for (user_name, email_required, verified_domains_only, expected) in cases {
            let options = Options { email_required, verified_domains_only, ..Options::default() };
            let verdict = require(&organization(options), &member(json!({ "userName": user_name })));
            assert_eq!(verdict, expected, "{user_name} {email_required} {verified_domains_only}");
        }
    }

    #[test]
    fn p4_who_can_not_sign_in_and_who_is_of_another_domain_is_marked() {
        assert_eq!(mark_of(json!({"userName": "ada", "emails": [{"value": "ada@example.com"}]})), None);
        assert_eq!(mark_of(json!({"userName": "ada@EXAMPLE.com"})), None, "the userName may be the address");
        for no_address in [
            "ada",
            "@example.com",
            "ada@",
            "ada@example.com\u{1b}[2J",
            "\u{202e}ada@example.com",
            "a@b.example,c@d.example",
        ] {
            let expected = Some("can't sign in: no email address".to_owned());
            assert_eq!(mark_of(json!({"userName": no_address})), expected, "{no_address}");
        }
        for domain in ["pending.example", "sub.example.com", "Elsewhere.example"] {
            let expected = Some(format!("outside your verified domains: {}", domain.to_lowercase()));
            assert_eq!(mark_of(json!({"userName": "x", "emails": [{"value": format!("x@{domain}")}]})), expected);
        }
    }
}
