//! Chromium, driven over WebDriver (W3C) by chromedriver.

mod consent;
mod examine;
mod journey;
mod keyboard;
mod pictures;
mod reset;
mod views;

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use insomnia_scim_tests::client::{Client, Request};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long what a test waits for may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);
/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys by their code points in WebDriver.
pub(crate) mod key {
    pub(crate) const TAB: &str = "\u{E004}";
    pub(crate) const ENTER: &str = "\u{E007}";
    pub(crate) const SPACE: &str = " ";
    pub(crate) const DOWN: &str = "\u{E015}";
    pub(crate) const CONTROL: &str = "\u{E009}";
}

/// How the browser looks at pages.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) width: u32,
    pub(crate) dark: bool,
    pub(crate) javascript: bool,
}

/// A desktop, light, with JavaScript.
pub(crate) const DESKTOP: Look = Look { width: 1280, dark: false, javascript: true };
/// A phone.
pub(crate) const PHONE: Look = Look { width: 390, ..DESKTOP };

/// A Chromium with one window. It ends when dropped.
pub(crate) struct Browser {
    driver: Child,
    watchdog: Watchdog,
    webdriver: Client,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts one.
    ///
    /// # Panics
    /// When Chromium or chromedriver is missing.
    pub(crate) fn open(look: Look) -> Self {
        let (driver, port) = start_driver();
        let profile = tempfile::tempdir().expect("a temporary directory");
        let webdriver = Client::bare(&format!("http://127.0.0.1:{port}")).content_type("application/json");
        let size = format!("--window-size={},900", look.width);
        let data = format!("--user-data-dir={}", profile.path().display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // The same text everywhere, whatever the machine's screen is.
            "--font-render-hinting=none",
            "--hide-scrollbars",
            &size,
            &data,
        ];
        let javascript = if look.javascript { 1 } else { 2 };
        let options = json!({
            "args": arguments,
            "prefs": { "profile.default_content_setting_values.javascript": javascript, "credentials_enable_service": false },
        });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let watchdog = Watchdog::over(&driver, port);
        let mut browser = Self { driver, watchdog, webdriver, session: String::new(), _profile: profile };
        let made = browser.call("POST", "/session", wanted);
        browser.session = made["sessionId"].as_str().expect("a session").to_owned();
        browser.look(look);
        browser
    }

