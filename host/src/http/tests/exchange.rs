//! Requests and responses: limits, redirects, TLS, and failures.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::super::{EgressClient, HttpLimits};
use super::server::{Answer, Server, response};
use super::{Table, assert_not_allowed, client, get, policy, post, send};
use crate::capability::http::{HttpError, OutgoingRequest};

const LOOPBACK: &[&str] = &["http://127.0.0.1"];
const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_request_arrives_as_given_and_the_response_comes_back_whole() {
    let server = Server::start(|_| response("418 Teapot", "X-Mixed: a\r\nX-Mixed: b\r\n", "body")).await;
    let answer = send(&client(LOOPBACK), post(&server.url("/p?q=1#fragment"), "hello")).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (418, b"body".as_slice()));
    let mixed: Vec<_> =
        answer.headers.iter().filter(|(name, _)| name == "x-mixed").map(|(_, value)| value.as_str()).collect();
    assert_eq!(mixed, ["a", "b"]);
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /p?q=1 HTTP/1.1\r\n") && request.ends_with("\r\n\r\nhello"), "{request}");
    for field in [
        "content-type: text/plain",
        "authorization: Bearer t",
        &format!("host: 127.0.0.1:{}", server.port),
        "content-length: 5",
    ] {
        assert_eq!(request.matches(field).count(), 1, "{field} in {request}");
    }
}

#[tokio::test]
async fn every_method_of_the_contract_is_sent_and_no_other() {
    let server = Server::start(|_| response("200 OK", "", "")).await;
    let client = client(LOOPBACK);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        send(&client, OutgoingRequest { method: method.into(), ..get(&server.url("/")) }).await.unwrap();
        assert!(server.requests().pop().unwrap().starts_with(&format!("{method} / ")));
    }
    for method in ["HEAD", "CONNECT", "TRACE", "OPTIONS", "get", "", "GET /x HTTP/1.1\r\n"] {
        let answer = send(&client, OutgoingRequest { method: method.into(), ..get(&server.url("/")) }).await;
        assert!(matches!(answer, Err(HttpError::Invalid(_))), "{method}: {answer:?}");
    }
}

#[tokio::test]
async fn a_response_of_one_mebibyte_is_taken_and_a_larger_one_is_not() {
    let server = Server::start(|request| match request.split(' ').nth(1).unwrap() {
        "/most" => response("200 OK", "", &"x".repeat(MIB)),
        "/more" => response("200 OK", "", &"x".repeat(MIB + 1)),
        "/chunked" => Answer::Endless(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n".to_vec()),
        _ => Answer::Endless(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec()),
    })
    .await;
    let client = client(LOOPBACK);
    assert_eq!(send(&client, get(&server.url("/most"))).await.unwrap().body.len(), MIB);
    for path in ["/more", "/chunked", "/endless"] {
        assert_eq!(send(&client, get(&server.url(path))).await, Err(HttpError::TooLarge), "{path}");
    }
}

#[tokio::test]
async fn a_head_without_end_is_too_large() {
    let server = Server::start(|request| match request.split(' ').nth(1).unwrap() {
        "/value" => Answer::Endless(b"HTTP/1.1 200 OK\r\nx: ".to_vec()),
        _ => Answer::Bytes(format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(1000)).into_bytes()),
    })
    .await;
    for path in ["/value", "/fields"] {
        assert_eq!(send(&client(LOOPBACK), get(&server.url(path))).await, Err(HttpError::TooLarge), "{path}");
    }
}

#[tokio::test]
async fn a_request_that_is_too_large_is_not_sent() {
    let server = Server::start(|_| response("200 OK", "", "")).await;
    let client = client(LOOPBACK).limits(HttpLimits { max_request: 10, ..HttpLimits::default() });
    assert!(send(&client, post(&server.url("/"), &"x".repeat(10))).await.is_ok());
    for request in [post(&server.url("/"), &"x".repeat(11)), get(&server.url(&"/".repeat(9000)))] {
        assert!(matches!(send(&client, request).await, Err(HttpError::Invalid(_))));
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_silent_or_slow_ends_in_a_timeout() {
    let server = Server::start(|request| match request.split(' ').nth(1).unwrap() {
        "/silent" => Answer::Silence(vec![]),
        _ => Answer::Silence(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec()),
    })
    .await;
    let short = Some(Duration::from_millis(200));
    for path in ["/silent", "/half"] {
        let request = OutgoingRequest { timeout: short, ..get(&server.url(path)) };
        assert_eq!(send(&client(LOOPBACK), request).await, Err(HttpError::Timeout), "{path}");
    }
    // The client's own limit applies even if the guest asks for more.
    let client = client(LOOPBACK).limits(HttpLimits { timeout: Duration::from_millis(200), ..HttpLimits::default() });
    let request = OutgoingRequest { timeout: Some(Duration::from_secs(3600)), ..get(&server.url("/silent")) };
    assert_eq!(send(&client, request).await, Err(HttpError::Timeout));
}

#[tokio::test]
async fn no_connection_a_broken_one_and_nonsense_are_unreachable() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let server = Server::start(|request| match request.split(' ').nth(1).unwrap() {
        "/nothing" => Answer::Last(vec![]),
        "/half" => Answer::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec()),
        _ => Answer::Last(b"220 smtp.example ESMTP\r\n".to_vec()),
    })
    .await;
    let client = client(&["http://127.0.0.1", "http://gone.example"]).resolver(Arc::new(Table::default()));
    let urls = [
        format!("http://127.0.0.1:{closed}/"),
        server.url("/nothing"),
        server.url("/half"),
        server.url("/smtp"),
        "http://gone.example/".into(),
    ];
    for url in urls {
        let answer = send(&client, get(&url)).await;
        assert!(matches!(answer, Err(HttpError::Unreachable(_))), "{url}: {answer:?}");
    }
}

