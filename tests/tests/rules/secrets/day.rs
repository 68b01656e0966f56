//! A day on which every kind of secret is used, rightly and wrongly.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use insomnia_scim::OrganizationId;
use insomnia_scim::capability::email::Message;
use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::event::EventSubscriber;
use insomnia_scim::journal::LogQuery;
use insomnia_scim::oauth::{
    EntraApi, IdpApi, NewOAuthClient, OAuthRequest, OktaApi, OktaApiToken, OktaCredentials, OktaPrivateKey,
};
use insomnia_scim::page::{Page, Session, SessionError, SessionProvider};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Place;
use crate::rules::network::Reply;
use crate::rules::organization::{Acme, OWNER, PASSPHRASE, USER, person};
use crate::rules::subscriber::Subscriber;
use crate::rules::wire::{Site, form};
use crate::rules::world::{DAY, HOUR, Host, MINUTE, World};

const CHOSEN: &str = "chosen by \"Ada\" herself";
const WRONG: &str = "wrong guess of a passphrase";
const CLIENT_SECRET: &str = "entra~client~secret~7h3";
const API_TOKEN: &str = "00okta0api0token0secret";
const GRAPH_ACCESS: &str = "graph.access.token.9k2";
const KEY: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
const PASSWORD: &str = "hunter2-from-the-idp";
const VERIFIER: &str = "a-verifier-of-43-characters-or-more-0123456789";

/// A mail as it was sent.
pub(super) struct Mail {
    pub(super) subject: String,
    pub(super) bytes: Vec<u8>,
}

/// The day, and what came of it.
pub(super) struct Day {
    world: World,
    host: Host,
    acme: Acme,
    subscriber: Arc<Subscriber>,
    /// What each is, and the secret.
    pub(super) secrets: Vec<(String, String)>,
    /// The database's files while mails were waiting.
    waiting: Vec<u8>,
}

/// Everybody is the owner.
struct AnyOwner;

#[async_trait]
impl SessionProvider for AnyOwner {
    async fn session(&self, _: &OrganizationId, _: &Parts) -> Result<Option<Session>, SessionError> {
        Ok(Some(Session { actor: OWNER.into(), secret: vec![1; 32] }))
    }

    fn sign_in_url(&self, _: &OrganizationId, _: &str) -> String {
        "/".into()
    }
}

impl Day {
    pub(super) async fn live() -> Self {
        let mut world = World::on_disk();
        let subscriber = Arc::new(Subscriber::reliable());
        world.subscriber = Some(subscriber.clone() as Arc<dyn EventSubscriber>);
        world.network.decide(|request| {
            if request.url.contains("oauth2") {
                Reply::Json(json!({"access_token": GRAPH_ACCESS, "token_type": "Bearer"}))
            } else {
                Reply::Take
            }
        });
        world.mailbox.break_down();
        let host = world.host().await;
        let acme = Acme::enabled(&host, 20, ExpiryWindow::Days30).await;
        let mut day = Self { waiting: Vec::new(), secrets: Vec::new(), world, host, acme, subscriber };
        day.note("the owner's passphrase", PASSPHRASE);
        day.note("the first token", &day.acme.token.clone());
        day.webhook_and_subscriber().await;
        day.identity_provider().await;
        day.waiting = day.database();
        day.people().await;
        day.tokens().await;
        day.oauth().await;
        day.api().await;
        day.world.live(&day.host, HOUR).await;
        day.host.provisioner.flush().await.unwrap();
        day
    }

    fn note(&mut self, what: &str, secret: &str) {
        self.secrets.push((what.into(), secret.into()));
    }

    async fn webhook_and_subscriber(&mut self) {
        let key = self.acme.organization.set_webhook("https://backend.example/events").await.unwrap();
        self.note("the webhook's key", &key);
        self.note("the webhook's key without its prefix", key.strip_prefix("whsec_").unwrap());
        self.world.live(&self.host, MINUTE).await;
    }

