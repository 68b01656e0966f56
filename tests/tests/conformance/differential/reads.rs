//! Requests that read: by id, by filter, sorted, and page by page; and some that only seem to change something.

use serde_json::{Value, json};

use super::sequence::{ENTERPRISE, Kind, Sequence, Step, USER, patch};

impl Sequence {
    fn projection(&mut self) -> String {
        const NAMES: [&str; 10] = [
            "userName",
            "emails",
            "emails.value",
            "name.familyName",
            "meta",
            "displayName",
            "members",
            "groups",
            "active",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        ];
        let names = [self.dice.pick(&NAMES), self.dice.pick(&NAMES)].join(",");
        match self.dice.below(3) {
            0 => format!("attributes={names}"),
            1 => format!("excludedAttributes={names}"),
            _ => String::new(),
        }
    }

    pub(super) fn read(&mut self) -> Step {
        let projection = self.projection();
        if self.dice.chance(40)
            && let Some((number, _)) = self.group()
        {
            let path = format!("/Groups/{}?{projection}", Kind::Group.name(number));
            return self.step("read a group", "GET", &path, None);
        }
        let Some((number, _)) = self.user() else { return self.create_user() };
        self.step("read a user", "GET", &format!("/Users/{}?{projection}", Kind::User.name(number)), None)
    }

    pub(super) fn read_dead(&mut self) -> Step {
        let count = self.users.dead.len();
        let id = if count > 0 { Kind::User.name(self.users.dead[self.dice.below(count)]) } else { "nobody".to_owned() };
        let (method, body) = match self.dice.below(4) {
            0 => ("DELETE", None),
            1 => ("PUT", Some(Self::with_schemas(json!({"userName": "nobody"})))),
            2 => ("PATCH", Some(patch(vec![json!({"op": "replace", "path": "title", "value": "x"})]))),
            _ => ("GET", None),
        };
        self.step("refused: a user who is not there", method, &format!("/Users/{id}"), body)
    }

    pub(super) fn conditional(&mut self) -> Step {
        let Some((number, user)) = self.user() else { return self.create_user() };
        let path = format!("/Users/{}", Kind::User.name(number));
        let stale = ("If-Match", "W/\"no-such-version\"");
        match self.dice.below(4) {
            0 => self.step("refused: an old version", "DELETE", &path, None).under(stale),
            1 => {
                let body = Self::with_schemas(json!({"userName": user["userName"]}));
                self.step("refused: an old version", "PUT", &path, Some(body)).under(stale)
            }
            2 => {
                let header = ("If-None-Match", "W/\"no-such-version\"");
                self.step("read what may be new", "GET", &path, None).under(header)
            }
            _ => {
                let header = ("If-None-Match", "*");
                self.step("refused: read what is known", "GET", &path, None).under(header)
            }
        }
    }

    fn term(&mut self) -> String {
        let (number, user) = self.user().unwrap_or((0, json!({"userName": "nobody"})));
        let text = |value: &Value| value.as_str().unwrap_or("nobody").to_owned();
        let name = text(&user["userName"]);
        let email = text(&user["emails"][0]["value"]);
        let word = self.dice.word();
        match self.dice.below(22) {
            0 => format!("userName eq \"{}\"", name.to_uppercase()),
            1 => format!("userName sw \"{}\"", name.chars().take(3).collect::<String>()),
            2 => format!("displayName eq \"{word}\""),
            3 => format!("title co \"{}\"", word.chars().take(2).collect::<String>()),
            4 => "title pr".to_owned(),
            5 => format!("active eq {}", self.dice.chance(50)),
            6 => format!("emails.value eq \"{email}\""),
            7 => "emails[type eq \"work\" and value co \"example.com\"]".to_owned(),
            8 => "emails[type eq \"home\" and primary eq true]".to_owned(),
            9 => format!("name.familyName ew \"{}\"", word.chars().last().unwrap_or('x')),
            10 => format!("externalId eq \"{word}\""),
            11 => "meta.created gt \"2020-01-01T00:00:00Z\"".to_owned(),
            12 => "meta.lastModified lt \"2020-01-01T00:00:00+02:00\"".to_owned(),
            13 => format!("id eq \"{}\"", Kind::User.name(number)),
            14 => format!("schemas eq \"{ENTERPRISE}\""),
            15 => format!("{ENTERPRISE}:department eq \"{word}\""),
            16 => format!("{USER}:nickName ge \"m\""),
            17 => "addresses.country eq \"us\"".to_owned(),
            18 => "roles.value eq \"reader\"".to_owned(),
            19 => "locale ne \"x\"".to_owned(),
            20 => "not (userType pr)".to_owned(),
            _ => "meta.resourceType eq \"User\"".to_owned(),
        }
    }

