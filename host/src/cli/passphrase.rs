//! Generates passphrases for people, and reads passphrases without showing them to others.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::{Context as _, bail};

/// Letters and digits, without those that look like others.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Five groups of five characters of five bits each: 125 bits.
const GROUPS: usize = 5;

/// A new random passphrase.
pub(super) fn generate() -> anyhow::Result<String> {
    let mut random = [0; GROUPS * GROUPS];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    let character = |byte: &u8| char::from(ALPHABET[usize::from(byte % 32)]);
    let groups: Vec<String> = random.chunks(GROUPS).map(|group| group.iter().map(character).collect()).collect();
    Ok(groups.join("-"))
}

/// The passphrase that was given, or a line of standard input.
pub(super) fn given_or_asked(given: Option<String>) -> anyhow::Result<String> {
    if let Some(passphrase) = given {
        return Ok(passphrase);
    }
    let line = if std::io::stdin().is_terminal() {
        // The terminal does not show what is typed.
        rpassword::prompt_password("Passphrase: ").context("the passphrase can't be read from the terminal")?
    } else {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        read.context("the passphrase can't be read from standard input")?;
        line
    };
    let passphrase = line.trim_end_matches(['\r', '\n']);
    if passphrase.is_empty() {
        bail!("no passphrase: write it to standard input, or set INSOMNIA_SCIM_PASSPHRASE");
    }
    Ok(passphrase.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_passphrase_has_five_groups_and_never_comes_twice() {
        let (one, two) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one, two);
        assert!(one.split('-').all(|group| group.len() == 5) && one.split('-').count() == 5, "{one}");
    }
}
