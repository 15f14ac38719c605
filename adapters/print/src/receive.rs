//! Fetches the vendor's status files.
//!
//! A file is set aside under `status/done` when everything in it has been published. A line that
//! makes no sense yet (a letter we do not know, a return before the dispatch) holds its file for a
//! day, since files and our own notes may come in any order; then the file goes to `status/unknown`.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use halsonav_adapter::{Inlet, Poller};
use halsonav_domain::{CommandId, Envelope, Problem, Timestamp};

use crate::{
    Print,
    account::Visit,
    error::Error,
    status::{self, Line, Status},
    whereabouts::receipt,
};

const FOLDER: &str = "status";
const DONE: &str = "status/done";
const UNKNOWN: &str = "status/unknown";
/// Files in one round; the next round takes the rest.
const FILES: usize = 200;
/// The largest status file we read, in bytes.
const LARGEST: u64 = 32 << 20;
/// How long a line may make no sense, in seconds.
const GRACE: i64 = 24 * 60 * 60;

/// Looks for status files now and then.
pub(crate) struct Round {
    pub print: Arc<Print>,
}

/// A status file and what may be done with it.
struct File {
    name: String,
    lines: Vec<Line>,
    /// Lines that make no sense, as far as we know.
    odd: usize,
    verdict: Verdict,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Done,
    Hold,
    Unknown,
}

#[async_trait]
impl Poller for Round {
    fn name(&self) -> &'static str {
        "print"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.print.config.poll_minutes))
    }

    async fn poll(&self, inlet: &Inlet) -> Result<usize, Problem> {
        let (mut files, dispatched) = self.fetch().await?;
        let now = inlet.sink.now();
        let mut facts = Vec::new();
        for file in &mut files {
            facts.extend(judge(file, &dispatched, inlet, now).await?);
        }
        let count = facts.len();
        if !facts.is_empty() {
            inlet.sink.publish(facts).await?;
        }
        self.set_aside(&files).await?;
        Ok(count)
    }
}

impl Round {
    /// The files that lie there, and the letters known to have been handed to the post.
    async fn fetch(&self) -> Result<(Vec<File>, HashSet<CommandId>), Error> {
        let mut visit = self.print.account.visit().await?;
        let mut files = Vec::new();
        let names = visit.list(FOLDER).await?;
        let wanted = |name: &String| name.ends_with(".json") || name.ends_with(".csv");
        for name in names.into_iter().filter(wanted) {
            if files.len() == FILES {
                break;
            }
            match read(&mut visit, &name).await {
                Ok(lines) => files.push(File {
                    name,
                    lines,
                    odd: 0,
                    verdict: Verdict::Done,
                }),
                Err(Error::Missing) => {}
                Err(error @ (Error::NotAsAgreed(_) | Error::TooLarge(_))) => {
                    tracing::error!(code = error.code(), %error, "a status file is set aside");
                    files.push(File {
                        name,
                        lines: Vec::new(),
                        odd: 0,
                        verdict: Verdict::Unknown,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        let lines = || files.iter().flat_map(|file| &file.lines);
        let posted = lines().filter(|line| line.status == Status::Dispatched);
        let mut dispatched: HashSet<_> = posted.map(|line| line.letter_id).collect();
        let mut asked = HashSet::new();
        for line in lines().filter(|line| line.needs_dispatch()) {
            let letter = line.letter_id;
            // The file that told of the dispatch may have been fetched long ago.
            if !dispatched.contains(&letter)
                && asked.insert(letter)
                && let Some(receipt) = receipt(&mut visit, letter).await?
                && receipt.dispatched
            {
                dispatched.insert(letter);
            }
        }
        Ok((files, dispatched))
    }

    async fn set_aside(&self, files: &[File]) -> Result<(), Error> {
        let files: Vec<_> = files
            .iter()
            .filter(|file| file.verdict != Verdict::Hold)
            .collect();
        if files.is_empty() {
            return Ok(());
        }
        let mut visit = self.print.account.visit().await?;
        for folder in [DONE, UNKNOWN] {
            visit.folder(folder).await?;
        }
        for File {
            name, odd, verdict, ..
        } in files
        {
            let folder = if *verdict == Verdict::Done {
                DONE
            } else {
                UNKNOWN
            };
            if *odd > 0 {
                let code = "HUB-PRINT-021";
                tracing::warn!(
                    code,
                    odd,
                    "a status file speaks of letters that are not ours, or out of turn"
                );
            }
            let (from, to) = (format!("{FOLDER}/{name}"), format!("{folder}/{name}"));
            match visit.rename(&from, &to).await {
                // The vendor told it again under the same name; the newer one is kept.
                Err(Error::Failed(_)) => {
                    visit.remove(&to).await?;
                    visit.rename(&from, &to).await?;
                }
                Ok(()) | Err(Error::Missing) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

async fn read(visit: &mut Visit<'_>, name: &str) -> Result<Vec<Line>, Error> {
    let bytes = visit
        .read(&format!("{FOLDER}/{name}"), LARGEST, true)
        .await?;
    status::parse(name, &bytes)
}

/// The facts of a file's lines that make sense; what does not decides what becomes of the file.
async fn judge(
    file: &mut File,
    dispatched: &HashSet<CommandId>,
    inlet: &Inlet,
    now: Timestamp,
) -> Result<Vec<Envelope>, Problem> {
    let mut facts = Vec::new();
    let mut fresh = false;
    for line in &file.lines {
        let in_turn = !line.needs_dispatch() || dispatched.contains(&line.letter_id);
        let id = line.letter_id.to_string();
        let known = if in_turn {
            inlet.directory.case_of_reference("letter", &id).await?
        } else {
            None
        };
        match known {
            Some((case, _)) => facts.extend(line.fact(case)),
            None => {
                file.odd += 1;
                fresh |= now.as_second() - line.time.as_second() < GRACE;
            }
        }
    }
    if file.odd > 0 {
        file.verdict = if fresh {
            Verdict::Hold
        } else {
            Verdict::Unknown
        };
    }
    Ok(facts)
}
