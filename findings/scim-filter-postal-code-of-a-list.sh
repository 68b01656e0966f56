#!/usr/bin/env bash
# scim-filter 0.2.3 (crates.io) finds nobody by addresses.postalCode, or by any other part of a list whose name has a
# capital letter.
# RFC 7643, section 2.1, has names of attributes compared without case, and the crate, which filters whatever can be made
# JSON of, finds userName and name.familyName in any letters. One would guess that it finds the parts of a list in their
# right ones at least. It makes small letters of the filter's name and looks for those in each element, with case:
# addresses.locality is found, addresses.postalCode and addresses[postalCode eq "…"] never are. The list before a bracket
# is looked for with case as well, so that Emails[…] finds nobody. "emails pr" finds somebody with an empty list, which
# RFC 7643, section 2.5, takes for no value, and "gt" ends in an error for all as soon as one person lacks the attribute.
# A client of such a provider should write names as the RFC does, not rely on those with a capital, and compare what
# comes back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'END'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"
[profile.dev]
debug = false
[dependencies]
scim-filter = "=0.2.3"
serde_json = "1"
END
cat >src/main.rs <<'END'
use serde_json::json;

fn main() {
    let people = vec![
        json!({ "userName": "jane", "name": { "familyName": "Doe" }, "title": "Clerk", "emails": [{ "type": "work", "value": "jane@example.com" }],
            "addresses": [{ "streetAddress": "1 Main St", "postalCode": "3000", "locality": "Bern" }] }),
        json!({ "userName": "joe", "name": { "familyName": "Roe" }, "emails": [] }),
    ];
    for text in [
        r#"USERNAME eq "jane""#,
        r#"NAME.FAMILYNAME eq "Doe""#,
        r#"addresses.locality eq "Bern""#,
        r#"addresses.postalCode eq "3000""#,
        r#"addresses[locality eq "Bern"]"#,
        r#"addresses[postalCode eq "3000"]"#,
        r#"addresses[streetAddress pr]"#,
        r#"emails[type eq "work"]"#,
        r#"Emails[type eq "work"]"#,
        "emails pr",
        r#"userName gt "a""#,
        r#"title gt "a""#,
    ] {
        let found = scim_filter::scim_filter(text, people.clone());
        let names = found.map(|found| found.iter().map(|person| person["userName"].to_string()).collect::<Vec<_>>().join(" and "));
        match names {
            Ok(names) if names.is_empty() => println!("{text} finds nobody"),
            Ok(names) => println!("{text} finds {names}"),
            Err(error) => println!("{text} fails: {error}"),
        }
    }
}
END
cargo run --quiet >seen
cat >expected <<'END'
USERNAME eq "jane" finds "jane"
NAME.FAMILYNAME eq "Doe" finds "jane"
addresses.locality eq "Bern" finds "jane"
addresses.postalCode eq "3000" finds nobody
addresses[locality eq "Bern"] finds "jane"
addresses[postalCode eq "3000"] finds nobody
addresses[streetAddress pr] finds "jane"
emails[type eq "work"] finds "jane"
Emails[type eq "work"] finds nobody
emails pr finds "jane" and "joe"
userName gt "a" finds "jane" and "joe"
title gt "a" fails: I tried parsing a string from the resource, but got null which seems to be wrong.
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
