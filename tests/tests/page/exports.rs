//! The export of the log as a file.

use std::process::Command;

use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim_tests::seed;
use serde_json::Value;

use crate::page::organization::Organization;
use crate::page::visitor::Visitor;

#[test]
fn an_export_holds_every_entry_that_the_filter_finds_and_no_formula() {
    let organization = Organization::new("export");
    let client = organization.enable(ExpiryWindow::Never);
    let made = seed::people(&client, "export", 3);
    // More than one page of the list, and more than one part of an export.
    for _ in 0..510 {
        client.get("/Users?count=0").is(200);
    }
    client.get("/Users/=cmd%7C%27calc%27").is(404);
    let visitor = Visitor::owner(&organization);

    let lines = visitor.get("/logs/export.jsonl");
    assert!(lines.is(200).header("content-disposition").is_some_and(|field| field.ends_with(".jsonl\"")));
    let text = lines.text();
    let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(entries.len(), 514);
    assert!(entries.is_sorted_by(|one, other| one["time"].as_u64() >= other["time"].as_u64()), "not newest first");

    let table = visitor.get("/logs/export.csv?method=POST").is(200).text();
    assert_eq!(table.lines().count(), 4, "{table}");
    for id in made {
        assert!(table.contains(&id), "{id} is missing: {table}");
    }
    let refused = visitor.get("/logs/export.csv?status=4").is(200).text();
    let cells = refused.lines().skip(1).flat_map(|line| line.split(','));
    for cell in cells {
        assert!(!cell.starts_with(['=', '@', '+', '-']), "{cell} is a formula");
    }
}

#[test]
fn the_log_is_paged_and_every_entry_can_be_opened() {
    let organization = Organization::new("paging");
    let client = organization.enable(ExpiryWindow::Never);
    for _ in 0..60 {
        client.get("/Users?count=0").is(200);
    }
    let visitor = Visitor::owner(&organization);

    let first = visitor.get("/logs").is(200).text();
    let links = |text: &str| -> Vec<String> {
        let rests = text.split("class=\"time\"><a href=\"").skip(1);
        rests.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    };
    let home = organization.home();
    let shown = links(&first);
    assert_eq!(shown.len(), 50);
    let next = first.split("rel=\"next\"").next().and_then(|text| text.rsplit("href=\"").next()).expect("a next page");
    let next = next.split('"').next().unwrap_or_default().replace("&#38;", "&").replace("&amp;", "&");
    let second = visitor.get(next.strip_prefix(&home).unwrap_or(&next)).is(200).text();
    let more = links(&second);
    assert_eq!(more.len(), 10);
    assert!(more.iter().all(|link| !shown.contains(link)), "a page repeats what was on the one before");
    for link in shown.iter().take(3).chain(&more) {
        let entry = visitor.get(link.strip_prefix(&home).unwrap_or(link)).is(200).text();
        let id = link.rsplit_once('/').and_then(|(_, position)| position.split_once('-')).map_or("", |(_, id)| id);
        assert!(entry.contains(id), "{link} is another entry");
    }
    for nonsense in ["/logs/x", "/logs/1-", "/logs/18446744073709551615-a", "/logs/99999999999999999999-a"] {
        visitor.get(nonsense).is(404);
    }
}

#[test]
fn who_follows_the_log_gets_the_rows_that_the_filter_lets_through_as_events() {
    let organization = Organization::new("follow");
    let client = organization.enable(ExpiryWindow::Never);
    let visitor = Visitor::owner(&organization);
    let cookie = visitor.cookie.borrow().clone().expect("a cookie");
    client.get("/Users/never-there").is(404);
    client.get("/Users?count=0").is(200);
    let url = format!("{}?status=4&from=0", organization.view("logs/live"));
    let mut follow = Command::new("curl");
    follow.args(["-sSi", "-N", "--max-time", "3", "-H", &format!("Cookie: {cookie}"), &url]);
    let output = follow.output().expect("curl runs");
    let stream = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(stream.contains("content-type: text/event-stream"), "{stream}");
    assert_eq!(stream.matches("event: entry").count(), 1, "{stream}");
    let row: Vec<&str> = stream.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    let row = row.join("\n");
    assert!(row.starts_with("<tr") && row.ends_with("</tr>") && row.contains("/Users/never-there"), "{row}");
}
