//! What the hub itself has to say: what the register told about a person, and signals. It is noted in the
//! transaction that it follows from, then put on the bus, then taken out; after a crash the scheduler
//! goes on with it.

use halsonav_domain::Problem;
use halsonav_storage::News;

use super::{Core, store_problem};
use crate::crash;

/// Facts put on the bus at once.
pub(super) const BATCH: u32 = 1_000;

impl Core {
    /// Tells all that there is.
    ///
    /// # Errors
    /// When store or bus fail; what is not known to be told is told again, under the same ids.
    pub(super) async fn tell_news(&self) -> Result<(), Problem> {
        loop {
            let news = self.storage.read_async(|r| r.news(BATCH)).await;
            let news = news.map_err(store_problem)?;
            if news.is_empty() {
                return Ok(());
            }
            self.tell(news).await?;
        }
    }

    /// Tells these.
    ///
    /// # Errors
    /// As [`Core::tell_news`].
    pub(super) async fn tell(&self, news: Vec<News>) -> Result<(), Problem> {
        let facts = news.iter().map(|news| news.fact.clone()).collect();
        self.publish(facts).await?;
        crash::point("news.published", "").await;
        self.storage
            .write_async(move |tx| tx.drop_news(&news))
            .await
            .map_err(store_problem)
    }
}