    /// Requests with secrets where they belong, and where they do not.
    async fn identity_provider(&mut self) {
        self.note("a password that the identity provider sent", PASSWORD);
        let acme = &self.acme;
        let ada = json!({"schemas": [USER], "userName": "ada@acme.example", "password": PASSWORD});
        let id = acme.scim("POST", "/Users", Some(ada)).await.is(201).id();
        let patch = |value: Value| json!({"Operations": [value]});
        let by_path = json!({"op": "replace", "path": "password", "value": PASSWORD});
        let by_value = json!({"op": "replace", "value": {"password": PASSWORD, "displayName": "Ada"}});
        for value in [by_path, by_value] {
            acme.scim("PATCH", &format!("/Users/{id}"), Some(patch(value))).await;
        }
        let bearer = vec![("authorization".to_owned(), format!("Bearer {}", acme.token))];
        let broken = format!("{{\"userName\":\"eve\",\"password\":\"{PASSWORD}\"");
        acme.send(bearer, "POST", "/Users", Some(broken)).await.is(400);
        for target in
            [format!("/Users?filter=password+eq+%22{PASSWORD}%22"), format!("/Users?access_token={}", acme.token)]
        {
            acme.scim("GET", &target, None).await;
        }
        let basic = STANDARD.encode(format!("okta:{}", acme.token));
        for authorization in [format!("Basic {basic}"), acme.token.clone(), format!("Token {}", acme.token)] {
            acme.send(vec![("authorization".into(), authorization)], "GET", "/Users", None).await.is(401);
        }
        let group = json!({"displayName": "Staff", "members": [{"value": id}]});
        acme.scim("POST", "/Groups", Some(group)).await.is(201);
    }

