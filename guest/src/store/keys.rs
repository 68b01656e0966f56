//! The key layout, version 1. Every key of an organization is made here and nowhere else.
//!
//! | key | value |
//! |---|---|
//! | `organization` | what the backend told about the organization: [`super::OrganizationRecord`] |
//! | `connector` | the connector and the hashes of its tokens: `connector::ConnectorRecord` |
//! | `connector-used` | when a request was last authenticated, in milliseconds, as text |
//! | `setup-links` | links by which others set up the identity provider: [`super::SetupLinksRecord`] |
//! | `cursor-key` | 32 random bytes that seal cursors and requests for consent |
//! | `idp-api` | the identity provider's API, its secret sealed: [`super::IdpApiRecord`] |
//! | `refresh` | how far the automatic refresh has come: [`super::RefreshRecord`] |
//! | `oauth-client/{id}` | a registered client: [`super::ClientRecord`] |
//! | `oauth-keys/{client}` | the key set that a client signs by: [`super::KeySetRecord`] |
//! | `oauth-live/{client}` | the hashes of a client's own access tokens: [`super::LiveRecord`] |
//! | `oauth-grant/{client}/{id}` | what was granted to a client: [`super::GrantRecord`] |
//! | `oauth-code/{SHA-256}` | an authorization code: [`super::CodeRecord`] |
//! | `oauth-access/{SHA-256}` | an access token: [`super::AccessRecord`] |
//! | `oauth-swept` | when expired tokens were last deleted, in milliseconds, as text |
//! | `oauth-used` | when a request was last authenticated by an access token, in milliseconds, as text |
//! | `count/seats` | counter: active members, each taking a seat |
//! | `count/seats-scim` | counter: those of them that the identity provider manages |
//! | `count/owners` | counter: active owners, never less than one once there is one |
//! | `count/users`, `count/users-listed` | counters: members; those of them that lists show |
//! | `count/teams`, `count/teams-listed` | the same of teams |
//! | `count/team/{team}` | counter: members of the team |
//! | `count/no-address`, `count/foreign` | counters: active members without an email address; those of a domain that is not verified |
//! | `user/{id}` | the member: [`super::MemberRecord`] |
//! | `user-card/{id}` | the member's own name as JSON, or `""`; rewritten only when that changes, gone with the member |
//! | `user-touch/{id}` | when a membership of the member last changed, in milliseconds, as text; absent before the first |
//! | `user-listed/{id}` | empty: the member is managed by SCIM. Ids are in the order of creation, but for those that a backend brought along |
//! | `user-name/{folded}` | the id of the member with this userName |
//! | `user-email/{folded}` | the id of the member with this email address: the primary one, unique in the organization |
//! | `user-mail/{folded}␀{id}` | empty: any of the member's email addresses |
//! | `user-external/{externalId}␀{id}` | empty |
//! | `user-display/{folded}␀{id}` | empty |
//! | `user-manager/{manager}␀{id}` | empty: the member's enterprise manager |
//! | `user-passphrase/{id}` | the hash of the member's passphrase |
//! | `team/{id}`, `team-touch/{id}`, `team-listed/{id}` | as of members: [`super::TeamRecord`] |
//! | `team-name/{folded}` | the id of the team with this displayName, unique in the organization |
//! | `team-external/{externalId}␀{id}` | empty |
//! | `team-member/{team}/{member}` | the member's display name as JSON: one end of a membership |
//! | `member-team/{member}/{team}` | empty: the other end |
//! | `declared` | the schemas and resource types that the organization declares: [`super::DeclaredRecord`] |
//! | `resource/{type}/{id}` | a resource of a declared type: [`super::ResourceRecord`] |
//! | `log/{time}{request id}` | an entry of the SCIM log; the time as 16 hexadecimal digits |
//! | `log-strangers` | how many entries of callers who are not known this hour has: `journal::keep` |
//! | `log-left-out` | how many of them were not kept, as text |
//! | `settings` | what is set here and not by `put-organization`: [`super::SettingsRecord`] |
//! | `administrator/{id}` | empty: the member is an active owner or co-owner |
//! | `user-reset/{id}` | the hashes of the member's reset links: `provisioning::reset::ResetRecord` |
//! | `user-welcome/{id}` | empty: the initial passphrase is mailed when the member is first activated |
//! | `audit/{time}{id}` | an entry of the audit trail: [`super::TrailRecord`]; its `{time}{id}` is its position |
//! | `event/{time}{id}` | an event: [`super::EventRecord`]; its `{time}{id}` is its position |
//! | `event-due/{sink}/{position}` | empty: the event has not been delivered to the sink yet |
//! | `event-parked/{position}` | why the event could not be delivered to the webhook: [`super::ParkedEvent`] |
//! | `stream/{id}` | how the deliveries of a stream go: [`super::StreamStateRecord`] |
//! | `stream-dropped/{id}` | when the stream was removed whose tokens are still to be deleted, in milliseconds, as text |
//! | `set/{stream}/{id}` | a Security Event Token before it is signed: [`super::SetRecord`] |
//! | `set-due/{stream}/{id}` | empty: the token has not been delivered to the stream's receiver yet |
//! | `set-parked/{stream}/{id}` | why the token could not be delivered: [`super::ParkedEvent`] |
//! | `accepted/{transaction}` | a request that was accepted to be run later: [`super::AcceptedRecord`] |
//! | `accepted-due/{transaction}` | empty: the request is not done yet. Transactions are in the order of acceptance |
//! | `accepted-operation/{transaction}/{index}` | what it asks for: [`super::OperationRecord`]; the index as four digits; gone when it is done |
//! | `accepted-outcome/{transaction}/{index}` | what came of that: [`super::OutcomeRecord`] |
//! | `count/accepted`, `count/accepted-bytes` | counters: accepted requests that are not done yet, and how many bytes they take |
//! | `signing-keys` | the keys that sign tokens, the private part sealed: [`super::SigningKeysRecord`] |
//! | `webhook` | where events go: [`super::WebhookRecord`] |
//! | `outbox/{due}{id}` | an email to be sent: [`super::OutboxRecord`]; the time as 16 hexadecimal digits |
//! | `outbox-parked/{id}` | an email that could not be sent: [`super::OutboxRecord`] |
//! | `lease/{name}` | who delivers now, and the pause after failures: [`super::LeaseRecord`] |
//! | `job/{name}` | how far a job has come |
//! | `erasure/{id}` | the erasure of a person that is under way: [`super::ErasureRecord`] |
//! | `guard` | recent removals: `provisioning::guard::GuardRecord` |
//! | `guard-held/{id}` | a removal that waits for an owner: `provisioning::guard::HeldRecord` |
//! | `without-seat/{SHA-256}` | who got no seat, by the userName: `provisioning::without_seat::WithoutSeatRecord` |

