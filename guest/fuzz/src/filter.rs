//! Filters: any text is read or refused with 400, prints as it parses, and is evaluated to the end.

use insomnia_scim_guest::protocol::filter::Filter;

use super::samples::{MODES, group, schema, shown_user};

/// Checks one text.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for (name, resource) in [("User", shown_user()), ("Group", group())] {
        let schema = schema(name);
        for mode in MODES {
            let filter = match Filter::parse(&schema, &[], text, mode) {
                Ok(filter) => filter,
                Err(error) => {
                    assert_eq!(error.status, 400, "{text}: {error}");
                    continue;
                }
            };
            let printed = filter.to_string();
            let again = Filter::parse(&schema, &[], &printed, mode)
                .unwrap_or_else(|error| panic!("`{text}` prints as `{printed}`, which is refused: {error}"));
            assert_eq!(again, filter, "`{text}` prints as `{printed}`");
            assert_eq!(again.to_string(), printed);
            let matches = filter.matches(&resource);
            assert_eq!(again.matches(&resource), matches);
            // An index answers one of these terms: what does not hold for a term must not hold for the filter.
            for term in filter.conjuncts() {
                let exact = format!("{} {} {}", term.path, term.operator, term.value);
                if let Ok(term) = Filter::parse(&schema, &[], &exact, mode) {
                    assert!(!matches || term.matches(&resource), "`{text}` matches, `{exact}` does not");
                }
            }
        }
    }
}