    /// Initial passphrases, chosen ones, wrong ones, and links.
    async fn people(&mut self) {
        let organization = self.acme.organization.clone();
        let member = person("bob@acme.example", insomnia_scim::directory::Role::Member, None);
        organization.add_member(member).await.unwrap();
        organization.request_passphrase_reset("bob@acme.example", "https://scim.example/reset").await.unwrap();
        // Mails wait, and what is in them must not be readable meanwhile.
        self.world.live(&self.host, MINUTE).await;
        self.host.provisioner.flush().await.unwrap();
        self.waiting.extend(self.database());
        self.world.mailbox.recover();
        self.world.live(&self.host, 2 * HOUR).await;
        let mails = self.world.mailbox.messages();
        let to = |address: &str, subject: &str| {
            mails.iter().find(|mail| mail.to == address && mail.subject.contains(subject)).unwrap().text.clone()
        };
        for address in ["ada@acme.example", "bob@acme.example"] {
            let text = to(address, "Your Insomnia account");
            let initial = text.lines().find_map(|line| line.strip_prefix("    ")).unwrap().to_owned();
            self.note(&format!("the initial passphrase of {address}"), &initial);
            self.note(&format!("the initial passphrase of {address}, without its hyphens"), &initial.replace('-', ""));
        }
        let initial = self.secrets[self.secrets.len() - 4].1.clone();
        organization.change_passphrase("ada@acme.example", &initial, CHOSEN).await.unwrap();
        self.note("a chosen passphrase", CHOSEN);
        let link = to("bob@acme.example", "Reset your");
        let token = link.split("token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        self.note("the token of a link", &token);
        self.note("the secret half of it", token.split_once('.').unwrap().1);
        organization.reset_passphrase(&token, "chosen by Bob himself").await.unwrap();
        self.note("a passphrase chosen with a link", "chosen by Bob himself");
        assert!(organization.reset_passphrase(&token, "again by Bob himself").await.is_err());
        self.note("a passphrase that was not taken", "again by Bob himself");
        self.note("a wrong passphrase", WRONG);
        assert!(organization.sign_in("ada@acme.example", WRONG).await.is_err());
        organization.sign_in("ada@acme.example", CHOSEN).await.unwrap();
    }

    /// Tokens by hand, with an overlap, wrong ones, and expired ones.
    async fn tokens(&mut self) {
        let organization = self.acme.organization.clone();
        assert!(organization.refresh(OWNER, WRONG, None, 0).await.is_err());
        for (what, overlap) in [("the second token", 0), ("the third token", 3_600)] {
            let token = organization.refresh(OWNER, PASSPHRASE, None, overlap).await.unwrap().token;
            self.acme.scim("GET", "/Users", None).await;
            self.acme.token = token.clone();
            self.acme.scim("GET", "/Users", None).await.is(200);
            self.note(what, &token);
        }
        self.world.live(&self.host, 31 * DAY).await;
        self.acme.scim("GET", "/Users", None).await.is(401);
        self.acme.token = organization.refresh_as_operator(None, 0).await.unwrap().token;
        self.note("the fourth token", &self.acme.token.clone());
    }

    async fn oauth(&mut self) {
        let redirect = "https://idp.example/callback";
        let client = NewOAuthClient {
            name: "The IdP".into(),
            client_credentials: true,
            authorization_code: true,
            redirect_uris: vec![redirect.into()],
            ..NewOAuthClient::default()
        };
        let organization = self.acme.organization.clone();
        let first = organization.create_oauth_client(OWNER, client).await.unwrap();
        let second = organization.rotate_oauth_client_secret(OWNER, &first.client.id, None, 3_600).await.unwrap();
        let (id, secret) = (first.client.id.clone(), second.secret.unwrap());
        self.note("a client's first secret", &first.secret.unwrap());
        self.note("a client's second secret", &secret);
        self.note("a code verifier", VERIFIER);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &id),
            ("redirect_uri", redirect),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let consent = organization.authorize(&query).await.unwrap().unwrap();
        let url = organization.approve_consent(OWNER, &consent.request).await.unwrap();
        let code = url.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        self.note("an authorization code", &code);
        let credentials = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
        let with_code = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", redirect),
            ("code_verifier", VERIFIER),
        ];
        let mut refresh = String::new();
        for fields in [&with_code[..], &[("grant_type", "client_credentials")]] {
            let body = self.token(&[&credentials[..], fields].concat()).await;
            let access = body["access_token"].as_str().unwrap().to_owned();
            self.acme.scim_with(&access, "GET", "/Users", None).await.is(200);
            self.note("an access token", &access);
            if let Some(token) = body["refresh_token"].as_str() {
                refresh = token.to_owned();
            }
        }
        let renew = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let body = self.token(&[&credentials[..], &renew].concat()).await;
        self.note("a refresh token", &refresh);
        self.note("the next refresh token", body["refresh_token"].as_str().unwrap());
        assert_eq!(self.token(&[&credentials[..], &renew].concat()).await["error"], "invalid_grant");
        // Sent to SCIM by mistake.
        self.acme.scim_with(&refresh, "GET", "/Users", None).await.is(401);
    }

    async fn token(&self, fields: &[(&str, &str)]) -> Value {
        let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        let request = OAuthRequest { headers, body: form(fields).into_bytes(), ..OAuthRequest::default() };
        let response = self.acme.organization.oauth_token(request).await.unwrap();
        serde_json::from_slice(&response.body).unwrap()
    }

    /// Access to the APIs of identity providers, one after the other, and the tokens that are installed there.
    async fn api(&mut self) {
        let entra = IdpApi::Entra(EntraApi {
            tenant_id: "contoso".into(),
            client_id: "1111".into(),
            client_secret: CLIENT_SECRET.into(),
            service_principal_id: "3333".into(),
            login_url: None,
            graph_url: None,
        });
        let okta = |credentials| {
            IdpApi::Okta(OktaApi { org_url: "https://acme.okta.com".into(), app_id: "0oa1".into(), credentials })
        };
        let private_key = json!({"kty": "EC", "crv": "P-256", "d": KEY}).to_string();
        let key = OktaCredentials::PrivateKey(OktaPrivateKey { client_id: "0oa2".into(), private_key });
        for api in [entra, okta(OktaCredentials::ApiToken(OktaApiToken { token: API_TOKEN.into() })), okta(key)] {
            self.acme.organization.configure_idp_api(OWNER, api, None).await.unwrap();
            self.acme.organization.refresh_by_idp_api(OWNER).await.unwrap();
            self.world.live(&self.host, MINUTE).await;
            let sent = self.world.network.attempts();
            let bodies = sent.iter().rev().map(|request| String::from_utf8_lossy(&request.body).into_owned());
            let body = bodies.into_iter().find(|body| body.contains("insm_scim_")).unwrap();
            let start = body.find("insm_scim_").unwrap();
            let token = body[start..].split('"').next().unwrap().to_owned();
            self.host.provisioner.flush().await.unwrap();
            self.waiting.extend(self.database());
            self.acme.scim_with(&token, "GET", "/Users", None).await.is(200);
            self.note("a token that was installed", &token);
        }
        for (what, secret) in [
            ("a client secret of Entra", CLIENT_SECRET),
            ("an API token of Okta", API_TOKEN),
            ("a private key", KEY),
            ("an access token of Graph", GRAPH_ACCESS),
        ] {
            self.note(what, secret);
        }
    }

    /// The files of the database, the write-ahead log included.
    fn database(&self) -> Vec<u8> {
        crate::rules::tokens::database_bytes(&self.world)
    }

    pub(super) async fn places(&self) -> Vec<Place> {
        let place = |name: &str, bytes: Vec<u8>| Place::new(name, &bytes);
        let organization = &self.acme.organization;
        let events = self.acme.events().await;
        let posted: Vec<Value> = self
            .world
            .network
            .attempts()
            .iter()
            .filter(|request| request.url.starts_with("https://backend.example"))
            .map(|request| serde_json::from_slice(&request.body).unwrap())
            .collect();
        assert!(!posted.is_empty() && posted.len() == self.subscriber.events().len());
        let log = self.acme.log(LogQuery { limit: 500, ..LogQuery::default() }).await;
        let shown = format!(
            "{:?} {:?} {:?}",
            organization.refresh_status().await.unwrap(),
            organization.oauth_clients().await.unwrap(),
            organization.webhook().await.unwrap()
        );
        let routes = Page::new(&self.host.provisioner).sessions(Arc::new(AnyOwner)).router();
        let site = Site::serve(routes).await;
        let mut places = vec![
            place("the database while things waited", self.waiting.clone()),
            place("the database", self.database()),
            place("the list of events", json!(events).to_string().into_bytes()),
            place("the webhook's events", json!(posted).to_string().into_bytes()),
            place("the backend's events", json!(self.subscriber.events()).to_string().into_bytes()),
            place("the log of requests", json!(log).to_string().into_bytes()),
            place("what is shown of the settings", shown.into_bytes()),
        ];
        for view in ["logs/export.csv", "logs/export.jsonl", "logs", "automatic", "deliveries", "members", ""] {
            let target = format!("/organizations/acme/scim/{view}");
            let target = target.trim_end_matches('/');
            let reply = site.ask("GET", target, &[], "").await.is(200);
            places.push(place(target, reply.body.into_bytes()));
        }
        places
    }

    pub(super) fn mails(&self) -> Vec<Mail> {
        let bytes =
            |mail: &Message| format!("{}\n{}\n{}\n{}", mail.id, mail.subject, mail.text, mail.html).into_bytes();
        let mails = self.world.mailbox.messages();
        mails
            .iter()
            .map(|mail| Mail { subject: format!("{} to {}", mail.subject, mail.to), bytes: bytes(mail) })
            .collect()
    }

    /// The secrets that this mail is not there to tell.
    pub(super) fn not_mailed(&self, mail: &Mail) -> Vec<(String, String)> {
        let is_told = |what: &str| {
            let initial = what.starts_with("the initial passphrase of");
            let address = mail.subject.rsplit(' ').next().unwrap_or_default();
            let link = what.starts_with("the token of a link") || what.starts_with("the secret half");
            (initial && mail.subject.starts_with("Your Insomnia account") && what.contains(address))
                || (link && mail.subject.starts_with("Reset your"))
        };
        self.secrets.iter().filter(|(what, _)| !is_told(what)).cloned().collect()
    }
}
