//! Many rows of one table: row by row with a prepared statement in SQLite, which runs in this
//! process, and in one statement over arrays in PostgreSQL, where it is the way there that costs.
//!
//! Each macro takes the rows, a pattern for one of them, and what each column gets from it, and
//! makes the text for both databases. They answer how many rows were written. In one call a row of
//! the table may be met only once, since PostgreSQL sees the table as it was before the statement.

/// One value of each row, as PostgreSQL takes a column.
pub(crate) fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// `?` for a column.
macro_rules! value_mark {
    ($column:ident) => {
        ", ?"
    };
}
pub(crate) use value_mark;

/// Runs the text for each row, or the other for all.
macro_rules! each {
    ($any:expr, $rows:expr, |$row:pat_param| $sqlite:expr, $postgres:expr,
     $($value:expr => $kind:ty),+ $(,)?) => {
        match $any {
            $crate::dialect::Db::Sqlite(db) => $rows.iter().try_fold(0, |written, $row| {
                let one = $crate::prepared::run!(
                    diesel::sqlite::Sqlite, db, $sqlite, $($value => $kind),+
                )?;
                Ok::<usize, diesel::result::Error>(written + one)
            }),
            $crate::dialect::Db::Postgres(db) => match $rows.is_empty() {
                true => Ok(0),
                false => $crate::prepared::run!(
                    diesel::pg::Pg, db, $postgres,
                    // Of each row one value at a time.
                    $($rows.iter().map(|#[allow(unused_variables)] $row| $value).collect::<Vec<_>>()
                        => diesel::sql_types::Array<$kind>),+
                ),
            },
        }
    };
}
pub(crate) use each;

/// Inserts rows; a text may follow, such as what is to be done on a conflict.
macro_rules! insert {
    ($any:expr, $rows:expr, |$row:pat_param| $table:ident {
        $first:ident: $value:expr => $kind:ty
        $(, $column:ident: $more:expr => $sort:ty)* $(,)?
    } $($tail:literal)?) => {
        $crate::rows::each!(
            $any, $rows, |$row|
            concat!(
                "INSERT INTO ", stringify!($table),
                " (", stringify!($first) $(, ", ", stringify!($column))*,
                ") VALUES (?" $(, $crate::rows::value_mark!($column))*, ") " $(, $tail)?
            ),
            concat!(
                "INSERT INTO ", stringify!($table),
                " (", stringify!($first) $(, ", ", stringify!($column))*,
                ") SELECT * FROM unnest(?" $(, $crate::rows::value_mark!($column))*, ") " $(, $tail)?
            ),
            $value => $kind $(, $more => $sort)*
        )
    };
}
pub(crate) use insert;

/// Changes rows that have these keys, and of which the text after `and` holds. Where columns are
/// set to what is the same for all, that is the text after `set`.
macro_rules! update {
    ($any:expr, $rows:expr, |$row:pat_param| $table:ident set $also:literal
     where { $key:ident: $is:expr => $sort:ty $(, $keys:ident: $are:expr => $sorts:ty)* $(,)? }
     $(and $when:literal)?) => {
        $crate::rows::each!(
            $any, $rows, |$row|
            concat!(
                "UPDATE ", stringify!($table), " SET ", $also,
                " WHERE ", stringify!($key), " = ?" $(, " AND ", stringify!($keys), " = ?")*
                $(, " AND ", $when)?
            ),
            concat!(
                "UPDATE ", stringify!($table), " SET ", $also,
                " FROM unnest(?" $(, $crate::rows::value_mark!($keys))*,
                ") AS given (", stringify!($key) $(, ", ", stringify!($keys))*,
                ") WHERE ", stringify!($table), ".", stringify!($key), " = given.", stringify!($key)
                $(, " AND ", stringify!($table), ".", stringify!($keys), " = given.", stringify!($keys))*
                $(, " AND ", $when)?
            ),
            $is => $sort $(, $are => $sorts)*
        )
    };
    ($any:expr, $rows:expr, |$row:pat_param| $table:ident
     set { $first:ident: $value:expr => $kind:ty $(, $column:ident: $more:expr => $kinds:ty)* $(,)? }
     $(, $also:literal)?
     where { $key:ident: $is:expr => $sort:ty $(, $keys:ident: $are:expr => $sorts:ty)* $(,)? }
     $(and $when:literal)?) => {
        $crate::rows::each!(
            $any, $rows, |$row|
            concat!(
                "UPDATE ", stringify!($table),
                " SET ", stringify!($first), " = ?" $(, ", ", stringify!($column), " = ?")* $(, ", ", $also)?,
                " WHERE ", stringify!($key), " = ?" $(, " AND ", stringify!($keys), " = ?")*
                $(, " AND ", $when)?
            ),
            concat!(
                "UPDATE ", stringify!($table),
                " SET ", stringify!($first), " = given.new_", stringify!($first)
                $(, ", ", stringify!($column), " = given.new_", stringify!($column))* $(, ", ", $also)?,
                " FROM unnest(?" $(, $crate::rows::value_mark!($column))*, ", ?"
                $(, $crate::rows::value_mark!($keys))*,
                ") AS given (new_", stringify!($first) $(, ", new_", stringify!($column))*,
                ", ", stringify!($key) $(, ", ", stringify!($keys))*,
                ") WHERE ", stringify!($table), ".", stringify!($key), " = given.", stringify!($key)
                $(, " AND ", stringify!($table), ".", stringify!($keys), " = given.", stringify!($keys))*
                $(, " AND ", $when)?
            ),
            $value => $kind $(, $more => $kinds)*, $is => $sort $(, $are => $sorts)*
        )
    };
}
pub(crate) use update;

/// Deletes the rows that have these keys.
macro_rules! delete {
    ($any:expr, $rows:expr, |$row:pat_param| $table:ident {
        $key:ident: $is:expr => $sort:ty $(, $keys:ident: $are:expr => $sorts:ty)* $(,)?
    }) => {
        $crate::rows::each!(
            $any, $rows, |$row|
            concat!(
                "DELETE FROM ", stringify!($table),
                " WHERE ", stringify!($key), " = ?" $(, " AND ", stringify!($keys), " = ?")*
            ),
            concat!(
                "DELETE FROM ", stringify!($table), " USING unnest(?" $(, $crate::rows::value_mark!($keys))*,
                ") AS given (", stringify!($key) $(, ", ", stringify!($keys))*,
                ") WHERE ", stringify!($table), ".", stringify!($key), " = given.", stringify!($key)
                $(, " AND ", stringify!($table), ".", stringify!($keys), " = given.", stringify!($keys))*
            ),
            $is => $sort $(, $are => $sorts)*
        )
    };
}
pub(crate) use delete;
