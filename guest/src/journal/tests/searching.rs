//! Searching the log: invalid searches are refused, and no entry overwrites another.

use crate::connector::Window;
use crate::journal::{LogQuery, SearchError, search};
use crate::testing::organization::TestOrganization;

fn refused(query: LogQuery) -> bool {
    let organization = TestOrganization::new(10, Window::Never).unwrap();
    matches!(search(&organization.store(), &query), Err(SearchError::Invalid(_)))
}

#[test]
fn a_position_that_no_page_ended_at_is_refused_instead_of_beginning_anew() {
    for after in ["garbage", "", "0000019a00000000/../connector", &"0".repeat(101)] {
        assert!(refused(LogQuery { after: Some(after.to_owned()), ..LogQuery::default() }), "{after}");
    }
}

#[test]
fn a_status_class_that_no_status_has_is_refused() {
    for class in [0, 6, 7, 255] {
        assert!(refused(LogQuery { status_class: Some(class), ..LogQuery::default() }), "{class}");
    }
    assert!(!refused(LogQuery { status_class: Some(4), ..LogQuery::default() }));
}

#[test]
fn requests_of_one_millisecond_with_the_same_id_have_an_entry_each_and_paging_finds_all() {
    let organization = TestOrganization::new(10, Window::Never).unwrap();
    for _ in 0..7 {
        organization.scim("GET", "/Users", None);
    }
    let (mut found, mut query) = (0, LogQuery { limit: 2, ..LogQuery::default() });
    loop {
        let page = search(&organization.store(), &query).unwrap();
        found += page.entries.len();
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(found, 7);
}
