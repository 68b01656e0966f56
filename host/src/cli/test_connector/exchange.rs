//! A request to a connector and its answer, in the form in which people see them: without the token.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::Value;
use url::Url;

use crate::capability::http::{HttpClient as _, HttpError, IncomingResponse, OutgoingRequest};
use crate::capability::storage::OrganizationId;
use crate::http::{EgressClient, HttpConfig};

/// The longest body that is shown, in bytes.
const SHOWN: usize = 4 << 10;

/// A connector's URL and token, and the client that sends the requests.
pub(super) struct Connection {
    url: String,
    token: String,
    client: EgressClient,
    /// The organization for which the client sends. It needs one, although only the operator is here.
    sender: OrganizationId,
}

/// What was sent, and what came back.
pub(super) struct Exchange {
    method: &'static str,
    url: String,
    body: Option<Value>,
    answer: Result<IncomingResponse, HttpError>,
}

impl Connection {
    /// A connection to this connector, also on an internal network: whoever runs the command has chosen the URL.
    pub(super) fn new(url: Url, token: String, ca_file: Option<PathBuf>) -> anyhow::Result<Self> {
        let host = url.host_str().with_context(|| format!("{url} has no host"))?;
        let port = url.port_or_known_default().with_context(|| format!("{url} has no port"))?;
        let scheme = if url.scheme() == "http" { "http://" } else { "" };
        let permit = vec![format!("{scheme}{host}:{port}")];
        let client = HttpConfig { permit, ca_file, ..HttpConfig::default() }.client()?;
        let url = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, token, client, sender: OrganizationId::parse("test-connector")? })
    }

    /// The connector URL, without a slash at its end.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request with the connector's token.
    pub(super) async fn send(&self, method: &'static str, path: &str, body: Option<Value>) -> Exchange {
        self.send_with(&self.token, method, path, body).await
    }

    /// Sends a request with another token.
    pub(super) async fn send_with(
        &self,
        token: &str,
        method: &'static str,
        path: &str,
        body: Option<Value>,
    ) -> Exchange {
        let url = format!("{}{path}", self.url);
        let mut headers = vec![
            ("authorization".to_owned(), format!("Bearer {token}")),
            ("accept".to_owned(), "application/scim+json".to_owned()),
        ];
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/scim+json".to_owned()));
        }
        let bytes = body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request =
            OutgoingRequest { method: method.to_owned(), url: url.clone(), headers, body: bytes, timeout: None };
        Exchange { method, url, body, answer: self.client.send(&self.sender, request).await }
    }
}

impl Exchange {
    /// The status of the answer; 0 if there is none.
    pub(super) fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }

    /// The answer in words, for the case that one of these statuses was expected.
    pub(super) fn got(&self, statuses: &[u16]) -> String {
        match &self.answer {
            Err(error) => self.no_answer(error),
            Ok(answer) if statuses.contains(&answer.status) => format!("status {} with another body", answer.status),
            Ok(answer) => format!("status {}", answer.status),
        }
    }

    /// The reason why there is no answer. If it is the certificate, the text says what to do.
    fn no_answer(&self, error: &HttpError) -> String {
        let text = error.to_string();
        let advice = if text.contains("UnknownIssuer") {
            ": the certificate is of an authority that is not known here; name it with --ca-file FILE"
        } else if text.contains("NotValidForName") || text.contains("not valid for name") {
            ": the certificate is for another host name"
        } else if text.contains("Expired") || text.contains("certificate expired") {
            ": the certificate has expired"
        } else if text.contains("NotValidYet") || text.contains("not valid yet") {
            ": the certificate is not valid yet; look at the clock of this machine"
        } else if text.contains("CaUsedAsEndEntity") {
            ": the server shows the certificate of an authority instead of its own"
        } else {
            ""
        };
        format!("no answer{advice}: {text}")
    }

    /// The answer's body, if it is JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.answer.as_ref().ok()?.body).ok()
    }

    /// The request as text.
    pub(super) fn request(&self) -> String {
        let body = self.body.as_ref().map(|body| format!("\n\n{body}")).unwrap_or_default();
        format!("{} {}\nAuthorization: Bearer …{body}", self.method, self.url)
    }

    /// The answer as text, or why there is none.
    pub(super) fn answer(&self) -> String {
        match &self.answer {
            Err(error) => self.no_answer(error),
            Ok(answer) => {
                let fields: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
                let shown = answer.body.get(..SHOWN).unwrap_or(&answer.body);
                let rest = if shown.len() < answer.body.len() { "…" } else { "" };
                format!("{}\n{fields}\n{}{rest}", answer.status, String::from_utf8_lossy(shown))
            }
        }
    }
}
