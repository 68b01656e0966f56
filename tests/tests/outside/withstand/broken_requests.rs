//! Requests with random faults, for every parser that strangers reach over HTTP: whatever the bytes are, each request
//! gets an answer, and none of these answers is an internal error.
//!
//! Valid requests are changed at random: bytes are flipped, removed, repeated, or inserted from another request and
//! from a list of bytes on which parsers often fail. The test runs for a moment. `make fuzz` runs it for MINUTES,
//! together with the fuzzers of the component's parsers, which are guided by the code that they reach.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::server::Server;
use serde_json::{Map, Value, json};

/// How many minutes it runs; two seconds without it.
const MINUTES: &str = "INSOMNIA_SCIM_FUZZ_MINUTES";
/// The dice of an earlier run, which a failure names.
const SEED: &str = "INSOMNIA_SCIM_FUZZ_SEED";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What parsers stumble over.
const PIECES: [&[u8]; 28] = [
    b"\"", b"\\", b"{", b"}", b"[", b"]", b",", b"null", b"-1", b"1e999", b"18446744073709551616", b"\\ud800", b"\\u0000", b"\xff\xfe",
    b"\xf0\x9f\x98\x80", b"%00", b"%", b"%zz", b"%2e%2e%2f", b"+", b"&", b"=", b";", b"\x00", b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", b"' or 1=1",
    b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", b" ",
];

#[test]
fn whatever_the_bytes_of_a_request_are_it_is_answered_and_not_with_a_fault() {
    let server = Server::start();
    let minutes = std::env::var(MINUTES).ok().and_then(|minutes| minutes.parse().ok());
    let time = minutes.map_or(Duration::from_secs(2), |minutes: u64| Duration::from_secs(60 * minutes));
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
    let given = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or(since.as_nanos() as u64) | 1;
    let mut dice = Dice(seed);
    let samples = samples(&server);
    let (begun, mut sent) = (Instant::now(), 0_u64);
    while begun.elapsed() < time {
        let request = spoilt(&samples, &mut dice);
        let status = ask(&server, &request);
        let shown = String::from_utf8_lossy(&request);
        assert!(matches!(status, Some(200..=499)), "seed {seed}, {status:?} to\n{shown}");
        sent += 1;
    }
    println!("{sent} requests, seed {seed}");
    server.client().at_root().get("/readyz").is(200);
    assert!(!server.stderr().contains("panicked"), "{}", server.stderr());
}

/// A request that is right.
struct Sample {
    method: String,
    target: Vec<u8>,
    fields: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
}

/// Requests to every operation of the admin API, to SCIM, to the authorization server, and to the page.
fn samples(server: &Server) -> Vec<Sample> {
    let organization = server.demo().organization.clone();
    let key =
        server.command(&["api-key", "create", "fuzz", "--operator"])["secret"].as_str().expect("a key").to_owned();
    let operator = format!("Bearer {key}");
    let api = Client::bare(&server.client().at_root().url()).header("Authorization", &operator);
    let document: Value = api.get("/api/v1/openapi.json").json();
    let mut samples = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            // Without the organization, its connector or its plan there would be nothing left to ask for.
            let ends = ["/connector/disable", "/connector/refresh"].iter().any(|end| path.ends_with(end));
            if ends || (path.ends_with("{organization}") && method != "get") {
                continue;
            }
            let target = path.replace("{organization}", &organization).replace(['{', '}'], "");
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = if body.is_null() { Vec::new() } else { example(&document, body, 0).to_string().into_bytes() };
            let fields =
                vec![("Authorization", operator.clone().into()), ("Content-Type", b"application/json".to_vec())];
            samples.push(Sample { method: method.to_uppercase(), target: target.into(), fields, body });
        }
    }
    let token = format!("Bearer {}", server.demo().token);
    let scim = |method: &str, path: &str, body: Value| Sample {
        method: method.to_owned(),
        target: format!("/scim/v2/{organization}{path}").into(),
        fields: vec![
            ("Authorization", token.clone().into()),
            ("Content-Type", b"application/scim+json".to_vec()),
            ("Prefer", b"respond-async, wait=1".to_vec()),
        ],
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
    };
    let user = json!({ "userName": "fuzz@demo.example", "name": { "givenName": "F" }, "emails": [{ "value": "fuzz@demo.example" }] });
    samples.push(scim("POST", "/Users", user.clone()));
    samples.push(scim(
        "PATCH",
        "/Users/x",
        json!({ "Operations": [{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "x" }] }),
    ));
    samples.push(scim(
        "GET",
        "/Users?filter=userName+eq+%22x%22&attributes=name.givenName&sortBy=userName&startIndex=1&count=3",
        Value::Null,
    ));
    samples.push(scim(
        "POST",
        "/Bulk",
        json!({ "Operations": [{ "method": "POST", "path": "/Users", "bulkId": "1", "data": user }] }),
    ));
    samples.push(scim("POST", "/.search", json!({ "filter": "displayName sw \"a\"", "count": 2, "cursor": "" })));
    let form = |method: &str, target: String, body: &str| Sample {
        method: method.to_owned(),
        target: target.into(),
        fields: vec![
            ("Content-Type", b"application/x-www-form-urlencoded".to_vec()),
            ("Cookie", b"__Host-scim-session=abc.def; scim-session=abc; device=\"x\"; a=b".to_vec()),
            ("Origin", server.client().at_root().url().into()),
            ("Accept-Language", b"en;q=0.8, *;q=0.1".to_vec()),
        ],
        body: body.into(),
    };
    let page = format!("/organizations/{organization}/scim");
    for view in [
        "",
        "/members?q=a&state=active&after=x",
        "/logs?q=a&status=4&before=1",
        "/events/1",
        "/set-up?link=x",
        "/reset?token=x",
        "/teams/x",
    ] {
        samples.push(form("GET", format!("{page}{view}"), ""));
    }
    samples.push(form("POST", format!("{page}/sign-in"), "email=a%40demo.example&passphrase=x&to=%2F"));
    samples.push(form("POST", format!("{page}/reset"), "email=a%40demo.example&token=x&csrf=y"));
    samples.push(form("POST", format!("{page}/set-up"), "link=x&action=redeem"));
    samples.push(form("POST", format!("{page}/consent"), "decision=allow&csrf=y&request=x"));
    let authorize = "response_type=code&client_id=x&redirect_uri=https%3A%2F%2Fa.example%2F&state=s&code_challenge=c&code_challenge_method=S256";
    samples.push(form("GET", format!("/oauth/{organization}/authorize?{authorize}"), ""));
    samples.push(form(
        "POST",
        format!("/oauth/{organization}/token"),
        "grant_type=authorization_code&code=x&client_id=a&client_secret=b&code_verifier=c",
    ));
    let mut parts = form(
        "POST",
        format!("{page}/settings/schemas"),
        "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n[]\r\n--x--\r\n",
    );
    parts.fields[0].1 = b"multipart/form-data; boundary=x".to_vec();
    samples.push(parts);
    samples
}

