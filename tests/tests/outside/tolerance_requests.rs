//! Tolerance rules for requests as a whole: filters, URLs, headers, status codes (T14 to T21, T24, T25, T29, T30, T32,
//! T34).

use std::thread;

use insomnia_scim_tests::client::{Client, Request, encode};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{ENTERPRISE, GROUP, USER, id, members, patch, sorted};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{client, shared};
use serde_json::json;

/// The id of the only user that the filter, as it is written in the URL, finds.
#[track_caller]
fn found(filter: &str) -> String {
    id(&client().get(&format!("/Users?filter={filter}")).only())
}

#[test]
fn t14_filters_of_value_paths_with_and_without_a_sub_attribute() {
    let person = Person::new("t14");
    let user = id(&seed::user(&client(), &person));
    for filter in [
        format!("emails[type eq \"work\"].value eq \"{}\"", person.email),
        format!("emails[type eq \"work\"] eq \"{}\"", person.email),
        format!("emails[type eq \"work\" and value eq \"{}\"]", person.email),
        format!("emails eq \"{}\"", person.email),
        format!("emails.value eq \"{}\"", person.email),
    ] {
        assert_eq!(found(&encode(&filter)), user, "{filter}");
    }
    let filter = encode(&format!("emails[type eq \"home\"].value eq \"{}\"", person.email));
    client().get(&format!("/Users?filter={filter}")).none();
}

#[test]
fn t14_a_bare_manager_is_its_value() {
    let client = client();
    let (boss, number) = (id(&seed::someone(&client, "boss")), unique("n"));
    let user = seed::someone(&client, "report");
    let body = patch(
        json!({ "op": "add", "value": { ENTERPRISE: { "manager": { "value": boss }, "employeeNumber": number } } }),
    );
    client.patch(&format!("/Users/{}", id(&user)), body).resource(200);
    for filter in [
        format!("id eq \"{}\" and manager eq \"{boss}\"", id(&user)),
        format!("manager eq \"{boss}\" and id eq \"{}\"", id(&user)),
        format!("{ENTERPRISE}:manager.value eq \"{boss}\""),
        format!("{ENTERPRISE}:employeeNumber eq \"{number}\""),
    ] {
        assert_eq!(found(&encode(&filter)), id(&user), "{filter}");
    }
}

#[test]
fn t14_values_without_quotes() {
    let mut person = Person::new("akadmin");
    person.external_id = unique("jyoung");
    let user = id(&seed::user(&client(), &person));
    assert_eq!(found(&format!("userName+eq+{}", person.user_name)), user);
    assert_eq!(found(&format!("externalId%20eq%20{}", person.external_id)), user);
}

#[test]
fn t14_plus_percent_and_trailing_blanks() {
    let person = Person::new("t14");
    let user = id(&seed::user(&client(), &person));
    let name = person.user_name.replace('@', "%40");
    assert_eq!(found(&format!("userName+eq+%22{name}%22")), user);
    assert_eq!(found(&format!("userName%20eq%20%22{name}%22")), user);
    assert_eq!(found(&format!("userName%20eq%20%22{name}%22%20%20")), user);
    assert_eq!(found(&format!("%20userName%20%20eq%20%22{}%22", person.user_name)), user);
}

#[test]
fn t14_escapes_and_special_characters() {
    let client = client();
    for special in ["a\"b", "a\\b", "O'Brien & Söhne + 100 %", "日本語 🙂", "a]b)c(d[e", "tab\there"] {
        let name = unique(special);
        let request = json!({ "schemas": [USER], "userName": unique("special"), "displayName": name });
        let user = id(&client.post("/Users", request).resource(201));
        let filter = encode(&format!("userName sw \"special\" and displayName eq {}", json!(name)));
        assert_eq!(found(&filter), user, "{name}");
    }
    let name = unique("plus+tag");
    let user = id(&client.post("/Users", json!({ "schemas": [USER], "userName": name })).resource(201));
    assert_eq!(found(&encode(&format!("userName eq \"{name}\""))), user, "%2B is a plus");
}

#[test]
fn t15_loose_ends_of_urls() {
    let client = client();
    let person = Person::new("t15");
    let user = id(&seed::user(&client, &person));
    let name = encode(&person.user_name);
    for path in [
        format!("/Users?filter=userName+eq+%22{name}%22&"),
        format!("/Users/?filter=userName+eq+%22{name}%22"),
        format!("/Users?&filter=userName+eq+%22{name}%22"),
        format!("/Users?aadOptscim062020&filter=userName+eq+%22{name}%22"),
        format!("/Users?filter=userName+eq+%22{name}%22&aadOptscim062020=&unknown=1"),
    ] {
        assert_eq!(id(&client.get(&path).only()), user, "{path}");
    }
    for path in [format!("/Users/{user}?"), format!("/Users/{user}/"), format!("/Users/{user}?AzureAdScimPatch2017")] {
        assert_eq!(id(&client.get(&path).resource(200)), user, "{path}");
    }
    assert!(client.get("/Users?filter=").list().total >= 1, "an empty filter is none");
    assert!(client.get("/Users?").list().total >= 1);
    assert!(client.get("/Users/?filter=&count=1").list().total >= 1);
}