    /// Changes the size of the window and the colour scheme.
    pub(crate) fn look(&self, look: Look) {
        let phone = look.width < 500;
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": look.width, "height": 900, "deviceScaleFactor": 1, "mobile": phone }),
        );
        let scheme = if look.dark { "dark" } else { "light" };
        self.cdp(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }),
        );
    }

    /// A picture of the page from its top on, as PNG: of the whole page, or so many pixels of it at the most.
    pub(crate) fn picture(&self, most: u64) -> Vec<u8> {
        let size = self.run("const root = document.documentElement; return [root.clientWidth, root.scrollHeight]");
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1].as_u64().unwrap_or(most).min(most), "scale": 1 });
        let parameters = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let taken = self.cdp("Page.captureScreenshot", parameters);
        BASE64_STANDARD.decode(taken["data"].as_str().unwrap_or_default()).expect("a picture in base64")
    }

    /// Opens an address and waits until it is loaded.
    pub(crate) fn go(&self, url: &str) {
        self.session_call("POST", "/url", json!({ "url": url }));
    }

    pub(crate) fn url(&self) -> String {
        self.session_call("GET", "/url", Value::Null).as_str().unwrap_or_default().to_owned()
    }

    /// Waits for the element and clicks it.
    #[track_caller]
    pub(crate) fn click(&self, css: &str) {
        self.on(css, "POST", "click", json!({}));
    }

    /// Waits for the element and types into it.
    #[track_caller]
    pub(crate) fn type_into(&self, css: &str, text: &str) {
        self.on(css, "POST", "value", json!({ "text": text }));
    }

    /// Types into whatever has the focus; `held` is a key to hold meanwhile.
    pub(crate) fn press(&self, keys: &str, held: Option<&str>) {
        let mut actions: Vec<Value> = Vec::new();
        actions.extend(held.map(|key| json!({ "type": "keyDown", "value": key })));
        for key in keys.chars() {
            actions.push(json!({ "type": "keyDown", "value": key.to_string() }));
            actions.push(json!({ "type": "keyUp", "value": key.to_string() }));
        }
        actions.extend(held.map(|key| json!({ "type": "keyUp", "value": key })));
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.session_call("POST", "/actions", json!({ "actions": [keyboard] }));
    }

    /// The text that people see in the element.
    #[track_caller]
    pub(crate) fn text(&self, css: &str) -> String {
        self.on(css, "GET", "text", Value::Null).as_str().unwrap_or_default().to_owned()
    }

    /// What is in a field.
    #[track_caller]
    pub(crate) fn value(&self, css: &str) -> String {
        self.on(css, "GET", "property/value", Value::Null).as_str().unwrap_or_default().to_owned()
    }

    /// Whether there is such an element on the page.
    #[track_caller]
    pub(crate) fn has(&self, css: &str) -> bool {
        self.until(&format!("to know whether there is {css}"), || self.try_find(css).map(|found| Some(found.is_some())))
    }

    /// Whether such an element is there and can be seen.
    #[track_caller]
    pub(crate) fn shows(&self, css: &str) -> bool {
        self.has(css) && self.on(css, "GET", "displayed", Value::Null) == Value::Bool(true)
    }

    /// Waits until the text of the element contains this.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, css: &str, text: &str) {
        self.until(&format!("{css} to say {text:?}"), || {
            let Some(element) = self.try_find(css)? else { return Ok(None) };
            let seen = self.try_on(&element, "GET", "text", &Value::Null)?;
            Ok(seen.as_str().is_some_and(|seen| seen.contains(text)).then_some(()))
        });
    }

    /// Waits until what is in the field is this.
    #[track_caller]
    pub(crate) fn wait_for_value(&self, css: &str, value: &str) {
        self.until(&format!("{css} to hold {value:?}"), || {
            let Some(element) = self.try_find(css)? else { return Ok(None) };
            Ok((self.try_on(&element, "GET", "property/value", &Value::Null)? == value).then_some(()))
        });
    }

    /// Waits until the address contains this, and returns the address.
    #[track_caller]
    pub(crate) fn wait_for_url(&self, part: &str) -> String {
        self.until(&format!("the address to have {part:?}"), || {
            let url = self.try_call("GET", &format!("/session/{}/url", self.session), &Value::Null)?;
            Ok(url.as_str().filter(|url| url.contains(part)).map(str::to_owned))
        })
    }

    /// Waits until the script returns this text.
    #[track_caller]
    pub(crate) fn wait_for_script(&self, script: &str, wanted: &str) {
        let body = json!({ "script": script, "args": [] });
        self.until(&format!("the script to return {wanted:?}"), || {
            let returned = self.try_call("POST", &format!("/session/{}/execute/sync", self.session), &body)?;
            Ok((returned == wanted).then_some(()))
        });
    }

    /// Runs a script in the page and returns what it returns.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> Value {
        self.session_call("POST", "/execute/sync", json!({ "script": script, "args": [] }))
    }

    /// Runs a script that calls its last argument with the result.
    #[track_caller]
    pub(crate) fn run_async(&self, script: &str) -> Value {
        self.session_call("POST", "/execute/async", json!({ "script": script, "args": [] }))
    }

    /// Waits for the element and does something with it.
    #[track_caller]
    fn on(&self, css: &str, method: &str, action: &str, body: Value) -> Value {
        self.until(&format!("{action} of {css}"), || {
            let Some(element) = self.try_find(css)? else { return Ok(None) };
            self.try_on(&element, method, action, &body).map(Some)
        })
    }

    /// Tries until there is something, as long as it fails like a page that is being left: then the next attempt may find
    /// the next page, so nothing is asked just once.
    #[track_caller]
    fn until<T>(&self, what: &str, attempt: impl Fn() -> Result<Option<T>, String>) -> T {
        let begun = Instant::now();
        loop {
            let last = match attempt() {
                Ok(Some(found)) => return found,
                Ok(None) => "nothing like it".to_owned(),
                Err(error) if passes(&error) => error,
                Err(error) => panic!("waiting for {what}: {error}\n{}", self.describe()),
            };
            assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}: {last}\n{}", self.describe());
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn try_find(&self, css: &str) -> Result<Option<String>, String> {
        let wanted = json!({ "using": "css selector", "value": css });
        let found = self.try_call("POST", &format!("/session/{}/elements", self.session), &wanted)?;
        Ok(found[0][ELEMENT].as_str().map(str::to_owned))
    }

    fn try_on(&self, element: &str, method: &str, action: &str, body: &Value) -> Result<Value, String> {
        self.try_call(method, &format!("/session/{}/element/{element}/{action}", self.session), body)
    }

    fn describe(&self) -> String {
        let text = self.run("return document.body ? document.body.innerText : ''");
        format!("at {}\n{}", self.url(), text.as_str().unwrap_or_default())
    }

    fn cdp(&self, command: &str, parameters: Value) -> Value {
        self.session_call("POST", "/goog/cdp/execute", json!({ "cmd": command, "params": parameters }))
    }

    #[track_caller]
    fn session_call(&self, method: &str, path: &str, body: Value) -> Value {
        self.call(method, &format!("/session/{}{path}", self.session), body)
    }

    #[track_caller]
    fn call(&self, method: &str, path: &str, body: Value) -> Value {
        self.try_call(method, path, &body).unwrap_or_else(|error| {
            let hint = if path == "/session" { MISSING } else { "" };
            panic!("{method} {path}: {error} {hint}")
        })
    }

    /// What chromedriver answers, or its error's name and message.
    #[track_caller]
    fn try_call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let request = Request::new(method, path);
        let request = if method == "POST" { request.body(body) } else { request };
        let response = self.webdriver.send(&request);
        let answer: Value = serde_json::from_slice(&response.body).expect("chromedriver answers in JSON");
        let value = &answer["value"];
        if response.status == 200 {
            return Ok(value.clone());
        }
        Err(format!("{}: {}", value["error"].as_str().unwrap_or_default(), value["message"]))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.webdriver.try_send(&Request::new("DELETE", &format!("/session/{}", self.session)));
        }
        self.watchdog.end();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Whether this error says that the page is being left, or has not come so far: nothing was done. For a frame that goes
