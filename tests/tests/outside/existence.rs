//! Without a token, nobody can tell which organizations exist (F23).

use insomnia_scim_tests::client::{Client, Request};
use insomnia_scim_tests::person::unique;
use insomnia_scim_tests::server::shared;

/// What a stranger sees: the status, the header fields but those that differ with each request, and the body.
fn seen(organization: &str, request: &Request) -> (u16, Vec<String>, String) {
    let client = Client::bare(&shared().client().at_root().url());
    let response = client.send(request);
    let id = response.header("x-request-id").unwrap_or_default().to_owned();
    let varying = ["date", "x-request-id", "content-length"];
    let fields = response.headers.iter().filter(|(name, _)| !varying.contains(&name.to_lowercase().as_str()));
    let mut fields: Vec<String> = fields.map(|(name, value)| format!("{name}: {value}")).collect();
    fields.sort();
    let text = |text: &str| text.replace(&id, "REQUEST").replace(organization, "NAME");
    (response.status, fields.iter().map(|field| text(field)).collect(), text(&response.text()))
}

#[test]
fn f23_an_organization_can_not_be_told_from_none_without_a_token() {
    let known = shared().another_organization(&unique("known")).organization;
    let disabled = shared().another_organization(&unique("disabled")).organization;
    shared().command(&["connector", "disable", "--organization", &disabled]);
    let strict = shared().organization_with("strict").organization;
    let aliases = shared().organization_with("discovery-aliases").organization;
    let nobody = unique("nobody");
    for path in
        ["/ServiceProviderConfig", "/ServiceProviderConfig?x", "/ServiceProviderConfigs", "/Schemas", "/Users", "/"]
    {
        for method in ["GET", "POST", "DELETE", "OPTIONS"] {
            for authorization in [None, Some("Bearer wrong"), Some("Basic eDp5")] {
                let of = |organization: &str| {
                    let mut request = Request::new(method, &format!("/scim/v2/{organization}{path}"));
                    if let Some(value) = authorization {
                        request = request.header("Authorization", value);
                    }
                    seen(organization, &request)
                };
                let expected = of(&nobody);
                if path == "/ServiceProviderConfig" && method == "GET" && authorization.is_none() {
                    assert_eq!(expected.0, 200, "how to authenticate can be read by everybody: {expected:?}");
                }
                for organization in [&known, &disabled, &strict, &aliases] {
                    assert_eq!(of(organization), expected, "{method} {path} with {authorization:?}");
                }
            }
        }
    }
    for of_what in ["oauth-authorization-server/oauth", "oauth-protected-resource/scim/v2"] {
        let metadata = |organization: &str| {
            let path = format!("/.well-known/{of_what}/{organization}");
            seen(organization, &Request::new("GET", &path))
        };
        assert_eq!(metadata(&nobody).0, 200);
        assert_eq!(metadata(&known), metadata(&nobody));
        assert_eq!(metadata(&disabled), metadata(&nobody));
    }
}