#[test]
fn t16_the_scheme_in_any_case_and_with_blanks() {
    let server = shared();
    let token = &server.demo().token;
    for value in [format!("bearer {token}"), format!("BEARER {token}"), format!("Bearer   {token} ")] {
        let _ = Client::bare(&server.demo().connector_url).header("Authorization", &value).get("/Users?count=1").list();
    }
}

#[test]
fn t16_missing_and_wrong_credentials_are_401_with_a_challenge() {
    let server = shared();
    let bare = || Client::bare(&server.demo().connector_url);
    let mut wrong = server.demo().token.clone();
    let last = wrong.pop().expect("a token");
    wrong.push(if last == 'a' { 'b' } else { 'a' });
    let responses = [
        bare().get("/Users"),
        bare().header("Authorization", "non-token").get("/Users"),
        bare().header("Authorization", "").get("/Users"),
        bare().header("Authorization", "Bearer").get("/Users"),
        bare().header("Authorization", &format!("Bearer {wrong}")).get("/Users"),
        bare().header("Authorization", "Basic dXNlcjpwYXNz").get("/Users"),
        bare().header("Authorization", &format!("Bearer {wrong}")).post("/Users", "{}"),
        bare().get("/Users/0"),
        bare().get("/Nowhere"),
    ];
    for response in responses {
        response.error(401);
        let challenge = response.header("WWW-Authenticate").unwrap_or_default();
        assert!(challenge.to_ascii_lowercase().starts_with("bearer"), "{response}");
    }
}

#[test]
fn t17_media_types_of_requests() {
    let client = client();
    for media_type in [
        "application/scim+json",
        "application/json",
        "application/scim+json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/SCIM+JSON",
    ] {
        let request = Request::new("POST", "/Users")
            .header("Content-Type", media_type)
            .body(seed::user_request(&Person::new("t17")));
        client.send(&request).resource(201);
    }
    let server = shared();
    let none =
        Client::bare(&server.demo().connector_url).header("Authorization", &format!("Bearer {}", server.demo().token));
    none.post("/Users", seed::user_request(&Person::new("t17"))).resource(201);
}

#[test]
fn t17_any_accept_is_answered_in_scim_json() {
    let client = client().without("Accept");
    let _ = client.get("/Users?count=1").list();
    for accept in ["*/*", "application/*", "text/html", "application/json", "text/html,application/xhtml+xml;q=0.9", ""]
    {
        let _ = client.clone().header("Accept", accept).get("/Users?count=1").list();
    }
}

#[test]
fn t18_numbers_and_resources_are_always_there() {
    // What `list` asserts, on an empty list, on totals only and on a page beyond the end.
    client().get(&format!("/Users?filter=userName+eq+%22{}%22", unique("nobody"))).none();
    let totals = client().get("/Users?count=0").list();
    assert!(totals.resources.is_empty());
    let beyond = client().get("/Users?startIndex=1000000").list();
    assert!(beyond.resources.is_empty());
}

#[test]
fn t19_the_order_is_stable_and_a_page_holds_at_least_100() {
    let client = client();
    let prefix = unique("t19");
    let ids = seed::people(&client, &prefix, 101);
    let read = |filter: &str, query: &str| client.get(&format!("/Users?filter={}&{query}", encode(filter))).list();
    let scan = format!("displayName co \"{prefix}-\"");
    let page = read(&scan, "");
    assert_eq!((page.total, page.ids()), (101, ids[..100].to_vec()), "100 to a page, in the order of creation");
    assert_eq!(read(&scan, "startIndex=101&count=100").ids(), ids[100..]);
    assert_eq!(read(&scan, "count=200").ids(), ids);
    // Where an index answers, its order may be another one, as long as it is always the same.
    let indexed = format!("userName sw \"{prefix}-\"");
    let whole = read(&indexed, "count=101").ids();
    let mut pages = read(&indexed, "count=60").ids();
    pages.extend(read(&indexed, "count=60&startIndex=61").ids());
    assert_eq!(pages, whole);
    assert_eq!(sorted(&whole), sorted(&ids));
}

