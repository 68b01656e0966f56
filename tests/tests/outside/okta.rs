//! The sequences of requests that Okta sends, from applications of its catalogue and from those that its wizard makes.

use insomnia_scim_tests::idp::entra::{Entra, Shape};
use insomnia_scim_tests::idp::okta_aiw::OktaAiw;
use insomnia_scim_tests::idp::okta_oin::OktaOin;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{members, sorted, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Server, shared};
use serde_json::{Value, json};

#[test]
fn okta_oin_users() {
    let app = OktaOin::new(&shared().connector());
    let okta = app.okta();
    okta.test_credentials();
    let person = Person::new("okta.oin");
    assert!(okta.find(&person).is_none());
    let user = okta.assign(&person);

    let updated = okta.push_profile(&user, |merged| {
        merged["name"]["familyName"] = json!("Renamed");
        merged["title"] = json!("Engineer");
    });
    assert_eq!(updated["name"]["familyName"], json!("Renamed"));
    assert_eq!(okta.read(&user)["title"], json!("Engineer"));

    app.deactivate(&user);
    assert!(okta.find(&person).is_some_and(|found| found["active"] == json!(false)));
    app.reactivate(&user);
    app.push_password(&user, "n3w-Passw0rd!");
    assert!(okta.read(&user).get("password").is_none());

    app.deactivate(&user);
    assert_eq!(okta.assign(&person), user, "assigned again, the same user is linked and active");
}

#[test]
fn okta_oin_groups() {
    let app = OktaOin::new(&shared().connector());
    let okta = app.okta();
    let people: Vec<Person> = (0..3).map(|_| Person::new("okta.member")).collect();
    let users: Vec<(String, String)> =
        people.iter().map(|person| (okta.assign(person), person.user_name.clone())).collect();
    let ids: Vec<String> = users.iter().map(|(user, _)| user.clone()).collect();
    let name = unique("Test SCIMv2");
    assert!(okta.find_group(&name).is_none());
    let group = okta.push_group(&name);
    app.rename_group(&group, &name);
    app.swap_members(&group, &[], &users[..2]);
    assert_eq!(members(&okta.read_group(&group)), sorted(&ids[..2]));

    app.swap_members(&group, &ids[..1], &users[2..]);
    assert_eq!(members(&okta.read_group(&group)), sorted(&ids[1..]));

    app.replace_members(&group, &users[..1]);
    assert_eq!(members(&okta.read_group(&group)), sorted(&ids[..1]), "a replacement removes as well");
    app.replace_members(&group, &[]);
    assert!(members(&okta.read_group(&group)).is_empty());

    app.replace_members(&group, &users);
    app.clear_members(&group, &name);
    assert!(members(&okta.read_group(&group)).is_empty());

    let renamed = unique("Renamed");
    app.rename_group(&group, &renamed);
    assert_eq!(text(&okta.read_group(&group), "displayName"), renamed);
    okta.delete_group(&group);
    assert!(okta.find_group(&renamed).is_none());
}

#[test]
fn okta_aiw_users() {
    let app = OktaAiw::new(&shared().connector());
    let okta = app.okta();
    okta.test_credentials();
    let person = Person::new("okta.aiw");
    let user = okta.assign(&person);
    app.deactivate(&user);
    app.reactivate(&user);
    app.deactivate(&user);
    assert_eq!(okta.assign(&person), user);
    assert_eq!(okta.read(&user)["active"], json!(true));
}

#[test]
fn okta_aiw_groups() {
    let app = OktaAiw::new(&shared().connector());
    let okta = app.okta();
    let users: Vec<(String, String)> = (0..3)
        .map(|_| {
            let person = Person::new("aiw.member");
            (okta.assign(&person), person.user_name)
        })
        .collect();
    let ids: Vec<String> = users.iter().map(|(user, _)| user.clone()).collect();
    let name = unique("Wizard Group");
    let group = okta.push_group(&name);
    app.put_group(&group, &name, &users, false);
    assert_eq!(members(&okta.read_group(&group)), sorted(&ids));
    app.put_group(&group, &name, &users[1..2], true);
    assert_eq!(members(&okta.read_group(&group)), sorted(&ids[1..2]), "the list is authoritative");
    app.put_group(&group, &name, &[], true);
    assert!(members(&okta.read_group(&group)).is_empty());
}

#[test]
fn imports_page_through_everything_once_and_in_the_order_of_creation() {
    // On a server of its own: what others delete between two pages would move the boundary.
    let server = Server::start();
    let client = server.client();
    let users = seed::people(&client, "imported", 205);
    let groups: Vec<Value> = (0..101).map(|_| seed::group(&client, &unique("imported"), &[])).collect();
    let app = OktaOin::new(&server.connector());
    assert_eq!(app.okta().import_users(), users);
    assert_eq!(app.okta().import_groups(), seed::by_creation(&groups));
    assert_eq!(Entra::new(&server.connector(), Shape::Default).discover(50), users);
}
