//! The backend's own pages: sign-in, and a list of the people in the organization. Only people with an active account can sign
//! in; the identity provider decides who has one.

use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use insomnia_scim::{OrganizationId, Provisioner};
use serde::Deserialize;
use serde_json::json;

use crate::database::Database;
use crate::sessions;

#[derive(Clone)]
struct Application {
    provisioner: Provisioner,
    database: Database,
}

pub(crate) fn router(provisioner: Provisioner, database: Database) -> Router {
    Router::new()
        .route("/{organization}/sign-in", get(ask).post(sign_in))
        .route("/{organization}/sign-out", get(sign_out).post(sign_out))
        .route("/{organization}/people", get(people))
        .with_state(Application { provisioner, database })
}

#[derive(Deserialize)]
struct Then {
    /// The path to go to after the sign-in.
    then: Option<String>,
}

#[derive(Deserialize)]
struct SignIn {
    email: String,
    passphrase: String,
}

async fn ask(Path(organization): Path<String>) -> Html<String> {
    let organization = escaped(&organization);
    Html(format!(
        "<!doctype html><html lang=\"en\"><title>Sign in to {organization}</title><h1>Sign in to {organization}</h1>\
         <form method=\"post\"><p><label>Email <input name=\"email\" type=\"email\" autocomplete=\"username\"></label>\
         <p><label>Passphrase <input name=\"passphrase\" type=\"password\" autocomplete=\"current-password\"></label>\
         <p><button>Sign in</button></form></html>"
    ))
}

async fn sign_in(
    State(application): State<Application>,
    Path(organization): Path<String>,
    Query(then): Query<Then>,
    Form(form): Form<SignIn>,
) -> Result<Response, Failure> {
    let Ok(id) = OrganizationId::parse(&organization) else { return Ok(refused()) };
    // The provisioner stores the passphrases of members, and slows down guessing. A backend with passphrases of its own would
    // check them here.
    let known = application.provisioner.organization(&id).verify_passphrase(&form.email, &form.passphrase).await;
    let Ok(member) = known else { return Ok(refused()) };
    let Some(account) = application.database.active(&organization, &member.id)? else { return Ok(refused()) };
    let cookie = sessions::begin(&application.database, &organization, &account)?;
    // Only a path on this host is allowed. A text that begins with two slashes is an address of another host, also for
    // browsers that ignore blanks.
    let is_path = |then: &String| {
        then.starts_with('/')
            && !then.starts_with("//")
            && then.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    let then = then.then.filter(is_path).unwrap_or_else(|| format!("/{organization}/people"));
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&then)).into_response())
}

async fn sign_out(
    State(application): State<Application>,
    Path(organization): Path<String>,
    headers: HeaderMap,
) -> Result<Redirect, Failure> {
    if let Some(found) = sessions::find(&application.database, &headers)? {
        application.database.end_session(&found.token)?;
    }
    Ok(Redirect::to(&format!("/{organization}/sign-in")))
}

/// Lists the people in the organization from the backend's own tables, and the seats, which the provisioner counts.
async fn people(
    State(application): State<Application>,
    Path(organization): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let found = sessions::find(&application.database, &headers)?;
    let Some(found) = found.filter(|found| found.organization == organization) else {
        return Ok(Redirect::to(&format!("/{organization}/sign-in")).into_response());
    };
    let id = OrganizationId::parse(&organization)?;
    let licences = application.provisioner.organization(&id).licences().await?;
    let mut people = Vec::new();
    for account in application.database.all_active(&organization)? {
        let teams = application.database.teams_of(&organization, &account.id)?;
        people.push(json!({"email": account.email, "name": account.name, "role": account.role, "teams": teams}));
    }
    let seats = json!({"all": licences.seats, "taken": licences.manual + licences.scim});
    Ok(Json(json!({"signedIn": found.account.email, "seats": seats, "people": people})).into_response())
}

/// The answer is the same for every reason, so that nobody learns who has an account.
fn refused() -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, "Email and passphrase do not belong to an active account.\n").into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A failure of the backend. The reason is for its log.
struct Failure(Box<dyn std::error::Error>);

impl<E: Into<Box<dyn std::error::Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        eprintln!("a request failed: {}", self.0);
        (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong; try again.\n").into_response()
    }
}
