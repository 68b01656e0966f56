//! The database views for operators: what they show, and what they hide.

use insomnia_scim_tests::postgres::Cluster;
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::server::{Connector, Server};

/// All views, in the order in which they are documented.
const VIEWS: [&str; 9] =
    ["organizations", "members", "teams", "memberships", "licences", "connectors", "log", "outbox", "webhooks"];

/// That the views show the organization of this connector, to a role that may read nothing else, and no secret.
pub(super) fn show(cluster: &Cluster, server: &Server, connector: &Connector) {
    let name = &connector.organization;
    let of = ["--organization", name.as_str()];
    let command = |arguments: &[&str]| server.command(&[arguments, &of[..]].concat());
    let address = "https://hooks.invalid/path-that-is-a-secret?key=1";
    let key = text(&command(&["webhook", "set", address]), "secret");
    let sql = |sql: &str| cluster.sql(&sql.replace("VIEW.", "insomnia_scim.").replace("NAME", name));
    cluster.sql("CREATE ROLE auditor; GRANT USAGE ON SCHEMA insomnia_scim TO auditor");
    let mut everything = String::new();
    for view in VIEWS {
        sql(&format!("GRANT SELECT ON VIEW.{view} TO auditor"));
        let rows = sql(&format!("SET ROLE auditor; SELECT * FROM VIEW.{view}"));
        assert!(!rows.is_empty() || view == "outbox", "{view} is empty");
        everything.push_str(&rows);
    }
    let tables = cluster.client("SET ROLE auditor; SELECT * FROM insomnia_scim.internal_items").output().expect("psql");
    assert!(!tables.status.success(), "who may read the views may not read the tables");
    for secret in [&connector.token, &key, "path-that-is-a-secret", "sha256", "argon2", "sealed"] {
        assert!(!everything.contains(secret), "{secret} is in a view");
    }
    let users = server.client().get("/Users?count=0").is(200).json()["totalResults"].to_string();
    assert_eq!(sql("SELECT count(*) FROM VIEW.members WHERE organization = 'NAME' AND origin = 'scim'"), users);
    let wrong = "SELECT count(*) FROM VIEW.members WHERE display_name IS NULL OR email IS NULL OR created IS NULL";
    assert_eq!(sql(wrong), "0");
    // What is counted beside is what is listed.
    let sizes = "SELECT count(*) FROM VIEW.teams t WHERE members <> (SELECT count(*) FROM VIEW.memberships m
        WHERE m.organization = t.organization AND m.team = t.id)";
    assert_eq!(sql(sizes), "0");
    let seats =
        "SELECT taken = (SELECT count(*) FROM VIEW.members m WHERE m.active AND m.organization = l.organization)
        FROM VIEW.licences l WHERE organization = 'NAME'";
    assert_eq!(sql(seats), "t");
    let wide = "SELECT enabled, token_generation, token_created <= now(), last_used <= now() FROM VIEW.connectors WHERE organization = 'NAME'";
    assert_eq!(sql(wide), "t|1|t|t");
    assert_eq!(sql("SELECT name IS NOT NULL, retention_days FROM VIEW.organizations WHERE id = 'NAME'"), "t|90");
    assert_eq!(sql("SELECT address, parked FROM VIEW.webhooks WHERE organization = 'NAME'"), "https://hooks.invalid|0");
    let created =
        "SELECT count(*) > 0 FROM VIEW.log WHERE organization = 'NAME' AND status = 201 AND action = 'created'
        AND subject_name IS NOT NULL AND time > now() - interval '1 hour'";
    assert_eq!(sql(created), "t");
}
