//! The published schemas, where they are at hand: in `HALSONAV_SCHEMAS`, or beside the repository.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// The folder with `validate.py`, from whichever crate's folder the tests run.
pub fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("HALSONAV_SCHEMAS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schemas");
    let found = named
        .into_iter()
        .chain([beside])
        .find(|folder| folder.join("validate.py").is_file());
    if found.is_none() {
        not_run("no schemas (set HALSONAV_SCHEMAS)");
    }
    found
}

/// A request (with its logical address) or a response, as an envelope.
pub fn envelope(logical_address: Option<&str>, body: &str) -> String {
    let header = logical_address.map_or(String::new(), |address| {
        format!("<s:Header><i:LogicalAddress xmlns:i='urn:riv:itintegration:registry:1'>{address}</i:LogicalAddress></s:Header>")
    });
    format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'>{header}<s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// Demands that all envelopes are valid.
pub fn valid<'a>(envelopes: impl IntoIterator<Item = &'a str>) {
    let Some(validator) = folder().map(|folder| folder.join("validate.py")) else {
        return;
    };
    let files = tempfile::tempdir().unwrap();
    let mut command = Command::new("python3");
    command.arg(validator);
    for (n, envelope) in envelopes.into_iter().enumerate() {
        let path = files.path().join(format!("{n}.xml"));
        std::fs::write(&path, envelope).unwrap();
        command.arg(path);
    }
    let Ok(output) = command.output() else {
        return not_run("no python3");
    };
    if String::from_utf8_lossy(&output.stderr).contains("needs lxml") {
        return not_run("no lxml");
    }
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// Past the capture of the test runner, so that it is seen.
fn not_run(why: &str) {
    let _ = writeln!(std::io::stderr(), "validation by schema not run: {why}");
}
