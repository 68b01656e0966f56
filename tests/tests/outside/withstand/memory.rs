//! Strangers use a bounded amount of memory, whatever they do (F1), and the uploads of one organization do not keep
//! others out (F6).

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use insomnia_scim_tests::client::Request;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::Server;

use super::http2::Http2;

/// What strangers may cost.
const STRANGERS: usize = 64 << 20;

/// The most memory that the server takes while `attack` is held.
fn cost<T>(server: &Server, attack: impl FnOnce() -> T) -> usize {
    server.client().get("/Users?count=1").is(200);
    let before = server.resident();
    let held = attack();
    let mut most = 0;
    for _ in 0..20 {
        most = most.max(server.resident());
        thread::sleep(Duration::from_millis(50));
    }
    // While it goes on everybody else is served.
    let _ = seed::someone(&server.client(), "beside");
    drop(held);
    most.saturating_sub(before)
}

#[test]
fn f1_strangers_bodies_over_http2_cost_a_bounded_amount_of_memory() {
    let server = Server::start();
    let body = vec![b' '; 60_000];
    let cost = cost(&server, || {
        let open = |_| {
            let mut connection = Http2::open(server.authority()).expect("a connection");
            for stream in 0..100 {
                let stream = stream * 2 + 1;
                let begun = connection.request(stream, "POST", "/scim/v2/demo/Users", &[], false);
                if begun.and_then(|()| connection.data(stream, &body)).is_err() {
                    break;
                }
            }
            connection
        };
        (0..60).map(open).collect::<Vec<_>>()
    });
    assert!(cost <= STRANGERS, "{} MiB", cost >> 20);
}

#[test]
fn f1_strangers_heads_cost_a_bounded_amount_of_memory() {
    let server = Server::start();
    let cost = cost(&server, || {
        let open = |_| {
            let mut stream = TcpStream::connect(server.authority()).expect("a connection");
            // It does not end.
            let head = format!("GET /scim/v2/demo/Users HTTP/1.1\r\nHost: x\r\nX-Long: {}", "x".repeat(60_000));
            let _ = stream.write_all(head.as_bytes());
            stream
        };
        (0..1_000).map(open).collect::<Vec<_>>()
    });
    assert!(cost <= STRANGERS, "{} MiB", cost >> 20);
}

#[test]
fn f1_strangers_forms_cost_a_bounded_amount_of_memory() {
    let server = Server::start();
    let cost = cost(&server, || {
        let open = |number: usize| {
            let path = ["/oauth/demo/token", "/organizations/demo/scim/sign-in", "/api/v1/organizations"][number % 3];
            let mut stream = TcpStream::connect(server.authority()).expect("a connection");
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: 65000\r\n\r\n"
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&[b'a'; 60_000]));
            stream
        };
        (0..1_000).map(open).collect::<Vec<_>>()
    });
    assert!(cost <= STRANGERS, "{} MiB", cost >> 20);
}

#[test]
fn f6_uploads_of_one_organization_that_do_not_come_keep_nobody_elses_out() {
    let server = Server::start();
    let (one, other) = (server.another_organization(&unique("one")), server.another_organization(&unique("other")));
    let uploads: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = TcpStream::connect(server.authority()).expect("a connection");
            let path = one.url.split_once("/scim").map_or("", |(_, path)| path);
            let head = format!(
                "POST /scim{path}/Groups HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
                 Content-Type: application/scim+json\r\nContent-Length: 16777216\r\n\r\n{{",
                one.token
            );
            stream.write_all(head.as_bytes()).expect("the head is sent");
            stream
        })
        .collect();
    let mut user = seed::user_request(&Person::new("large"));
    for client in [other.client(), one.client()] {
        user["userName"] = unique("large").into();
        user["emails"][0]["value"] = format!("{}@example.com", unique("large")).into();
        // More than is read before its sender is known.
        let body = format!("{user}{}", " ".repeat(200_000));
        client.send(&Request::new("POST", "/Users").body(body)).resource(201);
    }
    drop(uploads);
}
