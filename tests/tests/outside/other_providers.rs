//! The requests of OneLogin, Google, JumpCloud, Ping and authentik.

use insomnia_scim_tests::idp::authentik::Authentik;
use insomnia_scim_tests::idp::google::Google;
use insomnia_scim_tests::idp::jumpcloud::JumpCloud;
use insomnia_scim_tests::idp::onelogin::OneLogin;
use insomnia_scim_tests::idp::ping::Ping;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{id, members, sorted};
use insomnia_scim_tests::server::{Server, shared};
use serde_json::json;

#[test]
fn onelogin_sequence() {
    // It reads all groups page by page, so it gets a server on which nobody else deletes any.
    let server = Server::start();
    let onelogin = OneLogin::new(&server.connector());
    onelogin.test_connection();
    let mut person = Person::new("onelogin");
    let user = onelogin.provision(&person);
    person.family = "Changed".to_owned();
    assert_eq!(onelogin.provision(&person), user);
    assert_eq!(onelogin.read(&user)["name"]["familyName"], json!("Changed"));
    onelogin.update(&user, &person, false);

    let name = unique("OneLogin Role");
    let group = onelogin.provision_group(&name);
    assert_eq!(onelogin.provision_group(&name), group);
    onelogin.add_member(&group, &user);
    assert_eq!(members(&onelogin.read_group(&group)), [user.as_str()]);
    onelogin.delete(&user);
    assert!(members(&onelogin.read_group(&group)).is_empty());
}

#[test]
fn google_sequence() {
    let google = Google::new(&shared().connector());
    google.probe();
    let person = Person::new("google");
    let user = google.provision(&person);
    assert_eq!(google.provision(&person), user);
    google.suspend(&user);
    assert!(google.find(&person).is_some_and(|found| found["active"] == json!(false)));
    google.delete(&user);
    assert!(google.find(&person).is_none());
}

#[test]
fn jumpcloud_sequence() {
    let jumpcloud = JumpCloud::new(&shared().connector());
    jumpcloud.test_connection(&Person::new("jumpcloud.test"));
    let person = Person::new("jumpcloud");
    let user = jumpcloud.provision(&person);
    assert_eq!(jumpcloud.provision(&person), user);
    let other = jumpcloud.provision(&Person::new("jumpcloud"));
    let group = jumpcloud.provision_group(&unique("JumpCloud Group"));
    jumpcloud.add_member(&group, &user);
    jumpcloud.add_member(&group, &other);
    assert_eq!(members(&jumpcloud.read_group(&group)), sorted([&user, &other]));
    jumpcloud.remove_member(&group, &user);
    assert_eq!(members(&jumpcloud.read_group(&group)), [other]);
    jumpcloud.deactivate(&user);
}

#[test]
fn ping_sequence() {
    // As OneLogin, it reads all groups.
    let server = Server::start();
    let ping = Ping::new(&server.connector());
    let person = Person::new("ping");
    let user = ping.provision(&person);
    assert_eq!(ping.provision(&person), user, "matched by the work address");
    let other = ping.provision(&Person::new("ping"));
    let name = unique("Ping Group");
    let group = ping.provision_group(&name);
    assert_eq!(ping.find_group(&name).map(|found| id(&found)), Some(group.clone()));
    ping.merge_members(&group, std::slice::from_ref(&user));
    ping.merge_members(&group, std::slice::from_ref(&other));
    assert_eq!(members(&ping.read_group(&group)), sorted([&user, &other]));
    ping.overwrite_members(&group, std::slice::from_ref(&other));
    assert_eq!(members(&ping.read_group(&group)), [other]);
    ping.disable(&user, &person);
    ping.delete(&user);
    assert!(ping.find(&person).is_none());
}

#[test]
fn authentik_sequence() {
    let mut authentik = Authentik::new(&shared().connector());
    assert!(authentik.patches(), "PATCH has to be announced");
    let person = Person::new("akadmin");
    let user = authentik.sync(&person);
    assert_eq!(authentik.sync(&person), user);
    let other = authentik.sync(&Person::new("akadmin"));
    let group = authentik.sync_group(&unique("authentik Admins"));
    authentik.add_members(&group, &[user.clone(), other.clone()]);
    assert_eq!(members(&authentik.read_group(&group)), sorted([&user, &other]));
    authentik.remove_members(&group, std::slice::from_ref(&other));
    assert_eq!(members(&authentik.read_group(&group)), [user.as_str()]);

    authentik.lose(&user);
    let again = authentik.sync(&person);
    assert_ne!(again, user, "404 to a PUT drops the link, and the user is made anew");
}