use crate::capability::{Key, KeyRange};
use crate::protocol::filter;
use crate::secret::sha256;
use crate::text::cut;

/// How much of a long value stands in a key as it is: what a prefix filter can use.
pub const INDEXED_PREFIX: usize = 128;

/// What the backend told about the organization.
pub const ORGANIZATION: &[u8] = b"organization";
/// The connector and the hashes of its tokens.
pub const CONNECTOR: &[u8] = b"connector";
/// When a request was last authenticated.
pub const CONNECTOR_USED: &[u8] = b"connector-used";
/// What signs cursors.
pub const CURSOR_KEY: &[u8] = b"cursor-key";
/// The identity provider's API.
pub const IDP_API: &[u8] = b"idp-api";
/// How far the automatic refresh has come.
pub const REFRESH: &[u8] = b"refresh";
/// When expired OAuth tokens were last deleted.
pub const OAUTH_SWEPT: &[u8] = b"oauth-swept";
/// When a request was last authenticated by an access token.
pub const OAUTH_USED: &[u8] = b"oauth-used";
/// The counter of active members.
pub const SEATS: &[u8] = b"count/seats";
/// The counter of active owners.
pub const OWNERS: &[u8] = b"count/owners";
/// The counter of active members that SCIM manages.
pub const SEATS_SCIM: &[u8] = b"count/seats-scim";

/// The counter of active members without an email address.
pub const NO_ADDRESS: &[u8] = b"count/no-address";
/// The counter of active members of a domain that is not verified.
pub const FOREIGN: &[u8] = b"count/foreign";

