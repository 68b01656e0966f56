//! Destinations that are refused, and rules that permit them.

use std::sync::Arc;

use super::super::egress::{Destination, Refusal};
use super::super::{AddressKind, EgressClient, EgressConfig, EgressPolicy};
use super::server::{Server, response};
use super::{Table, acme, assert_not_allowed, client, get, policy, send};
use crate::capability::http::{HttpClient as _, HttpError};
use crate::capability::storage::OrganizationId;

#[tokio::test]
async fn no_spelling_of_an_address_that_is_not_public_is_allowed() {
    let hosts = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0X7F.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "127。0。0。1",
        "１２７.0.0.1",
        "0",
        "0.0.0.0",
        "10.1.2.3",
        "0xa010203",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "255.255.255.255",
        "224.0.0.1",
        "198.51.100.7",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:a9fe:a9fe]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[2001:db8::1]",
    ];
    let resolver = Arc::new(Table::default());
    let client = client(&[]).resolver(resolver.clone());
    for host in hosts {
        assert_not_allowed(send(&client, get(&format!("https://{host}/"))).await, host);
    }
    assert_eq!(resolver.asked(), 0, "an address was taken for a name");
}

#[tokio::test]
async fn a_name_that_resolves_to_an_address_that_is_not_public_is_refused() {
    let names = [
        ("localhost", "127.0.0.1 ::1"),
        ("app.localhost", "127.0.0.1"),
        ("metadata.google.internal", "169.254.169.254"),
        ("intern.example", "10.0.0.5"),
        ("v6.example", "fd00::1"),
        ("mapped.example", "::ffff:10.0.0.5"),
        ("nat64.example", "64:ff9b::a00:5"),
        ("cgnat.example", "100.64.9.9"),
        ("all.example", "10.0.0.1 fe80::1 169.254.169.254"),
    ];
    let client = client(&[]).resolver(Arc::new(Table::new(&names)));
    for (name, _) in names {
        for host in [name.to_owned(), format!("{name}."), name.to_uppercase()] {
            assert_not_allowed(send(&client, get(&format!("https://{host}/"))).await, &host);
        }
    }
}

