//! The sentences of the SCIM log. Each is defined once, with an id that never changes.
//!
//! The texts are for people and may be improved; tests use the ids. `sentences.txt` beside this file lists all
//! sentences, so that a change of a text is visible as such. Tolerances and marks have names of their own, and their
//! texts are in the list too.

use std::fmt;

macro_rules! sentences {
    ($($name:ident $({ $($field:ident: $type:ty),+ })? = $id:literal $text:literal;)+) => {
        /// A sentence of the SCIM log.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) enum Sentence { $($name $({ $($field: $type),+ })?,)+ }

        impl fmt::Display for Sentence {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$name $({ $($field),+ })? => write!(out, $text),)+ }
            }
        }

        /// The ids and the texts, with the names of the parameters.
        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$(($id, $text),)+];
    };
}

sentences! {
    // The resource that is meant.
    AddressedById = "addressed-by-id" "addressed by id";
    MatchedBy { attribute: &'static str } = "matched" "matched by {attribute}";
    ReactivatedByPost { attribute: &'static str } = "matched-to-reactivate" "matched by {attribute}; reactivated by POST";
    MatchedNobody = "matched-nobody" "matched nobody by userName or emails";
    MatchedNoTeam = "matched-no-team" "matched no team by displayName";
    Found { total: u64, attributes: String } = "found" "found {total} by {attributes}";
    // The change.
    NothingChanged = "nothing-changed" "nothing changed";
    Changed { names: String } = "changed" "changed: {names}";
    MemberAdopted { role: &'static str } = "member-adopted" "adopted: id, role {role} and teams kept";
    TeamAdopted = "team-adopted" "adopted: id and members kept";
    PassphraseMailed = "passphrase-mailed" "the initial passphrase is mailed";
    MembersAdded { count: usize } = "members-added" "members added: {count}";
    MembersRemoved { count: usize } = "members-removed" "members removed: {count}";
    MembersLeftOut { count: usize, ids: String } = "members-left-out" "unknown members left out: {count} ({ids})";
    NoMemberRemoved = "no-member-removed" "no member was removed";
    BulkDone { count: usize } = "bulk-done" "bulk request with {count} operations done";
    // Work that is done later.
    Accepted { transaction: String } = "accepted" "accepted: it is run later, as the transaction {transaction}";
    NotAccepted = "not-accepted" "done at once and not later: too many accepted requests wait, or the request is too large to wait";
    RunLater { transaction: String, count: usize } = "run-later" "the accepted transaction {transaction} with {count} operations is done";
    // The effect on the seat.
    SeatTaken { number: u64, seats: u32 } = "seat-taken" "seat {number} of {seats}";
    SeatOverage { number: u64, seats: u32 } = "seat-overage" "seat {number} of {seats}: overage";
    SeatFreed { taken: u64, seats: u32 } = "seat-freed" "seat freed: {taken} of {seats} are taken";
    SeatKept = "seat-kept" "seat kept";
    NoSeatTaken = "no-seat-taken" "inactive: no seat taken";
    NoSeatFreed = "no-seat-freed" "inactive: no seat freed";
    // The rule that has refused.
    Taken { attribute: &'static str, id: String } = "taken" "uniqueness: {attribute} belongs to {id}";
    NoSeatFree { seats: u32 } = "no-seat-free" "no seat free: all {seats} are taken";
    LastOwner = "last-owner" "last active owner: stays active and owner";
    ForeignDomain { domain: String } = "foreign-domain" "domain rule: '{domain}' is not a verified domain";
    NoAddress = "no-address" "no email address, which an option requires";
    Held = "held" "held by the mass-deprovisioning guard until an owner decides";
    RemovalRefused = "removal-refused" "an owner has refused this removal";
    UnknownMembers { count: usize } = "unknown-members" "unknown members: {count}";
    NobodyKnown { count: usize } = "nobody-known" "none of the {count} members of the replacement is known";
    NestedTeam = "nested-team" "teams hold members only, no teams";
    OtherVersion = "other-version" "the resource has another version than If-Match or If-None-Match asks for";
    // The credential of the caller, valid or not.
    Token { generation: u32 } = "caller-token" "caller: bearer token {generation}";
    NextToken { generation: u32 } = "caller-next-token" "caller: new bearer token {generation}, which is being installed";
    PreviousToken { generation: u32 } =
        "caller-previous-token" "caller: previous bearer token {generation}, during the overlap";
    TokenExpired { generation: u32 } = "caller-token-expired" "caller: bearer token {generation}, expired";
    TokenReplaced { generation: u32 } =
        "caller-token-replaced" "caller: bearer token {generation}, replaced by a newer one";
    TokenDisabled { generation: u32 } =
        "caller-token-disabled" "caller: bearer token {generation}, while SCIM is disabled";
    AccessToken { client: String } = "caller-access-token" "caller: access token of the OAuth client {client}";
    AccessTokenExpired { client: String } =
        "caller-access-token-expired" "caller: access token of the OAuth client {client}, expired";
    AccessTokenDisabled { client: String } =
        "caller-access-token-disabled" "caller: access token of the OAuth client {client}, while SCIM is disabled";
    // Callers who are not authenticated or send too many requests.
    StrangersLeftOut { count: u64 } = "strangers-left-out" "{count} earlier requests of unknown callers have no entry in the log";
    // An entry that a crash has left incomplete.
    Unanswered = "unanswered" "the server stopped before it could log its answer; the request may be done in part or as a whole";
    OverQuota { count: u64 } = "over-quota" "{count} earlier requests, which have no entry in the log, were refused because a quota was used up";
}

impl From<Sentence> for String {
    fn from(sentence: Sentence) -> Self {
        sentence.to_string()
    }
}

/// The id of the sentence that a line of the log consists of, with its values; `None` if the line is no sentence.
#[cfg(test)]
pub(crate) fn told(line: &str) -> Option<String> {
    let filled = |text: &str| {
        let (mut rest, mut values) = (line, Vec::new());
        let (first, placeholders) = text.split_once('{').map_or((text, ""), |(first, behind)| (first, behind));
        rest = rest.strip_prefix(first)?;
        for placeholder in placeholders.split('{').filter(|placeholder| !placeholder.is_empty()) {
            let behind = placeholder.split_once('}')?.1;
            let end = if behind.is_empty() { rest.len() } else { rest.find(behind)? };
            values.push(rest[..end].to_owned());
            rest = &rest[end + behind.len()..];
        }
        rest.is_empty().then_some(values)
    };
    // If two sentences match, as for `seat 1 of 2: overage`, the one with the longer text is right.
    let (id, _, values) = ALL
        .iter()
        .filter_map(|(id, text)| Some((*id, text.len(), filled(text)?)))
        .max_by_key(|(_, length, _)| *length)?;
    Some([vec![id.to_owned()], values].concat().join(" "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use insomnia_scim_contract::Mark;

    use super::*;
    use crate::protocol::tolerance::Tolerances;

    /// `INSOMNIA_SCIM_REDRAW=1` writes the list again.
    #[test]
    fn the_list_of_all_sentences_is_the_one_that_was_looked_at() {
        let mut list: Vec<String> = ALL.iter().map(|(id, text)| format!("{id}: {text}")).collect();
        list.extend(Tolerances::all().lines());
        list.extend([Mark::ForeignDomain("{domain}".into()), Mark::NoAddress].map(|mark| mark.to_string()));
        let list = list.join("\n") + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sentences.txt");
        if std::env::var_os("INSOMNIA_SCIM_REDRAW").is_some() {
            std::fs::write(&path, &list).unwrap();
        }
        assert_eq!(
            list,
            std::fs::read_to_string(path).unwrap(),
            "write it anew with INSOMNIA_SCIM_REDRAW=1, and look at it"
        );
    }

    #[test]
    fn every_sentence_has_an_id_of_its_own_and_is_told_from_the_others() {
        let ids: BTreeSet<&str> = ALL.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids.len(), ALL.len());
        assert_eq!(told("seat 3 of 2: overage").as_deref(), Some("seat-overage 3 2"));
        assert_eq!(told("seat 3 of 10").as_deref(), Some("seat-taken 3 10"));
        assert_eq!(told("found 2 by userName, active").as_deref(), Some("found 2 userName, active"));
        assert_eq!(told("something else"), None);
        let line = Sentence::MembersLeftOut { count: 2, ids: "a, b".into() }.to_string();
        assert_eq!(told(&line).as_deref(), Some("members-left-out 2 a, b"));
    }
}