/// A server that redirects `/STATUS/TARGET` to the target and answers `end` to everything else.
async fn redirecting() -> Server {
    Server::start(|request| {
        let path = request.split(' ').nth(1).unwrap();
        match path.trim_start_matches('/').split_once('/') {
            Some((status, to)) if status.len() == 3 => {
                response(&format!("{status} Moved"), &format!("Location: {to}\r\n"), "moved")
            }
            _ => response("200 OK", "", "end"),
        }
    })
    .await
}

#[tokio::test]
async fn a_redirect_to_where_requests_may_not_go_is_refused() {
    let server = redirecting().await;
    let resolver = Table::new(&[("intern.example", "10.0.0.1"), ("a.example", "1.1.1.1")]);
    let client = client(&[&format!("http://127.0.0.1:{}", server.port)]).resolver(Arc::new(resolver));
    for to in [
        "http://10.0.0.1/",
        "https://169.254.169.254/",
        "https://intern.example/",
        "https://[::1]/",
        "http://127.0.0.1:1/",
        "https://2130706433/",
        "http://a.example/",
        "file:///etc/passwd",
    ] {
        for status in [301, 302, 303, 307, 308] {
            assert_not_allowed(send(&client, get(&server.url(&format!("/{status}/{to}")))).await, to);
        }
    }
}

#[tokio::test]
async fn three_redirects_are_followed_and_a_fourth_is_an_error() {
    let server = redirecting().await;
    let client = client(LOOPBACK);
    assert_eq!(send(&client, get(&server.url("/302//301//308//end"))).await.unwrap().body, b"end");
    let answer = send(&client, get(&server.url("/302//302//302//302//end"))).await;
    assert!(matches!(answer, Err(HttpError::Other(_))), "{answer:?}");
}

#[tokio::test]
async fn a_body_is_never_sent_to_where_a_redirect_points() {
    let server = redirecting().await;
    let client = client(LOOPBACK);
    for status in [301, 302, 303, 307, 308] {
        let answer = send(&client, post(&server.url(&format!("/{status}//end")), "secret")).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (status, b"moved".as_slice()));
    }
    assert_eq!(server.requests().len(), 5);
    let headers = vec![("authorization".into(), "Bearer t".into())];
    let request = OutgoingRequest { headers, ..get(&server.url("/303//end")) };
    assert_eq!(send(&client, request).await.unwrap().body, b"end");
    let last = server.requests().pop().unwrap();
    assert!(last.starts_with("GET /end "), "{last}");
    assert!(last.contains("authorization: Bearer t"), "the same origin keeps the credentials: {last}");
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_to_another_origin() {
    let (server, other) = (redirecting().await, redirecting().await);
    let headers =
        ["authorization", "cookie", "x-api-key", "webhook-signature"].map(|name| (name.into(), "s3cret".into()));
    let request =
        OutgoingRequest { headers: headers.into(), ..get(&server.url(&format!("/307/{}", other.url("/end")))) };
    assert_eq!(send(&client(LOOPBACK), request).await.unwrap().body, b"end");
    let last = other.requests().pop().unwrap();
    assert!(!last.contains("s3cret"), "{last}");
}

#[tokio::test]
async fn cookies_are_not_kept() {
    let server = Server::start(|_| response("200 OK", "Set-Cookie: a=b; Path=/\r\n", "")).await;
    let client = client(LOOPBACK);
    for _ in 0..2 {
        send(&client, get(&server.url("/"))).await.unwrap();
    }
    assert!(server.requests().iter().all(|request| !request.to_lowercase().contains("cookie")));
}

#[tokio::test]
async fn a_certificate_must_be_of_a_trusted_authority_and_of_the_url_s_host() {
    let key = rcgen::generate_simple_self_signed(vec!["hook.example".into()]).unwrap();
    let pem = key.cert.pem();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![key.cert.der().clone()], private).unwrap();
    let server = Server::start_tls(TlsAcceptor::from(Arc::new(config)), |_| response("200 OK", "", "safe")).await;

    let resolver = Arc::new(Table::new(&[("hook.example", "127.0.0.1"), ("other.example", "127.0.0.1")]));
    let rules = || policy(&["hook.example", "other.example"]);
    let url = |host: &str| format!("https://{host}:{}/", server.port);
    let trusting = EgressClient::new(rules(), Some(pem.as_bytes())).unwrap().resolver(resolver.clone());
    assert_eq!(send(&trusting, get(&url("hook.example"))).await.unwrap().body, b"safe");
    let wrong = send(&trusting, get(&url("other.example"))).await;
    assert!(matches!(wrong, Err(HttpError::Unreachable(_))), "{wrong:?}");
    let strict = EgressClient::new(rules(), None).unwrap().resolver(resolver);
    let unknown = send(&strict, get(&url("hook.example"))).await;
    assert!(matches!(unknown, Err(HttpError::Unreachable(_))), "{unknown:?}");
}
