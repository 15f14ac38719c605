//! Bringing the tables to this version, and looking whether they are of one that can be used.

use diesel::{
    PgConnection, RunQueryDsl as _, SqliteConnection, connection::SimpleConnection as _, dsl::sql,
    prelude::*, sql_types::Bool,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use crate::{
    Error, Place, Result, Storage,
    dialect::{Db, on},
    fingerprints, postgres,
    schema::schema_version,
    sqlite,
};

/// The newest version of the tables that this program knows.
const SCHEMA: i64 = 1;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// SQL that makes the roles of the hub on a PostgreSQL server, for somebody who may.
pub const ROLES: &str = include_str!("../migrations/postgres/roles.sql");
const GRANTS: &str = include_str!("../migrations/postgres/grants.sql");

/// Gives the schema to the role that will own the tables, unless it has it already: whoever owns a
/// schema may drop what is in it, so nobody else should.
const GROUND: &str = "
    DO $$ BEGIN
        IF (SELECT nspowner FROM pg_namespace WHERE nspname = current_schema())
            <> 'halsonav_migrator'::regrole THEN
            EXECUTE format('ALTER SCHEMA %I OWNER TO halsonav_migrator', current_schema());
        END IF;
    END $$;
";

impl Storage {
    /// Brings the tables to this version. On PostgreSQL as `halsonav_migrator`, which then owns them:
    /// the login in the URL is one of its members or a superuser. Roles that are missing are made if
    /// the login may; see [`ROLES`]. Running it again changes nothing.
    ///
    /// # Errors
    /// `Open`, `Migrate`.
    pub fn migrate(place: &Place) -> Result<()> {
        match place {
            Place::Sqlite(path) => migrate_sqlite(&mut sqlite::writer(path)?),
            Place::Postgres(server) => migrate_postgres(&mut postgres::owner(server)?),
        }
    }
}

impl Storage {
    /// Whether somebody has opened it, and with that said which keys it has.
    ///
    /// # Errors
    /// `Open`; `Database` when there are no tables.
    pub fn has_keys(place: &Place) -> Result<bool> {
        let mut db = match place {
            Place::Sqlite(path) => Db::Sqlite(sqlite::writer(path)?),
            Place::Postgres(server) => Db::Postgres(postgres::owner(server)?),
        };
        fingerprints::are_there(&mut db)
    }
}

pub(crate) fn migrate_sqlite(db: &mut SqliteConnection) -> Result<()> {
    db.run_pending_migrations(SQLITE)
        .map(drop)
        .map_err(|error| Error::Migrate(error.to_string()))
}

fn migrate_postgres(db: &mut PgConnection) -> Result<()> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: &dyn std::fmt::Display| Error::Migrate(format!("{what}: {error}"))
    };
    // One at a time in this database. The session ends with this function, and the lock with it.
    db.batch_execute("SELECT pg_advisory_lock(hashtextextended('halsonav migrate', 0))")
        .map_err(|error| failed("waiting for another migration")(&error))?;
    db.batch_execute(ROLES).map_err(|error| {
        failed("the roles are missing and cannot be made (migrations/postgres/roles.sql)")(&error)
    })?;
    db.batch_execute(GROUND).map_err(|error| {
        failed("the schema does not belong to halsonav_migrator, and cannot be given to it")(&error)
    })?;
    db.batch_execute("SET ROLE halsonav_migrator")
        .map_err(|error| failed("the login is no member of halsonav_migrator")(&error))?;
    db.run_pending_migrations(POSTGRES)
        .map_err(|error| failed("the tables")(&error))?;
    db.batch_execute(GRANTS)
        .map_err(|error| failed("the rights of the roles")(&error))
}

/// Refuses tables that this program cannot work with.
pub(crate) fn check(db: &mut Db) -> Result<()> {
    let older = |has| Err(Error::Older { has, needs: SCHEMA });
    if let Db::Postgres(db) = &mut *db {
        let made: bool = diesel::select(sql::<Bool>("to_regclass('schema_version') IS NOT NULL"))
            .get_result(db)?;
        if !made {
            return older(0);
        }
    }
    let (version, works_from): (i64, i64) =
        on!(db, db => schema_version::table.order(schema_version::version.desc()).first(db))?;
    if version < SCHEMA {
        return older(version);
    }
    if works_from > SCHEMA {
        return Err(Error::Newer {
            works_from,
            this: SCHEMA,
        });
    }
    Ok(())
}
