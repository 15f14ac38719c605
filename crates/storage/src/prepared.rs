//! Statements that are prepared once though diesel would parse them anew for each row.
//!
//! diesel keeps no prepared UPDATE, nor an INSERT with DO UPDATE, because what they set may differ
//! from call to call. Ours is the same each time, so on the hot path the text is written out; the
//! text is plain enough for every database, and `?` becomes what the database wants.

use std::{marker::PhantomData, sync::OnceLock};

use diesel::{
    QueryResult, RunQueryDsl,
    backend::Backend,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
};

/// The text of one statement, by the place that runs it.
pub(crate) trait Text: 'static {
    /// SQL with `?` for each value.
    const TEXT: &'static str;
    /// The SQL types of the rows it answers.
    type Row;

    /// Where what lies between the values is kept, since each run asks for it.
    fn parts() -> &'static OnceLock<Vec<&'static str>>;
}

/// A value for a `?`.
pub(crate) type Value<'a, DB> = &'a dyn QueryFragment<DB>;

/// A statement with its values.
pub(crate) struct Prepared<'a, DB: Backend, S> {
    values: &'a [Value<'a, DB>],
    place: PhantomData<S>,
}

impl<'a, DB: Backend, S: Text> Prepared<'a, DB, S> {
    pub(crate) fn new(values: &'a [Value<'a, DB>]) -> Self {
        debug_assert_eq!(S::TEXT.matches('?').count(), values.len(), "{}", S::TEXT);
        Self {
            values,
            place: PhantomData,
        }
    }
}

impl<DB: Backend, S: Text> QueryFragment<DB> for Prepared<'_, DB, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let parts = S::parts().get_or_init(|| S::TEXT.split('?').collect());
        let mut parts = parts.iter().copied();
        out.push_sql(parts.next().unwrap_or_default());
        for value in self.values {
            value.walk_ast(out.reborrow())?;
            out.push_sql(parts.next().unwrap_or_default());
        }
        Ok(())
    }
}

impl<DB: Backend, S: Text> QueryId for Prepared<'_, DB, S> {
    type QueryId = S;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<DB: Backend, S: Text> Query for Prepared<'_, DB, S> {
    type SqlType = S::Row;
}

impl<DB: Backend, S, Conn> RunQueryDsl<Conn> for Prepared<'_, DB, S> {}

/// The place for the parts of one text.
macro_rules! kept_parts {
    () => {
        fn parts() -> &'static std::sync::OnceLock<Vec<&'static str>> {
            static PARTS: std::sync::OnceLock<Vec<&'static str>> = std::sync::OnceLock::new();
            &PARTS
        }
    };
}
pub(crate) use kept_parts;

/// Runs a statement on a connection of the database named: text, then each value with its SQL type.
macro_rules! run {
    ($backend:ty, $db:expr, $text:expr, $($value:expr => $kind:ty),* $(,)?) => {{
        struct Place;
        impl $crate::prepared::Text for Place {
            const TEXT: &'static str = $text;
            type Row = ();
            $crate::prepared::kept_parts!();
        }
        diesel::RunQueryDsl::execute(
            $crate::prepared::Prepared::<$backend, Place>::new(&[
                $(&diesel::IntoSql::into_sql::<$kind>($value)
                    as $crate::prepared::Value<'_, $backend>),*
            ]),
            $db,
        )
    }};
}
pub(crate) use run;

/// As [`run`], for a statement that answers rows of these SQL types.
macro_rules! load {
    ($backend:ty, $db:expr, $text:expr => $row:ty, $($value:expr => $kind:ty),* $(,)?) => {{
        struct Place;
        impl $crate::prepared::Text for Place {
            const TEXT: &'static str = $text;
            type Row = $row;
            $crate::prepared::kept_parts!();
        }
        diesel::RunQueryDsl::load(
            $crate::prepared::Prepared::<$backend, Place>::new(&[
                $(&diesel::IntoSql::into_sql::<$kind>($value)
                    as $crate::prepared::Value<'_, $backend>),*
            ]),
            $db,
        )
    }};
}
pub(crate) use load;

/// Runs a statement whose text is the same for both databases.
macro_rules! execute {
    ($any:expr, $text:expr, $($value:expr => $kind:ty),* $(,)?) => {
        match $any {
            $crate::dialect::Db::Sqlite(db) => {
                $crate::prepared::run!(diesel::sqlite::Sqlite, db, $text, $($value => $kind),*)
            }
            $crate::dialect::Db::Postgres(db) => {
                $crate::prepared::run!(diesel::pg::Pg, db, $text, $($value => $kind),*)
            }
        }
    };
}
pub(crate) use execute;
