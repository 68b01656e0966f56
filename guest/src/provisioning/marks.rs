//! What is allowed and yet may not be meant: a member who can never sign in, and one of a domain that the organization has
//! not verified (rule P4). Both are said where administrators look.

use insomnia_scim_contract::{Mark, OrganizationRecord};

use crate::store::MemberRecord;

/// What a member signs in with: the email address, else the userName, which may be one.
#[must_use]
pub fn address(record: &MemberRecord) -> &str {
    record.email().unwrap_or_else(|| record.user_name())
}

/// The mark of a member; `None` if there is nothing to say.
#[must_use]
pub fn mark(organization: &OrganizationRecord, record: &MemberRecord) -> Option<Mark> {
    organization.mark(record.email().unwrap_or_default(), record.user_name())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::store::{Domain, Origin, Role};

    fn mark_of(user: Value) -> Option<String> {
        let Value::Object(document) = user else { panic!("an object") };
        let record = MemberRecord { origin: Origin::Scim, role: Role::Member, created: 0, modified: 0, document };
        let verified = |name: &str, verified| Domain { name: name.into(), verified };
        let domains = vec![verified("example.com", true), verified("pending.example", false)];
        mark(&OrganizationRecord { domains, ..OrganizationRecord::default() }, &record).map(|mark| mark.to_string())
    }

    #[test]
    fn p4_who_can_not_sign_in_and_who_is_of_another_domain_is_marked() {
        assert_eq!(mark_of(json!({"userName": "ada", "emails": [{"value": "ada@example.com"}]})), None);
        assert_eq!(mark_of(json!({"userName": "ada@EXAMPLE.com"})), None, "the userName may be the address");
        for no_address in ["ada", "@example.com", "ada@", "ada@example.com\u{1b}[2J", "\u{202e}ada@example.com"] {
            let expected = Some("can't sign in: no email address".to_owned());
            assert_eq!(mark_of(json!({"userName": no_address})), expected, "{no_address}");
        }
        for domain in ["pending.example", "sub.example.com", "Elsewhere.example"] {
            let expected = Some(format!("outside your verified domains: {}", domain.to_lowercase()));
            assert_eq!(mark_of(json!({"userName": "x", "emails": [{"value": format!("x@{domain}")}]})), expected);
        }
    }
}
