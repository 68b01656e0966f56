//! The answers of an identity provider's API that does not accept the new token: whatever it answers, the old token
//! still works.

use insomnia_scim::oauth::RefreshState;

use super::Scene;
use super::provider::{API_TOKEN, CLIENT_SECRET, Then, api_token, token_of};
use crate::rules::organization::OWNER;
use crate::rules::world::{BEGIN, DAY, HOUR, MINUTE};

fn seconds(seconds: u64) -> Vec<(&'static str, String)> {
    vec![("retry-after", seconds.to_string())]
}

/// Fails once in this way, and says what is seen of it; then it succeeds.
async fn fails_once(scene: &Scene, then: Then, state: RefreshState) -> u64 {
    scene.provider.will(then);
    scene.until(24 * DAY).await;
    let status = scene.status().await;
    assert_eq!((status.state, status.failures), (state, 1), "{status:?}");
    assert_eq!(scene.acme.ping(&scene.acme.token).await, 200, "the old token works");
    assert_eq!(scene.generation().await, 1);
    let problem = status.problem.unwrap();
    let token = token_of(&scene.provider.installs()[0].json());
    assert!(!problem.contains(&token) && !problem.contains(CLIENT_SECRET) && !problem.contains(API_TOKEN), "{problem}");
    let next = status.next_attempt.unwrap();
    scene.until(next - BEGIN - 1).await;
    assert_eq!(scene.provider.installs().len(), 1, "not before its time");
    scene.until(next - BEGIN + MINUTE).await;
    assert_eq!(scene.provider.installs().len(), 2);
    assert_eq!(token_of(&scene.provider.installs()[1].json()), token, "the same token");
    assert_eq!(scene.sync().await, 200);
    assert_eq!((scene.generation().await, scene.status().await.state), (2, RefreshState::Scheduled));
    assert_eq!(scene.status().await.problem, None);
    next - (BEGIN + 24 * DAY)
}

#[tokio::test]
async fn p2_429_with_retry_after_is_tried_again_when_it_says() {
    let scene = Scene::entra().await;
    let waited = fails_once(&scene, Then::Refuse(429, seconds(7_777)), RefreshState::Retrying).await;
    assert!((7_777_000..7_778_000).contains(&waited), "{waited}");
}

#[tokio::test]
async fn p2_429_of_okta_is_tried_again_when_its_limit_resets() {
    let scene = Scene::okta(api_token()).await;
    let reset = (BEGIN + 24 * DAY) / 1_000 + 90;
    let headers = vec![("x-rate-limit-reset", reset.to_string())];
    let waited = fails_once(&scene, Then::Refuse(429, headers), RefreshState::Retrying).await;
    assert!((89_000..91_000).contains(&waited), "{waited}");
}

#[tokio::test]
async fn p2_an_error_on_the_providers_side_is_tried_again_soon() {
    for status in [500, 502, 503] {
        let scene = Scene::entra().await;
        let waited = fails_once(&scene, Then::Refuse(status, vec![]), RefreshState::Retrying).await;
        assert!((40_000..=MINUTE).contains(&waited), "{waited}");
    }
}

#[tokio::test]
async fn p2_a_provider_that_does_not_answer_is_tried_again() {
    let scene = Scene::entra().await;
    fails_once(&scene, Then::Silence, RefreshState::Retrying).await;
    let scene = Scene::okta(api_token()).await;
    fails_once(&scene, Then::Break, RefreshState::Retrying).await;
}

#[tokio::test]
async fn p2_retries_back_off_and_stop_with_the_first_success() {
    let scene = Scene::entra().await;
    for _ in 0..6 {
        scene.provider.will(Then::Refuse(503, vec![]));
    }
    let mut at = BEGIN + 24 * DAY;
    let mut waits = Vec::new();
    for failure in 1..=6 {
        scene.world.live_until(&scene.host, at).await;
        let status = scene.status().await;
        assert_eq!(status.failures, failure);
        let next = status.next_attempt.unwrap();
        waits.push(next - at);
        at = next;
        assert_eq!(scene.sync().await, 200);
    }
    assert!(waits.windows(2).all(|pair| pair[1] * 10 > pair[0] * 15), "each wait is longer: {waits:?}");
    scene.world.live_until(&scene.host, at).await;
    assert_eq!((scene.sync().await, scene.generation().await), (200, 2));
    assert_eq!(scene.status().await.failures, 0);
}

