//! Answers: a client that does not read them can't keep the server from stopping (F2), and no cache stores them (F24).

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use insomnia_scim_tests::client::Request;
use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::Server;

use super::http2::Http2;

/// Far below the 60 seconds that a call may take.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn f2_a_stop_is_not_held_up_by_answers_that_nobody_takes() {
    let mut server = Server::start();
    let client = server.client();
    for _ in 0..200 {
        let mut user = seed::user_request(&Person::new("large"));
        user["title"] = "x".repeat(25_000).into();
        client.post("/Users", user).is(201);
    }
    let token = format!("Bearer {}", server.demo().token);
    let open = |_| {
        let mut stream = TcpStream::connect(server.authority()).expect("a connection");
        let request =
            format!("GET /scim/v2/demo/Users?count=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("the request is sent");
        stream
    };
    let unread: Vec<TcpStream> = (0..10).map(open).collect();
    let mut http2 = Http2::open(server.authority()).expect("a connection");
    let fields = [("authorization", token.as_str())];
    http2.request(1, "GET", "/scim/v2/demo/Users?count=1000", &fields, true).expect("the request is sent");
    // Its answer has begun, and HTTP/2's window is full.
    assert!(http2.read(&mut [0; 1024]).expect("an answer") > 0);
    // Until the answers are there.
    client.get("/Users?count=1000").is(200);
    let begun = Instant::now();
    assert!(server.stop().success());
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    drop((unread, http2));
}

#[test]
fn f24_no_cache_keeps_an_answer_with_peoples_data() {
    let server = Server::start();
    let (client, root) = (server.client(), server.client().at_root());
    let user = seed::someone(&client, "cached");
    let paths = ["/Users", "/Users?filter=userName+eq+%22x%22", "/Schemas", "/ServiceProviderConfig", "/Nowhere"];
    let mut answers: Vec<_> = paths.iter().map(|path| client.get(path)).collect();
    answers.push(client.get(&format!("/Users/{}", insomnia_scim_tests::scim::id(&user))));
    answers.push(client.clone().without("Authorization").get("/Users"));
    for path in [
        "/healthz",
        "/readyz",
        "/.well-known/oauth-authorization-server/oauth/demo",
        "/.well-known/oauth-protected-resource/scim/v2/demo",
        "/nowhere",
    ] {
        answers.push(root.send(&Request::new("GET", path)));
    }
    for answer in answers {
        assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{answer}");
    }
}
