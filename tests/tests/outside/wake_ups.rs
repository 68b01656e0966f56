//! Work that becomes due while other work is under way: it is done in time, and does not wait for a later time that was
//! planned before.

use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use insomnia_scim_tests::client::{Client, Request, encode};
use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::scim::GROUP;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::Server;
use serde_json::json;

use crate::outside::commands::{mail_to, read_request, soon};

/// How long the receiver takes for each event.
const SLOW: Duration = Duration::from_secs(4);

/// A receiver that takes every event, and takes its time. Tells when one has arrived.
fn slow_receiver() -> (u16, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("the port").port();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            read_request(&connection);
            if sender.send(()).is_err() {
                return;
            }
            thread::sleep(SLOW);
            let _ = write!(connection, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        }
    });
    (port, receiver)
}

#[test]
fn a_link_that_is_asked_for_while_a_slow_webhook_is_posted_is_mailed_within_seconds() {
    let (port, arrived) = slow_receiver();
    let server = Server::start_with(&["--http-permit", &format!("http://127.0.0.1:{port}")]);
    let (organization, owner) = (&server.demo().organization, &server.demo().owner_email);
    let of = ["--organization", organization];
    server.command(&[&["webhook", "set", &format!("http://127.0.0.1:{port}/hook")], &of[..]].concat());
    arrived.recv_timeout(Duration::from_secs(20)).expect("the test event is posted");
    // Two events that bring no email: while the first is posted, the second waits.
    for name in ["Crew", "Watch"] {
        server.client().post("/Groups", json!({ "schemas": [GROUP], "displayName": name })).is(201);
    }
    arrived.recv_timeout(Duration::from_secs(20)).expect("the first event is posted");
    let form = Request::new("POST", "/reset")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("email={}", encode(owner)));
    Client::bare(&server.demo().page_url).send(&form).is(200);
    let letter = soon("the link", || mail_to(&server, organization, owner).pop());
    assert!(letter.contains("Subject: "), "{letter}");
}

#[test]
fn f7_two_servers_on_one_directory_send_every_email_and_none_twice() {
    const USERS: usize = 150;
    let server = Server::start();
    let beside = server.beside();
    let told = "the last server on this data was reached at";
    soon("b19: that there are two base URLs", || beside.stderr().contains(told).then_some(()));
    let people: Vec<Person> = (0..USERS).map(|_| Person::new("both")).collect();
    let clients = [server.client(), beside.client.clone()];
    for (number, person) in people.iter().enumerate() {
        seed::user(&clients[number % 2], person);
    }
    let organization = &server.demo().organization;
    // One batch alone is 50: what is left behind by a time that one server takes from the other would come minutes later.
    soon("the emails", || {
        let waiting = server.command(&["delivery", "list", "emails-waiting", "--organization", organization]);
        waiting.as_array().is_some_and(Vec::is_empty).then_some(())
    });
    for person in &people {
        assert_eq!(mail_to(&server, organization, &person.email).len(), 1, "{}", person.email);
    }
    beside.kill();
}
