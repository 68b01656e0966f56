//! Finds the endpoint that a path names (RFC 7644 §3.2), and the methods that it allows.

use super::error::{ScimError, ScimType};
use super::mode::Mode;
use super::schema::SchemaTable;
use super::tolerance::Tolerance;
use crate::text::percent_decoded;

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The connector URL itself: a query over all resource types.
    Root,
    /// All resources of the type with this name.
    Resources(String),
    /// One resource: the type's name, and the id.
    Resource(String, String),
    /// `/.search`, or `/Users/.search` with the type's name.
    Search(Option<String>),
    /// `/Bulk`.
    Bulk,
    /// `/Me`.
    Me,
    /// `/ServiceProviderConfig`.
    ServiceProviderConfig,
    /// `/ResourceTypes`, or one of them.
    ResourceTypes(Option<String>),
    /// `/Schemas`, or one of them.
    Schemas(Option<String>),
    /// `/AsyncResponses/{transaction}`: the result of an asynchronous request (RFC 9967 §2.5.1).
    AsyncResponse(String),
}

/// A path relative to the connector URL, split into segments.
#[derive(Clone, Debug)]
pub struct Path<'r> {
    sent: &'r str,
    /// The decoded segments. Slashes at the end and repeated slashes are ignored (T15).
    segments: Vec<String>,
}

impl<'r> Path<'r> {
    /// Splits a path.
    #[must_use]
    pub fn of(sent: &'r str) -> Self {
        let segments = sent.split('/').filter(|segment| !segment.is_empty()).map(percent_decoded).collect();
        Self { sent, segments }
    }

    /// The endpoint and the id, if the path may name a resource.
    #[must_use]
    pub fn resource(&self) -> Option<(&str, &str)> {
        match *self.behind_version() {
            [endpoint, id] => Some((endpoint, id)),
            _ => None,
        }
    }

    fn behind_version(&self) -> Vec<&str> {
        let segments = self.segments.iter().map(String::as_str);
        segments.skip(usize::from(self.segments.first().is_some_and(|first| first == "v2"))).collect()
    }
}

/// The endpoints of the protocol itself (RFC 7644 §3.2), older names of one of them (T29), and the endpoint for
/// asynchronous requests.
const ENDPOINTS: [&str; 8] = [
    "Bulk",
    "Me",
    "Schemas",
    "ResourceTypes",
    "ServiceProviderConfig",
    "ServiceProviderConfigs",
    "serviceConfiguration",
    "AsyncResponses",
];

/// The path segment of a query by POST, after the endpoint (RFC 7644 §3.4.3).
const SEARCH: &str = ".search";

impl Route {
    /// The endpoint of a path; see [`Route::of`].
    ///
    /// # Errors
    /// 404 if there is none, 400 `invalidVers` for another version.
    pub fn parse(path: &str, table: &SchemaTable, aliases: bool, mode: Mode<'_>) -> Result<Self, ScimError> {
        Self::of(&Path::of(path), table, aliases, mode)
    }

    /// Finds the endpoint. The path may begin with `v2` (RFC 7644 §3.13). In compat mode the case of its name does not
    /// matter (T34).
    ///
    /// # Errors
    /// 404 if there is none, 400 `invalidVers` for another version.
    pub fn of(path: &Path<'_>, table: &SchemaTable, aliases: bool, mode: Mode<'_>) -> Result<Self, ScimError> {
        let mut segments = path.behind_version();
        if let Some(version) = path.segments.first().filter(|first| *first != "v2" && is_version(first)) {
            let detail = format!("SCIM {version} is not supported, only v2 is");
            return Err(ScimError::new(ScimType::InvalidVers, detail));
        }
        let not_found = || ScimError::not_found(format!("There is no endpoint '{}'", path.sent));
        let of_types = || {
            table
                .resource_types()
                .iter()
                .filter_map(|candidate| Some((candidate.endpoint.strip_prefix('/')?, candidate)))
        };
        if let Some(first) = segments.first_mut()
            && !ENDPOINTS.contains(first)
            && !of_types().any(|(endpoint, _)| endpoint == *first)
        {
            let mut known = ENDPOINTS.into_iter().chain(of_types().map(|(endpoint, _)| endpoint));
            if let Some(meant) = known.find(|endpoint| endpoint.eq_ignore_ascii_case(first))
                && mode.tolerates(Tolerance::EndpointCase)
            {
                *first = meant;
            }
        }
        if let Some(last) = segments.last_mut()
            && *last != SEARCH
            && last.eq_ignore_ascii_case(SEARCH)
            && mode.tolerates(Tolerance::EndpointCase)
        {
            *last = SEARCH;
        }
        let resource_type =
            |segment: &str| of_types().find(|(endpoint, _)| *endpoint == segment).map(|(_, found)| found.name.clone());
        Ok(match *segments {
            [] => Self::Root,
            [SEARCH] => Self::Search(None),
            ["Bulk"] => Self::Bulk,
            ["Me"] => Self::Me,
            ["ServiceProviderConfig"] => Self::ServiceProviderConfig,
            ["ServiceProviderConfigs" | "serviceConfiguration"] if aliases => Self::ServiceProviderConfig,
            ["ResourceTypes"] => Self::ResourceTypes(None),
            ["ResourceTypes", name] => Self::ResourceTypes(Some(name.to_owned())),
            ["Schemas"] => Self::Schemas(None),
            ["Schemas", urn] => Self::Schemas(Some(urn.to_owned())),
            ["AsyncResponses", transaction] => Self::AsyncResponse(transaction.to_owned()),
            [endpoint] => Self::Resources(resource_type(endpoint).ok_or_else(not_found)?),
            [endpoint, SEARCH] => Self::Search(Some(resource_type(endpoint).ok_or_else(not_found)?)),
            [endpoint, id] => Self::Resource(resource_type(endpoint).ok_or_else(not_found)?, id.to_owned()),
            _ => return Err(not_found()),
        })
    }

    /// The methods that the endpoint allows, in the form of the `Allow` header.
    #[must_use]
    pub fn allow(&self) -> &'static str {
        match self {
            Self::Root
            | Self::ServiceProviderConfig
            | Self::ResourceTypes(_)
            | Self::Schemas(_)
            | Self::AsyncResponse(_) => "GET, HEAD, OPTIONS",
            Self::Resources(_) => "GET, HEAD, OPTIONS, POST",
            Self::Resource(..) => "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
            Self::Search(_) | Self::Bulk => "OPTIONS, POST",
            Self::Me => "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
        }
    }

    /// Whether the endpoint allows the method.
    #[must_use]
    pub fn allows(&self, method: &str) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method)
    }
}

fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
