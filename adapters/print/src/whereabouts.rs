//! Where a letter is: what is under way, what waits in the vendor's `in`, what has a receipt.

use std::collections::{HashMap, HashSet};

use halsonav_domain::CommandId;
use serde::Deserialize;

use crate::{
    Print,
    account::Visit,
    error::Error,
    package::{self, HEADER},
};

/// Where packages and recalls are left.
pub(crate) const IN: &str = "in";
/// Ending of a package.
pub(crate) const PACKAGE: &str = ".zip";
/// Ending of what is not whole yet; the vendor does not look at it.
pub(crate) const PART: &str = ".part";
/// Ending of a package that the vendor is working on.
const TAKEN: &str = ".taken";
/// The longest receipt we read, in bytes.
const RECEIPT: u64 = 64 << 10;

/// Which letters are in the jobs that lie there, as far as we have looked. They never change.
pub(crate) type Waiting = HashMap<String, HashSet<CommandId>>;

/// Where a letter is.
#[derive(Debug)]
pub(crate) enum Place {
    /// In a job that lies there, whether the vendor has begun with it or not.
    In(String),
    /// With the vendor.
    Taken(Receipt),
    /// Not with the vendor, and on no way there.
    Nowhere,
}

/// A job that lies there.
#[derive(Debug)]
pub(crate) struct Lying {
    pub job: String,
    /// The vendor has begun with it.
    pub begun: bool,
}

/// What the vendor keeps of every letter it has taken.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receipt {
    pub letter_id: CommandId,
    pub job_id: String,
    pub status: String,
    /// Whether the letter has been handed to the post.
    #[serde(default)]
    pub dispatched: bool,
}

impl Receipt {
    /// Whether the letter was stopped before it was printed.
    pub fn is_cancelled(&self) -> bool {
        self.status == "CANCELLED"
    }
}

impl Print {
    /// Where a letter is. Afterwards nothing of ours can bring it there any more.
    ///
    /// The order matters: first what is under way is withdrawn, then what lies there is looked at,
    /// then the receipt, which the vendor writes before the job leaves our sight.
    pub(crate) async fn place(
        &self,
        visit: &mut Visit<'_>,
        letter: CommandId,
    ) -> Result<Place, Error> {
        let names = visit.list(IN).await?;
        let parts = names.iter().filter(|name| {
            let job = name.strip_suffix(PART);
            job.and_then(|name| name.strip_suffix(PACKAGE)).is_some()
        });
        for part in parts {
            match letters_of(visit, part).await {
                Ok(Some(letters)) if letters.contains(&letter) => {
                    visit.remove(&format!("{IN}/{part}")).await?;
                }
                // What cannot be read is not whole, and we give only whole packages their name.
                Ok(_) | Err(Error::NotAsAgreed(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(lying) = self.lying(visit, letter).await? {
            return Ok(Place::In(lying.job));
        }
        let receipt = receipt(visit, letter).await?;
        Ok(receipt.map_or(Place::Nowhere, Place::Taken))
    }

    /// The job with `letter` that lies there.
    pub(crate) async fn lying(
        &self,
        visit: &mut Visit<'_>,
        letter: CommandId,
    ) -> Result<Option<Lying>, Error> {
        let names = visit.list(IN).await?;
        let mut jobs = HashMap::new();
        for name in &names {
            let whole = name.strip_suffix(TAKEN).unwrap_or(name);
            if let Some(job) = whole.strip_suffix(PACKAGE).filter(|job| is_job(job)) {
                *jobs.entry(job).or_insert(false) |= whole != name;
            }
        }
        let mut known = self.waiting.lock().await;
        known.retain(|job, _| jobs.contains_key(job.as_str()));
        let mut found = None;
        for (job, begun) in jobs {
            if !known.contains_key(job)
                && let Some(letters) = letters_of_job(visit, job).await?
            {
                known.insert(job.to_owned(), letters);
            }
            let letters = known.get(job);
            if letters.is_some_and(|letters| letters.contains(&letter)) {
                found = Some(Lying {
                    job: job.to_owned(),
                    begun,
                });
            }
        }
        Ok(found)
    }

    /// Whether a rename whose answer we do not have was done; `None` when that cannot be told.
    /// It can only come late as long as there is something to rename.
    pub(crate) async fn brought(
        &self,
        visit: &mut Visit<'_>,
        job: &str,
        letter: CommandId,
    ) -> Result<Option<bool>, Error> {
        self.account.again(visit).await?;
        let there = format!("{IN}/{job}{PACKAGE}");
        let withdrawn = visit.remove(&format!("{there}{PART}")).await?;
        // A job only moves forwards: so do we.
        let with_vendor = visit.has(&there).await?
            || visit.has(&format!("{there}{TAKEN}")).await?
            || receipt(visit, letter).await?.is_some();
        Ok(match (with_vendor, withdrawn) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        })
    }
}

/// Ours have such names; what else may lie there is not ours to judge.
fn is_job(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The letters in a job; `None` when it does not lie there any more, and its letters have receipts.
async fn letters_of_job(
    visit: &mut Visit<'_>,
    job: &str,
) -> Result<Option<HashSet<CommandId>>, Error> {
    match letters_of(visit, &format!("{job}{PACKAGE}")).await? {
        Some(letters) => Ok(Some(letters)),
        None => letters_of(visit, &format!("{job}{PACKAGE}{TAKEN}")).await,
    }
}

/// The letters in a package; `None` when it is not there.
async fn letters_of(
    visit: &mut Visit<'_>,
    name: &str,
) -> Result<Option<HashSet<CommandId>>, Error> {
    let path = format!("{IN}/{name}");
    let read = async {
        let head = visit.read(&path, HEADER, false).await?;
        let end = package::manifest_end(&head)?;
        package::manifest(&visit.read(&path, end, false).await?)
    };
    match read.await {
        Ok(manifest) => {
            let letters = manifest.letters.iter();
            Ok(Some(letters.map(|letter| letter.letter_id).collect()))
        }
        Err(Error::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The vendor's receipt of a letter.
pub(crate) async fn receipt(
    visit: &mut Visit<'_>,
    letter: CommandId,
) -> Result<Option<Receipt>, Error> {
    let path = format!("receipts/{letter}.json");
    let bytes = match visit.read(&path, RECEIPT, true).await {
        Ok(bytes) => bytes,
        Err(Error::Missing) => return Ok(None),
        Err(error) => return Err(error),
    };
    let receipt: Option<Receipt> = serde_json::from_slice(&bytes).ok();
    match receipt.filter(|receipt| receipt.letter_id == letter) {
        Some(receipt) => Ok(Some(receipt)),
        None => Err(Error::NotAsAgreed("a receipt cannot be read")),
    }
}