/// Links by which others set up the identity provider.
pub const SETUP_LINKS: &[u8] = b"setup-links";
/// The schemas and resource types that the organization declares.
pub const DECLARED: &[u8] = b"declared";

/// What is set here and not by `put-organization`.
pub const SETTINGS: &[u8] = b"settings";
/// How many entries of callers who are not known the log has of this hour.
pub const LOG_STRANGERS: &[u8] = b"log-strangers";
/// How many of them were not kept.
pub const LOG_LEFT_OUT: &[u8] = b"log-left-out";
/// Where events go.
pub const WEBHOOK: &[u8] = b"webhook";
/// The counter of accepted requests that are not done yet.
pub const ACCEPTED_COUNT: &[u8] = b"count/accepted";
/// The counter of the bytes that they take.
pub const ACCEPTED_BYTES: &[u8] = b"count/accepted-bytes";
/// The keys that sign Security Event Tokens.
pub const SIGNING_KEYS: &[u8] = b"signing-keys";
/// Recent removals.
pub const GUARD: &[u8] = b"guard";

/// Members or teams: what they have in common in the key layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A member, the SCIM User.
    User,
    /// A team, the SCIM Group.
    Team,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Team => "team",
        }
    }

    /// The document.
    pub fn document(self, id: &str) -> Key {
        format!("{}/{id}", self.prefix()).into_bytes()
    }

    /// When a membership last changed.
    pub fn touch(self, id: &str) -> Key {
        format!("{}-touch/{id}", self.prefix()).into_bytes()
    }

    /// The mark of what SCIM manages.
    pub fn listed(self, id: &str) -> Key {
        format!("{}-listed/{id}", self.prefix()).into_bytes()
    }

    /// The counter of all.
    pub fn count(self) -> Key {
        format!("count/{}s", self.prefix()).into_bytes()
    }

    /// The counter of what SCIM manages.
    pub fn count_listed(self) -> Key {
        format!("count/{}s-listed", self.prefix()).into_bytes()
    }

    /// All documents, in the order of creation.
    pub fn documents(self) -> KeyRange {
        below(format!("{}/", self.prefix()).into_bytes())
    }

    /// All that SCIM manages, in the order of creation.
    pub fn all_listed(self) -> KeyRange {
        below(format!("{}-listed/", self.prefix()).into_bytes())
    }

    /// The unique name: a member's userName, a team's displayName.
    pub fn name(self, name: &str) -> Key {
        indexed(&format!("{}-name/", self.prefix()), &fold(name))
    }

    /// The names that begin with `prefix`, which is no longer than [`INDEXED_PREFIX`].
    pub fn names_from(self, prefix: &str) -> KeyRange {
        below(format!("{}-name/{}", self.prefix(), fold(prefix)).into_bytes())
    }

    /// That this one has this `externalId`.
    pub fn external_id(self, external_id: &str, id: &str) -> Key {
        of_many(indexed(&format!("{}-external/", self.prefix()), external_id), id)
    }

    /// Those that have this `externalId`.
    pub fn external_ids(self, external_id: &str) -> KeyRange {
        many(indexed(&format!("{}-external/", self.prefix()), external_id))
    }
}

/// The member with this email address, which is unique in the organization.
pub fn member_by_email(address: &str) -> Key {
    indexed("user-email/", &fold(address))
}

/// That this member has this email address, be it the primary one or another.
pub fn member_by_any_email(address: &str, id: &str) -> Key {
    of_many(indexed("user-mail/", &fold(address)), id)
}

/// Those who have this email address.
pub fn members_by_any_email(address: &str) -> KeyRange {
    many(indexed("user-mail/", &fold(address)))
}

/// That this member has this display name.
pub fn display(name: &str, id: &str) -> Key {
    of_many(indexed("user-display/", &fold(name)), id)
}

/// Those who have this display name.
pub fn displays(name: &str) -> KeyRange {
    many(indexed("user-display/", &fold(name)))
}

/// Those whose display name begins with `prefix`, which is no longer than [`INDEXED_PREFIX`].
pub fn displays_from(prefix: &str) -> KeyRange {
    below(format!("user-display/{}", fold(prefix)).into_bytes())
}

