//! What an operator does to the audit log and the vault from the command line, after a round.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use crate::support::{Round, Said, binary, halsonav};

/// A round that is over, and settings that name its data.
struct Site {
    data: PathBuf,
    settings: PathBuf,
    case: String,
}

impl Site {
    fn after_a_round(name: &str) -> Self {
        let round = Round::run(name, &["--residents", "8", "--seed", "5"]);
        let data = round.out.join("data");
        let settings = round.out.join("upkeep.toml");
        let text = format!("[hub]\nregion = \"demo\"\ndata = {data:?}\n");
        fs::write(&settings, text).unwrap();
        let case = round.ledger()[0]["case"].clone();
        Self {
            data,
            settings,
            case,
        }
    }

    fn call(&self, arguments: &[&str]) -> Said {
        let mut all = vec!["--json", "--config", self.settings.to_str().unwrap()];
        all.extend(arguments);
        halsonav(&all)
    }

    fn done(&self, arguments: &[&str]) -> serde_json::Value {
        let said = self.call(arguments);
        assert!(said.status.success(), "{arguments:?}: {}", said.out);
        said.json()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let said = self.call(arguments);
        assert!(!said.status.success(), "{arguments:?}");
        let code = &said.json()["problems"][0]["code"];
        code.as_str().unwrap().to_owned()
    }

    fn key_file(&self) -> PathBuf {
        self.data.join("vault.key")
    }
}

#[test]
fn the_log_is_listed_verified_against_what_was_kept_outside_and_shortened() {
    if binary().is_none() {
        return;
    }
    let site = Site::after_a_round("upkeep-audit");
    let kept = site.done(&["audit", "checkpoint"]);
    let (size, kept) = (kept["entries"].as_u64().unwrap(), &kept["checkpoint"]);
    let kept = kept.as_str().unwrap();
    assert!(size > 20, "{size}");
    let of_case = site.done(&["audit", "list", "--case", &site.case, "--limit", "5"]);
    let entries = of_case["entries"].as_array().unwrap();
    assert!(!entries.is_empty());
    assert!(entries.iter().all(|entry| entry["case"] == *site.case));
    let all_but_two = (size - 2).to_string();
    let rest = site.done(&["audit", "list", "--after", &all_but_two, "--limit", "2"]);
    assert_eq!(rest["entries"][1]["no"], size);

    let verify = |since: &str| site.done(&["audit", "verify", "--since", since]);
    let verified = verify(kept);
    assert_eq!(verified["whole"], true);
    // Who looks at the log is in it too: two lists.
    assert_eq!(verified["entries"], size + 2);
    let refused = |since: &str| site.refused(&["audit", "verify", "--since", since]);
    let another = format!("{size}:{}", "0".repeat(64));
    assert_eq!(refused(&another), "HUB-CLI-009");
    let later = kept.replacen(&size.to_string(), &(size + 99).to_string(), 1);
    assert_eq!(refused(&later), "HUB-CLI-009");

    // No stretch is full yet, so nothing is dropped; that it was asked for is in the log.
    let retired = site.done(&["audit", "retire", "--before", "2020-01-01"]);
    assert_eq!(retired["startsAfter"], 0);
    assert_eq!(verify(kept)["whole"], true);
    let told = site.done(&["audit", "list", "--after", &size.to_string()]);
    let told = told["entries"].as_array().unwrap();
    let why: Vec<_> = told
        .iter()
        .map(|entry| entry["why"].as_str().unwrap())
        .collect();
    let looks = [
        "list-audit",
        "list-audit",
        "verify-audit",
        "verify-audit",
        "verify-audit",
    ];
    assert_eq!(
        why,
        [looks.as_slice(), &["retire-audit", "verify-audit"]].concat()
    );
    assert_eq!(
        site.refused(&["audit", "retire", "--before", "2999-01-01"]),
        "HUB-CLI-010"
    );
}

#[test]
fn keys_are_exchanged_and_a_resident_is_erased() {
    if binary().is_none() {
        return;
    }
    let site = Site::after_a_round("upkeep-vault");
    let before = fs::read_to_string(site.key_file()).unwrap();
    site.done(&["vault", "rotate"]);
    let after = fs::read_to_string(site.key_file()).unwrap();
    assert_eq!((before.lines().count(), after.lines().count()), (2, 4));
    assert!(
        before
            .lines()
            .all(|line| after.lines().any(|other| other == line))
    );
    let mode = fs::metadata(site.key_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let sealed = site.done(&["vault", "rewrap"]);
    assert!(sealed["rewrapped"].as_u64().unwrap() >= 6, "{sealed}");
    assert_eq!(site.done(&["vault", "rewrap"])["rewrapped"], 0);
    // A process that was started with the file as it was is refused.
    fs::write(site.key_file(), &before).unwrap();
    assert_eq!(site.refused(&["vault", "rewrap"]), "HUB-STORAGE-015");
    // Nobody is sealed under the first key any more: without its line everybody is still there.
    let newest = |line: &&str| !line.starts_with("seal 1 ");
    let rest: Vec<_> = after.lines().filter(newest).collect();
    fs::write(site.key_file(), rest.join("\n")).unwrap();

    let case = site.case.as_str();
    let why = ["--why", "decision 2026-17"];
    let erase = |case| site.call(&["vault", "erase", case, why[0], why[1]]);
    let erased = erase(case);
    assert_eq!(erased.json()["erased"], case);
    let entries = site.done(&["audit", "list", "--case", case, "--limit", "1000"]);
    let last = entries["entries"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(
        (&last["does"], &last["why"]),
        (&"erase".into(), &why[1].into())
    );
    let nobody = erase("00000000-0000-7000-8000-000000000000").json();
    assert_eq!(nobody["problems"][0]["code"], "HUB-STORAGE-010");
    site.done(&["audit", "verify"]);
}