    pub(super) fn filter(&mut self) -> Step {
        let filter = match self.dice.below(5) {
            0 => format!("{} and {}", self.term(), self.term()),
            1 => format!("{} or {} and {}", self.term(), self.term(), self.term()),
            2 => format!("not ({} or {})", self.term(), self.term()),
            _ => self.term(),
        };
        if self.dice.chance(25) {
            let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter,
                "attributes": ["userName", "emails"], "count": 100});
            return self.step("search by POST", "POST", "/Users/.search", Some(body));
        }
        let query = format!("filter={}&count=100&{}", encode(&filter), self.projection());
        self.step("filter users", "GET", &format!("/Users?{query}"), None)
    }

    pub(super) fn filter_groups(&mut self) -> Step {
        let (user, _) = self.user().unwrap_or_default();
        let (_, group) = self.group().unwrap_or_default();
        let name = group["displayName"].as_str().unwrap_or("nothing").to_owned();
        let filter = match self.dice.below(5) {
            0 => format!("displayName eq \"{}\"", name.to_lowercase()),
            1 => format!("displayName sw \"{}\"", name.chars().take(2).collect::<String>()),
            2 => format!("members.value eq \"{}\"", Kind::User.name(user)),
            3 => format!("members[value eq \"{}\"] and displayName pr", Kind::User.name(user)),
            _ => "displayName pr and not (externalId pr)".to_owned(),
        };
        let path = format!("/Groups?filter={}&count=100", encode(&filter));
        self.step("filter groups", "GET", &path, None)
    }

    pub(super) fn search_all(&mut self) -> Step {
        let filter = match self.dice.below(3) {
            0 => format!("displayName co \"{}\"", self.dice.word()),
            1 => "meta.resourceType eq \"Group\"".to_owned(),
            _ => format!("displayName pr and externalId eq \"{}\"", self.dice.word()),
        };
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter,
            "excludedAttributes": ["meta"], "count": 200});
        self.step("search everything", "POST", "/.search", Some(body))
    }

    pub(super) fn page(&mut self) -> Step {
        let order = self.dice.pick(&["ascending", "descending"]);
        if self.dice.chance(50) {
            let by = self.dice.pick(&["displayName", "name.familyName", "title"]);
            let path = format!("/Users?sortBy={by}&sortOrder={order}&count=200");
            return self.step("sort users", "GET", &path, None).sorted(by);
        }
        let (start, count) = (self.dice.below(8), self.dice.below(6));
        let path = format!("/Users?sortBy=userName&sortOrder={order}&startIndex={start}&count={count}");
        self.step("page through users", "GET", &path, None).sorted("userName")
    }

    pub(super) fn filter_wrong(&mut self) -> Step {
        const FILTERS: [&str; 8] = [
            "userName",
            "userName eq",
            "userName zz \"a\"",
            "(userName pr",
            "userName eq \"a\" and",
            "userName eq \"a",
            "emails[type eq \"work\"",
            "active gt true",
        ];
        let path = format!("/Users?filter={}", encode(self.dice.pick(&FILTERS)));
        self.step("refused: a filter that is wrong", "GET", &path, None)
    }
}

/// Names in braces stay: they stand for ids.
fn encode(text: &str) -> String {
    insomnia_scim_tests::client::encode(text).replace("%7B", "{").replace("%7D", "}")
}
