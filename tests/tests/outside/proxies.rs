//! The README's settings for proxies have the effect that the README names. A proxy that is not installed is not
//! tested.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim_tests::client::{Client, Request, encode};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{GROUP, id};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::Server;
use serde_json::json;

/// How long a proxy may take to listen.
const START: Duration = Duration::from_secs(20);

/// A proxy that runs until this is dropped.
struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The README's lines in this language.
fn lines_of(language: &str) -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = fs::read_to_string(readme).expect("the README");
    let (_, rest) = text.split_once(&format!("```{language}\n")).expect("lines in this language");
    rest.split_once("```").expect("their end").0.to_owned()
}

/// Where a program of this name is, if it is installed.
fn installed(name: &str) -> Option<String> {
    let found = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    found.iter().map(|folder| format!("{folder}/{name}")).find(|path| Path::new(path).exists())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Starts the proxy, and waits until it listens.
fn start(command: &mut Command, port: u16) -> Proxy {
    let proxy = Proxy(command.stdin(Stdio::null()).spawn().expect("the proxy starts"));
    let begin = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begin.elapsed() < START, "the proxy does not listen");
        thread::sleep(Duration::from_millis(50));
    }
    proxy
}

/// What an identity provider does through a proxy, and what a proxy with its own defaults refuses or changes.
fn sequence(server: &Server, port: u16) {
    let through = Client::new(&format!("http://127.0.0.1:{port}/scim/v2/demo"), &server.demo().token);
    let person = Person::new(&unique("proxied"));
    let answer = through.post("/Users", seed::user_request(&person));
    answer.is(201);
    let made = answer.json();
    let filter = encode(&format!("userName eq \"{}\"", person.user_name));
    let found = through.get(&format!("/Users?filter={filter}")).json();
    assert_eq!(found["Resources"][0]["id"], made["id"]);
    // A path is passed on as it came.
    let refusal = through.get("/Users/a%2Fb").error(404);
    assert!(refusal.to_string().contains("a/b"), "{refusal}");
    // A filter of 20 KB, and a body of 9 MB.
    let long = encode(&format!("userName eq \"{}\"", "a".repeat(20_000)));
    through.get(&format!("/Users?filter={long}")).error(400);
    let large = json!({ "schemas": [GROUP], "displayName": unique("large"), "note": "a".repeat(9 << 20) });
    through.post("/Groups", large).is(201);
    through.send(&Request::new("PROPFIND", "/Users")).error(405);
    through.delete(&format!("/Users/{}", id(&made))).no_content();
}

/// A server behind a proxy of this machine.
fn server() -> Server {
    Server::start_with(&["--trusted-proxy", "127.0.0.1"])
}

#[test]
fn readme_the_lines_for_nginx_pass_on_what_an_identity_provider_sends() {
    let Some(nginx) = installed("nginx") else { return };
    let (server, port, folder) = (server(), free_port(), tempfile::tempdir().expect("a folder"));
    let lines: String = lines_of("nginx")
        .lines()
        .filter(|line| !line.contains("ssl_certificate"))
        .map(|line| format!("{line}\n"))
        .collect();
    let lines = lines
        .replace("listen 443 ssl", &format!("listen 127.0.0.1:{port}"))
        .replace("127.0.0.1:8080", server.authority());
    let at = folder.path().display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {at}/{name};\n"))
        .collect();
    let whole = format!(
        "daemon off; pid {at}/pid; error_log {at}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{lines}}}\n"
    );
    let configuration = folder.path().join("nginx.conf");
    fs::write(&configuration, whole).expect("the configuration");
    let _proxy = start(Command::new(nginx).arg("-c").arg(&configuration).arg("-p").arg(folder.path()), port);
    sequence(&server, port);
}

#[test]
fn readme_the_lines_for_haproxy_pass_on_what_an_identity_provider_sends() {
    let Some(haproxy) = installed("haproxy") else { return };
    let (server, port, folder) = (server(), free_port(), tempfile::tempdir().expect("a folder"));
    let lines = lines_of("haproxy")
        .replace(":443 ssl crt /etc/ssl/scim.pem", &format!("127.0.0.1:{port}"))
        .replace("127.0.0.1:8080", server.authority());
    let configuration = folder.path().join("haproxy.cfg");
    fs::write(&configuration, lines).expect("the configuration");
    let _proxy = start(Command::new(haproxy).arg("-f").arg(&configuration), port);
    sequence(&server, port);
}
