#![doc = include_str!("rules.md")]

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    /// The directories in which codes are used.
    const SOURCES: [&str; 6] = ["guest/src", "guest/tests", "guest/fuzz/src", "host/src", "tests/tests", "wit"];

    struct Rule {
        decided_in: String,
        shown_in: String,
    }

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
    }

    fn rules() -> BTreeMap<String, Rule> {
        let rows =
            include_str!("rules.md").lines().filter(|line| line.starts_with("| ") && !line.starts_with("| code"));
        let mut rules = BTreeMap::new();
        for row in rows {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            let file = |from_end: usize| cells[cells.len() - from_end].trim_matches('`').to_owned();
            let rule = Rule { decided_in: file(2), shown_in: file(1) };
            assert!(rules.insert(cells[0].to_owned(), rule).is_none(), "{} stands there twice", cells[0]);
        }
        rules
    }

    /// The text of all sources by their paths.
    fn sources() -> BTreeMap<String, String> {
        let (mut texts, mut folders) = (BTreeMap::new(), SOURCES.map(|folder| root().join(folder)).to_vec());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let is_source = path.extension().is_some_and(|extension| extension == "rs" || extension == "wit");
                if path.is_dir() {
                    folders.push(path);
                } else if is_source {
                    let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                    texts.insert(name, std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        texts
    }

    fn number(digits: &str, most: usize) -> Option<usize> {
        let is_number = (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| is_number)
    }

    /// The codes that the name of a function begins with: `r66_t8_urns` has two.
    fn codes_of_name(name: &str) -> Vec<String> {
        let mut codes = Vec::new();
        let mut rest = name.strip_prefix("rfc_").map_or_else(|| name.to_owned(), |rest| format!("r{rest}"));
        while let Some((first, behind)) = rest.split_once('_') {
            let Some((letter, digits)) = first.split_at_checked(1) else { break };
            let most = if letter == "r" { 3 } else { 2 };
            match (letter, number(digits, most)) {
                ("r" | "t" | "p", Some(number)) => codes.push(format!("{}{number}", letter.to_uppercase())),
                _ => break,
            }
            rest = behind.to_owned();
        }
        codes
    }

    /// The codes in comments, such as `rule P4` and `(T9)`.
    fn codes_in_text(text: &str) -> Vec<String> {
        let words = text.split(|end: char| !end.is_alphanumeric() && end != '_');
        let is_code = |word: &&str| {
            let digits = word.strip_prefix(['P', 'T']);
            digits.is_some_and(|digits| number(digits, 2).is_some_and(|number| number > 0))
        };
        words.filter(is_code).map(str::to_owned).collect()
    }

    fn names(text: &str) -> impl Iterator<Item = &str> {
        let name = |rest: &'_ str| rest.find(|end: char| !end.is_alphanumeric() && end != '_');
        text.split("fn ").skip(1).map(move |rest| name(rest).map_or(rest, |end| rest.split_at(end).0))
    }

    #[test]
    fn every_code_that_the_sources_use_stands_in_the_table_of_rules() {
        let rules = rules();
        for (path, text) in sources() {
            let used = codes_in_text(&text).into_iter().chain(names(&text).flat_map(codes_of_name));
            for code in used.filter(|_| path != "guest/src/rules.rs") {
                assert!(rules.contains_key(&code), "{path} uses {code}, which guest/src/rules.md does not have");
            }
        }
    }

    #[test]
    fn every_rule_of_the_table_has_a_file_and_a_test() {
        let sources = sources();
        for (code, rule) in rules() {
            assert!(root().join(&rule.decided_in).is_file(), "{code}: there is no {}", rule.decided_in);
            let text = sources.get(&rule.shown_in).unwrap_or_else(|| panic!("{code}: there is no {}", rule.shown_in));
            let is_shown = names(text).any(|name| codes_of_name(name).contains(&code));
            assert!(is_shown, "{code}: no test of it is in {}", rule.shown_in);
        }
    }

    #[test]
    fn a_code_is_told_from_what_only_looks_like_one() {
        assert_eq!(codes_of_name("r107_r112_required_attributes_stay"), ["R107", "R112"]);
        assert_eq!(codes_of_name("rfc_028_user_name_keeps_its_case"), ["R28"]);
        assert_eq!(codes_of_name("p4_the_last_active_owner"), ["P4"]);
        assert!(codes_of_name("rfc_7644_3_1_the_media_type").is_empty());
        assert!(codes_of_name("rfc6749_4_1_codes").is_empty() && codes_of_name("to_text").is_empty());
        assert_eq!(codes_in_text("(rules P3 and P4), T9; 01T00:00 TLS1 P256"), ["P3", "P4", "T9"]);
    }
}
