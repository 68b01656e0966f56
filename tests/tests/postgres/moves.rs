//! The way from a data directory into a PostgreSQL, and back.

use std::path::Path;
use std::process::Command;

use insomnia_scim_tests::postgres::Cluster;
use insomnia_scim_tests::server::binary;

fn run(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(binary()).arg("--json").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[test]
fn p9_organizations_move_into_a_postgresql_and_back_with_all_that_they_have() {
    let cluster = Cluster::start();
    let (first, last) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (first, last, url) = (path(first.path()), path(&last.path().join("new")), cluster.url());
    for name in ["acme", "former", "globex"] {
        let owner = format!("owner@{name}.example");
        run(&["--data", &first, "org", "create", name, "--seats", "10", "--owner", &owner]).unwrap();
        run(&["--data", &first, "member", "add", &format!("someone@{name}.example"), "--organization", name]).unwrap();
    }
    run(&["--data", &first, "org", "delete", "former", "--yes-delete", "former"]).unwrap();
    let (there, back) = (["migrate", "--from", &first, "--to", &url], ["migrate", "--from", &url, "--to", &last]);
    let moved = run(&there).unwrap();
    assert!(moved.contains("\"organizations\":2"), "{moved}");
    let again = run(&there).unwrap_err();
    assert!(again.contains("has organizations already"), "{again}");
    // The key stays where it was: so does the data directory of the servers.
    let listed =
        |place: &[&str], name: &str| run(&[place, &["member", "list", "--organization", name]].concat()).unwrap();
    let in_postgres = ["--data", &first, "--storage", &url];
    for name in ["acme", "globex"] {
        assert_eq!(listed(&in_postgres, name), listed(&["--data", &first], name));
    }
    run(&[&in_postgres[..], &["member", "add", "late@acme.example", "--organization", "acme"]].concat()).unwrap();
    // Out of the database the key must come from somewhere.
    let nowhere = format!("{last}-nowhere");
    let without = run(&[&["--data", &nowhere][..], &back].concat()).unwrap_err();
    assert!(without.contains("the host key is not in"), "{without}");
    run(&[&["--data", &first][..], &back].concat()).unwrap();
    assert_eq!(listed(&["--data", &last], "acme"), listed(&in_postgres, "acme"));
    assert!(listed(&["--data", &last], "acme").contains("late@acme.example"));
    // A name that was deleted keeps its generation: what was its own is never seen again.
    run(&["--data", &last, "org", "create", "former", "--seats", "10", "--owner", "owner@former.example"]).unwrap();
    assert!(!listed(&["--data", &last], "former").contains("someone@former.example"));
}