#[test]
fn of_a_name_with_public_and_other_addresses_only_the_public_ones_are_used() {
    let to = Destination { host: "mixed.example".into(), port: 443, plain: false };
    let resolved = ["10.0.0.1", "1.1.1.1", "::1", "2606:4700::1111"].map(|address| address.parse().unwrap());
    assert_eq!(policy(&[]).addresses(&to, &resolved), Ok(vec![resolved[1], resolved[3]]));
    let refusal = Refusal::Address { host: "mixed.example".into(), kind: AddressKind::Private };
    assert_eq!(policy(&[]).addresses(&to, &resolved[..1]), Err(refusal));
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() {
    let server = Server::start(|_| response("200 OK", "", "here")).await;
    let resolver = Arc::new(Table::new(&[("hook.example", "127.0.0.1")]));
    let client = client(&["http://hook.example"]).resolver(resolver.clone());
    let url = format!("http://hook.example:{}/", server.port);
    assert_eq!(send(&client, get(&url)).await.unwrap().body, b"here");
    assert_eq!(resolver.asked(), 1, "a second answer could be another address");

    // The name now means another address, so the next connection is checked again.
    resolver.names.lock().unwrap().insert("hook.example".into(), vec!["169.254.169.254".parse().unwrap()]);
    let other = OrganizationId::parse("other").unwrap();
    assert_not_allowed(client.send(&other, get(&url)).await, "after rebinding");
}

#[tokio::test]
async fn plain_http_other_schemes_ports_and_credentials_are_refused() {
    let client = client(&[]).resolver(Arc::new(Table::new(&[("a.example", "1.1.1.1")])));
    for url in [
        "http://a.example/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "unix:/run/docker.sock",
        "https://a.example:22/",
        "https://a.example:6379/",
        "https://user@a.example/",
        "https://user:pass@a.example/",
        "https://:pass@a.example/",
    ] {
        assert_not_allowed(send(&client, get(url)).await, url);
    }
    for url in ["", "a.example", "/path", "https://", "https://[::1", "https://a b/", "https://999.1.1.1/"] {
        let answer = send(&client, get(url)).await;
        assert!(matches!(answer, Err(HttpError::Invalid(_))), "{url}: {answer:?}");
    }
}

/// The policy's result for a URL whose host has this address.
fn allowed(policy: &EgressPolicy, url: &str, address: &str) -> bool {
    let address = address.parse().unwrap();
    policy.check_url(&url.parse().unwrap()).is_ok_and(|to| policy.addresses(&to, &[address]).is_ok())
}

#[test]
fn a_permission_opens_what_it_names_and_nothing_beside_it() {
    let cases = [
        ("hook.example", "https://hook.example:9/", "10.0.0.1", true),
        ("hook.example", "https://hook.example/", "127.0.0.1", true),
        ("hook.example", "https://HOOK.example./", "10.0.0.1", true),
        ("hook.example", "http://hook.example/", "10.0.0.1", false),
        ("hook.example", "https://other.example/", "10.0.0.1", false),
        ("hook.example", "https://x.hook.example/", "10.0.0.1", false),
        ("hook.example", "https://hook.example/", "169.254.169.254", false),
        ("hook.example", "https://hook.example/", "fd00:ec2::254", false),
        ("hook.example", "https://hook.example/", "0.0.0.0", false),
        ("hook.example:9", "https://hook.example:9/", "10.0.0.1", true),
        ("hook.example:9", "https://hook.example/", "10.0.0.1", false),
        ("hook.example:9", "https://hook.example/", "1.1.1.1", true),
        ("http://hook.example:80", "http://hook.example/", "1.1.1.1", true),
        ("http://hook.example:80", "http://hook.example:81/", "1.1.1.1", false),
        ("*.corp.example", "https://a.b.corp.example/", "10.0.0.1", true),
        ("*.corp.example", "https://corp.example/", "10.0.0.1", false),
        ("*.corp.example", "https://evilcorp.example/", "10.0.0.1", false),
        ("10.1.0.0/16", "https://any.example/", "10.1.255.255", true),
        ("10.1.0.0/16", "https://any.example/", "10.2.0.0", false),
        ("10.1.0.0/16", "https://10.1.2.3/", "10.1.2.3", true),
        ("10.1.0.0/16", "https://[::ffff:10.1.2.3]/", "::ffff:10.1.2.3", true),
        ("10.1.0.0/16", "https://10.2.2.3/", "10.2.2.3", false),
        ("10.1.0.0/16:9", "https://10.1.2.3/", "10.1.2.3", false),
        ("10.1.0.0/16:9", "https://10.1.2.3:9/", "10.1.2.3", true),
        ("169.254.169.254", "https://169.254.169.254/", "169.254.169.254", true),
        ("0.0.0.0/0", "https://any.example/", "192.168.0.1", true),
        ("0.0.0.0/0", "https://any.example/", "::1", false),
        ("fd00::/8", "https://any.example/", "fd12::1", true),
        ("[::1]:9", "https://[::1]:9/", "::1", true),
        ("http://[::1]", "http://[::1]:9/", "::1", true),
        ("http://127.0.0.1", "http://any.example/", "127.0.0.1", true),
        ("http://127.0.0.1", "http://any.example/", "1.1.1.1", false),
    ];
    for (rule, url, address, expected) in cases {
        assert_eq!(allowed(&policy(&[rule]), url, address), expected, "{rule} and {url} at {address}");
    }
}

#[test]
fn an_allow_list_leaves_nothing_else_and_permits_nothing_by_itself() {
    let only = Some(vec!["graph.microsoft.com".into(), "*.okta.com".into(), "intern.example".into()]);
    let policy = EgressPolicy::new(&EgressConfig { only, ..EgressConfig::default() }).unwrap();
    for (url, address, expected) in [
        ("https://graph.microsoft.com/v1.0", "1.1.1.1", true),
        ("https://dev-1.okta.com/api", "1.1.1.1", true),
        ("https://okta.com/", "1.1.1.1", false),
        ("https://okta.com.evil.example/", "1.1.1.1", false),
        ("https://1.1.1.1/", "1.1.1.1", false),
        ("https://intern.example/", "10.0.0.1", false),
    ] {
        assert_eq!(allowed(&policy, url, address), expected, "{url}");
    }
}

#[tokio::test]
async fn one_organization_s_permission_and_connection_are_not_another_s() {
    let server = Server::start(|_| response("200 OK", "", "")).await;
    let client = EgressClient::new(policy(&[]), None).unwrap().organization(acme(), policy(&["http://127.0.0.1"]));
    for _ in 0..2 {
        assert_eq!(send(&client, get(&server.url("/"))).await.unwrap().status, 200);
    }
    assert_eq!(server.connections(), 1, "the connection is kept for the same organization");
    let other = OrganizationId::parse("other").unwrap();
    assert_not_allowed(client.send(&other, get(&server.url("/"))).await, "the other organization");
    let client = client.organization(other.clone(), policy(&["http://127.0.0.1"]));
    assert_eq!(client.send(&other, get(&server.url("/"))).await.unwrap().status, 200);
    assert_eq!(server.connections(), 2, "the other organization has a connection of its own");
}
