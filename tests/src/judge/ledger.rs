//! The file of requests, and how to misbehave.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;

use super::{Answer, Behaviour, Entry, Mode};
use crate::proxy::seed;

/// The requests of a file, without a last line that was not finished.
///
/// # Errors
/// When the file cannot be read, or a finished line is no [`Entry`].
pub fn read(file: &Path) -> Result<Vec<Entry>> {
    let text = fs::read_to_string(file)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let entry = |(n, line)| serde_json::from_str(line).with_context(|| format!("line {}", n + 1));
    whole.lines().enumerate().map(entry).collect()
}

/// Where the behaviour of this file's judge stands.
pub(super) fn behaviour_of(file: &Path) -> PathBuf {
    file.with_added_extension("behaviour")
}

/// An open file of requests.
pub struct Ledger {
    mode: Mode,
    path: PathBuf,
    file: File,
    entries: Vec<Entry>,
    /// The first effect of each channel and key, by its place in `entries`.
    first: BTreeMap<(String, String), usize>,
}

impl Ledger {
    /// Goes on with the file if it is there.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn open(path: &Path, mode: Mode) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let entries = read(path)?;
        let mut whole = 0;
        for entry in &entries {
            whole += line(entry)?.len() as u64;
        }
        // The start of a line that was cut off by a kill was not answered.
        file.set_len(whole)?;
        file.sync_all()?;
        let mut this = Self {
            mode,
            path: path.to_owned(),
            file,
            entries: Vec::new(),
            first: BTreeMap::new(),
        };
        entries.into_iter().for_each(|entry| this.remember(entry));
        Ok(this)
    }

    /// Every request so far.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many effects there are under this key.
    #[must_use]
    pub fn effects(&self, channel: &str, key: &str) -> usize {
        let of_key = |e: &&Entry| e.effect && e.channel == channel && e.key.as_deref() == Some(key);
        self.entries.iter().filter(of_key).count()
    }

    /// How to misbehave now; well, if nobody said anything.
    ///
    /// # Errors
    /// When what stands in the file is no behaviour.
    pub fn behaviour(&self) -> Result<Behaviour> {
        match fs::read(behaviour_of(&self.path)) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(_) => Ok(Behaviour::default()),
        }
    }

    /// Takes a request and decides; returns when it is on disk. With it comes the number of the request
    /// that made the effect, if there is one.
    ///
    /// # Errors
    /// When it cannot be written: then nothing happened.
    pub fn take(
        &mut self,
        channel: &str,
        key: Option<&str>,
        body: &[u8],
        behaviour: &Behaviour,
    ) -> Result<(Answer, u64)> {
        let n = self.entries.len() as u64 + 1;
        let (body, base64) = match std::str::from_utf8(body) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (BASE64_STANDARD.encode(body), true),
        };
        let known = key.and_then(|key| self.first.get(&(channel.to_owned(), key.to_owned())));
        let known = known.filter(|_| self.mode == Mode::Dedup);
        let known = known.and_then(|at| self.entries.get(*at));
        let answer = match known {
            _ if key.is_none() => Answer::NoKey,
            Some(first) if first.body != body => Answer::Conflict,
            known => match (chance(behaviour, n), known) {
                // What was done is not refused afterwards.
                (None | Some(Answer::Refused), Some(_)) => Answer::Again,
                (None, None) => Answer::Done,
                (Some(answer), _) => answer,
            },
        };
        let does = matches!(
            answer,
            Answer::Done | Answer::FailedAfter | Answer::DroppedAfter
        );
        let number = known.map_or(n, |first| first.n);
        let entry = Entry {
            n,
            at: Timestamp::now(),
            channel: channel.to_owned(),
            key: key.map(str::to_owned),
            body,
            base64,
            effect: does && known.is_none(),
            answer,
        };
        self.file.write_all(line(&entry)?.as_bytes())?;
        self.file.sync_data()?;
        self.remember(entry);
        Ok((answer, number))
    }

    fn remember(&mut self, entry: Entry) {
        if let (true, Some(key)) = (entry.effect, &entry.key) {
            let which = (entry.channel.clone(), key.clone());
            self.first.entry(which).or_insert(self.entries.len());
        }
        self.entries.push(entry);
    }
}

