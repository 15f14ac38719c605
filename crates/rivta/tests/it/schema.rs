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
    named
        .into_iter()
        .chain([beside])
        .find(|folder| folder.join("validate.py").is_file())
}

/// Demands that a request (with its logical address) or a response is valid.
pub fn valid(logical_address: Option<&str>, body: &str) {
    let header = logical_address.map_or(String::new(), |address| {
        format!("<s:Header><i:LogicalAddress xmlns:i='urn:riv:itintegration:registry:1'>{address}</i:LogicalAddress></s:Header>")
    });
    let envelope = format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'>{header}<s:Body>{body}</s:Body></s:Envelope>"
    );
    valid_envelope(&envelope);
}

/// Demands that an envelope is valid.
pub fn valid_envelope(envelope: &str) {
    let Some(folder) = folder() else {
        return println!("not run: no schemas (set HALSONAV_SCHEMAS)");
    };
    let mut file = tempfile::NamedTempFile::with_suffix(".xml").unwrap();
    file.write_all(envelope.as_bytes()).unwrap();
    let output = match Command::new("python3")
        .arg(folder.join("validate.py"))
        .arg(file.path())
        .output()
    {
        Ok(output) => output,
        Err(_) => return println!("not run: no python3"),
    };
    if String::from_utf8_lossy(&output.stderr).contains("needs lxml") {
        return println!("not run: no lxml");
    }
    assert!(
        output.status.success(),
        "{}\n{envelope}",
        String::from_utf8_lossy(&output.stdout)
    );
}
