//! Chromium, driven over WebDriver (W3C) by thirtyfour and chromedriver.

mod chromedriver;
mod consent;
mod examine;
mod journey;
mod keyboard;
mod pictures;
mod reset;
mod views;

use std::cell::Cell;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use thirtyfour::error::WebDriverErrorInner as Inner;
use thirtyfour::extensions::query::ElementPollerWithTimeout;
use thirtyfour::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::page::browser::chromedriver::{Chromedriver, MISSING};

/// How long what a test waits for may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked for.
const OFTEN: Duration = Duration::from_millis(50);

/// How every browser is started.
const ARGUMENTS: [&str; 11] = [
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
];

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
    runtime: Runtime,
    driver: WebDriver,
    _chromedriver: Chromedriver,
}

impl Browser {
    /// Starts one.
    ///
    /// # Panics
    /// When Chromium or chromedriver is missing.
    pub(crate) fn open(look: Look) -> Self {
        let chromedriver = Chromedriver::start();
        let mut wanted = DesiredCapabilities::chrome();
        let javascript = if look.javascript { 1 } else { 2 };
        let options = json!({
            "args": ARGUMENTS,
            "prefs": { "profile.default_content_setting_values.javascript": javascript, "credentials_enable_service": false },
        });
        wanted.as_mut().set("goog:chromeOptions", options).expect("options");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = reqwest::Client::builder().no_proxy().timeout(2 * PATIENCE).build().expect("an HTTP client");
        let driver = runtime.block_on(WebDriver::builder(&chromedriver.url, wanted).client(client).connect());
        let driver = driver.unwrap_or_else(|error| panic!("no browser: {error}\n{MISSING}"));
        let browser = Self { runtime, driver, _chromedriver: chromedriver };
        browser.look(look);
        browser
    }

    /// Changes the size of the window and the colour scheme.
    pub(crate) fn look(&self, look: Look) {
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.until("another look", async || {
            let cdp = self.driver.cdp();
            cdp.emulation().set_device_metrics_override(look.width, 900, 1.0, look.width < 500).await?;
            cdp.send_raw("Emulation.setEmulatedMedia", &media).await?;
            Ok(())
        });
    }

