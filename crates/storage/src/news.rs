//! What the hub itself has to say: noted in the transaction that it is about, and kept until it is on the
//! bus. A crash in between loses nothing; what is said twice is known by its id.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Text},
};
use halsonav_domain::Envelope;

use crate::{
    News, Reader, Result, Writer,
    convert::{from_json, json},
    rows::{delete, insert},
    schema::news,
};

impl Reader {
    /// The oldest of it.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn news(&mut self, limit: u32) -> Result<Vec<News>> {
        let rows: Vec<(i64, String)> = news::table
            .order(news::news_no)
            .limit(i64::from(limit))
            .load(&mut self.db)?;
        rows.into_iter()
            .map(|(no, envelope)| {
                let fact = from_json(&envelope)?;
                Ok(News { no, fact })
            })
            .collect()
    }
}

impl Writer {
    /// Notes facts, in order.
    ///
    /// # Errors
    /// `Database`; `Invalid` for a fact without a JSON form.
    pub fn put_news(&mut self, facts: &[Envelope]) -> Result<()> {
        let rows = facts.iter().map(json).collect::<Result<Vec<String>>>()?;
        insert!(&mut self.db, rows, |row| news { envelope: row.as_str() => Text })?;
        Ok(())
    }

    /// These are on the bus.
    ///
    /// # Errors
    /// `Database`.
    pub fn drop_news(&mut self, told: &[News]) -> Result<()> {
        delete!(&mut self.db, told, |news| news { news_no: news.no => BigInt })?;
        Ok(())
    }
}
