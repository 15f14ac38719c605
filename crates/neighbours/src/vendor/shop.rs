//! The vendor at work: fetches jobs, checks them, prints, posts, and tells.

use std::{
    collections::{HashMap, HashSet},
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use halsonav_domain::{Clock, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    folders::{self, Folders},
    package::Job,
};
use crate::tape::Tape;

const PACKAGE: &str = ".zip";
/// Ending of a job that is being worked on; it stays in sight until its letters have receipts.
const TAKEN: &str = ".zip.taken";
const RECALL: (&str, &str) = ("recall-", ".json");

/// The vendor behind the account.
pub struct Shop {
    folders: Folders,
    clock: Arc<dyn Clock>,
    tape: Tape<Entry>,
    state: Mutex<State>,
    deduplicates: bool,
}

/// A letter that was printed and posted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Letter {
    /// Its id.
    pub letter_id: String,
    /// The job it came in.
    pub job_id: String,
    /// Its PDFs in the order they lie in the envelope, the letter first.
    pub paths: Vec<PathBuf>,
    /// When it was posted.
    pub time: Timestamp,
}

/// What one pickup came to, in letters but for the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pickup {
    /// Jobs fetched.
    pub jobs: usize,
    /// Printed and posted.
    pub printed: usize,
    /// Refused.
    pub rejected: usize,
    /// Come again, and not printed again.
    pub duplicates: usize,
    /// Recalled in time.
    pub recalled: usize,
}

/// A line of the tape.
#[derive(Serialize, Deserialize)]
enum Entry {
    Printed(Letter),
    Refused {
        letter: String,
        job: String,
        code: String,
    },
    Returned {
        letter: String,
        code: String,
    },
}

#[derive(Default)]
struct State {
    printed: Vec<Letter>,
    /// How often a letter was printed.
    times: HashMap<String, usize>,
    /// Jobs in which a letter was printed or refused.
    jobs: HashMap<String, HashSet<String>>,
    /// Codes for the next jobs: they are refused whole.
    refuse: Vec<String>,
}

/// The news of one job.
struct News<'a> {
    job: &'a str,
    at: Timestamp,
    accepted: Vec<serde_json::Value>,
    posted: Vec<serde_json::Value>,
    others: Vec<serde_json::Value>,
}

impl fmt::Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shop({} letters)", self.lock().printed.len())
    }
}

impl Shop {
    /// Opens the shop over a folder; plays its tape back.
    ///
    /// # Errors
    /// When the folder or the tape cannot be used.
    pub fn open(directory: PathBuf, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let folders = Folders::make(directory)?;
        let (tape, entries) = Tape::open(&folders.tape())?;
        let mut state = State::default();
        for entry in entries {
            state.apply(entry);
        }
        Ok(Self {
            folders,
            clock,
            tape,
            state: Mutex::new(state),
            deduplicates: true,
        })
    }

    /// Whether a letter that comes again in another job is printed once. It is, unless told otherwise.
    pub fn deduplicate(&mut self, deduplicates: bool) {
        self.deduplicates = deduplicates;
    }

    /// Where things lie.
    #[must_use]
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// The next job fetched is refused whole, with this code.
    pub fn refuse_next_job(&self, code: &str) {
        self.lock().refuse.push(code.to_owned());
    }

    /// Fetches what lies there, prints and posts it, and writes receipts and news.
    ///
    /// First a job is taken, then recalls are looked at: a recall that lay there before its job was
    /// taken is honoured.
    ///
    /// # Errors
    /// When the folder cannot be used. What was begun is finished by the next pickup.
    pub fn pickup(&self, now: Timestamp) -> io::Result<Pickup> {
        let mut state = self.lock();
        let incoming = self.folders.incoming();
        for name in folders::names(&incoming, PACKAGE)? {
            let taken = incoming.join(format!("{name}.taken"));
            if !taken.exists() {
                fs::rename(incoming.join(&name), taken)?;
            }
        }
        let recalls = self.take_recalls(&incoming)?;
        let mut pickup = Pickup::default();
        for name in folders::names(&incoming, TAKEN)? {
            let job = name.trim_end_matches(TAKEN);
            let path = incoming.join(&name);
            self.work(&mut state, &path, job, &recalls, now, &mut pickup)?;
            fs::rename(&path, self.folders.jobs().join(format!("{job}{PACKAGE}")))?;
            pickup.jobs += 1;
        }
        for name in folders::names(&incoming, ".json.taken")? {
            fs::remove_file(incoming.join(name))?;
        }
        Ok(pickup)
    }

