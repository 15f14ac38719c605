//! The public plug: what other systems may rely on, generated from the types and held to them.

#![allow(clippy::expect_used, missing_docs)]

mod asyncapi;
mod catalogue;
mod examples;
mod schemas;

use std::{fs, path::PathBuf};

/// A folder or file under `contracts/`.
fn contracts(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts")).join(path)
}

/// Names of the files in a folder under `contracts/`, in order.
fn files(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(contracts(folder)).expect("the folder is there");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}
