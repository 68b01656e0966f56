//! Clients of the operator: one client for all organizations. Each organization consents for itself.

use super::*;
use crate::secret::sha256;

const ID: &str = "0190a6f0-0000-7000-8000-00000000000a";

fn okta(secrets: &[&str]) -> OperatorClient {
    OperatorClient {
        id: ID.into(),
        name: "Okta".into(),
        redirect_uris: vec![REDIRECT.into()],
        secrets_sha256: secrets.iter().map(|secret| sha256(secret)).collect(),
    }
}

struct Customer {
    memory: MemoryHost,
}

impl Customer {
    fn new() -> Self {
        Self { memory: enabled(Window::Year1).0 }
    }

    fn ask(&self, operator: &[OperatorClient]) -> Result<Consent, AuthorizeRefusal> {
        let query = format!("response_type=code&client_id={ID}&redirect_uri={}", encode(REDIRECT));
        authorize_request(&self.memory.host().store(), &query, operator)
    }

    /// The code that the client gets by the owner's consent.
    fn agree(&self, operator: &[OperatorClient]) -> String {
        let consent = self.ask(operator).unwrap();
        assert_eq!((consent.client_id.as_str(), consent.client_name.as_str()), (ID, "Okta"));
        let location = approve(&self.memory.host().store(), OWNER, &consent.request, operator).unwrap();
        location.split_once("?code=").unwrap().1.to_owned()
    }

    fn post(&self, operator: &[OperatorClient], secret: &str, form: &str) -> (u16, Value) {
        let form = format!("client_id={ID}&client_secret={secret}&{form}");
        let request = OAuthRequest { operator_clients: operator.to_vec(), ..request(&[], &form) };
        read(&token(self.memory.host(), &request))
    }

    fn exchange(&self, operator: &[OperatorClient], secret: &str, code: &str) -> (u16, Value) {
        let redirect = encode(REDIRECT);
        self.post(operator, secret, &format!("grant_type=authorization_code&code={code}&redirect_uri={redirect}"))
    }
}

#[test]
fn one_client_of_the_operator_serves_every_organization_that_consents_and_no_other() {
    let operator = [okta(&["secret"])];
    let (first, second) = (Customer::new(), Customer::new());
    let code = first.agree(&operator);
    let wrong = refused(401, "invalid_client");
    assert_eq!(error(second.exchange(&operator, "secret", &code)), wrong, "it has not consented");
    assert_eq!(error(first.exchange(&operator, "other", &code)), wrong);
    assert_eq!(error(first.exchange(&operator, "", &code)), wrong);
    let (status, granted) = first.exchange(&operator, "secret", &code);
    assert_eq!(status, 200, "{granted}");
    assert_eq!(scim(first.memory.host(), text(&granted, "access_token")).status, 200);
    assert_eq!(scim(second.memory.host(), text(&granted, "access_token")).status, 401);
    let refresh = format!("grant_type=refresh_token&refresh_token={}", text(&granted, "refresh_token"));
    let (status, renewed) = first.post(&operator, "secret", &refresh);
    assert_eq!(status, 200, "{renewed}");
    let code = second.agree(&operator);
    assert_eq!(second.exchange(&operator, "secret", &code).0, 200);
    let own = first.post(&operator, "secret", "grant_type=client_credentials");
    assert_eq!(error(own), refused(400, "unauthorized_client"), "it has no rights of its own");
}

#[test]
fn an_organization_takes_its_consent_back_and_gives_it_again() {
    let operator = [okta(&["secret"])];
    let customer = Customer::new();
    let (_, granted) = customer.exchange(&operator, "secret", &customer.agree(&operator));
    let store = customer.memory.host().store();
    let shown = list(&store).unwrap();
    assert_eq!((shown.len(), shown[0].operator, shown[0].public, shown[0].id.as_str()), (1, true, false, ID));
    assert!(matches!(rotate_secret(&store, OWNER, ID, None, 0), Err(ConnectorError::Invalid(_))));
    delete(&store, OWNER, ID).unwrap();
    assert_eq!(scim(customer.memory.host(), text(&granted, "access_token")).status, 401);
    let refresh = format!("grant_type=refresh_token&refresh_token={}", text(&granted, "refresh_token"));
    assert_eq!(error(customer.post(&operator, "secret", &refresh)), refused(401, "invalid_client"));
    let again = customer.agree(&operator);
    assert_eq!(customer.exchange(&operator, "secret", &again).0, 200);
    customer.agree(&operator);
    assert_eq!(list(&customer.memory.host().store()).unwrap().len(), 1, "a second consent makes no second client");
}

#[test]
fn what_the_operator_changes_holds_for_all_at_once() {
    let customer = Customer::new();
    let code = customer.agree(&[okta(&["secret"])]);
    let (_, granted) = customer.exchange(&[okta(&["new", "secret"])], "secret", &code);
    let refresh =
        |granted: &Value| format!("grant_type=refresh_token&refresh_token={}", text(granted, "refresh_token"));
    let (status, granted) = customer.post(&[okta(&["new", "secret"])], "new", &refresh(&granted));
    assert_eq!(status, 200, "two secrets during a change");
    let wrong = refused(401, "invalid_client");
    assert_eq!(error(customer.post(&[okta(&["new"])], "secret", &refresh(&granted))), wrong);
    assert_eq!(error(customer.post(&[okta(&[])], "", &refresh(&granted))), wrong, "without a secret it is not public");
    assert_eq!(error(customer.post(&[], "new", &refresh(&granted))), wrong, "the operator has it no more");
    assert!(matches!(customer.ask(&[]), Err(AuthorizeRefusal::Page(_))));
    let elsewhere = OperatorClient { redirect_uris: vec!["https://other.example/".into()], ..okta(&["new"]) };
    assert!(matches!(customer.ask(&[elsewhere]), Err(AuthorizeRefusal::Page(_))));
    assert_eq!(customer.post(&[okta(&["new"])], "new", &refresh(&granted)).0, 200);
    assert!(!customer.memory.dump().contains(&sha256("new")), "its secrets are not kept here");
}