    /// Takes the recalls that lie there, and those that an interrupted pickup took.
    fn take_recalls(&self, incoming: &Path) -> io::Result<HashSet<String>> {
        for name in folders::names(incoming, RECALL.1)? {
            if name.starts_with(RECALL.0) {
                match fs::rename(incoming.join(&name), incoming.join(format!("{name}.taken"))) {
                    // Its sender took it back.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    result => result?,
                }
            }
        }
        let names = folders::names(incoming, ".json.taken")?.into_iter();
        let letter = |name: String| {
            let name = name.strip_prefix(RECALL.0)?;
            Some(name.strip_suffix(".json.taken")?.to_owned())
        };
        Ok(names.filter_map(letter).collect())
    }

    /// Does one job.
    fn work(
        &self,
        state: &mut State,
        path: &Path,
        job: &str,
        recalls: &HashSet<String>,
        now: Timestamp,
        pickup: &mut Pickup,
    ) -> io::Result<()> {
        let mut news = News::new(job, now);
        match Job::open(path, job)? {
            Err(code) => {
                let body = json!({ "jobId": job, "code": code, "letters": [] });
                return self.tell(&format!("{job}-rejected.json"), &body);
            }
            Ok(mut package) => {
                let told = if state.refuse.is_empty() {
                    None
                } else {
                    Some(state.refuse.remove(0))
                };
                let fault = told.or_else(|| package.fault().map(str::to_owned));
                for n in 0..package.manifest.letters.len() {
                    let letter = package.manifest.letters[n].letter_id.clone();
                    let again = state.jobs.get(&letter);
                    let resumed = again.is_some_and(|jobs| jobs.contains(job));
                    if again.is_some() && !resumed && self.deduplicates {
                        pickup.duplicates += 1;
                        continue;
                    }
                    let sheets = match &fault {
                        Some(code) => Err(code.clone()),
                        None if recalls.contains(&letter) => Err("RECALLED".to_owned()),
                        None => package.sheets(n).map_err(str::to_owned),
                    };
                    match sheets {
                        Ok(sheets) => {
                            if !resumed {
                                self.print(state, job, &letter, &sheets, now)?;
                            }
                            self.receipt(&letter, job, "ACCEPTED", None, now)?;
                            news.posted(&letter);
                            pickup.printed += 1;
                        }
                        Err(code) => {
                            let recalled = code == "RECALLED";
                            let status = if recalled { "CANCELLED" } else { "REJECTED" };
                            if !resumed {
                                self.note(
                                    state,
                                    Entry::Refused {
                                        letter: letter.clone(),
                                        job: job.to_owned(),
                                        code: code.clone(),
                                    },
                                )?;
                            }
                            self.receipt(&letter, job, status, Some(&code), now)?;
                            news.other(&letter, status, &code);
                            *(if recalled {
                                &mut pickup.recalled
                            } else {
                                &mut pickup.rejected
                            }) += 1;
                        }
                    }
                }
            }
        }
        self.publish(news)
    }

    fn print(
        &self,
        state: &mut State,
        job: &str,
        letter: &str,
        sheets: &[Vec<u8>],
        now: Timestamp,
    ) -> io::Result<()> {
        let mut paths = Vec::with_capacity(sheets.len());
        for (n, sheet) in sheets.iter().enumerate() {
            let path = self
                .folders
                .printed()
                .join(format!("{letter}-{}.pdf", n + 1));
            fs::write(&path, sheet)?;
            paths.push(path);
        }
        let letter = Letter {
            letter_id: letter.to_owned(),
            job_id: job.to_owned(),
            paths,
            time: now,
        };
        self.note(state, Entry::Printed(letter))
    }

