//! Traces as a collector of OpenTelemetry receives them over OTLP (P9): the spans of a request are one tree, from its
//! caller to the webhook.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use insomnia_scim_tests::client::{Client, Request};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Server, Surroundings};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use serde_json::Value;

use crate::outside::commands::{receiver, soon};
use crate::page::visitor::Visitor;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A collector that takes everything, and what it was sent.
fn collector() -> (u16, Receiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("the port").port();
    let (sender, messages) = channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let (head, body) = read(&mut connection);
            assert!(head.starts_with("POST /v1/traces ") && head.contains("application/x-protobuf"), "{head}");
            let _ = write!(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            if sender.send(ExportTraceServiceRequest::decode(&body[..]).expect("a message")).is_err() {
                return;
            }
        }
    });
    (port, messages)
}

fn read(connection: &mut TcpStream) -> (String, Vec<u8>) {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = connection.read(&mut part) {
        bytes.extend_from_slice(&part[..length]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase().replacen("post", "POST", 1);
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        if bytes.len() >= end + 4 + length {
            return (head, bytes.split_off(end + 4));
        }
    }
    panic!("the message is cut off")
}

/// A server that sends spans soon after they have ended.
fn soon_sent() -> Surroundings {
    Surroundings { limits: "export OTEL_BSP_SCHEDULE_DELAY=50", ..Surroundings::default() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attributes(span: &Span) -> BTreeMap<String, String> {
    let text = |value: AnyValue| match value {
        AnyValue::StringValue(text) => text,
        AnyValue::IntValue(number) => number.to_string(),
        other => panic!("an attribute of another kind: {other:?}"),
    };
    let value = |pair: &opentelemetry_proto::tonic::common::v1::KeyValue| {
        (pair.key.clone(), text(pair.value.clone().and_then(|value| value.value).expect("a value")))
    };
    span.attributes.iter().map(value).collect()
}

/// The spans that have come.
fn of(messages: &Receiver<ExportTraceServiceRequest>) -> Vec<Span> {
    let resources = messages.try_iter().flat_map(|message| message.resource_spans);
    resources.flat_map(|of_resource| of_resource.scope_spans).flat_map(|of_scope| of_scope.spans).collect()
}

/// The line of the server's log about the request with this id.
fn logged(server: &Server, request: &str) -> Value {
    soon("the line of the log", || {
        let said = server.stderr();
        let mut lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["request_id"] == *request && line["status"].is_u64())
    })
}

#[test]
fn p9_a_request_and_what_it_causes_are_one_trace_of_its_caller_down_to_the_webhook() {
    let ((otlp, messages), (hook, posted)) = (collector(), receiver("204 No Content"));
    let (endpoint, permitted) = (format!("http://127.0.0.1:{otlp}"), format!("http://127.0.0.1:{hook}"));
    let server = Server::start_in(
        &soon_sent(),
        &["--log-format", "json", "--otlp-endpoint", &endpoint, "--http-permit", &permitted],
    );
    let organization = server.demo().organization.clone();
    server.command(&["webhook", "set", &format!("{permitted}/hook"), "--organization", &organization]);
    let test = soon("the test event", || posted.try_recv().ok());
    assert!(!test.to_lowercase().contains("traceparent"), "it was caused by no request: {test}");

    let person = Person::new(&unique("traced"));
    let create = |traceparent: &str, person: &Person| {
        let request = Request::new("POST", "/Users").header("traceparent", traceparent);
        let response = server.client().send(&request.body(seed::user_request(person)));
        response.is(201).header("x-request-id").expect("the id of the request").to_owned()
    };
    let request = create(&format!("00-{TRACE}-{CALLER}-01"), &person);
    let event = soon("the event", || posted.try_recv().ok()).to_lowercase();

    // The spans come as they end.
    let mut spans: Vec<Span> = Vec::new();
    let sent = soon("the span of the webhook", || {
        let fresh = messages.try_iter().flat_map(|message| message.resource_spans);
        for of_resource in fresh {
            let attributes = of_resource.resource.expect("a resource").attributes;
            let is_named = |pair: &opentelemetry_proto::tonic::common::v1::KeyValue| {
                let name = AnyValue::StringValue("insomnia-scim".into());
                pair.key == "service.name" && pair.value.as_ref().and_then(|value| value.value.as_ref()) == Some(&name)
            };
            assert!(attributes.iter().any(is_named), "{attributes:?}");
            spans.extend(of_resource.scope_spans.into_iter().flat_map(|of_scope| of_scope.spans));
        }
        let is_sent = |span: &&Span| span.kind() == SpanKind::Client && hex(&span.trace_id) == TRACE;
        let has_job = spans.iter().any(|span| span.name == "jobs" && !span.links.is_empty());
        spans.iter().find(is_sent).filter(|_| has_job).cloned()
    });
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let below = |span: &Span, above: &Span| (&span.trace_id, &span.parent_span_id) == (&above.trace_id, &above.span_id);

    let served = named("POST /scim/v2/{organization}/Users");
    assert_eq!(served.len(), 1, "{spans:#?}");
    let served = served[0].clone();
    let served = &served;
    assert_eq!((hex(&served.trace_id).as_str(), hex(&served.parent_span_id).as_str()), (TRACE, CALLER));
    assert_eq!(served.kind(), SpanKind::Server);
    let known = attributes(served);
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.response.status_code", "201"),
        ("http.route", "/scim/v2/{organization}/Users"),
        ("url.path", "/scim/v2/{organization}/Users"),
        ("insomnia.request_id", request.as_str()),
    ] {
        assert_eq!(known.get(name).map(String::as_str), Some(value), "{name}: {known:?}");
    }
    // Below it the call of the component, and below that what the component has the host do.
    let handled = named("scim.handle").into_iter().find(|span| below(span, served)).expect("the call of the component");
    assert!(attributes(handled)["insomnia.component"].starts_with("built-in@"), "{handled:?}");
    for name in ["storage.get", "storage.commit"] {
        assert!(named(name).into_iter().any(|span| below(span, handled)), "no {name} below the call: {spans:#?}");
    }
    // The event is posted on behalf of the request, by a run of jobs that is a trace of its own.
    assert!(below(&sent, served), "{sent:?}");
    assert!(event.contains(&format!("traceparent: 00-{TRACE}-{}-01", hex(&sent.span_id))), "{event}");
    assert_eq!(attributes(&sent)["http.response.status_code"], "204");
    let linked = |span: &Span, trace: &str| span.links.iter().any(|link| hex(&link.trace_id) == trace);
    let jobs = named("jobs").into_iter().find(|span| linked(span, TRACE)).expect("the run of the jobs");
    assert!(jobs.parent_span_id.is_empty() && hex(&jobs.trace_id) != TRACE && linked(&sent, &hex(&jobs.trace_id)));
    assert!(named("jobs.run_due").into_iter().any(|span| below(span, jobs)), "{spans:#?}");
    // The log has the same ids, and no span has anybody's name.
    let line = logged(&server, &request);
    assert_eq!((&line["trace_id"], &line["span_id"]), (&TRACE.into(), &hex(&served.span_id).into()), "{line}");
    let all = format!("{spans:?}");
    for name in [organization.as_str(), person.email.as_str(), "127.0.0.1"] {
        assert!(!all.contains(name), "{name} stands in a span");
    }

    // A stranger does not hide from traces either: the share decides, which keeps all.
    create(&format!("00-{TRACE}-{CALLER}-00"), &Person::new(&unique("hidden")));
    soon("the span of a request that its caller does not keep", || {
        spans.extend(of(&messages));
        spans.iter().filter(|span| span.name == served.name).count().checked_sub(2)
    });

    // What is no traceparent begins a new trace.
    let request = create(&format!("00-{}-{CALLER}-01", "0".repeat(32)), &Person::new(&unique("untraced")));
    let line = logged(&server, &request);
    let trace = line["trace_id"].as_str().expect("a trace");
    assert!(trace.len() == 32 && trace != TRACE && trace != "0".repeat(32), "{line}");
}

#[test]
fn p9_a_collector_that_is_not_there_harms_nothing_and_is_told_once() {
    let arguments = ["--otlp-endpoint", "http://127.0.0.1:9", "--metrics-listen", "127.0.0.1:0"];
    let mut server = Server::start_in(&soon_sent(), &arguments);
    for number in 0..20 {
        let person = Person::new(&unique(&format!("untold-{number}")));
        server.client().post("/Users", seed::user_request(&person)).is(201);
    }
    let said = soon("the warning", || Some(server.stderr()).filter(|said| said.contains("spans are not taken")));
    let url = said.split_once("metrics on ").and_then(|(_, rest)| rest.split_once("/metrics")).expect("an address").0;
    let metrics = Client::bare(url).get("/metrics").text();
    assert!(metrics.contains(r#"insomnia_scim_spans_total{outcome="exported"} 0"#), "{metrics}");
    assert_eq!(server.stderr().matches("spans are not taken").count(), 1);
    assert!(server.stop().success(), "the end does not wait for the collector");
}

/// Whoever can send a request could otherwise have each of them recorded, whatever share the operator wants.
#[test]
fn p9_what_a_caller_says_of_its_trace_counts_only_for_whom_the_operator_follows() {
    // The peers of these servers are trusted proxies.
    let cases: [(&[&str], &str, bool); 4] = [
        (&[], "01", false),
        (&["--otlp-follow-callers", "trusted-proxies"], "01", true),
        (&["--otlp-follow-callers", "trusted-proxies"], "00", false),
        (&["--otlp-follow-callers", "everybody"], "01", true),
    ];
    for (more, said, kept) in cases {
        let (otlp, messages) = collector();
        let endpoint = format!("http://127.0.0.1:{otlp}");
        let none = ["--log-format", "json", "--otlp-endpoint", &endpoint, "--otlp-sample", "0"];
        let mut server = Server::start_in(&soon_sent(), &[&none[..], more].concat());
        let request =
            Request::new("GET", "/Users?count=0").header("traceparent", &format!("00-{TRACE}-{CALLER}-{said}"));
        let response = server.client().send(&request);
        let id = response.is(200).header("x-request-id").expect("the id of the request").to_owned();
        // It belongs to the trace of its caller in any case.
        assert_eq!(logged(&server, &id)["trace_id"], TRACE, "{more:?}");
        // Its end sends what waits.
        assert!(server.stop().success());
        let spans: Vec<Span> = of(&messages).into_iter().filter(|span| hex(&span.trace_id) == TRACE).collect();
        assert_eq!(spans.iter().any(|span| span.kind() == SpanKind::Server), kept, "{more:?}, {said}: {spans:#?}");
    }
}

#[test]
fn p9_calls_of_an_export_and_of_the_live_log_belong_to_the_trace_of_their_request() {
    let (otlp, messages) = collector();
    let endpoint = format!("http://127.0.0.1:{otlp}");
    let server = Server::start_in(&soon_sent(), &["--otlp-endpoint", &endpoint]);
    // More than one part of an export.
    for _ in 0..510 {
        server.client().get("/Users?count=0").is(200);
    }
    let visitor = Visitor::at(&server.demo().page_url);
    visitor.sign_in(&server.demo().owner_email, &server.demo().owner_passphrase).is(303);
    visitor.choose_passphrase(&server.demo().owner_passphrase, "one that nobody else has seen");
    assert!(visitor.get("/logs/export.jsonl").is(200).text().lines().count() > 500);
    let cookie = visitor.cookie.borrow().clone().expect("a cookie");
    let mut follow = Command::new("curl");
    follow.args(["-sS", "-N", "--max-time", "3", "-H", &format!("Cookie: {cookie}")]);
    follow.arg(format!("{}/logs/live", server.demo().page_url)).stdout(Stdio::piped());
    assert!(String::from_utf8_lossy(&follow.output().expect("curl runs").stdout).contains("retry:"));

    let mut spans: Vec<Span> = Vec::new();
    for path in ["export.jsonl", "live"] {
        soon(&format!("two searches of the log below the request of {path}"), || {
            spans.extend(of(&messages));
            let request = spans.iter().find(|span| span.name.ends_with(&format!("/logs/{path}")))?;
            let is_below = |span: &&Span| {
                span.name == "journal.search"
                    && (&span.trace_id, &span.parent_span_id) == (&request.trace_id, &request.span_id)
            };
            spans.iter().filter(is_below).count().checked_sub(2)
        });
    }
}