/// away while it is read, chromedriver has no error of its own: it hands on the browser's, as an unknown error ("Node
/// with given id does not belong to the document") or as one of the script that reads.
fn passes(error: &str) -> bool {
    [
        "stale element reference",
        "no such element",
        "element not interactable",
        "element click intercepted",
        "no such frame",
        "detached shadow root",
        "javascript error",
        "unknown error",
    ]
    .iter()
    .any(|name| error.starts_with(name))
}

/// A shell that waits for the end of its input, which is this process's end, and then ends chromedriver with its browsers.
struct Watchdog(Child);

impl Watchdog {
    fn over(driver: &Child, port: u16) -> Self {
        let wait =
            "cat >/dev/null; curl -s -m 5 \"http://127.0.0.1:$1/shutdown\" >/dev/null; kill -KILL \"$2\" 2>/dev/null";
        let shell = Command::new("sh")
            .args(["-c", wait, "sh", &port.to_string(), &driver.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(shell.expect("a shell"))
    }

    /// Before the driver ends: its process id may belong to someone else afterwards.
    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const MISSING: &str = "\nThe tests of the page need Chromium and chromedriver: run `make setup`, or on Debian `apt-get \
     install chromium chromium-driver`. CHROMEDRIVER names another chromedriver.";

/// Starts chromedriver on a free port, and tells which.
fn start_driver() -> (Child, u16) {
    let program = env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
    let started = Command::new(&program)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut driver = match started {
        Ok(driver) => driver,
        Err(error) => panic!("{} does not start: {error}{MISSING}", program.display()),
    };
    let output = driver.stdout.take().expect("the output of chromedriver");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let port = lines.find_map(|line| {
        let rest = line.split_once("started successfully on port ")?.1;
        rest.trim_end_matches('.').trim().parse().ok()
    });
    thread::spawn(move || lines.for_each(drop));
    (driver, port.expect("chromedriver tells its port"))
}
