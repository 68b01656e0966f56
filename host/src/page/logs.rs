//! The log of SCIM requests: filtered, page by page, and one entry in full.

use askama::Template;
use axum::extract::Path;
use axum::response::Html;
use serde_json::Value;

use super::entry::{Entry, LogRow};
use super::log_filter::Filter;
use super::paging::Paging;
use super::query::{Query, query, typed};
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::Visit;
use super::when::When;
use super::words::visible;
use crate::journal::LogQuery;

/// How many rows a page has.
const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "logs.html")]
struct LogsPage {
    shell: Shell,
    /// The retention in days.
    retention: u32,
    q: String,
    status: String,
    method: String,
    kind: String,
    since: String,
    until: String,
    filtered: bool,
    /// Whether a filter besides the text is set.
    narrowed: bool,
    rows: Vec<String>,
    paging: Paging,
    /// The filter as the query of a link.
    link: String,
    /// The path of the live log; `None` on pages that new entries do not belong to.
    live: Option<String>,
}

#[derive(Template)]
#[template(path = "log_entry.html")]
struct LogEntryPage {
    shell: Shell,
    entry: Entry,
    when: When,
    curl: String,
    raw: String,
}

/// `GET …/logs`.
pub(super) async fn list(Query(filter): Query<Filter>, visit: Visit) -> Result<Html<String>, Refusal> {
    let now = visit.state.now();
    let found = visit.organization.search_log(filter.search(ROWS)).await?;
    let (home, path) = (visit.home(), visit.path("logs"));
    let field = |field: &Option<String>| typed(field.as_ref()).unwrap_or_default().to_owned();
    let link = filter.link(None);
    let newest = filter.after.is_none() && typed(filter.until.as_ref()).is_none();
    let from = now.to_string();
    let live = if link.is_empty() { query(&[("from", Some(&from))]) } else { format!("{link}&from={from}") };
    let rows = LogRow::all(&home, &found.entries);
    let page = LogsPage {
        shell: visit.shell("SCIM logs", "logs"),
        retention: visit.organization.retention().await?,
        q: field(&filter.q),
        status: field(&filter.status),
        method: field(&filter.method),
        kind: field(&filter.kind),
        since: field(&filter.since),
        until: field(&filter.until),
        filtered: !link.is_empty(),
        narrowed: [&filter.status, &filter.method, &filter.kind, &filter.since, &filter.until]
            .into_iter()
            .any(|field| typed(field.as_ref()).is_some()),
        rows: rows.iter().map(Template::render).collect::<Result<_, _>>()?,
        paging: Paging {
            first: filter.after.is_some().then(|| format!("{path}{link}")),
            previous: None,
            next: found.next.map(|next| format!("{path}{}", filter.link(Some(&next)))),
        },
        live: newest.then(|| format!("{path}/live{live}")),
        link,
    };
    Ok(Html(page.render()?))
}

/// `GET …/logs/{time}-{request id}`.
pub(super) async fn detail(Path((_, position)): Path<(String, String)>, visit: Visit) -> Result<Html<String>, Refusal> {
    let missing = || Refusal::not_found("entry in the log; older ones are deleted");
    let (time, request_id) = position.split_once('-').ok_or_else(missing)?;
    let time: u64 = time.parse().map_err(|_| missing())?;
    let query = LogQuery {
        since: Some(time),
        until: time.checked_add(1),
        text: Some(request_id.to_owned()),
        limit: 10,
        ..LogQuery::default()
    };
    let found = visit.organization.search_log(query).await?;
    let json = found.entries.iter().find(|json| Entry::parse(json).is_some_and(|entry| entry.request_id == request_id));
    let json = json.ok_or_else(missing)?;
    let (entry, raw) = (Entry::parse(json), serde_json::from_str::<Value>(json));
    let (Some(entry), Ok(raw)) = (entry, raw) else { return Err(missing()) };
    let page = LogEntryPage {
        shell: visit.shell(&format!("{} {}", entry.method, entry.path_only()), "logs"),
        when: When::second(entry.time),
        curl: visible(&curl(&entry, &visit.organization.connector_url())),
        raw: visible(&serde_json::to_string_pretty(&raw).unwrap_or_default()),
        entry,
    };
    Ok(Html(page.render()?))
}

/// The request as a `curl` command. The reader must insert the token.
fn curl(entry: &Entry, connector_url: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut command = format!("curl -X {} -H \"Authorization: Bearer $SCIM_TOKEN\"", quoted(&entry.method));
    if let Some(body) = &entry.body {
        let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        command += &format!(" -H 'Content-Type: application/scim+json' --data-raw {}", quoted(&text));
    }
    format!("{command} {}", quoted(&format!("{connector_url}{}", entry.path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_runs_nothing_but_curl_whatever_was_sent() {
        let entry = Entry { method: "PO'ST".into(), path: "/Users?a='$(id)".into(), ..Entry::default() };
        let expected = r#"curl -X 'PO'\''ST' -H "Authorization: Bearer $SCIM_TOKEN" 'http://h/Users?a='\''$(id)'"#;
        assert_eq!(curl(&entry, "http://h"), expected);
    }
}