/// That this member has this manager.
pub fn manager(manager: &str, id: &str) -> Key {
    of_many(indexed("user-manager/", manager), id)
}

/// Those who have this manager.
pub fn managed_by(manager: &str) -> KeyRange {
    many(indexed("user-manager/", manager))
}

/// The member's display name.
pub fn card(id: &str) -> Key {
    format!("user-card/{id}").into_bytes()
}

/// The hash of the member's passphrase.
pub fn passphrase(id: &str) -> Key {
    format!("user-passphrase/{id}").into_bytes()
}

/// The counter of a team's members.
pub fn team_size(team: &str) -> Key {
    format!("count/team/{team}").into_bytes()
}

/// The team's end of a membership.
pub fn team_member(team: &str, member: &str) -> Key {
    format!("team-member/{team}/{member}").into_bytes()
}

/// The member's end of a membership.
pub fn member_team(member: &str, team: &str) -> Key {
    format!("member-team/{member}/{team}").into_bytes()
}

/// A team's members.
pub fn team_members(team: &str) -> KeyRange {
    below(format!("team-member/{team}/").into_bytes())
}

/// A member's teams.
pub fn member_teams(member: &str) -> KeyRange {
    below(format!("member-team/{member}/").into_bytes())
}

/// A resource of a declared type.
pub fn resource(resource_type: &str, id: &str) -> Key {
    format!("resource/{resource_type}/{id}").into_bytes()
}

/// All resources of a declared type, in the order of creation.
pub fn resources(resource_type: &str) -> KeyRange {
    below(format!("resource/{resource_type}/").into_bytes())
}

/// An entry of the SCIM log.
///
/// What is `drawn` keeps entries apart whose requests came in the same millisecond with the same id.
pub fn log(time: u64, request_id: &str, drawn: [u8; 4]) -> Key {
    format!("log/{time:016x}{request_id}-{:08x}", u32::from_be_bytes(drawn)).into_bytes()
}

/// The entries of the SCIM log of `since <= time < until`.
pub fn logs(since: u64, until: u64) -> KeyRange {
    KeyRange { start: format!("log/{since:016x}").into_bytes(), end: format!("log/{until:016x}").into_bytes() }
}

/// Where an entry stands in the log, as text for a cursor.
pub fn log_position(key: &[u8]) -> Option<String> {
    String::from_utf8(key.strip_prefix(b"log/")?.to_vec()).ok()
}

/// Whether a text has the form of a position in the log: 16 hexadecimal digits of the time, and the rest of the key.
pub fn is_log_position(text: &str) -> bool {
    let is_time = |time: &str| time.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_rest = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    text.len() <= 100 && text.split_at_checked(16).is_some_and(|(time, rest)| is_time(time) && is_rest(rest))
}

/// The key at a position of the log.
pub fn log_at(position: &str) -> Key {
    format!("log/{position}").into_bytes()
}

/// A registered OAuth client.
pub fn oauth_client(id: &str) -> Key {
    format!("oauth-client/{id}").into_bytes()
}

/// All registered OAuth clients.
pub fn oauth_clients() -> KeyRange {
    below(b"oauth-client/".to_vec())
}

/// The key set that a client signs by.
pub fn oauth_keys(client: &str) -> Key {
    format!("oauth-keys/{client}").into_bytes()
}

/// The hashes of a client's own access tokens.
pub fn oauth_live(client: &str) -> Key {
    format!("oauth-live/{client}").into_bytes()
}

/// What was granted to a client.
pub fn oauth_grant(client: &str, id: &str) -> Key {
    format!("oauth-grant/{client}/{id}").into_bytes()
}

/// All that was granted to a client.
pub fn oauth_grants(client: &str) -> KeyRange {
    below(format!("oauth-grant/{client}/").into_bytes())
}

/// An authorization code.
pub fn oauth_code(sha256: &str) -> Key {
    format!("oauth-code/{sha256}").into_bytes()
}

/// All authorization codes.
pub fn oauth_codes() -> KeyRange {
    below(b"oauth-code/".to_vec())
}

/// An access token.
pub fn oauth_access(sha256: &str) -> Key {
    format!("oauth-access/{sha256}").into_bytes()
}

