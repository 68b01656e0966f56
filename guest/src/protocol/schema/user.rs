//! The core User schema (RFC 7643 §4.1, §8.7.1), with its errata.

use super::USER;
use super::attribute::Attribute;
use super::builder::{binary, boolean, complex, labelled, reference, schema, string};
use super::table::Schema;

pub(super) fn user() -> Schema {
    let singular = [
        string("userName", "The name with which the user signs in; unique in the organization, in any case.")
            .required()
            .unique(),
        complex("name", "The parts of the user's name.", name()),
        string("displayName", "The user's name, for display."),
        string("nickName", "What the user is casually called."),
        reference("profileUrl", &["external"], "A page about the user."),
        string("title", "The user's title, such as Vice President."),
        string("userType", "The user's relationship to the organization, such as Employee or Contractor."),
        string("preferredLanguage", "The user's preferred languages, as in the HTTP header Accept-Language."),
        string("locale", "Where the user is, for currency, date and number formats, such as en-US."),
        string("timezone", "The user's time zone in the IANA database, such as America/Los_Angeles."),
        // Otherwise a request that removes `active` would give access to a user who has none.
        boolean("active", "Whether the user has access and consumes a licence; true unless the client says otherwise.")
            .kept(),
        // Identity providers send a password, although members sign in with Insomnia's own passphrases (T26).
        string("password", "The user's passphrase in clear text; never returned.").case_exact().secret().dropped(),
    ];
    let email =
        string("value", "An email address; the primary one is unique in the organization, in any case.").unique();
    let phone_number = string("value", "A telephone number.");
    let handle = string("value", "An instant messaging address.");
    let picture = reference("value", &["external"], "The URL of a picture.");
    let certificate = binary("value", "A DER-encoded certificate in base64.");
    let multi_valued = [
        labelled("emails", "Email addresses.", email, &["work", "home", "other"]),
        labelled(
            "phoneNumbers",
            "Telephone numbers.",
            phone_number,
            &["work", "home", "mobile", "fax", "pager", "other"],
        ),
        labelled(
            "ims",
            "Instant messaging addresses.",
            handle,
            &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
        ),
        labelled("photos", "Pictures of the user.", picture, &["photo", "thumbnail"]),
        complex("addresses", "Postal addresses.", address()).many(),
        complex("groups", "The groups the user is a member of; changed through the groups.", membership())
            .many()
            .read_only(),
        labelled("entitlements", "What the user is entitled to.", string("value", "An entitlement."), &[]),
        labelled("roles", "Who the user is, such as Student or Faculty.", string("value", "A role."), &[]),
        labelled("x509Certificates", "The user's certificates.", certificate, &[]),
    ];
    let attributes: Vec<Attribute> = singular.into_iter().chain(multi_valued).collect();
    schema(USER, "User", "User Account", attributes)
}

fn name() -> [Attribute; 6] {
    [
        string("formatted", "The full name, for display."),
        string("familyName", "The family name, or last name."),
        string("givenName", "The given name, or first name."),
        string("middleName", "The middle names."),
        string("honorificPrefix", "The honorific prefixes, such as Ms."),
        string("honorificSuffix", "The honorific suffixes, such as III."),
    ]
}

fn address() -> [Attribute; 8] {
    [
        string("formatted", "The full address, for display or a label."),
        string("streetAddress", "Street name, house number, P.O. box."),
        string("locality", "The city."),
        string("region", "The state or region."),
        string("postalCode", "The postal code."),
        string("country", "The country, as an ISO 3166-1 alpha-2 code."),
        string("type", "A label for the address's function.").suggest(&["work", "home", "other"]),
        boolean("primary", "Whether this is the preferred address; at most one is."),
    ]
}

fn membership() -> [Attribute; 4] {
    [
        string("value", "The group's id.").case_exact(),
        reference("$ref", &["Group"], "The group's URI."),
        string("display", "The group's name, for display."),
        string("type", "Whether the user is a member of the group itself.").suggest(&["direct", "indirect"]),
    ]
}