    fn receipt(
        &self,
        letter: &str,
        job: &str,
        status: &str,
        code: Option<&str>,
        at: Timestamp,
    ) -> io::Result<()> {
        let body = json!({
            "letterId": letter, "jobId": job, "status": status, "code": code,
            "dispatched": status == "ACCEPTED", "time": at,
        });
        folders::put(&self.folders.receipt(letter), body.to_string().as_bytes())
    }

    /// The post brings a letter back.
    ///
    /// # Errors
    /// `NotFound` for a letter that was never posted, `InvalidInput` for a code that is none.
    pub fn return_letter(&self, letter_id: &str, code: &str) -> io::Result<()> {
        let is_code = matches!(
            code.as_bytes(),
            [b'R', b'0', b'1'..=b'9'] | [b'R', b'1', b'0']
        );
        if !is_code {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut state = self.lock();
        if !state.times.contains_key(letter_id) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let entry = Entry::Returned {
            letter: letter_id.to_owned(),
            code: code.to_owned(),
        };
        self.note(&mut state, entry)?;
        let news = line(letter_id, "RETURNED", Some(code), self.clock.now());
        self.tell(
            &format!("{letter_id}-returned.json"),
            &json!({ "letters": [news] }),
        )
    }

    /// Printed letters in the order they were posted.
    #[must_use]
    pub fn letters(&self) -> Vec<Letter> {
        self.lock().printed.clone()
    }

    /// The letters that were posted after the first `cursor`, and the next cursor.
    #[must_use]
    pub fn since(&self, cursor: usize) -> (Vec<Letter>, usize) {
        let state = self.lock();
        (
            state.printed.get(cursor..).unwrap_or_default().to_vec(),
            state.printed.len(),
        )
    }

    /// Ids of letters that were printed more than once.
    #[must_use]
    pub fn printed_twice(&self) -> Vec<String> {
        let state = self.lock();
        let twice = state.times.iter().filter(|(_, times)| **times > 1);
        twice.map(|(letter, _)| letter.clone()).collect()
    }

    fn publish(&self, news: News<'_>) -> io::Result<()> {
        let job = news.job;
        for (name, letters) in [
            ("accepted", news.accepted),
            ("dispatched", news.posted),
            ("rejected", news.others),
        ] {
            if !letters.is_empty() {
                let body = json!({ "jobId": job, "letters": letters });
                self.tell(&format!("{job}-{name}.json"), &body)?;
            }
        }
        Ok(())
    }

    fn tell(&self, name: &str, body: &serde_json::Value) -> io::Result<()> {
        folders::put(
            &self.folders.status().join(name),
            body.to_string().as_bytes(),
        )
    }

    fn note(&self, state: &mut State, entry: Entry) -> io::Result<()> {
        self.tape.append(&entry)?;
        state.apply(entry);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Printed(letter) => {
                *self.times.entry(letter.letter_id.clone()).or_default() += 1;
                let jobs = self.jobs.entry(letter.letter_id.clone()).or_default();
                jobs.insert(letter.job_id.clone());
                self.printed.push(letter);
            }
            Entry::Refused { letter, job, .. } => {
                self.jobs.entry(letter).or_default().insert(job);
            }
            Entry::Returned { .. } => {}
        }
    }
}

impl<'a> News<'a> {
    fn new(job: &'a str, at: Timestamp) -> Self {
        Self {
            job,
            at,
            accepted: Vec::new(),
            posted: Vec::new(),
            others: Vec::new(),
        }
    }

    fn posted(&mut self, letter: &str) {
        self.accepted.push(line(letter, "ACCEPTED", None, self.at));
        self.posted.push(line(letter, "DISPATCHED", None, self.at));
    }

    fn other(&mut self, letter: &str, status: &str, code: &str) {
        self.others.push(line(letter, status, Some(code), self.at));
    }
}

fn line(letter: &str, status: &str, code: Option<&str>, at: Timestamp) -> serde_json::Value {
    json!({ "letterId": letter, "status": status, "code": code, "time": at })
}
