//! The backend's second factor: codes of an authenticator app (RFC 6238). The SCIM page asks for a code before most actions
//! whose effect outlives the session, such as another token, a set-up link or an API key, however the page was opened.
//!
//! The codes are computed with SHA-256, as the parameter `algorithm` of the URL says. The app must support this parameter.
//! Several popular apps ignore it, compute SHA-1, and show codes that are wrong here.

use async_trait::async_trait;
use axum::http::request::Parts;
use hmac::{Hmac, KeyInit as _, Mac as _};
use insomnia_scim::OrganizationId;
use insomnia_scim::page::{Session, SessionError, StepUp, StepUpQuestion, StepUpVerdict};
use sha2::Sha256;

use crate::database::Database;
use crate::sessions::now;

/// How long a code is valid, in seconds.
const STEP: u64 = 30;
/// The alphabet of secrets (RFC 4648 §6).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(crate) struct SecondFactor {
    database: Database,
}

impl SecondFactor {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl StepUp for SecondFactor {
    async fn question(
        &self,
        _: &OrganizationId,
        _: &Session,
        _: &Parts,
        _: &str,
    ) -> Result<StepUpQuestion, SessionError> {
        let hint = Some("Your authenticator app shows it.".into());
        Ok(StepUpQuestion::Field { label: "Code".into(), hint, is_code: true })
    }

    async fn verify(
        &self,
        organization: &OrganizationId,
        session: &Session,
        _: &Parts,
        typed: &str,
    ) -> Result<StepUpVerdict, SessionError> {
        let (organization, account) = (organization.as_str(), session.actor.as_str());
        let failed = |error: rusqlite::Error| SessionError(error.to_string());
        let secret = self.database.second_factor(organization, account).map_err(failed)?;
        let Some(secret) = secret else {
            return Ok(StepUpVerdict::Refused("You have no authenticator app yet.".into()));
        };
        // The code before is accepted too, because clocks differ and people need time.
        let step = now() / STEP;
        for step in [step, step.saturating_sub(1)] {
            // Each code is valid only once, so a code that somebody else has seen is useless.
            if code(&secret, step).as_deref() == Some(typed.trim())
                && self.database.use_code(organization, account, step).map_err(failed)?
            {
                return Ok(StepUpVerdict::Verified);
            }
        }
        Ok(StepUpVerdict::Refused("The code is wrong, or was used before.".into()))
    }
}

/// Gives the account a second factor unless it has one. Returns the secret for its authenticator app, at each start until a
/// code has been used: a start may be killed before it has printed the secret, or before anybody has read it.
pub(crate) fn enrol(
    database: &Database,
    organization: &str,
    account: &str,
    name: &str,
) -> Result<Option<String>, Box<dyn std::error::Error>> {
    let mut secret = [0_u8; 20];
    getrandom::fill(&mut secret).map_err(|error| error.to_string())?;
    let unused = database.enrol(organization, account, &secret)?;
    let url =
        |secret: Vec<u8>| format!("otpauth://totp/{organization}:{name}?algorithm=SHA256&secret={}", base32(&secret));
    Ok(unused.map(url))
}

/// The six digits of this time step.
fn code(secret: &[u8], step: u64) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest.last()? & 0x0f);
    let part: [u8; 4] = digest.get(offset..offset + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(part) & 0x7fff_ffff) % 1_000_000))
}

fn base32(bytes: &[u8]) -> String {
    let bits = |place: usize| bytes.get(place / 8).map_or(0, |byte| byte >> (7 - place % 8) & 1);
    let letter = |from: usize| (from..from + 5).fold(0, |number, place| number << 1 | bits(place));
    let letters = (0..bytes.len() * 8).step_by(5).filter_map(|from| BASE32.get(usize::from(letter(from))));
    letters.map(|letter| char::from(*letter)).collect()
}
