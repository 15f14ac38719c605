//! Statements that are prepared once though diesel would parse them anew for each row.
//!
//! diesel keeps no prepared UPDATE, nor an INSERT with DO UPDATE, because what they set may differ
//! from call to call. Ours is the same each time, so on the hot path the text is written out; the
//! text is plain enough for every database, and `?` becomes what the database wants.

use std::marker::PhantomData;

use diesel::{
    QueryResult, RunQueryDsl,
    query_builder::{AstPass, QueryFragment, QueryId},
};

use crate::dialect::Db;
type Backend = <Db as diesel::Connection>::Backend;

/// The text of one statement, by the place that runs it.
pub(crate) trait Text: 'static {
    /// SQL with `?` for each value.
    const TEXT: &'static str;
}

/// A value for a `?`.
pub(crate) type Value<'a> = &'a dyn QueryFragment<Backend>;

/// A statement with its values.
pub(crate) struct Prepared<'a, S> {
    values: &'a [Value<'a>],
    place: PhantomData<S>,
}

impl<'a, S: Text> Prepared<'a, S> {
    pub(crate) fn new(values: &'a [Value<'a>]) -> Self {
        debug_assert_eq!(S::TEXT.matches('?').count(), values.len(), "{}", S::TEXT);
        Self {
            values,
            place: PhantomData,
        }
    }
}

impl<S: Text> QueryFragment<Backend> for Prepared<'_, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        let mut parts = S::TEXT.split('?');
        out.push_sql(parts.next().unwrap_or_default());
        for value in self.values {
            value.walk_ast(out.reborrow())?;
            out.push_sql(parts.next().unwrap_or_default());
        }
        Ok(())
    }
}

impl<S: Text> QueryId for Prepared<'_, S> {
    type QueryId = S;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<S> RunQueryDsl<Db> for Prepared<'_, S> {}

/// Runs a statement that is prepared once for this place: text, then each value with its SQL type.
macro_rules! execute {
    ($db:expr, $text:literal, $($value:expr => $kind:ty),+ $(,)?) => {{
        struct Place;
        impl $crate::prepared::Text for Place {
            const TEXT: &'static str = $text;
        }
        diesel::RunQueryDsl::execute(
            $crate::prepared::Prepared::<Place>::new(&[
                $(&diesel::IntoSql::into_sql::<$kind>($value) as $crate::prepared::Value<'_>),+
            ]),
            $db,
        )
    }};
}
pub(crate) use execute;
