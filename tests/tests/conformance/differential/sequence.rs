//! Requests that RFC 7644 clearly allows or clearly refuses. They are made from a seed and from the resources that
//! exist at that time.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::dice::Dice;

pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Group,
}

impl Kind {
    /// What stands for the id of one of this type in requests.
    pub(super) fn name(self, number: usize) -> String {
        format!("{{{self:?}.{number}}}")
    }
}

/// A request with names in the place of ids.
pub(super) struct Step {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    pub(super) header: Option<(&'static str, &'static str)>,
    /// What a list is sorted by.
    pub(super) sorted_by: Option<&'static str>,
    label: &'static str,
    effect: Effect,
    kind: Kind,
}

impl Step {
    /// The name of what the request deletes.
    pub(super) fn deletes(&self) -> Option<String> {
        match self.effect {
            Effect::Deletes(number) => Some(self.kind.name(number)),
            _ => None,
        }
    }

    /// The type that the request is about.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {} {}", self.label, self.method, self.path)?;
        self.body.as_ref().map_or(Ok(()), |body| write!(out, " {body}"))
    }
}

/// What a request does if it succeeds.
#[derive(Clone)]
enum Effect {
    None,
    /// What was sent: userName, addresses and the like are looked for later.
    Creates(Value),
    Deletes(usize),
}

/// What is there of one type.
#[derive(Default)]
pub(super) struct Population {
    /// How many there ever were.
    created: usize,
    living: Vec<(usize, Value)>,
    pub(super) dead: Vec<usize>,
}

/// Makes requests.
pub(super) struct Sequence {
    pub(super) dice: Dice,
    pub(super) users: Population,
    groups: Population,
    fresh: usize,
    /// How many of each kind of request were made, and how many succeeded.
    made: BTreeMap<&'static str, (usize, usize)>,
}