    /// A picture of the page from its top on, as PNG: of the whole page, or so many pixels of it at the most.
    pub(crate) fn picture(&self, most: u64) -> Vec<u8> {
        let size = self.run("const root = document.documentElement; return [root.clientWidth, root.scrollHeight]");
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1].as_u64().unwrap_or(most).min(most), "scale": 1 });
        let parameters = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let taken = self
            .until("a picture", async || Ok(self.driver.cdp().send_raw("Page.captureScreenshot", &parameters).await?));
        BASE64_STANDARD.decode(taken["data"].as_str().unwrap_or_default()).expect("a picture in base64")
    }

    /// Opens an address and waits until it is loaded.
    #[track_caller]
    pub(crate) fn go(&self, url: &str) {
        self.until(url, async || Ok(self.driver.goto(url).await?));
    }

    /// Clicks what changes something on the page. What leads to another page is followed.
    #[track_caller]
    pub(crate) fn click(&self, css: &str) {
        self.on(&format!("{css} to be clicked"), css, async |element| element.click().await);
    }

    /// Clicks a link or sends a form, and waits until this page is left: what is read next is of the next one.
    #[track_caller]
    pub(crate) fn follow(&self, css: &str) {
        let page = self.on("a page", "html", async |page| Ok(page));
        let clicked = Cell::new(false);
        self.until(&format!("{css} to lead to another page"), async || {
            match page.tag_name().await {
                Err(error) if is_gone(&error) => return Ok(()),
                here => here?,
            };
            if !clicked.get() {
                self.find(css).await?.click().await?;
                clicked.set(true);
            }
            Err(Missed::seen("the same page"))
        });
    }

    /// Types into the element.
    #[track_caller]
    pub(crate) fn type_into(&self, css: &str, text: &str) {
        self.on(&format!("{css} to be typed into"), css, async |element| element.send_keys(text).await);
    }

    /// Fills the form of the sign-in and sends it.
    #[track_caller]
    pub(crate) fn sign_in(&self, email: &str, passphrase: &str) {
        self.type_into("#email", email);
        self.type_into("#passphrase", passphrase);
        self.follow("main button[type=submit]");
    }

    /// Presses keys, one after the other, wherever the focus is. It is not tried again: the first try may have pressed some.
    #[track_caller]
    pub(crate) fn press(&self, keys: impl Into<TypingData>) {
        if let Err(error) = self.runtime.block_on(self.driver.action_chain().send_keys(keys).perform()) {
            panic!("no key can be pressed: {error}\n{}", self.describe());
        }
    }

    /// Pastes what was copied into the element.
    #[track_caller]
    pub(crate) fn paste_into(&self, css: &str) {
        self.on(&format!("{css} to be pasted into"), css, async |element| element.send_keys(Key::Control + "v").await);
    }

    /// The text that people see in the element.
    #[track_caller]
    pub(crate) fn text(&self, css: &str) -> String {
        self.on(&format!("the text of {css}"), css, async |element| element.text().await)
    }

    /// What is in a field.
    #[track_caller]
    pub(crate) fn value(&self, css: &str) -> String {
        self.on(&format!("the value of {css}"), css, async |element| element.value().await).unwrap_or_default()
    }

    /// Waits until no such element can be seen.
    #[track_caller]
    pub(crate) fn wait_for_absence(&self, css: &str) {
        self.until(&format!("no {css} to be seen"), async || {
            match self.driver.query(By::Css(css)).and_displayed().nowait().first_opt().await? {
                Some(shown) => Err(Missed::seen(shown.outer_html().await?)),
                None => Ok(()),
            }
        });
    }

    /// Waits until the text of the element contains this.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, css: &str, text: &str) {
        let what = format!("{css} to say {text:?}");
        self.until_seen(&what, async || self.find(css).await?.text().await, |seen| seen.contains(text));
    }

    /// Waits until what is in the field is this.
    #[track_caller]
    pub(crate) fn wait_for_value(&self, css: &str, value: &str) {
        let what = format!("{css} to hold {value:?}");
        self.until_seen(
            &what,
            async || Ok(self.find(css).await?.value().await?.unwrap_or_default()),
            |seen| seen == value,
        );
    }

    /// Waits until the address contains this, and returns the address.
    #[track_caller]
    pub(crate) fn wait_for_url(&self, part: &str) -> String {
        let what = format!("an address with {part:?}");
        self.until_seen(&what, async || Ok(self.driver.current_url().await?.into()), |seen| seen.contains(part))
    }

    /// Waits until the script returns this text.
    #[track_caller]
    pub(crate) fn wait_for_script(&self, script: &str, wanted: &str) {
        let what = format!("{wanted:?} of the script {script}");
        self.until_seen(
            &what,
            async || self.driver.execute(script, Vec::new()).await?.convert(),
            |seen| seen == wanted,
        );
    }

    /// Waits until the page has said this to those who listen to it. What a button says goes away again.
    #[track_caller]
    pub(crate) fn wait_for_status(&self, text: &str) {
        self.wait_for_script("return document.getElementById('status').textContent", text);
    }

    /// Runs a script in the page and returns what it returns; of a promise, what that comes to.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> Value {
        self.until("a script to run", async || Ok(self.driver.execute(script, Vec::new()).await?.json().clone()))
    }

    async fn find(&self, css: &str) -> WebDriverResult<WebElement> {
        self.driver.find(By::Css(css)).await
    }

    /// Waits for the element and does something with it.
    #[track_caller]
    fn on<T>(&self, what: &str, css: &str, act: impl AsyncFn(WebElement) -> WebDriverResult<T>) -> T {
        self.until(what, async || Ok(act(self.find(css).await?).await?))
    }

    /// Reads until what is seen is what is wanted, and returns it.
    #[track_caller]
    fn until_seen(
        &self,
        what: &str,
        read: impl AsyncFn() -> WebDriverResult<String>,
        wanted: impl Fn(&str) -> bool,
    ) -> String {
        self.until(what, async || {
            let seen = read().await?;
            if wanted(&seen) { Ok(seen) } else { Err(Missed::seen(seen)) }
        })
    }

    /// Tries until it succeeds. An attempt that fails like one on a page that is being left has done nothing: the next may find
    /// the next page, so nothing is asked just once.
    #[track_caller]
    fn until<T>(&self, what: &str, attempt: impl AsyncFn() -> Result<T, Missed>) -> T {
        let waited = self.runtime.block_on(async {
            let mut poller = ElementPollerWithTimeout::new(PATIENCE, OFTEN);
            loop {
                match attempt().await {
                    Ok(found) => return Ok(found),
                    Err(missed) if missed.passes && poller.tick().await => {}
                    Err(missed) => return Err(missed.seen),
                }
            }
        });
        match waited {
            Ok(found) => found,
            Err(seen) => panic!("expected {what}, and saw {seen}\n{}", self.describe()),
        }
    }

    /// Where the browser is, and the text of the page.
    fn describe(&self) -> String {
        let page = self.runtime.block_on(async {
            let url = self.driver.current_url().await?;
            Ok::<_, WebDriverError>((url, self.find("body").await?.text().await?))
        });
        page.map_or_else(|error| error.to_string(), |(url, text)| format!("at {url}, which says:\n{text}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.driver.clone().quit());
    }
}

/// An attempt that did not succeed.
struct Missed {
    /// What was there instead.
    seen: String,
    /// Whether another attempt may succeed.
    passes: bool,
}

impl Missed {
    fn seen(seen: impl ToString) -> Self {
        Self { seen: seen.to_string(), passes: true }
    }
}

/// An error passes if the page is being left, or has not come so far. For a frame that goes away while it is read, chromedriver
/// has no error of its own: it hands on the browser's, as an unknown error ("Node with given id does not belong to the
/// document"), as one of the script that reads, or as one that WebDriver does not know ("aborted by navigation").
impl From<WebDriverError> for Missed {
    fn from(error: WebDriverError) -> Self {
        let passes = match error.as_inner() {
            Inner::ElementNotInteractable(_) | Inner::ElementClickIntercepted(_) | Inner::NoSuchFrame(_) => true,
            Inner::JavascriptError(_) | Inner::UnknownError(_) => true,
            Inner::NotInSpec(_) => error.to_string().contains("aborted by navigation"),
            _ => is_gone(&error),
        };
        Self { seen: error.to_string(), passes }
    }
}

/// Whether an element is not there, or not any more.
fn is_gone(error: &WebDriverError) -> bool {
    matches!(error.as_inner(), Inner::StaleElementReference(_) | Inner::NoSuchElement(_))
}
