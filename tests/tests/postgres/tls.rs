//! The encrypted connection to PostgreSQL.

use std::fs;

use insomnia_scim::capability::storage::{Change, OrganizationId, Storage as _, Transaction};
use insomnia_scim::storage::{PostgresConfig, PostgresOpenError, PostgresStorage};
use insomnia_scim_tests::postgres::Cluster;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_certificate_must_be_valid_and_for_the_hosts_name() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let cluster = Cluster::start_with_certificate(&certified.cert.pem(), &certified.signing_key.serialize_pem());
    let port = cluster.port().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("ca.pem");
    fs::write(&authority, certified.cert.pem()).unwrap();
    let open = async |host: &str, query: &str| {
        let url = format!("postgres://postgres@{host}:{port}/postgres?sslmode=require{query}");
        PostgresStorage::open(PostgresConfig::from_url(&url).unwrap()).await
    };
    let known = format!("&sslrootcert={}", authority.display());
    let storage = open("localhost", &known).await.unwrap();
    let acme = OrganizationId::parse("acme").unwrap();
    let changes = vec![Change::put(b"x".to_vec(), b"1".to_vec())];
    storage.commit(&acme, Transaction { changes, ..Transaction::default() }).await.unwrap();
    for (host, query) in [("localhost", ""), ("127.0.0.1", known.as_str())] {
        let refused = open(host, query).await.unwrap_err();
        assert!(matches!(refused, PostgresOpenError::Connection { .. }), "{refused}");
        assert!(refused.to_string().contains("certificate"), "{refused}");
    }
}