/// That this member is an active owner or co-owner.
pub fn administrator(id: &str) -> Key {
    format!("administrator/{id}").into_bytes()
}

/// All active owners and co-owners.
pub fn administrators() -> KeyRange {
    below(b"administrator/".to_vec())
}

/// The hashes of the member's reset links.
pub fn reset(id: &str) -> Key {
    format!("user-reset/{id}").into_bytes()
}

/// That the initial passphrase is mailed when the member is first activated.
pub fn welcome(id: &str) -> Key {
    format!("user-welcome/{id}").into_bytes()
}

/// An entry of the audit trail, by its position.
pub fn audit(position: &str) -> Key {
    format!("audit/{position}").into_bytes()
}

/// The entries of the audit trail from `since` on and before `until`.
pub fn audits(since: u64, until: u64) -> KeyRange {
    let at = |time: u64| format!("audit/{time:016x}").into_bytes();
    KeyRange { start: at(since), end: if until == u64::MAX { b"audit0".to_vec() } else { at(until) } }
}

/// An event, by its position.
pub fn event(position: &str) -> Key {
    format!("event/{position}").into_bytes()
}

/// The events from before `time`, or all.
pub fn events(before: Option<u64>) -> KeyRange {
    timed("event/", before)
}

/// That the event has not been delivered to the sink yet.
pub fn event_due(sink: &str, position: &str) -> Key {
    format!("event-due/{sink}/{position}").into_bytes()
}

/// The events from before `time`, or all, that have not been delivered to the sink yet.
pub fn events_due(sink: &str, before: Option<u64>) -> KeyRange {
    timed(&format!("event-due/{sink}/"), before)
}

/// Why the event could not be delivered to the webhook.
pub fn event_parked(position: &str) -> Key {
    format!("event-parked/{position}").into_bytes()
}

/// The events from before `time`, or all, that could not be delivered to the webhook.
pub fn events_parked(before: Option<u64>) -> KeyRange {
    timed("event-parked/", before)
}

/// An email to be sent not before `due`.
pub fn outbox(due: u64, id: &str) -> Key {
    format!("outbox/{due:016x}{id}").into_bytes()
}

/// The emails to be sent that are due before `time`, or all.
pub fn outboxes(before: Option<u64>) -> KeyRange {
    timed("outbox/", before)
}

/// An email that could not be sent.
pub fn outbox_parked(id: &str) -> Key {
    format!("outbox-parked/{id}").into_bytes()
}

/// All emails that could not be sent.
pub fn outboxes_parked() -> KeyRange {
    below(b"outbox-parked/".to_vec())
}

/// The emails that could not be sent and were written before `time`.
pub fn outboxes_parked_before(time: u64) -> KeyRange {
    of_ids("outbox-parked/", Some(time))
}

/// How the deliveries of a stream go.
pub fn stream(id: &str) -> Key {
    format!("stream/{id}").into_bytes()
}

/// That the stream was removed.
pub fn stream_dropped(id: &str) -> Key {
    format!("stream-dropped/{id}").into_bytes()
}

/// All streams that were removed lately.
pub fn streams_dropped() -> KeyRange {
    below(b"stream-dropped/".to_vec())
}

/// A Security Event Token before it is signed.
pub fn set(stream: &str, id: &str) -> Key {
    format!("set/{stream}/{id}").into_bytes()
}

/// The stream's tokens from before `time`, or all.
pub fn sets(stream: &str, before: Option<u64>) -> KeyRange {
    of_ids(&format!("set/{stream}/"), before)
}

/// That the token has not been delivered yet.
pub fn set_due(stream: &str, id: &str) -> Key {
    format!("set-due/{stream}/{id}").into_bytes()
}

/// The stream's tokens from before `time`, or all, that have not been delivered yet.
pub fn sets_due(stream: &str, before: Option<u64>) -> KeyRange {
    of_ids(&format!("set-due/{stream}/"), before)
}

/// Why the token could not be delivered.
pub fn set_parked(stream: &str, id: &str) -> Key {
    format!("set-parked/{stream}/{id}").into_bytes()
}

/// The tokens of all streams.
pub fn all_sets() -> KeyRange {
    below(b"set/".to_vec())
}

