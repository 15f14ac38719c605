//! `[adapters.messaging]`.

use std::collections::BTreeMap;

use halsonav_domain::{HsaId, Kind, Problem};
use halsonav_rivta::ClientConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the inbox is reached, and on what ground.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The inbox, or the platform in front of it. Without `calls_per_second` it is one a second,
    /// the load that the inbox is made for.
    pub service: ClientConfig,
    /// Its logical address.
    #[serde(default = "national")]
    pub logical_address: String,
    /// HSA-id of the sending system (`sourceSystem`), to which the notifications are charged.
    pub source_system: HsaId,
    /// Why the inbox may be used.
    pub basis: Basis,
    /// Where the basis is decided: a reference to Inera's approval. Required for `region-wide`.
    #[serde(default)]
    pub approval_reference: Option<String>,
    /// Whether the resident is told by SMS or e-mail of a new message.
    #[serde(default = "yes")]
    pub notify: bool,
    /// Names of the sending units by HSA-id: a message names its unit.
    pub units: BTreeMap<HsaId, String>,
    /// What the resident can do from a message, by the names that processes use (`book`, `form`).
    #[serde(default)]
    pub links: BTreeMap<String, Link>,
    /// The inbox answers GetMessageThreadStatus. Without it nobody can tell whether a message with
    /// an unknown outcome is there, nor whether a message has been read.
    #[serde(default = "yes")]
    pub thread_status: bool,
    /// Longest text of a message, in characters. The inbox's own limit is not public.
    #[serde(default = "longest")]
    pub max_characters: usize,
}

/// Why the inbox may be used (Inera's rules for the inbox).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Calls to screening are allowed without an established relation.
    ScreeningCall,
    /// Individual messages within an established relation of care.
    EstablishedRelation,
    /// A mailing of the whole region on health promotion, approved beforehand.
    RegionWide,
}

/// A link with single sign-on.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The system it leads to, as the inbox knows it.
    pub system: String,
    /// What it says.
    pub text: String,
    /// Query of the address. `{message}` becomes the message's id, `{case}` the case's.
    #[serde(default)]
    pub query: Option<String>,
    /// Where it opens.
    #[serde(default)]
    pub kind: LinkKind,
}

/// Where a link opens (`LinkTypeType`).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// In place of the message.
    #[default]
    CurrentTarget,
    /// Within the message.
    Embedded,
    /// As a widget.
    Widget,
    /// In a new window.
    NewTarget,
}

impl LinkKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::CurrentTarget => "CurrentTarget",
            Self::Embedded => "Embedded",
            Self::Widget => "Widget",
            Self::NewTarget => "NewTarget",
        }
    }
}

impl Config {
    /// Everything that can be told without the network.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let invalid = |code: &str, message: String| Err(Problem::new(Kind::Invalid, code, message));
        let approved = self
            .approval_reference
            .as_ref()
            .is_some_and(|reference| !reference.trim().is_empty());
        if self.basis == Basis::RegionWide && !approved {
            return invalid(
                "HUB-MESSAGING-001",
                "basis region-wide needs approval_reference".to_owned(),
            );
        }
        if self.logical_address.trim().is_empty() || self.source_system.as_str().is_empty() {
            return invalid(
                "HUB-MESSAGING-002",
                "logical_address and source_system must not be empty".to_owned(),
            );
        }
        if self.units.is_empty() {
            return invalid(
                "HUB-MESSAGING-003",
                "no unit has a name: a message names its unit".to_owned(),
            );
        }
        if let Some((id, _)) = self.units.iter().find(|(_, name)| name.trim().is_empty()) {
            return invalid("HUB-MESSAGING-003", format!("unit {id} has an empty name"));
        }
        let empty = |link: &Link| link.system.trim().is_empty() || link.text.trim().is_empty();
        match self.links.iter().find(|(_, link)| empty(link)) {
            Some((name, _)) => invalid(
                "HUB-MESSAGING-004",
                format!("link {name} needs system and text"),
            ),
            None => Ok(()),
        }
    }
}

fn national() -> String {
    "SE165565594230-1000".to_owned()
}

fn yes() -> bool {
    true
}

fn longest() -> usize {
    20_000
}