impl Sequence {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            users: Population::default(),
            groups: Population::default(),
            fresh: 0,
            made: BTreeMap::new(),
        }
    }

    /// The next request.
    pub(super) fn next(&mut self) -> Step {
        match self.dice.below(42) {
            0..=6 => self.create_user(),
            7 => self.create_again(),
            8 => self.create_wrong(),
            9..=10 => self.create_group(),
            11..=12 => self.read(),
            13 => self.read_dead(),
            14..=15 => self.put_user(),
            16..=22 => self.patch_user(),
            23 => self.patch_wrong(),
            24 => self.put_group(),
            25..=28 => self.patch_group(),
            29 => self.delete(),
            30..=34 => self.filter(),
            35..=36 => self.page(),
            37 => self.filter_wrong(),
            38 => self.conditional(),
            39 => self.search_all(),
            _ => self.filter_groups(),
        }
    }

    /// Takes note of how a request ended.
    pub(super) fn settle(&mut self, step: &Step, status: u16) {
        let is_success = status < 300;
        let (made, succeeded) = self.made.entry(step.label).or_default();
        *made += 1;
        *succeeded += usize::from(is_success);
        if !is_success {
            return;
        }
        let population = match step.kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        };
        match &step.effect {
            Effect::None => {}
            Effect::Creates(sent) => {
                population.living.push((population.created, sent.clone()));
                population.created += 1;
            }
            Effect::Deletes(number) => {
                population.living.retain(|(living, _)| living != number);
                population.dead.push(*number);
            }
        }
    }

    /// Whether every kind of request was made, and succeeded where it should.
    pub(super) fn is_varied(&self) -> bool {
        self.made.len() >= 14
            && self.made.iter().all(|(label, (_, succeeded))| label.starts_with("refused") == (*succeeded == 0))
    }

    fn fresh(&mut self, word: &str) -> String {
        self.fresh += 1;
        format!("{word}{}", self.fresh)
    }

    pub(super) fn user(&mut self) -> Option<(usize, Value)> {
        let count = self.users.living.len();
        (count > 0).then(|| self.users.living[self.dice.below(count)].clone())
    }

    pub(super) fn group(&mut self) -> Option<(usize, Value)> {
        let count = self.groups.living.len();
        (count > 0).then(|| self.groups.living[self.dice.below(count)].clone())
    }

    fn emails(&mut self) -> Value {
        let count = self.dice.below(3);
        let kinds = ["work", "home", "other"];
        let primary = self.dice.below(4);
        let email = |at: usize| {
            let word = self.dice.word().replace([' ', '\''], "");
            let mut email = json!({"value": self.fresh(&word) + "@example.com", "type": kinds[at]});
            if at == primary {
                email["primary"] = true.into();
            }
            email
        };
        (0..count).map(email).collect()
    }

    /// A user's attributes, without `schemas`.
    fn attributes(&mut self) -> Value {
        let name = self.dice.word();
        let mut user = json!({"userName": self.fresh(name)});
        for attribute in ["displayName", "title", "nickName", "userType", "locale", "externalId"] {
            if self.dice.chance(40) {
                user[attribute] = self.dice.word().into();
            }
        }
        if self.dice.chance(50) {
            user["name"] = json!({"familyName": self.dice.word(), "givenName": self.dice.word()});
        }
        if self.dice.chance(60) {
            let emails = self.emails();
            if emails.as_array().is_some_and(|emails| !emails.is_empty()) {
                user["emails"] = emails;
            }
        }
        user["active"] = self.dice.chance(80).into();
        if self.dice.chance(30) {
            user["roles"] = json!([{"value": self.dice.word(), "type": "x"}, {"value": "reader", "primary": true}]);
        }
        if self.dice.chance(30) {
            user["addresses"] = json!([{"type": "work", "locality": self.dice.word(), "country": "US"}]);
        }
        if self.dice.chance(40) {
            user[ENTERPRISE] = json!({"department": self.dice.word(), "employeeNumber": self.dice.word()});
        }
        user
    }

    pub(super) fn with_schemas(mut user: Value) -> Value {
        let mut schemas = vec![USER];
        if user.get(ENTERPRISE).is_some() {
            schemas.push(ENTERPRISE);
        }
        user["schemas"] = json!(schemas);
        user
    }

    pub(super) fn create_user(&mut self) -> Step {
        let user = Self::with_schemas(self.attributes());
        self.step("create a user", "POST", "/Users", Some(user.clone())).creating(user)
    }

    fn create_again(&mut self) -> Step {
        let Some((_, user)) = self.user() else { return self.create_user() };
        let name = user["userName"].as_str().unwrap_or_default().to_uppercase();
        let user = Self::with_schemas(json!({"userName": name}));
        self.step("refused: a userName that is taken", "POST", "/Users", Some(user))
    }

    fn create_wrong(&mut self) -> Step {
        let user = match self.dice.below(4) {
            0 => json!({"displayName": "without a userName"}),
            1 => json!({"userName": "wrong", "name": "not an object"}),
            2 => json!({"userName": "wrong", "emails": [{"value": {"not": "a string"}}]}),
            _ => json!({"userName": {"not": "a string"}}),
        };
        self.step("refused: a user with a wrong type", "POST", "/Users", Some(Self::with_schemas(user)))
    }

    fn members(&mut self) -> Value {
        let count = self.dice.below(4);
        let living: Vec<usize> = self.users.living.iter().map(|(number, _)| *number).collect();
        let mut chosen: Vec<usize> =
            (0..count.min(living.len())).map(|_| living[self.dice.below(living.len())]).collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen.into_iter().map(|number| json!({"value": Kind::User.name(number)})).collect()
    }

    fn group_body(&mut self) -> Value {
        let word = self.dice.word();
        let mut group = json!({"schemas": [GROUP], "displayName": self.fresh(word)});
        if self.dice.chance(70) {
            group["members"] = self.members();
        }
        if self.dice.chance(30) {
            group["externalId"] = self.dice.word().into();
        }
        group
    }

    fn create_group(&mut self) -> Step {
        let group = self.group_body();
        self.step("create a group", "POST", "/Groups", Some(group.clone())).about(Kind::Group).creating(group)
    }

    fn put_user(&mut self) -> Step {
        let Some((number, user)) = self.user() else { return self.create_user() };
        let mut body = Self::with_schemas(self.attributes());
        body["userName"] = user["userName"].clone();
        self.step("replace a user", "PUT", &format!("/Users/{}", Kind::User.name(number)), Some(body))
    }

    fn patch_user(&mut self) -> Step {
        let Some((number, _)) = self.user() else { return self.create_user() };
        let count = 1 + self.dice.below(3);
        let operations =
            if self.dice.chance(20) { self.by_filter() } else { (0..count).map(|_| self.operation()).collect() };
        self.step("patch a user", "PATCH", &format!("/Users/{}", Kind::User.name(number)), Some(patch(operations)))
    }

    fn operation(&mut self) -> Value {
        let op = self.dice.pick(&["add", "replace"]);
        match self.dice.below(12) {
            0 => json!({"op": op, "path": "title", "value": self.dice.word()}),
            1 => json!({"op": op, "path": "name.familyName", "value": self.dice.word()}),
            2 => json!({"op": op, "path": "name", "value": {"givenName": self.dice.word()}}),
            3 => json!({"op": op, "path": "active", "value": self.dice.chance(50)}),
            4 => json!({"op": op, "value": {"nickName": self.dice.word(), "displayName": self.dice.word()}}),
            5 => json!({"op": op, "path": format!("{ENTERPRISE}:department"), "value": self.dice.word()}),
            6 => json!({"op": op, "path": format!("{USER}:userType"), "value": self.dice.word()}),
            7 => json!({"op": "add", "path": "emails", "value": self.emails()}),
            8 => json!({"op": "replace", "path": "emails", "value": self.emails()}),
            9 => json!({"op": op, "path": "addresses", "value": [{"type": "home", "locality": self.dice.word()}]}),
            10 => json!({"op": op, "path": "externalId", "value": self.dice.word()}),
            _ => {
                let path = self.dice.pick(&["title", "nickName", "emails", "roles", "addresses", "name.givenName"]);
                json!({"op": "remove", "path": path})
            }
        }
    }

    /// Operations on elements, after one that makes the elements.
    fn by_filter(&mut self) -> Vec<Value> {
        let all = json!([{"type": "work", "value": self.fresh("w") + "@example.com", "primary": true},
            {"type": "home", "value": self.fresh("h") + "@example.com"}]);
        let then = match self.dice.below(6) {
            0 => {
                json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": self.fresh("n") + "@example.com"})
            }
            1 => json!({"op": "add", "path": "emails[type eq \"home\"].display", "value": self.dice.word()}),
            2 => json!({"op": "remove", "path": "emails[type eq \"home\"]"}),
            3 => json!({"op": "remove", "path": "emails[value ew \"example.com\" and primary eq true].type"}),
            4 => json!({"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}),
            _ => json!({"op": "remove", "path": "emails[not (type eq \"work\")]"}),
        };
        vec![json!({"op": "replace", "path": "emails", "value": all}), then]
    }

    fn patch_wrong(&mut self) -> Step {
        let Some((number, _)) = self.user() else { return self.create_user() };
        let operation = match self.dice.below(6) {
            0 => json!({"op": "replace", "path": "active", "value": "perhaps"}),
            1 => json!({"op": "replace", "path": "name", "value": "not an object"}),
            2 => json!({"op": "remove"}),
            3 => json!({"op": "replace", "path": "emails[type eq", "value": "x"}),
            4 => json!({"op": "replace", "path": "id", "value": "x"}),
            _ => json!({"op": "remove", "path": "userName"}),
        };
        let operations = vec![json!({"op": "replace", "path": "title", "value": "never seen"}), operation];
        let path = format!("/Users/{}", Kind::User.name(number));
        self.step("refused: a patch that is wrong", "PATCH", &path, Some(patch(operations)))
    }

    fn put_group(&mut self) -> Step {
        let Some((number, _)) = self.group() else { return self.create_group() };
        let group = self.group_body();
        self.step("replace a group", "PUT", &format!("/Groups/{}", Kind::Group.name(number)), Some(group))
    }

    fn patch_group(&mut self) -> Step {
        let Some((number, _)) = self.group() else { return self.create_group() };
        if self.dice.chance(25)
            && let Some((user, _)) = self.user()
        {
            let user = Kind::User.name(user);
            let operations = vec![
                json!({"op": "add", "path": "members", "value": [{"value": user}]}),
                json!({"op": "remove", "path": format!("members[value eq \"{user}\"]")}),
            ];
            let path = format!("/Groups/{}", Kind::Group.name(number));
            return self.step("patch a group", "PATCH", &path, Some(patch(operations)));
        }
        let operation = match self.dice.below(5) {
            0..=1 => json!({"op": "add", "path": "members", "value": self.members()}),
            2 => json!({"op": "replace", "path": "members", "value": self.members()}),
            3 => {
                let word = self.dice.word();
                json!({"op": "replace", "path": "displayName", "value": self.fresh(word)})
            }
            _ => json!({"op": "remove", "path": "members"}),
        };
        let path = format!("/Groups/{}", Kind::Group.name(number));
        self.step("patch a group", "PATCH", &path, Some(patch(vec![operation])))
    }

    fn delete(&mut self) -> Step {
        if self.dice.chance(40)
            && let Some((number, _)) = self.group()
        {
            let path = format!("/Groups/{}", Kind::Group.name(number));
            return self.step("delete a group", "DELETE", &path, None).about(Kind::Group).deleting(number);
        }
        let Some((number, _)) = self.user() else { return self.create_user() };
        self.step("delete a user", "DELETE", &format!("/Users/{}", Kind::User.name(number)), None).deleting(number)
    }

    pub(super) fn step(&mut self, label: &'static str, method: &'static str, path: &str, body: Option<Value>) -> Step {
        let path = path.trim_end_matches('?').to_owned();
        Step { method, path, body, header: None, sorted_by: None, label, effect: Effect::None, kind: Kind::User }
    }
}

impl Step {
    fn about(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    pub(super) fn under(mut self, header: (&'static str, &'static str)) -> Self {
        self.header = Some(header);
        self
    }

    fn creating(mut self, sent: Value) -> Self {
        self.effect = Effect::Creates(sent);
        self
    }

    fn deleting(mut self, number: usize) -> Self {
        self.effect = Effect::Deletes(number);
        self
    }

    pub(super) fn sorted(mut self, by: &'static str) -> Self {
        self.sorted_by = Some(by);
        self
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (label, (made, succeeded)) in &self.made {
            writeln!(out, "{label}: {made} made, {succeeded} succeeded")?;
        }
        Ok(())
    }
}

pub(super) fn patch(operations: Vec<Value>) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}
