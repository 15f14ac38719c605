//! Which keys the vault was made with, so that a process that has others is refused before it does
//! anything: it would find nobody, and take in people a second time.
//!
//! Of each version of each key the store keeps a keyed hash of a constant. It tells nothing of the key.

use std::collections::HashMap;

use diesel::{dsl::exists, prelude::*};

use crate::{
    Error, Result, VaultKeys, crypt,
    dialect::{Db, insert_once},
    schema::{settings, vault},
};

/// The names of the settings begin so; the kind of key and its version follow.
const PREFIX: &str = "vault-key.";

/// A key's name in the settings, and its fingerprint.
type Fingerprint = (String, String);

/// Compares `keys` with what the store knows, and lets it know those that are new: all of them the
/// first time, later the version that a rotation has added.
///
/// # Errors
/// `OtherKeys` names the key that is another or not there; then nothing was written.
pub(crate) fn check(db: &mut Db, keys: &VaultKeys) -> Result<()> {
    let ours = fingerprints(keys);
    let known = compare(db, &ours)?;
    let new = ours.iter().filter(|(name, _)| !known.contains_key(name));
    let mut added = 0;
    for (name, fingerprint) in new {
        let row = (settings::key.eq(name), settings::value.eq(fingerprint));
        insert_once!(db, settings::table, row)?;
        added += 1;
    }
    // Somebody else may have been first, with others.
    if added > 0 {
        compare(db, &ours)?;
    }
    Ok(())
}

/// Whether the store knows any.
pub(crate) fn are_there(db: &mut Db) -> Result<bool> {
    let known = settings::table.filter(settings::key.like(format!("{PREFIX}%")));
    Ok(diesel::select(exists(known)).get_result(db)?)
}

fn fingerprints(keys: &VaultKeys) -> Vec<Fingerprint> {
    let name = |kind: &str, version: u32| format!("{PREFIX}{kind}.{version}");
    let seal = keys.seal_keys().map(|(version, key)| {
        let fingerprint = crypt::fingerprint(key);
        (name("seal", version), fingerprint)
    });
    let index = keys.index_keys().map(|(version, key)| {
        let fingerprint = crypt::fingerprint(key);
        (name("index", version), fingerprint)
    });
    seal.chain(index).collect()
}

/// What the store knows, none of which contradicts `ours`.
fn compare(db: &mut Db, ours: &[Fingerprint]) -> Result<HashMap<String, String>> {
    let known: Vec<Fingerprint> = settings::table
        .filter(settings::key.like(format!("{PREFIX}%")))
        .order(settings::key)
        .select((settings::key, settings::value))
        .load(db)?;
    for (name, fingerprint) in &known {
        let told = |what: &str| {
            let (kind, version) = parts(name)?;
            Err(Error::OtherKeys(format!("{kind} key {version} {what}")))
        };
        match ours.iter().find(|(ours, _)| ours == name) {
            Some((_, ours)) if ours == fingerprint => {}
            Some(_) => return told("is another"),
            None if is_needed(db, name, &known)? => return told("is missing"),
            None => {}
        }
    }
    Ok(known.into_iter().collect())
}

/// Whether a key that is known must be in the file: the newest, because others write with it, and
/// those under which something is sealed.
fn is_needed(db: &mut Db, name: &str, known: &[Fingerprint]) -> Result<bool> {
    let (kind, version) = parts(name)?;
    let is_newest = known
        .iter()
        .filter_map(|(other, _)| parts(other).ok())
        .all(|(other, newer)| other != kind || newer <= version);
    if is_newest || kind != "seal" {
        return Ok(is_newest);
    }
    let sealed = vault::table.filter(vault::key_version.eq(version));
    Ok(diesel::select(exists(sealed)).get_result(db)?)
}

fn parts(name: &str) -> Result<(&str, i64)> {
    name.strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('.'))
        .and_then(|(kind, version)| Some((kind, version.parse().ok()?)))
        .ok_or(Error::Corrupt("name of a key"))
}
