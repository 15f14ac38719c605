//! Messages: correlated with what waits now, or kept for what will.

use std::collections::VecDeque;

use halsonav_domain::Timestamp;
use serde_json::{Map, Value};

use super::run::Run;
use crate::instance::{For, Letter, Wait};
use crate::{Effect, Instance};

/// Messages kept for later.
const MAX_BUFFER: usize = 64;
/// Messages remembered by id. The hub's inbox is the lasting memory; this catches the echo.
const MAX_SEEN: usize = 16;

impl Instance {
    /// Received already: it is in the buffer, or among the latest.
    pub(super) fn has_seen(&self, id: &str) -> bool {
        self.seen.contains(&hash(id)) || self.buffer.iter().any(|letter| letter.id == id)
    }
}

impl Run<'_> {
    /// Delivers to the oldest matching subscription of each process in the instance: of the
    /// instance's own, and of each called one. Without any, it is kept until it expires.
    pub(super) fn deliver(&mut self, letter: Letter, keep: bool) {
        if self.instance.seen.len() == MAX_SEEN {
            self.instance.seen.pop_front();
        }
        self.instance.seen.push_back(hash(&letter.id));
        let receivers = self.receivers(&letter);
        if receivers.is_empty() {
            return self.keep_letter(letter, keep);
        }
        for wait in receivers {
            self.trigger(wait, letter.variables.clone());
        }
    }

    fn receivers(&self, letter: &Letter) -> Vec<u64> {
        let mut receivers = Vec::new();
        let mut processes: Vec<&str> = Vec::new();
        for (&key, wait) in &self.instance.waits {
            if !letter.is_for(wait) {
                continue;
            }
            let item = self.instance.items.get(&wait.owner);
            let pin = item.and_then(|item| self.instance.pins.get(item.definition as usize));
            let Some(pin) = pin else { continue };
            if !processes.contains(&pin.0.as_str()) {
                processes.push(&pin.0);
                receivers.push(key);
            }
        }
        receivers
    }

    fn keep_letter(&mut self, letter: Letter, keep: bool) {
        let why = if !keep {
            "no-subscription"
        } else if letter.expires <= self.now {
            "expired"
        } else if self.instance.buffer.len() >= MAX_BUFFER {
            "buffer-full"
        } else {
            return self.instance.buffer.push_back(letter);
        };
        self.drop_letter(letter, why);
    }

    fn drop_letter(&mut self, letter: Letter, why: &str) {
        self.effects.push(Effect::Dropped {
            id: letter.id,
            name: letter.name,
            why: why.to_owned(),
        });
    }

    /// Drops what has expired.
    pub(super) fn expire(&mut self) {
        if self.instance.buffer.is_empty() {
            return;
        }
        let now = self.now;
        let letters = std::mem::take(&mut self.instance.buffer).into_iter();
        let (expired, kept) = letters.partition(|letter| letter.expires <= now);
        self.instance.buffer = kept;
        let expired: VecDeque<Letter> = expired;
        for letter in expired {
            self.drop_letter(letter, "expired");
        }
    }

    /// A subscription was opened: the oldest buffered message for it is delivered. If the
    /// subscription stays open, so is the next.
    pub(super) fn poll(&mut self, key: u64) {
        let Some(wait) = self.instance.waits.get(&key) else {
            return;
        };
        let Some(at) = self
            .instance
            .buffer
            .iter()
            .position(|letter| letter.is_for(wait))
        else {
            return;
        };
        if let Some(letter) = self.instance.buffer.remove(at) {
            self.trigger(key, letter.variables);
            self.plan(crate::instance::Op::Poll { wait: key });
        }
    }
}

impl Letter {
    pub(super) fn new(
        id: &str,
        name: &str,
        correlation: &str,
        variables: Map<String, Value>,
        expires: Option<Timestamp>,
    ) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            correlation: correlation.to_owned(),
            variables,
            expires: expires.unwrap_or(Timestamp::MIN),
        }
    }

    fn is_for(&self, wait: &Wait) -> bool {
        matches!(&wait.what, For::Message { name, correlation }
            if *name == self.name && *correlation == self.correlation)
    }
}

/// 64-bit FNV-1a.
fn hash(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
