//! A schema of its own on a PostgreSQL server, for measurements and tests. Dropped at the end.

use diesel::{Connection as _, PgConnection, connection::SimpleConnection as _};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Place, Postgres, ROLES, Result};

/// The schema.
pub struct Scratch {
    server: Postgres,
    name: String,
}

impl Scratch {
    /// Makes the schema `name` (letters, digits, `_`) on the server; one of that name is dropped first.
    ///
    /// # Errors
    /// `Open`, `Database`: the login must be allowed to make schemas.
    pub fn make(server: &Postgres, name: &str) -> Result<Self> {
        let scratch = Self {
            server: server.clone(),
            name: name
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect(),
        };
        let name = &scratch.name;
        scratch.run(&format!(
            "DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}; {ROLES}"
        ))?;
        Ok(scratch)
    }

    /// The address of the schema.
    #[must_use]
    pub fn url(&self) -> SecretString {
        let url = self.server.url.expose_secret();
        let joint = if url.contains('?') { '&' } else { '?' };
        let name = &self.name;
        format!("{url}{joint}options=-csearch_path%3D{name}").into()
    }

    /// The schema as a place.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::Postgres(Postgres {
            url: self.url(),
            ..self.server.clone()
        })
    }

    fn run(&self, sql: &str) -> Result<()> {
        let mut db = PgConnection::establish(self.server.url.expose_secret())
            .map_err(|error| self.server.told(&error.to_string()))?;
        db.batch_execute(sql)?;
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let name = &self.name;
        if let Err(error) = self.run(&format!("DROP SCHEMA IF EXISTS {name} CASCADE")) {
            tracing::warn!(schema = self.name, "a schema could not be dropped: {error}");
        }
    }
}