#[test]
fn t20_active_is_always_there_and_deactivated_users_are_listed() {
    let client = client();
    let name = unique("t20");
    let created = client.post("/Users", json!({ "schemas": [USER], "userName": name })).resource(201);
    assert_eq!(created["active"], json!(true));
    let user = id(&created);
    let group = id(&seed::group(&client, &unique("t20"), std::slice::from_ref(&user)));
    client
        .patch(&format!("/Users/{user}"), patch(json!({ "op": "replace", "value": { "active": false } })))
        .resource(200);
    assert_eq!(client.get(&format!("/Users/{user}")).resource(200)["active"], json!(false));
    for filter in [
        format!("userName eq \"{name}\""),
        format!("userName sw \"{name}\""),
        format!("active eq false and userName sw \"{name}\""),
    ] {
        let listed = client.get(&format!("/Users?filter={}", encode(&filter))).only();
        assert_eq!((id(&listed), &listed["active"]), (user.clone(), &json!(false)), "{filter}");
    }
    assert_eq!(members(&client.get(&format!("/Groups/{group}")).resource(200)), [user], "memberships are kept");
}

#[test]
fn t21_user_names_are_unique_without_regard_to_case() {
    let client = client();
    let name = unique("t21");
    let create = |name: &str| client.post("/Users", json!({ "schemas": [USER], "userName": name }));
    let user = id(&create(&name).resource(201));
    create(&name).refusal(409, "uniqueness");
    create(&name.to_uppercase()).refusal(409, "uniqueness");
    client
        .patch(&format!("/Users/{user}"), patch(json!({ "op": "replace", "path": "active", "value": false })))
        .resource(200);
    create(&name).refusal(409, "uniqueness");
    client.delete(&format!("/Users/{user}")).no_content();
    assert_ne!(
        id(&create(&name.to_uppercase()).resource(201)),
        user,
        "DELETE frees the name, and ids are not given twice"
    );
}

#[test]
fn t24_refusals_are_scim_errors_with_the_request_id() {
    let client = client();
    for response in [
        client.get("/Nowhere"),
        client.get("/Users?filter=%5B"),
        client.post("/Users", "<xml/>"),
        client.get("/Users/nobody"),
    ] {
        let error = response.error(response.status);
        let request_id = response.header("X-Request-Id").expect("a request id");
        assert!(error.to_string().contains(request_id), "the body names the request {request_id}: {error}");
        assert!(response.status < 500);
    }
    let own = client.send(&Request::new("GET", "/Users?count=0"));
    let other = client.send(&Request::new("GET", "/Users?count=0"));
    assert_ne!(own.header("X-Request-Id"), other.header("X-Request-Id"));
}

#[test]
fn t25_the_second_delete_is_404() {
    let client = client();
    let user = id(&seed::someone(&client, "t25"));
    client.delete(&format!("/Users/{user}")).no_content();
    client.delete(&format!("/Users/{user}")).error(404);
    let group = id(&seed::group(&client, &unique("t25"), &[]));
    client.delete(&format!("/Groups/{group}")).no_content();
    client.delete(&format!("/Groups/{group}")).error(404);
}

#[test]
fn t29_the_old_names_of_the_configuration_are_an_option_that_is_off() {
    let client = client();
    client.get("/ServiceProviderConfigs").error(404);
    client.get("/serviceConfiguration").error(404);
}

#[test]
fn t30_25_requests_at_once_are_all_served() {
    thread::scope(|scope| {
        let answers: Vec<_> = (0..25).map(|_| scope.spawn(|| client().get("/Groups?count=1").list().total)).collect();
        for answer in answers {
            answer.join().expect("an answer");
        }
    });
}

#[test]
fn t32_ids_of_any_form_are_404() {
    let client = client();
    for id in ["0", "00919288221112222", "nobody", "a%20b", "%2e%2e", "..%2f..%2fetc", "%00", "💥", &"x".repeat(3000)]
    {
        let id = if id.is_ascii() { id.to_owned() } else { encode(id) };
        client.get(&format!("/Users/{id}")).error(404);
        client.delete(&format!("/Groups/{id}")).error(404);
    }
    client.patch("/Users/0", patch(json!({ "op": "replace", "value": { "active": false } }))).error(404);
    client.put("/Users/0", json!({ "schemas": [USER], "userName": unique("t32") })).error(404);
}

#[test]
fn t34_endpoints_in_any_letter_case() {
    let client = client();
    let user = id(&seed::someone(&client, "t34"));
    client.get(&format!("/users/{user}")).resource(200);
    let group = id(&client.post("/groups", json!({ "schemas": [GROUP], "displayName": unique("t34") })).resource(201));
    client.delete(&format!("/GROUPS/{group}")).no_content();
    client.get("/serviceProviderConfig").document(200);
    let strict = shared().organization_with("strict").client();
    for path in ["/users", "/groups", "/bulk", "/serviceProviderConfig"] {
        strict.get(path).error(404);
    }
}
