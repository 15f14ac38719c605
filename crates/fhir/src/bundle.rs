//! From resources to a document.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::{Composition, Identifier, Reference, Resource};

/// A Bundle of type `document` (R4 §3.3).
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "resourceType")]
pub struct Bundle {
    /// Logical id.
    pub id: String,
    /// The document's identity, which it keeps for ever.
    pub identifier: Identifier,
    /// `document`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When it was put together.
    pub timestamp: Timestamp,
    /// Composition first, then what it refers to.
    pub entry: Vec<Entry>,
}

/// One resource of a document.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// `urn:uuid:…`, what references to it say.
    pub full_url: String,
    /// The resource.
    pub resource: Resource,
}

/// A document in the making. Add what it refers to, then finish it with the Composition.
#[derive(Clone, Debug)]
pub struct Document {
    id: Uuid,
    entries: Vec<Entry>,
}

impl Document {
    /// Begins the document with this id.
    #[must_use]
    pub fn new(id: Uuid) -> Self {
        Self {
            id,
            entries: Vec::new(),
        }
    }

    /// Adds a resource and tells how to refer to it.
    pub fn add(&mut self, resource: impl Into<Resource>) -> Reference {
        let full_url = self.full_url(self.entries.len() + 1);
        self.entries.push(Entry {
            full_url: full_url.clone(),
            resource: resource.into(),
        });
        Reference {
            reference: full_url,
            display: None,
        }
    }

    /// The document, put together at `timestamp`.
    #[must_use]
    pub fn finish(self, composition: Composition, timestamp: Timestamp) -> Bundle {
        let first = Entry {
            full_url: self.full_url(0),
            resource: composition.into(),
        };
        let mut entry = Vec::with_capacity(self.entries.len() + 1);
        entry.push(first);
        entry.extend(self.entries);
        Bundle {
            id: self.id.to_string(),
            identifier: Identifier::new(crate::code::URI, format!("urn:uuid:{}", self.id)),
            kind: "document",
            timestamp,
            entry,
        }
    }

    /// A UUID of version 8 out of the document's id and the entry's place: unique in the world,
    /// and the same each time the document is made.
    fn full_url(&self, place: usize) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.id.as_bytes());
        hasher.update(&(place as u64).to_be_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        let id = uuid::Builder::from_custom_bytes(bytes).into_uuid();
        format!("urn:uuid:{id}")
    }
}