fn line(entry: &Entry) -> Result<String> {
    Ok(serde_json::to_string(entry)? + "\n")
}

/// The misbehaviour that request `n` meets, if any.
fn chance(behaviour: &Behaviour, n: u64) -> Option<Answer> {
    let mut left = seed::unit(behaviour.seed, &[n]);
    let kinds = [
        (behaviour.fail_before, Answer::FailedBefore),
        (behaviour.fail_after, Answer::FailedAfter),
        (behaviour.drop_before, Answer::DroppedBefore),
        (behaviour.drop_after, Answer::DroppedAfter),
        (behaviour.refuse, Answer::Refused),
    ];
    for (share, answer) in kinds {
        if left < share {
            return Some(answer);
        }
        left -= share;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(ledger: &mut Ledger, key: &str, body: &[u8], behaviour: &Behaviour) -> Answer {
        ledger
            .take("letters", Some(key), body, behaviour)
            .unwrap()
            .0
    }

    #[test]
    fn a_repeated_key_is_one_effect_or_two_by_mode() {
        let folder = tempfile::tempdir().unwrap();
        for (mode, again, effects) in [
            (Mode::Dedup, Answer::Again, 1),
            (Mode::NoDedup, Answer::Done, 2),
        ] {
            let path = folder.path().join(format!("{mode:?}"));
            let mut ledger = Ledger::open(&path, mode).unwrap();
            let well = Behaviour::default();
            assert_eq!(take(&mut ledger, "1", b"a", &well), Answer::Done);
            assert_eq!(take(&mut ledger, "1", b"a", &well), again);
            assert_eq!(ledger.effects("letters", "1"), effects);
            let verdict = crate::judge::Verdict::of(read(&path).unwrap());
            assert_eq!(verdict.twice.len(), effects - 1);
            assert_eq!(verdict.total(), effects as u64);
        }
    }

    #[test]
    fn a_known_key_with_other_content_is_a_conflict() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let mut ledger = Ledger::open(&path, Mode::Dedup).unwrap();
        let well = Behaviour::default();
        take(&mut ledger, "1", b"\xff", &well);
        assert_eq!(take(&mut ledger, "1", b"b", &well), Answer::Conflict);
        assert_eq!(ledger.effects("letters", "1"), 1);
        let verdict = crate::judge::Verdict::of(read(&path).unwrap());
        assert_eq!(verdict.changed, [("letters".to_owned(), "1".to_owned())]);
        assert!(verdict.entries[0].base64);
    }

    #[test]
    fn what_was_dropped_after_is_known_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let drop_after = Behaviour {
            drop_after: 1.0,
            ..Behaviour::default()
        };
        let mut ledger = Ledger::open(&path, Mode::Dedup).unwrap();
        assert_eq!(
            take(&mut ledger, "1", b"a", &drop_after),
            Answer::DroppedAfter
        );
        drop(ledger);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"n\": 2, \"at").unwrap();
        let mut ledger = Ledger::open(&path, Mode::Dedup).unwrap();
        let well = Behaviour::default();
        assert_eq!(take(&mut ledger, "1", b"a", &well), Answer::Again);
        assert_eq!(read(&path).unwrap().len(), 2);
    }

    #[test]
    fn shares_are_met() {
        let behaviour = Behaviour {
            seed: 5,
            fail_before: 0.2,
            drop_after: 0.3,
            ..Behaviour::default()
        };
        let count = |answer| {
            (0..2000)
                .filter(|n| chance(&behaviour, *n) == answer)
                .count()
        };
        assert!((340..460).contains(&count(Some(Answer::FailedBefore))));
        assert!((520..680).contains(&count(Some(Answer::DroppedAfter))));
        assert!((900..1100).contains(&count(None)));
    }
}
