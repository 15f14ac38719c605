//! Definitions, settings, and answers to requests with an idempotency key.

use diesel::{connection::SimpleConnection as _, prelude::*};
use halsonav_domain::Timestamp;

use crate::{
    Error, Idempotent, NewDefinition, Reader, Result, StoredDefinition, Wake, Writer,
    convert::{ms, time},
    dialect::{Db, first, insert_once, on},
    schema::{answers, definitions, settings},
};

/// Keeps others from deploying until the transaction ends.
const ALONE: &str = "SELECT pg_advisory_xact_lock(hashtextextended('halsonav definitions ' || current_schema(), 0))";

type Row = (
    i64,
    String,
    String,
    i64,
    String,
    Option<String>,
    String,
    String,
    i64,
);

fn definition(
    (_, kind, id, version, digest, tag, deployment, text, deployed): Row,
) -> Result<StoredDefinition> {
    Ok(StoredDefinition {
        definition: NewDefinition {
            kind,
            id,
            digest,
            tag,
            deployment,
            text,
        },
        version: u32::try_from(version).map_err(|_| Error::Corrupt("version"))?,
        deployed: time(deployed)?,
    })
}

impl Reader {
    /// A deployed file; `None` for the latest version.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn definition(
        &mut self,
        kind: &str,
        id: &str,
        version: Option<u32>,
    ) -> Result<Option<StoredDefinition>> {
        let mut query = definitions::table
            .filter(definitions::kind.eq(kind))
            .filter(definitions::id.eq(id))
            .into_boxed();
        if let Some(version) = version {
            query = query.filter(definitions::version.eq(i64::from(version)));
        }
        let row: Option<Row> = query
            .order(definitions::version.desc())
            .limit(1)
            .get_result(&mut self.db)
            .optional()?;
        row.map(definition).transpose()
    }

    /// All deployed files in order of deployment: what the hub compiles when it starts.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn definitions(&mut self) -> Result<Vec<StoredDefinition>> {
        let rows: Vec<Row> = definitions::table
            .order(definitions::definition_no)
            .load(&mut self.db)?;
        rows.into_iter().map(definition).collect()
    }

    /// A setting: region, virtual clock, cursor of an import.
    ///
    /// # Errors
    /// `Database`.
    pub fn setting(&mut self, key: &str) -> Result<Option<String>> {
        Ok(settings::table
            .find(key)
            .select(settings::value)
            .get_result(&mut self.db)
            .optional()?)
    }

    pub(crate) fn number_setting(&mut self, key: &str) -> Result<i64> {
        match self.setting(key)? {
            Some(text) => text.parse().map_err(|_| Error::Corrupt("number")),
            None => Ok(0),
        }
    }

    /// What an idempotency key led to. `scope` is the client, `digest` that of the request.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn idempotent(&mut self, scope: &str, key: &str, digest: &str) -> Result<Idempotent> {
        let row: Option<(String, i64, String)> = answers::table
            .find((scope, key))
            .select((answers::digest, answers::status, answers::body))
            .get_result(&mut self.db)
            .optional()?;
        match row {
            None => Ok(Idempotent::First),
            Some((seen, _, _)) if seen != digest => Ok(Idempotent::Mismatch),
            Some((_, status, body)) => {
                let status = u16::try_from(status).map_err(|_| Error::Corrupt("status"))?;
                Ok(Idempotent::Again { status, body })
            }
        }
    }
}

impl Writer {
    /// Deploys a file: the latest version again when it has the same digest, else the next.
    /// Answers the version. Several processes that start at the same time wait for one another.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn deploy(&mut self, new: &NewDefinition, at: Timestamp) -> Result<u32> {
        if let Db::Postgres(db) = &mut self.db {
            db.batch_execute(ALONE)?;
        }
        let latest = self.definition(&new.kind, &new.id, None)?;
        if let Some(same) = latest
            .as_ref()
            .filter(|latest| latest.definition.digest == new.digest)
        {
            return Ok(same.version);
        }
        let version = latest.map_or(1, |latest| latest.version + 1);
        self.wake(Wake::Definitions);
        diesel::insert_into(definitions::table)
            .values((
                definitions::kind.eq(&new.kind),
                definitions::id.eq(&new.id),
                definitions::version.eq(i64::from(version)),
                definitions::digest.eq(&new.digest),
                definitions::tag.eq(new.tag.as_deref()),
                definitions::deployment.eq(&new.deployment),
                definitions::text.eq(&new.text),
                definitions::deployed.eq(ms(at)),
            ))
            .execute(&mut self.db)?;
        Ok(version)
    }

    /// Sets or removes a setting.
    ///
    /// # Errors
    /// `Database`.
    pub fn set_setting(&mut self, key: &str, value: Option<&str>) -> Result<()> {
        match value {
            Some(value) => on!(&mut self.db, db => diesel::insert_into(settings::table)
                .values((settings::key.eq(key), settings::value.eq(value)))
                .on_conflict(settings::key)
                .do_update()
                .set(settings::value.eq(value))
                .execute(db))?,
            None => diesel::delete(settings::table.find(key)).execute(&mut self.db)?,
        };
        Ok(())
    }

    /// Keeps the answer to a request with an idempotency key.
    ///
    /// # Errors
    /// `Conflict` when the key has an answer already; `Database`.
    pub fn answer_once(
        &mut self,
        scope: &str,
        key: &str,
        digest: &str,
        status: u16,
        body: &str,
        at: Timestamp,
    ) -> Result<()> {
        let row = (
            answers::scope.eq(scope),
            answers::key.eq(key),
            answers::digest.eq(digest),
            answers::status.eq(i64::from(status)),
            answers::body.eq(body),
            answers::at.eq(ms(at)),
        );
        match insert_once!(&mut self.db, answers::table, row)? {
            1 => Ok(()),
            _ => Err(Error::Conflict("the idempotency key has an answer already")),
        }
    }

    /// Forgets answers from before `before`, the oldest first, about `limit` of them; answers how
    /// many. To be called until it answers 0.
    ///
    /// # Errors
    /// `Database`.
    pub fn forget_answers(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        let old = answers::table.filter(answers::at.lt(ms(before)));
        let last: Option<i64> = first!(
            &mut self.db,
            old.order(answers::at)
                .offset(i64::from(limit.max(1)) - 1)
                .select(answers::at)
        )?;
        // Those of the same moment go together.
        let last = last.unwrap_or(ms(before) - 1);
        let gone =
            diesel::delete(answers::table.filter(answers::at.le(last))).execute(&mut self.db)?;
        Ok(gone as u64)
    }
}