/// Why tokens could not be delivered, of all streams.
pub fn all_sets_parked() -> KeyRange {
    below(b"set-parked/".to_vec())
}

/// The stream's tokens from before `time`, or all, that could not be delivered.
pub fn sets_parked(stream: &str, before: Option<u64>) -> KeyRange {
    of_ids(&format!("set-parked/{stream}/"), before)
}

/// A request that was accepted to be run later.
pub fn accepted(transaction: &str) -> Key {
    format!("accepted/{transaction}").into_bytes()
}

/// All of them, those that are done too.
pub fn all_accepted() -> KeyRange {
    below(b"accepted/".to_vec())
}

/// That the accepted request is not done yet.
pub fn accepted_due(transaction: &str) -> Key {
    format!("accepted-due/{transaction}").into_bytes()
}

/// All that are not done yet, in the order in which they were accepted.
pub fn all_accepted_due() -> KeyRange {
    below(b"accepted-due/".to_vec())
}

/// An operation of an accepted request.
pub fn accepted_operation(transaction: &str, index: usize) -> Key {
    format!("accepted-operation/{transaction}/{index:04}").into_bytes()
}

/// The operations of an accepted request, in their order.
pub fn accepted_operations(transaction: &str) -> KeyRange {
    below(format!("accepted-operation/{transaction}/").into_bytes())
}

/// The operations of all accepted requests that are not done yet.
pub fn all_accepted_operations() -> KeyRange {
    below(b"accepted-operation/".to_vec())
}

/// What came of an operation of an accepted request.
pub fn accepted_outcome(transaction: &str, index: usize) -> Key {
    format!("accepted-outcome/{transaction}/{index:04}").into_bytes()
}

/// What came of the operations of an accepted request, in their order.
pub fn accepted_outcomes(transaction: &str) -> KeyRange {
    below(format!("accepted-outcome/{transaction}/").into_bytes())
}

/// What came of the operations of all accepted requests.
pub fn all_accepted_outcomes() -> KeyRange {
    below(b"accepted-outcome/".to_vec())
}

/// The keys that begin with `prefix` and go on with an id from before `time`, or with any: ids begin with the time at which
/// they were made (UUIDs of version 7).
fn of_ids(prefix: &str, before: Option<u64>) -> KeyRange {
    let mut range = below(prefix.as_bytes().to_vec());
    if let Some(time) = before {
        range.end = format!("{prefix}{:08x}-{:04x}", (time >> 16) & 0xffff_ffff, time & 0xffff).into_bytes();
    }
    range
}

/// The time at which an id was made, in milliseconds since the Unix epoch.
pub fn time_of_id(id: &str) -> Option<u64> {
    let (high, low) = (id.get(..8)?, id.get(9..13)?);
    Some(u64::from_str_radix(high, 16).ok()? << 16 | u64::from_str_radix(low, 16).ok()?)
}

/// Who delivers now.
pub fn lease(name: &str) -> Key {
    format!("lease/{name}").into_bytes()
}

/// The name of the job that deletes what is too old.
pub const RETENTION: &str = "retention";

/// How far a job has come.
pub fn job(name: &str) -> Key {
    format!("job/{name}").into_bytes()
}

/// The erasure of a person that is under way.
pub fn erasure(id: &str) -> Key {
    format!("erasure/{id}").into_bytes()
}

/// All erasures that are under way.
pub fn erasures() -> KeyRange {
    below(b"erasure/".to_vec())
}

/// A removal that waits for an owner.
pub fn held(id: &str) -> Key {
    format!("guard-held/{id}").into_bytes()
}

/// All removals that wait for an owner.
pub fn all_held() -> KeyRange {
    below(b"guard-held/".to_vec())
}

/// That whoever has this userName got no seat.
pub fn without_seat(user_name: &str) -> Key {
    format!("without-seat/{}", sha256(&fold(user_name))).into_bytes()
}

/// All who got no seat.
pub fn all_without_seat() -> KeyRange {
    below(b"without-seat/".to_vec())
}

