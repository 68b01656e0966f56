//! A host crashes between any two steps of a refresh: the connector works all the time, and the refresh is finished
//! later.

use insomnia_scim::oauth::RefreshState;

use super::Scene;
use super::provider::Then;
use crate::rules::world::{DAY, HOUR, MINUTE};

/// A new host takes over a minute later; the provider syncs all the time, and in the end uses a new token.
async fn ends_in_a_working_connector(mut scene: Scene, what: &str) {
    scene.world.faults.end();
    scene.world.pass(MINUTE);
    scene.host = scene.world.host().await;
    scene.acme = scene.acme.on(&scene.host);
    for round in 0..40 {
        assert_eq!(scene.sync().await, 200, "{what}: the provider is locked out in round {round}");
        scene.world.live(&scene.host, 40 * MINUTE).await;
    }
    assert_eq!((scene.generation().await, scene.status().await.state), (2, RefreshState::Scheduled), "{what}");
    assert_ne!(scene.provider.installed(), scene.acme.token, "{what}");
    scene.world.live(&scene.host, HOUR).await;
    assert_eq!(scene.acme.ping(&scene.acme.token).await, 401, "{what}: the old token is dead");
    assert_eq!(scene.sync().await, 200, "{what}");
}

#[tokio::test]
async fn p2_a_crash_after_any_commit_of_a_refresh_ends_in_a_working_connector() {
    let mut crashes = 0;
    for commits in 0.. {
        let scene = Scene::entra().await;
        scene.until(24 * DAY - 1).await;
        scene.world.pass(1);
        scene.world.faults.crash_after(commits);
        scene.host.provisioner.run_all_due().await.unwrap();
        let crashed = scene.world.faults.is_crashed();
        ends_in_a_working_connector(scene, &format!("a crash after {commits} commits")).await;
        if !crashed {
            break;
        }
        crashes += 1;
    }
    // At least: before all, after the token was made, leased, and installed.
    assert!(crashes >= 4, "{crashes} crashes are too few to have been between all steps");
}

#[tokio::test]
async fn p2_a_crash_between_the_installation_and_its_commit_ends_in_a_working_connector() {
    let scene = Scene::entra().await;
    scene.provider.will(Then::InstallAndCrash);
    scene.until(24 * DAY).await;
    assert!(scene.world.faults.is_crashed());
    assert_ne!(scene.provider.installed(), scene.acme.token);
    ends_in_a_working_connector(scene, "a crash after the installation").await;
}

#[tokio::test]
async fn p2_a_crash_while_the_first_request_arrives_ends_in_a_working_connector() {
    let mut crashes = 0;
    for commits in 0.. {
        let scene = Scene::entra().await;
        scene.until(24 * DAY + MINUTE).await;
        scene.world.faults.crash_after(commits);
        scene.sync().await;
        let crashed = scene.world.faults.is_crashed();
        ends_in_a_working_connector(scene, &format!("a crash after {commits} commits of the request")).await;
        if !crashed {
            break;
        }
        crashes += 1;
    }
    assert!(crashes >= 2, "{crashes} crashes are too few");
}
