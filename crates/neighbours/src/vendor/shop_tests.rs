use std::{
    fs,
    io::{Cursor, Write},
    sync::Arc,
};

use halsonav_domain::{Timestamp, VirtualClock};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{Pickup, Shop};

const JOB: &str = "0123456789abcdef0123456789abcdef";
const LETTER: &str = "00000000-0000-4000-8000-000000000001";
const PDF: &[u8] = b"%PDF-1.7 a letter";

fn now() -> Timestamp {
    "2026-09-01T06:00:00Z".parse().expect("a time")
}

fn shop(folder: &tempfile::TempDir) -> Shop {
    let clock = Arc::new(VirtualClock::new(now()));
    Shop::open(folder.path().to_owned(), clock).expect("opens")
}

fn hash(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn manifest() -> Value {
    let file =
        json!({ "name": "a.pdf", "role": "letter", "bytes": PDF.len(), "sha256": hash(PDF) });
    json!({
        "version": 1, "jobId": JOB, "createdAt": now(), "vendor": "v", "product": "letter",
        "envelope": "C5", "postage": "economy", "colour": "colour", "sides": "duplex",
        "letters": [{ "letterId": LETTER, "returnAddress": ["Box 1"], "files": [file] }],
    })
}

fn package(manifest: &Value, pdf: &[u8]) -> Vec<u8> {
    let manifest = manifest.to_string().into_bytes();
    let sum = format!("{}  manifest.json", hash(&manifest));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in [
        ("manifest.json", manifest.as_slice()),
        ("manifest.sha256", sum.as_bytes()),
        ("a.pdf", pdf),
    ] {
        zip.start_file(name, options).expect("begins");
        zip.write_all(bytes).expect("writes");
    }
    zip.finish().expect("ends").into_inner()
}

fn leave(shop: &Shop, job: &str, package: &[u8]) {
    let path = shop.folders().incoming().join(format!("{job}.zip"));
    fs::write(path, package).expect("writes");
}

/// The status file of the refused job: the job's code, and the letters' codes.
fn told(shop: &Shop) -> (Option<String>, Vec<String>) {
    let path = shop.folders().status().join(format!("{JOB}-refused.json"));
    let file: Value = serde_json::from_slice(&fs::read(path).expect("is told")).expect("is JSON");
    let letters = file["letters"].as_array().expect("a list").iter();
    let codes = letters.map(|letter| letter["code"].as_str().unwrap_or_default().to_owned());
    (file["code"].as_str().map(str::to_owned), codes.collect())
}

fn check(package: &[u8], job: Option<&str>, letters: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = shop(&folder);
    leave(&shop, JOB, package);
    let pickup = shop.pickup(now()).expect("picks up");
    assert_eq!(pickup.printed, 0);
    let (code, codes) = told(&shop);
    assert_eq!(
        (code.as_deref(), codes),
        (job, letters.iter().map(|l| (*l).to_owned()).collect())
    );
    assert!(shop.letters().is_empty());
}

#[test]
fn a_good_job_is_printed_and_a_bad_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = shop(&folder);
    leave(&shop, JOB, &package(&manifest(), PDF));
    let expect = Pickup {
        jobs: 1,
        printed: 1,
        ..Pickup::default()
    };
    assert_eq!(shop.pickup(now()).expect("picks up"), expect);
    let (posted, cursor) = shop.since(0);
    assert_eq!(fs::read(&posted[0].paths[0]).expect("is printed"), PDF);
    assert!(shop.since(cursor).0.is_empty());

    let tuned = |tune: fn(&mut Value)| {
        let mut manifest = manifest();
        tune(&mut manifest);
        package(&manifest, PDF)
    };
    check(b"no zip", Some("NOT-A-ZIP"), &[]);
    check(&tuned(|m| m["jobId"] = "other".into()), Some("JOB-ID"), &[]);
    check(
        &tuned(|m| m["extra"] = 1.into()),
        Some("MANIFEST-FORM"),
        &[],
    );
    check(
        &tuned(|m| m["letters"][0]["letterId"] = "../../x".into()),
        Some("LETTER-ID"),
        &[],
    );
    check(&tuned(|m| m["envelope"] = "A3".into()), None, &["TICKET"]);
    check(
        &tuned(|m| m["letters"][0]["returnAddress"] = json!([])),
        None,
        &["RETURN-ADDRESS"],
    );
    check(
        &tuned(|m| m["letters"][0]["files"][0]["name"] = "b.pdf".into()),
        None,
        &["FILE-MISSING"],
    );
    check(
        &package(&manifest(), b"%PDF-1.7 b letter"),
        None,
        &["FILE-HASH"],
    );
}

#[test]
fn an_interrupted_pickup_is_finished_as_it_was_decided() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = shop(&folder);
    leave(&first, JOB, &package(&manifest(), PDF));
    first.refuse_next_job("PAPER");
    first.pickup(now()).expect("picks up");
    // As if the power had gone before the job was put away.
    let folders = first.folders();
    let done = folders.jobs().join(format!("{JOB}.zip"));
    fs::rename(done, folders.incoming().join(format!("{JOB}.zip.taken"))).expect("renames");
    drop(first);
    let second = shop(&folder);
    let pickup = second.pickup(now()).expect("picks up");
    assert_eq!((pickup.jobs, pickup.printed, pickup.rejected), (1, 0, 1));
    assert_eq!(told(&second).1, ["PAPER"]);
}

#[test]
fn a_vendor_that_does_not_look_prints_twice_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shop = shop(&folder);
    for (deduplicates, job, expect) in [(true, 'a', 0), (true, 'b', 0), (false, 'c', 1)] {
        shop.deduplicate(deduplicates);
        let job = job.to_string().repeat(32);
        let mut manifest = manifest();
        manifest["jobId"] = job.clone().into();
        leave(&shop, &job, &package(&manifest, PDF));
        shop.pickup(now()).expect("picks up");
        assert_eq!(shop.printed_twice().len(), expect);
    }
}
