//! Problems that an administrator must solve, and the actor that events name for a refresh.

use super::*;

#[test]
fn p2_401_and_403_need_attention_and_leave_the_old_token_working() {
    for (status, provider) in [(401, Provider::entra()), (403, Provider::okta()), (404, Provider::okta())] {
        provider.will(Then::Fail(status, ""));
        provider.on_day(24);
        let next = provider.run().unwrap();
        let refresh = provider.status();
        assert_eq!(refresh.state, RefreshState::NeedsAttention);
        let problem = refresh.problem.unwrap();
        assert!(problem.contains(&format!("answered {status} (E0000006)")), "{problem}");
        assert!(!will_refresh(&provider.memory.host().store()).unwrap());
        assert_eq!((provider.sync(), provider.generation()), (200, 1));
        provider.memory.set_now(next);
        provider.run();
        provider.sync();
        assert_eq!((provider.generation(), provider.status().state), (2, RefreshState::Scheduled));
    }
}

#[test]
fn p2_an_okta_application_without_an_api_needs_attention_and_says_what_to_do() {
    for then in [Then::Ignore, Then::Fail(404, ""), Then::Fail(400, "")] {
        let provider = Provider::okta();
        provider.will(then);
        provider.on_day(24);
        provider.run();
        assert_eq!(provider.status().state, RefreshState::NeedsAttention);
        let text = provider.status().problem.unwrap();
        assert!(text.contains("custom ones") && text.contains("by hand"), "{text}");
        assert_eq!((provider.sync(), provider.generation()), (200, 1), "the old token goes on");
    }
}

#[test]
fn p6_the_component_itself_is_the_actor_of_an_automatic_refresh() {
    for provider in [Provider::entra(), Provider::okta()] {
        provider.on_day(24);
        provider.run();
        assert_eq!((provider.sync(), provider.generation()), (200, 2));
        let (events, _) = provider.memory.host().store().events(None, 500).unwrap();
        let events: Vec<Value> = events.iter().map(|event| serde_json::from_slice(&event.json).unwrap()).collect();
        let refreshed = events.iter().rfind(|event| event["type"] == "token.refreshed").unwrap();
        assert_eq!((refreshed["subject"]["id"].as_str(), refreshed["actor"].as_str()), (Some("2"), Some("system")));
    }
}
