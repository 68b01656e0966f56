//! Posts traces to a collector of OpenTelemetry, as OTLP 1.x over HTTP has it: Protocol Buffers, at `/v1/traces`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use super::guest_headers;
use crate::capability::http::{HttpClient, HttpError, OutgoingRequest};
use crate::capability::storage::OrganizationId;
use crate::traces::{Collector, NotTaken};

/// How long a collector may take, which is the default of OTLP's exporters.
const LONGEST: Duration = Duration::from_secs(10);

/// The reason why the settings for traces are not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCollector {
    /// It is no URL for a collector.
    #[error("{0} is no http or https URL of a collector without user and password, such as http://127.0.0.1:4318")]
    Url(String),
    /// A header field can't be sent.
    #[error("the header fields for the collector can't be sent: {0}")]
    Header(String),
}

/// A collector that is reached over HTTP.
#[derive(Clone)]
pub struct OtlpCollector {
    url: String,
    headers: Vec<(String, String)>,
    client: Arc<dyn HttpClient>,
}

impl OtlpCollector {
    /// The collector whose OTLP receiver is at this URL: `/v1/traces` is added to it. `headers` are sent with each
    /// message, for instance `Authorization`. The client that sends is given here, since the operator's collector may
    /// have an address that organizations' webhooks may not use.
    ///
    /// # Errors
    /// [`InvalidCollector`].
    pub fn new(
        url: &str,
        headers: Vec<(String, String)>,
        client: Arc<dyn HttpClient>,
    ) -> Result<Self, InvalidCollector> {
        let base = url.trim_end_matches('/');
        Self::at(&format!("{base}/v1/traces"), headers, client)
    }

    /// Like [`OtlpCollector::new`], with the URL as it is.
    ///
    /// # Errors
    /// [`InvalidCollector`].
    pub fn at(
        url: &str,
        headers: Vec<(String, String)>,
        client: Arc<dyn HttpClient>,
    ) -> Result<Self, InvalidCollector> {
        let parsed = Url::parse(url).map_err(|_| InvalidCollector::Url("the URL".into()))?;
        // The text shows no part of the URL that may be secret.
        let shown = format!("{}://{}", parsed.scheme(), parsed.host_str().unwrap_or_default());
        let is_open = !parsed.username().is_empty() || parsed.password().is_some();
        if is_open || parsed.host().is_none() || !["http", "https"].contains(&parsed.scheme()) {
            return Err(InvalidCollector::Url(shown));
        }
        guest_headers::checked(headers.clone()).map_err(|error| InvalidCollector::Header(error.to_string()))?;
        Ok(Self { url: url.to_owned(), headers, client })
    }
}

#[async_trait]
impl Collector for OtlpCollector {
    async fn take(&self, message: Vec<u8>) -> Result<(), NotTaken> {
        let mut headers = self.headers.clone();
        headers.push(("content-type".to_owned(), "application/x-protobuf".to_owned()));
        let request = OutgoingRequest {
            method: "POST".to_owned(),
            url: self.url.clone(),
            headers,
            body: message,
            timeout: Some(LONGEST),
        };
        let response = match self.client.send(&OrganizationId::host(), request).await {
            Ok(response) => response,
            Err(error @ (HttpError::Timeout | HttpError::Unreachable(_))) => {
                return Err(NotTaken::Later { why: error.to_string(), after: None });
            }
            // Wrong settings stay wrong, and an answer that is too large is still an answer.
            Err(error) => return Err(NotTaken::Never(error.to_string())),
        };
        let why = format!("HTTP status {}", response.status);
        match response.status {
            200..300 => Ok(()),
            429 | 502..=504 => {
                let field = response.headers.iter().find(|(name, _)| name == "retry-after");
                let after = field.and_then(|(_, value)| value.trim().parse().ok()).map(Duration::from_secs);
                Err(NotTaken::Later { why, after })
            }
            _ => Err(NotTaken::Never(why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::capability::http::{HttpError, IncomingResponse, NoHttpClient};

    /// A collector that answers with a status, and records what it gets.
    struct Answers(u16, Mutex<Vec<OutgoingRequest>>);

    #[async_trait]
    impl HttpClient for Answers {
        async fn send(&self, _: &OrganizationId, request: OutgoingRequest) -> Result<IncomingResponse, HttpError> {
            self.1.lock().unwrap().push(request);
            let headers = vec![("retry-after".to_owned(), "7".to_owned())];
            Ok(IncomingResponse { status: self.0, headers, body: Vec::new() })
        }
    }

    #[tokio::test]
    async fn p9_a_message_is_posted_as_otlp_has_it_and_tried_again_only_where_that_may_help() {
        let key = vec![("x-api-key".to_owned(), "k".to_owned())];
        for (status, expected) in [
            (200, Ok(())),
            (429, Err(NotTaken::Later { why: "HTTP status 429".into(), after: Some(Duration::from_secs(7)) })),
            (503, Err(NotTaken::Later { why: "HTTP status 503".into(), after: Some(Duration::from_secs(7)) })),
            (400, Err(NotTaken::Never("HTTP status 400".into()))),
            (500, Err(NotTaken::Never("HTTP status 500".into()))),
        ] {
            let client = Arc::new(Answers(status, Mutex::default()));
            let collector = OtlpCollector::new("https://otel.example:4318/", key.clone(), client.clone()).unwrap();
            assert_eq!(collector.take(vec![1, 2]).await, expected);
            let sent = client.1.lock().unwrap().remove(0);
            assert_eq!((sent.url.as_str(), &sent.body[..]), ("https://otel.example:4318/v1/traces", &[1, 2][..]));
            assert_eq!(sent.headers[0], key[0]);
            assert_eq!(sent.headers[1].1, "application/x-protobuf");
        }
    }

    #[test]
    fn p9_a_collector_that_can_not_be_reached_so_is_refused_and_no_secret_is_shown() {
        let at = |url: &str, name: &str| {
            let headers = vec![(name.to_owned(), "hunter2".to_owned())];
            OtlpCollector::new(url, headers, Arc::new(NoHttpClient)).err().map(|error| error.to_string())
        };
        assert_eq!(at("http://127.0.0.1:4318", "authorization"), None);
        for url in ["otel:4318", "127.0.0.1:4318", "ftp://otel", "https://u:hunter2@otel"] {
            let refused = at(url, "authorization").unwrap();
            assert!(refused.contains("http://127.0.0.1:4318") && !refused.contains("hunter2"), "{refused}");
        }
        assert!(at("http://otel", "content-length").is_some_and(|refused| !refused.contains("hunter2")));
    }
}
