//! `component`: manages builds of the component beside the one with which the server was started.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::config::Settings;
use super::{host, output};
use crate::provisioner::Provisioner;
use crate::registry::{Canary, ComponentId};

/// Commands about components. `org set --component` pins an organization to one.
#[derive(Subcommand)]
pub(super) enum ComponentCommand {
    /// List the stored components: those that organizations were pinned to, and those that were tried as a canary.
    List,
    /// Remove a stored component that no organization runs any more.
    Remove {
        /// The id of the component, as `component list` shows it: the SHA-256 of the file.
        id: String,
    },
    /// Try a component in some of the organizations that are not pinned to one. The server ends the trial by itself if
    /// a larger share of its calls fails than in the other organizations. Without arguments the command shows the
    /// canary.
    Canary {
        /// The file of the component.
        #[arg(requires = "percent")]
        file: Option<PathBuf>,
        /// The percentage of organizations that run it.
        #[arg(long, requires = "file", value_parser = clap::value_parser!(u8).range(1..=100))]
        percent: Option<u8>,
        /// End the canary. Its organizations run the server's own component again.
        #[arg(long, conflicts_with = "file")]
        stop: bool,
    },
}

impl ComponentCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        match self {
            Self::List => {
                let listed: Vec<Value> =
                    provisioner.components().await?.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
                output::table(settings.json, &listed, &["id", "name", "bytes", "added"]);
            }
            Self::Remove { id } => {
                let id: ComponentId = id.parse()?;
                provisioner.remove_component(&id).await?;
                host::record(&provisioner, "component.remove", "component", Some(&id.to_string()), None).await;
                output::object(settings.json, &json!({"removed": id}));
            }
            Self::Canary { file: Some(file), percent: Some(percent), .. } => {
                let component = store(&provisioner, &file).await?;
                let canary = provisioner.begin_canary(component, percent).await?;
                host::record(&provisioner, "canary.begin", "component", Some(&component.to_string()), None).await;
                show(settings, Some(&canary));
            }
            Self::Canary { stop: true, .. } => {
                provisioner.end_canary().await?;
                host::record(&provisioner, "canary.end", "canary", None, None).await;
                show(settings, None);
            }
            Self::Canary { .. } => show(settings, provisioner.canary().await?.as_ref()),
        }
        provisioner.flush().await?;
        Ok(())
    }
}

fn show(settings: &Settings, canary: Option<&Canary>) {
    output::object(settings.json, &json!({"canary": canary}));
}

/// Examines the component in the file, and stores it.
pub(super) async fn store(provisioner: &Provisioner, file: &Path) -> anyhow::Result<ComponentId> {
    let wasm = fs::read(file).with_context(|| format!("the component {} can't be read", file.display()))?;
    let name = file.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let stored = provisioner.add_component(&name, wasm).await;
    let id = stored.with_context(|| format!("{} is not a component to run here", file.display()))?.id;
    host::record(provisioner, "component.add", "component", Some(&id.to_string()), None).await;
    Ok(id)
}

/// The component to which `org set --component` pins an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// The component with which the server was started.
    Default,
    /// The component that the organization ran before.
    Former,
    /// The component in this file.
    File(PathBuf),
}

impl Chosen {
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        Ok(match text {
            "default" => Self::Default,
            "former" => Self::Former,
            "" => bail!("the component is a file, `default` or `former`"),
            file => Self::File(file.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_a_file_or_one_of_two_words() {
        assert_eq!(Chosen::parse("default").unwrap(), Chosen::Default);
        assert_eq!(Chosen::parse("former").unwrap(), Chosen::Former);
        assert_eq!(Chosen::parse("./default").unwrap(), Chosen::File("./default".into()));
        assert!(Chosen::parse("").is_err());
    }
}
