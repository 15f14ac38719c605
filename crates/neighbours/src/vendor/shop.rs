//! The vendor at work: fetches jobs, checks them, prints, posts, and tells.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use halsonav_domain::{Clock, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    folders::{self, Folders},
    news::{self, News, RECALLED},
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

/// What was decided about a letter of a job.
#[derive(Clone)]
pub(super) enum Fate {
    Printed,
    Refused(String),
}

#[derive(Default)]
struct State {
    printed: Vec<Letter>,
    /// By letter, then by job.
    fates: HashMap<String, HashMap<String, Fate>>,
    /// Codes for the next jobs: they are refused whole.
    refuse: VecDeque<String>,
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
        self.lock().refuse.push_back(code.to_owned());
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

    /// Does one job. What an interrupted pickup decided stands.
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
        let mut package = match Job::open(path, job)? {
            Ok(package) => package,
            Err(code) => return news.refuse(&self.folders, code),
        };
        let told = state.refuse.pop_front();
        let fault = told.or_else(|| package.fault().map(str::to_owned));
        for n in 0..package.manifest.letters.len() {
            let letter = package.manifest.letters[n].letter_id.clone();
            let fate = match state.fates.get(&letter) {
                Some(fates) if fates.contains_key(job) => fates[job].clone(),
                Some(_) if self.deduplicates => {
                    pickup.duplicates += 1;
                    continue;
                }
                _ => {
                    let sheets = match &fault {
                        Some(code) => Err(code.clone()),
                        None if recalls.contains(&letter) => Err(RECALLED.to_owned()),
                        None => package.sheets(n).map_err(str::to_owned),
                    };
                    self.decide(state, job, &letter, sheets, now)?
                }
            };
            pickup.count(&fate);
            news.add(&self.folders, &letter, &fate)?;
        }
        news.publish(&self.folders)
    }

    /// Prints, or notes why not.
    fn decide(
        &self,
        state: &mut State,
        job: &str,
        letter: &str,
        sheets: Result<Vec<Vec<u8>>, String>,
        now: Timestamp,
    ) -> io::Result<Fate> {
        let (letter_id, job_id) = (letter.to_owned(), job.to_owned());
        match sheets {
            Ok(sheets) => {
                let mut paths = Vec::with_capacity(sheets.len());
                for (n, sheet) in sheets.iter().enumerate() {
                    let name = format!("{letter}-{}.pdf", n + 1);
                    let path = self.folders.printed().join(name);
                    fs::write(&path, sheet)?;
                    paths.push(path);
                }
                let letter = Letter {
                    letter_id,
                    job_id,
                    paths,
                    time: now,
                };
                self.note(state, Entry::Printed(letter))?;
                Ok(Fate::Printed)
            }
            Err(code) => {
                let entry = Entry::Refused {
                    letter: letter_id,
                    job: job_id,
                    code: code.clone(),
                };
                self.note(state, entry)?;
                Ok(Fate::Refused(code))
            }
        }
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
        if !state.is_printed(letter_id) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let entry = Entry::Returned {
            letter: letter_id.to_owned(),
            code: code.to_owned(),
        };
        self.note(&mut state, entry)?;
        news::returned(&self.folders, letter_id, code, self.clock.now())
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
        let mut times: HashMap<&str, usize> = HashMap::new();
        for letter in &state.printed {
            *times.entry(&letter.letter_id).or_default() += 1;
        }
        let twice = times.into_iter().filter(|(_, times)| *times > 1);
        twice.map(|(letter, _)| letter.to_owned()).collect()
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
                self.fate(&letter.letter_id, &letter.job_id, Fate::Printed);
                self.printed.push(letter);
            }
            Entry::Refused { letter, job, code } => self.fate(&letter, &job, Fate::Refused(code)),
            Entry::Returned { .. } => {}
        }
    }

    fn fate(&mut self, letter: &str, job: &str, fate: Fate) {
        let fates = self.fates.entry(letter.to_owned()).or_default();
        fates.insert(job.to_owned(), fate);
    }

    fn is_printed(&self, letter: &str) -> bool {
        let fates = self.fates.get(letter).into_iter().flatten();
        fates
            .into_iter()
            .any(|(_, fate)| matches!(fate, Fate::Printed))
    }
}

impl Pickup {
    fn count(&mut self, fate: &Fate) {
        match fate {
            Fate::Printed => self.printed += 1,
            Fate::Refused(code) if code == RECALLED => self.recalled += 1,
            Fate::Refused(_) => self.rejected += 1,
        }
    }
}