/// A value of this schema.
fn example(document: &Value, schema: &Value, depth: u32) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return example(
            document,
            document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
            depth + 1,
        );
    }
    if depth > 8 {
        return Value::Null;
    }
    if let Some(given) = schema.get("example").or_else(|| schema["enum"].get(0)).or_else(|| schema.get("const")) {
        return given.clone();
    }
    if let Some(one) = ["oneOf", "anyOf", "allOf"].iter().find_map(|of| schema[*of].get(0)) {
        return example(document, one, depth + 1);
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"].get(0)?.as_str());
    match kind {
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            Value::Object(
                properties.map(|(name, of)| (name.clone(), example(document, of, depth + 1))).collect::<Map<_, _>>(),
            )
        }
        Some("array") => json!([example(document, &schema["items"], depth + 1)]),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        _ => json!("a@demo.example"),
    }
}

/// One of them, changed in one to four places.
fn spoilt(samples: &[Sample], dice: &mut Dice) -> Vec<u8> {
    let sample = &samples[dice.below(samples.len())];
    let (mut target, mut fields, mut body) = (sample.target.clone(), sample.fields.clone(), sample.body.clone());
    for _ in 0..=dice.below(4) {
        let other = &samples[dice.below(samples.len())];
        match dice.below(8) {
            0 => change(&mut target, &other.target, dice),
            1 | 2 if !fields.is_empty() => {
                let place = dice.below(fields.len());
                change(&mut fields[place].1, other.fields.first().map_or(&[][..], |(_, value)| value), dice);
            }
            _ => change(&mut body, &other.body, dice),
        }
    }
    // The head stays one: what is no head at all is the library's to refuse, and may end the connection.
    target.retain(|byte| byte.is_ascii_graphic());
    let mut bytes = [
        sample.method.as_bytes(),
        b" /",
        target.trim_ascii_start(),
        b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
    ]
    .concat();
    for (name, mut value) in fields {
        value.retain(|byte| *byte >= b' ' && *byte != 0x7f);
        bytes.extend([name.as_bytes(), b": ", &value, b"\r\n"].concat());
    }
    bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
    bytes.extend(body);
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let start = dice.below(bytes.len() + 1);
    let end = (start + dice.below(12)).min(bytes.len());
    match dice.below(6) {
        0 if start < end => bytes[start] ^= 1 << dice.below(8),
        1 => drop(bytes.drain(start..end)),
        2 => {
            let again: Vec<u8> = bytes[start..end].repeat(1 + dice.below(40));
            bytes.splice(start..end, again);
        }
        3 => {
            let from = dice.below(other.len() + 1);
            bytes.splice(start..end, other[from..(from + dice.below(60)).min(other.len())].iter().copied());
        }
        4 => bytes.truncate(start),
        _ => drop(bytes.splice(start..end, PIECES[dice.below(PIECES.len())].iter().copied())),
    }
}

/// The status of the answer; `None` if there was none.
fn ask(server: &Server, request: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(server.authority()).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    // A body that is refused need not be taken.
    let _ = stream.write_all(request);
    // Some answers, such as that of a log which is followed, do not end.
    let mut line = [0; 12];
    stream.read_exact(&mut line).ok()?;
    str::from_utf8(&line).ok()?.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

/// Xorshift: the same numbers from the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % count.max(1) as u64) as usize
    }
}