/// The time that the key begins with behind `prefix`.
pub fn time_of(key: &[u8], prefix: &str) -> Option<u64> {
    let digits = key.strip_prefix(prefix.as_bytes())?.get(..16)?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// What the key has behind the last of its slashes.
pub fn position_of(key: &[u8]) -> Option<String> {
    let name = key.rsplit(|byte| *byte == b'/').next()?;
    String::from_utf8(name.to_vec()).ok()
}

/// Whether the text can be the position of an event or an email: 16 digits of the time, and an id.
pub fn is_position(text: &str) -> bool {
    let is_digit = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_at_checked(16).is_some_and(|(time, id)| is_digit(time) && is_id(id))
}

fn timed(prefix: &str, before: Option<u64>) -> KeyRange {
    let mut range = below(prefix.as_bytes().to_vec());
    if let Some(before) = before {
        range.end = format!("{prefix}{before:016x}").into_bytes();
    }
    range
}

/// What an id index key ends with: the part after the last separator.
///
/// Ids are 36 bytes without separators, so this holds for `…/{id}` and `…␀{id}` alike.
pub fn id_of(key: &[u8]) -> Option<String> {
    id_in(key).map(str::to_owned)
}

/// The length of an id, in bytes.
pub const ID: usize = 36;

/// As [`id_of`], where it stands.
pub fn id_in(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.get(key.len().checked_sub(ID)?..)?).ok()
}

/// Whether the text can be an id of a member or a team: nothing else ever gets into a key as one.
pub fn is_id(text: &str) -> bool {
    text.len() == ID && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// How names are compared: as filters do.
pub fn fold(text: &str) -> String {
    filter::fold(text).into_owned()
}

/// The key of a value: as it is if short, else its beginning and its hash, so that equality holds.
fn indexed(prefix: &str, value: &str) -> Key {
    let mut key = Vec::with_capacity(prefix.len() + value.len().min(INDEXED_PREFIX + 65));
    key.extend_from_slice(prefix.as_bytes());
    if value.len() <= INDEXED_PREFIX + 64 {
        key.extend_from_slice(value.as_bytes());
    } else {
        key.extend_from_slice(cut(value, INDEXED_PREFIX).as_bytes());
        key.push(b'#');
        key.extend_from_slice(sha256(value).as_bytes());
    }
    key
}

fn of_many(mut key: Key, id: &str) -> Key {
    key.push(0);
    key.extend_from_slice(id.as_bytes());
    key
}

fn many(mut key: Key) -> KeyRange {
    key.push(0);
    below(key)
}

/// All keys that begin with `prefix`, for tests that look at everything.
#[cfg(test)]
pub(crate) fn prefixed(prefix: &str) -> KeyRange {
    below(prefix.as_bytes().to_vec())
}

/// All keys that begin with `prefix`.
fn below(prefix: Key) -> KeyRange {
    // Keys are text: no byte of one is 0xff, so the prefix and 0xff is past them all.
    let mut end = prefix.clone();
    end.push(0xff);
    KeyRange { start: prefix, end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_fits_into_a_key_and_keeps_its_prefix() {
        let long = "é".repeat(2_000);
        let key = Kind::User.name(&long);
        assert!(key.len() <= 512);
        let range = Kind::User.names_from(&"é".repeat(30));
        assert!(range.start <= key && key < range.end);
        assert_ne!(key, Kind::User.name(&format!("{long}x")));
    }

    #[test]
    fn a_name_is_found_in_any_case() {
        assert_eq!(Kind::User.name("ÄLICE@Example.com"), Kind::User.name("älice@example.COM"));
    }

    #[test]
    fn the_id_is_the_end_of_an_index_key() {
        let id = "0190a6f0-0000-7000-8000-000000000001";
        assert_eq!(id_of(&member_by_any_email("a\0b@example.com", id)).as_deref(), Some(id));
        assert_eq!(id_of(&member_team(id, id)).as_deref(), Some(id));
        assert_eq!(id_of(b"short"), None);
    }

    #[test]
    fn an_id_begins_with_its_time() {
        let id = "0190a6f0-1234-7000-8000-000000000001";
        let time = time_of_id(id).unwrap();
        assert_eq!(time, 0x0190_a6f0_1234);
        let is_before = |time| sets_due("s", Some(time)).end > set_due("s", id);
        assert!(!is_before(time) && is_before(time + 1));
        assert_eq!(time_of_id("0190a6f"), None);
    }
}
