//! How long a client's secrets and access tokens are valid.

use super::*;

const DAY: u64 = 24 * 60 * 60 * 1_000;

fn with(window: SecretWindow, access_token_minutes: Option<u32>) -> App {
    App::with(&NewClient {
        name: "Entra".into(),
        client_credentials: true,
        secret_window: window,
        access_token_minutes,
        ..NewClient::default()
    })
}

fn shown(app: &App) -> insomnia_scim_contract::OAuthClient {
    list(&app.memory.host().store()).unwrap().remove(0)
}

fn with_secret(app: &App, secret: &str) -> (u16, Value) {
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={secret}", app.id);
    read(&token(app.memory.host(), &request(&[], &form)))
}

#[test]
fn p2_a_secret_is_valid_for_as_long_as_was_chosen_and_gives_no_token_afterwards() {
    assert_eq!(SecretWindow::default(), SecretWindow::Year1);
    for (window, days) in [(SecretWindow::Year1, 365), (SecretWindow::Years2, 730), (SecretWindow::Years3, 1_095)] {
        let app = with(window, None);
        assert_eq!(shown(&app).secret_expires, Some(BEGIN + days * DAY));
        app.after(days * DAY - 1);
        let (status, granted) = with_secret(&app, &app.secret);
        assert_eq!(status, 200);
        app.after(days * DAY);
        let (status, answer) = with_secret(&app, &app.secret);
        assert_eq!((status, text(&answer, "error")), (401, "invalid_client"));
        assert!(text(&answer, "error_description").contains("has expired"), "{answer}");
        let (_, stranger) = with_secret(&app, "x");
        assert!(!text(&stranger, "error_description").contains("expired"), "only who had it learns it");
        assert_eq!(app.scim(text(&granted, "access_token")), 200, "what was issued before lives on");
    }
    let app = with(SecretWindow::Never, None);
    assert_eq!(shown(&app).secret_expires, None);
    app.after(10_000 * DAY);
    assert_eq!(with_secret(&app, &app.secret).0, 200);
}

#[test]
fn p2_two_secrets_work_during_a_change_and_the_old_one_never_longer_than_it_would_have() {
    let app = with(SecretWindow::Year1, None);
    app.after(300 * DAY);
    let new = rotate_secret(&app.memory.host().store(), OWNER, &app.id, None, 30 * 86_400).unwrap();
    assert_eq!(new.client.secret_expires, Some(BEGIN + 665 * DAY), "as long as was chosen before");
    assert_eq!(new.client.overlap_until, Some(BEGIN + 330 * DAY));
    let new = new.secret.unwrap();
    app.after(330 * DAY - 1);
    assert_eq!((with_secret(&app, &app.secret).0, with_secret(&app, &new).0), (200, 200));
    app.after(330 * DAY);
    assert_eq!((with_secret(&app, &app.secret).0, with_secret(&app, &new).0), (401, 200));

    let app = with(SecretWindow::Year1, None);
    app.after(364 * DAY);
    let window = Some(SecretWindow::Years3);
    let new = rotate_secret(&app.memory.host().store(), OWNER, &app.id, window, 30 * 86_400).unwrap();
    assert_eq!(new.client.secret_expires, Some(BEGIN + (364 + 1_095) * DAY));
    assert_eq!(new.client.overlap_until, Some(BEGIN + 365 * DAY), "its own end comes first");
    app.after(365 * DAY);
    assert_eq!(with_secret(&app, &app.secret).0, 401);
}

#[test]
fn p2_access_tokens_are_valid_for_one_to_six_hours_as_was_chosen() {
    for (minutes, seconds) in [(None, 7_200), (Some(60), 3_600), (Some(61), 3_660), (Some(360), 21_600)] {
        let app = with(SecretWindow::Never, minutes);
        let (_, granted) = with_secret(&app, &app.secret);
        assert_eq!(granted["expires_in"], Value::from(seconds));
        assert_eq!(u64::from(shown(&app).access_token_minutes) * 60, seconds);
        let access = text(&granted, "access_token");
        app.after(seconds * 1_000 - 1);
        assert_eq!(app.scim(access), 200);
        app.after(seconds * 1_000);
        assert_eq!(app.scim(access), 401);
    }
    let (memory, _) = enabled(Window::Year1);
    for minutes in [0, 59, 361, u32::MAX] {
        let new = NewClient {
            name: "Entra".into(),
            client_credentials: true,
            access_token_minutes: Some(minutes),
            ..NewClient::default()
        };
        let created = create(&memory.host().store(), OWNER, &new);
        assert!(matches!(created, Err(ConnectorError::Invalid(_))), "{minutes}");
    }
}
