//! What the vendor tells: a receipt per letter, and status files.

use std::io;

use halsonav_domain::Timestamp;
use serde_json::{Value, json};

use super::{
    folders::{self, Folders},
    shop::Fate,
};

/// The code of a letter that its sender recalled in time.
pub(super) const RECALLED: &str = "RECALLED";

/// The news of one job.
pub(super) struct News<'a> {
    job: &'a str,
    at: Timestamp,
    accepted: Vec<Value>,
    dispatched: Vec<Value>,
    refused: Vec<Value>,
}

impl<'a> News<'a> {
    pub fn new(job: &'a str, at: Timestamp) -> Self {
        Self {
            job,
            at,
            accepted: Vec::new(),
            dispatched: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Writes a letter's receipt and remembers what to tell of it.
    pub fn add(&mut self, folders: &Folders, letter: &str, fate: &Fate) -> io::Result<()> {
        let (status, code) = match fate {
            Fate::Printed => ("ACCEPTED", None),
            Fate::Refused(code) if code == RECALLED => ("CANCELLED", Some(code.as_str())),
            Fate::Refused(code) => ("REJECTED", Some(code.as_str())),
        };
        let told = line(letter, status, code, self.at);
        match fate {
            Fate::Printed => {
                self.accepted.push(told);
                self.dispatched
                    .push(line(letter, "DISPATCHED", None, self.at));
            }
            Fate::Refused(_) => self.refused.push(told),
        }
        let receipt = json!({
            "letterId": letter,
            "jobId": self.job,
            "status": status,
            "code": code,
            "dispatched": matches!(fate, Fate::Printed),
            "time": self.at,
        });
        folders::put(&folders.receipt(letter), receipt.to_string().as_bytes())
    }

    /// Tells of all letters.
    pub fn publish(self, folders: &Folders) -> io::Result<()> {
        let parts = [
            ("accepted", self.accepted),
            ("dispatched", self.dispatched),
            ("refused", self.refused),
        ];
        for (name, letters) in parts {
            if !letters.is_empty() {
                let body = json!({ "jobId": self.job, "letters": letters });
                tell(folders, &format!("{}-{name}.json", self.job), &body)?;
            }
        }
        Ok(())
    }

    /// Tells that a job cannot even be opened.
    pub fn refuse(self, folders: &Folders, code: &str) -> io::Result<()> {
        let body = json!({ "jobId": self.job, "code": code, "letters": [] });
        tell(folders, &format!("{}-refused.json", self.job), &body)
    }
}

/// Tells that the post brought a letter back.
pub(super) fn returned(
    folders: &Folders,
    letter: &str,
    code: &str,
    at: Timestamp,
) -> io::Result<()> {
    let body = json!({ "letters": [line(letter, "RETURNED", Some(code), at)] });
    tell(folders, &format!("{letter}-returned.json"), &body)
}

fn tell(folders: &Folders, name: &str, body: &Value) -> io::Result<()> {
    folders::put(&folders.status().join(name), body.to_string().as_bytes())
}

fn line(letter: &str, status: &str, code: Option<&str>, at: Timestamp) -> Value {
    json!({ "letterId": letter, "status": status, "code": code, "time": at })
}
