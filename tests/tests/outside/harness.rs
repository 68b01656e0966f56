//! Tests the test client itself, against a listener that records what it receives: every byte must arrive as it was
//! written.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use insomnia_scim_tests::client::{Client, Request};
use serde_json::json;

/// Answers the connections one after the other, each request with the next answer, and returns what was received.
fn fake(connections: Vec<Vec<&'static [u8]>>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/scim/v2/acme/", listener.local_addr().expect("an address"));
    let thread = thread::spawn(move || {
        let mut received = Vec::new();
        for answers in connections {
            let (mut stream, _) = listener.accept().expect("a connection");
            for answer in answers {
                let mut bytes = vec![0; 64 * 1024];
                let length = stream.read(&mut bytes).expect("a request");
                received.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
                stream.write_all(answer).expect("an answer is sent");
            }
        }
        received
    });
    (url, thread)
}

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

#[test]
fn client_sends_paths_untouched() {
    let (url, fake) = fake(vec![vec![EMPTY, EMPTY, EMPTY]]);
    let client = Client::bare(&url);
    for path in ["/Users?filter=userName+eq+%22a%22&", "//Users//0?", "/Users/?"] {
        client.get(path).is(200);
    }
    let received = fake.join().expect("the fake ends");
    assert!(received[0].starts_with("GET /scim/v2/acme/Users?filter=userName+eq+%22a%22& HTTP/1.1\r\n"));
    assert!(received[1].starts_with("GET /scim/v2/acme//Users//0? HTTP/1.1\r\n"));
    assert!(received[2].starts_with("GET /scim/v2/acme/Users/? HTTP/1.1\r\n"));
}

#[test]
fn client_sends_bodies_verbatim_and_no_header_unasked() {
    let (url, fake) = fake(vec![vec![EMPTY]]);
    let body = "{ \"schemas\" : [ ],\n \"x\":1 }";
    Client::bare(&url).post("/Users", body).is(200);
    let received = fake.join().expect("the fake ends");
    let (head, sent) = received[0].split_once("\r\n\r\n").expect("a head");
    assert_eq!(sent, body);
    let names: Vec<&str> = head.lines().skip(1).filter_map(|line| line.split(':').next()).collect();
    assert_eq!(names, ["Host", "Content-Length"]);
}

#[test]
fn client_lets_a_request_replace_its_headers() {
    let (url, fake) = fake(vec![vec![EMPTY]]);
    let request = Request::new("PUT", "/Users/1").header("authorization", "non-token").body(json!({}));
    Client::new(&url, "secret").send(&request).is(200);
    let received = fake.join().expect("the fake ends");
    assert!(received[0].contains("authorization: non-token\r\n"));
    assert!(!received[0].contains("secret"));
    assert!(received[0].contains("Content-Type: application/scim+json\r\n"));
}

#[test]
fn client_reads_chunks_and_bodies_without_a_length() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n";
    let open = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n{}";
    let (url, fake) = fake(vec![vec![chunked, open]]);
    let client = Client::bare(&url);
    assert_eq!(client.get("/a").json(), json!({ "a": 1 }));
    assert_eq!(client.get("/b").is(404).text(), "{}");
    fake.join().expect("the fake ends");
}

#[test]
fn client_connects_again_when_an_idle_connection_was_closed() {
    let (url, fake) = fake(vec![vec![EMPTY], vec![EMPTY]]);
    let client = Client::bare(&url);
    client.get("/a").is(200);
    client.get("/b").is(200);
    assert_eq!(fake.join().expect("the fake ends").len(), 2);
}