#[tokio::test]
async fn p2_credentials_that_are_refused_need_attention_until_they_are_corrected() {
    let scene = Scene::entra().await;
    let api = scene.provider.entra_with("a-wrong-secret");
    scene.acme.organization.configure_idp_api(OWNER, api, None).await.unwrap();
    scene.until(24 * DAY + MINUTE).await;
    let status = scene.status().await;
    assert_eq!(status.state, RefreshState::NeedsAttention);
    let problem = status.problem.unwrap();
    assert!(problem.contains("401") && problem.contains("invalid_client"), "{problem}");
    assert!(!problem.contains("a-wrong-secret"));
    assert!(scene.provider.installs().is_empty());
    assert_eq!(scene.sync().await, 200);
    let api = scene.provider.entra();
    scene.acme.organization.configure_idp_api(OWNER, api, None).await.unwrap();
    scene.until(24 * DAY + 2 * MINUTE).await;
    assert_eq!((scene.sync().await, scene.generation().await), (200, 2));
}

#[tokio::test]
async fn p2_an_api_token_that_was_revoked_needs_attention() {
    let scene = Scene::okta(api_token()).await;
    scene.provider.rejects(true);
    scene.until(24 * DAY + MINUTE).await;
    let status = scene.status().await;
    assert_eq!(status.state, RefreshState::NeedsAttention);
    assert!(status.problem.unwrap().contains("E0000011"));
    scene.provider.rejects(false);
    scene.until(25 * DAY).await;
    assert_eq!((scene.sync().await, scene.generation().await), (200, 2), "it is tried again all the same");
}

#[tokio::test]
async fn p2_a_token_that_was_accepted_but_not_installed_is_installed_again() {
    let scene = Scene::entra().await;
    scene.provider.will(Then::Forget);
    scene.until(24 * DAY + MINUTE).await;
    assert_eq!(scene.status().await.state, RefreshState::Verifying);
    // The provider goes on with the old one, and is let in.
    for hours in 1..6 {
        scene.until(24 * DAY + hours * HOUR).await;
        assert_eq!(scene.sync().await, 200);
        assert_eq!((scene.generation().await, scene.provider.installs().len()), (1, 1));
    }
    scene.until(24 * DAY + 6 * HOUR + MINUTE).await;
    assert_eq!(scene.status().await.state, RefreshState::Unconfirmed);
    scene.until(24 * DAY + 7 * HOUR).await;
    let installs = scene.provider.installs();
    assert_eq!(installs.len(), 2);
    assert_eq!(token_of(&installs[0].json()), token_of(&installs[1].json()));
    assert_eq!((scene.sync().await, scene.generation().await), (200, 2));
    assert_eq!(scene.status().await.state, RefreshState::Scheduled);
}

#[tokio::test]
async fn p2_a_token_whose_installation_was_not_heard_of_is_verified_by_its_first_request() {
    let scene = Scene::entra().await;
    scene.provider.will(Then::InstallInSilence);
    scene.until(24 * DAY).await;
    assert_eq!(scene.status().await.state, RefreshState::Retrying);
    assert_ne!(scene.provider.installed(), scene.acme.token);
    assert_eq!(scene.sync().await, 200, "the provider has it, and is let in");
    assert_eq!((scene.generation().await, scene.status().await.state), (2, RefreshState::Scheduled));
    scene.until(25 * DAY).await;
    assert_eq!(scene.provider.installs().len(), 1, "there is nothing to install again");
}

#[tokio::test]
async fn p2_people_are_warned_when_the_refresh_can_not_be_relied_upon() {
    let scene = Scene::entra().await;
    scene.provider.rejects(true);
    scene.until(31 * DAY).await;
    let told = scene.world.mailbox.subjects_to(OWNER);
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told[0].ends_with("expires in 6 days"), "at the first failure, with what is really left: {told:?}");
    assert!(told[1].ends_with("expires in 5 days"), "{told:?}");
    assert!(told[4].ends_with("has expired: syncing has stopped"));
    assert_eq!(scene.sync().await, 401);
    // The access still works after the expiry: nobody has to paste anything.
    scene.provider.rejects(false);
    scene.until(33 * DAY).await;
    assert_eq!(scene.sync().await, 200);
}
