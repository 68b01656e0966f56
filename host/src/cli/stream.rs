//! `stream`: manages the receivers of SCIM events.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::arguments::one_of;
use super::config::Settings;
use super::member::Of;
use super::{host, input, output, pages};
use crate::error::ActionError;
use crate::event::{EventDetail, IssuedEventStream, NewEventStream, StreamEvent};

/// Commands about streams: receivers that are told of users and groups by Security Event Tokens (RFC 9967).
#[derive(Subcommand)]
pub(super) enum StreamCommand {
    /// Add a stream of all changes from now on. The command prints its URLs and, if the receiver polls, its token,
    /// once.
    Add {
        /// A name for the receiver, for instance "Backend".
        name: String,
        /// The audience (`aud`) of the tokens, by which the receiver knows that they are meant for it.
        #[arg(long, value_name = "TEXT")]
        audience: String,
        #[command(flatten)]
        of: Of,
        /// Only events of this kind. May be given more than once. [default: all]
        #[arg(long, value_name = "KIND", value_parser = one_of::<StreamEvent>(StreamEvent::NAMES))]
        event: Vec<StreamEvent>,
        /// The detail of events: notice (the names of changed attributes) or full (their values too).
        #[arg(
            long,
            value_name = "DETAIL",
            default_value = "notice",
            value_parser = one_of::<EventDetail>(EventDetail::NAMES)
        )]
        detail: EventDetail,
        /// Put each event into a token of its own, instead of one token for all events of a resource in one
        /// transaction.
        #[arg(long)]
        single_events: bool,
        /// Push tokens to this URL (RFC 8935). Without it the receiver polls (RFC 8936).
        #[arg(long, value_name = "URL")]
        push_url: Option<String>,
        /// Read the Authorization header field of pushes, such as "Bearer ...", from this file.
        #[arg(long, value_name = "FILE", requires = "push_url")]
        authorization_file: Option<PathBuf>,
    },
    /// List the streams and their state.
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Show a stream.
    Show {
        /// The stream's id.
        stream: String,
        #[command(flatten)]
        of: Of,
    },
    /// Remove a stream, and the tokens that wait.
    Remove {
        /// The stream's id.
        stream: String,
        #[command(flatten)]
        of: Of,
    },
    /// Give a polling receiver a new token. The old one stops working at once.
    RotateToken {
        /// The stream's id.
        stream: String,
        #[command(flatten)]
        of: Of,
    },
    /// Make a new key that signs the tokens of all streams. The old key stays published for 30 days.
    RotateKey {
        #[command(flatten)]
        of: Of,
    },
}

impl StreamCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        let organization = host::organization(&provisioner, &self.of().organization).await?;
        match self {
            Self::Add { name, audience, event, detail, single_events, push_url, authorization_file, .. } => {
                let read = |path: PathBuf| input::read(Some(&path)).map(|text| text.trim_end().to_owned());
                let authorization = authorization_file.map(read).transpose()?;
                let new =
                    NewEventStream { name, audience, events: event, detail, single_events, push_url, authorization };
                print(settings, organization.add_stream(new).await?)?;
            }
            Self::List { .. } => {
                let streams = organization.streams().await?;
                if streams.is_empty() && !settings.json {
                    output::print("There is no stream.\n");
                    return Ok(());
                }
                let streams = pages::values(&streams)?;
                output::table(
                    settings.json,
                    &streams,
                    &["id", "name", "push_url", "waiting", "parked", "failing_since", "error"],
                );
            }
            Self::Show { stream, .. } => {
                let found = organization.streams().await?.into_iter().find(|known| known.id == stream);
                let found = found.ok_or_else(|| ActionError::NotFound(format!("stream '{stream}'")))?;
                output::object(settings.json, &serde_json::to_value(found)?);
            }
            Self::Remove { stream, .. } => {
                organization.remove_stream(&stream).await?;
                output::object(settings.json, &json!({"removed": stream}));
            }
            Self::RotateToken { stream, .. } => {
                print(settings, organization.rotate_stream_token(&stream).await?)?;
            }
            Self::RotateKey { .. } => {
                output::object(settings.json, &serde_json::to_value(organization.rotate_signing_key().await?)?);
            }
        }
        Ok(())
    }

    fn of(&self) -> &Of {
        match self {
            Self::Add { of, .. }
            | Self::List { of }
            | Self::Show { of, .. }
            | Self::Remove { of, .. }
            | Self::RotateToken { of, .. }
            | Self::RotateKey { of } => of,
        }
    }
}

fn print(settings: &Settings, issued: IssuedEventStream) -> anyhow::Result<()> {
    let mut value = serde_json::to_value(issued.event_stream)?;
    if let Some(token) = issued.token {
        value["token"] = token.into();
    }
    output::object(settings.json, &value);
    Ok(())
}
