//! What strangers send: every fuzz target with random texts that are made of what its parser knows, for some seconds in
//! every run of the tests. `make fuzz` goes on where these stop.

use proptest::prelude::*;

use super::fuzz;

/// Texts of pieces that the parser knows, and some that it does not.
fn texts(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece =
        prop_oneof![12 => prop::sample::select(pieces).prop_map(str::to_owned), 1 => "\\PC{0,4}", 1 => "[ -~]{0,6}"];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

const CREDENTIAL: &[&str] = &[
    "Bearer ",
    "bearer ",
    "Basic ",
    "Digest ",
    " ",
    "\t",
    "{token}",
    "insm_scim_",
    "insm_at_",
    "insm_",
    "e3Rva2VufQ==",
    ":",
    "\n",
    "=",
    "AAAA",
    "%41",
    ",",
    "\u{e9}",
];

const FILTER: &[&str] = &[
    "userName",
    " eq ",
    " co ",
    " pr",
    " and ",
    " or ",
    "not (",
    "(",
    ")",
    "[",
    "]",
    "emails",
    ".value",
    "\"a\"",
    "true",
    "null",
    "1",
    "-0.5e9",
    "urn:ietf:params:scim:schemas:core:2.0:User:",
    "\\",
    "\"",
    "meta.lastModified",
    " gt ",
    "\"2020-01-01T00:00:00Z\"",
];

const PATHS: &[&str] = &[
    "emails",
    "[type eq \"work\"]",
    ".value",
    "members",
    "[value eq \"1\"]",
    "name.givenName",
    ",",
    " ",
    "userName",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    ":",
    "manager",
    "[",
    "]",
    "\"",
    "password",
    ".",
    "$ref",
];

const REQUESTS: &[&str] = &[
    "GET /Users",
    "GET /Groups",
    "POST /Users",
    "PUT /Users/{0}",
    "PATCH /Users/{0}",
    "DELETE /Users/{0}",
    "POST /Bulk",
    "POST /Users/.search",
    "?",
    "&",
    "count=",
    "startIndex=",
    "cursor=",
    "filter=",
    "sortBy=",
    "attributes=",
    "%22",
    "%",
    "-1",
    "1",
    "99999999999999999999",
    "\n\n",
    "\n===\n",
    "\nIf-Match: ",
    "\nAccept: ",
    "{\"schemas\":[",
    "\"userName\":",
    "\"a\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "/",
    "..",
    "//",
    "%2F",
    "\nContent-Type: application/json",
    "userName%20eq%20",
    "GET /Schemas/",
];

const OAUTH: &[&str] = &[
    "\n",
    "\n",
    "Basic ",
    "e2NsaWVudH06e3NlY3JldH0=",
    "{client}",
    "{secret}",
    "{request}",
    "{code}",
    "client_id=",
    "client_secret=",
    "grant_type=",
    "client_credentials",
    "authorization_code",
    "refresh_token",
    "response_type=code",
    "redirect_uri=",
    "https%3A%2F%2Fidp.example%2Fcallback",
    "https://evil.example",
    "code=",
    "code_verifier=",
    "code_challenge=",
    "code_challenge_method=S256",
    "state=",
    "scope=scim",
    "token=",
    "insm_at_",
    "client_assertion=",
    "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
    "e30.e30.e30",
    "&",
    "&",
    "=",
    "%",
    "%0",
    "%ff",
    "+",
    ":",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_form_without_a_secret_gets_a_token_and_no_request_leads_elsewhere(text in texts(OAUTH)) {
        fuzz::oauth::check(text.as_bytes());
    }

    #[test]
    fn no_credential_but_the_token_lets_anybody_in_and_no_cursor_is_forged(text in texts(CREDENTIAL)) {
        fuzz::credential::check(text.as_bytes());
    }

    #[test]
    fn any_filter_is_parsed_or_refused(text in texts(FILTER)) {
        fuzz::filter::check(text.as_bytes());
    }

    #[test]
    fn any_path_is_parsed_or_refused(text in texts(PATHS)) {
        fuzz::path::check(text.as_bytes());
    }

    #[test]
    fn any_script_of_requests_is_answered_and_what_is_stored_stays_consistent(text in texts(REQUESTS)) {
        fuzz::request::check(text.as_bytes());
    }
}
