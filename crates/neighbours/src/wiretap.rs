//! Exchanges overheard, so that tests can hold them against the official schemas.

use std::{
    fs, io,
    path::PathBuf,
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use halsonav_rivta::{Request, SoapFault, xml::document};

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// Requests and responses of a neighbour, kept as envelopes while it is on.
#[derive(Debug, Default)]
pub struct Wiretap {
    on: AtomicBool,
    heard: Mutex<Vec<String>>,
}

impl Wiretap {
    /// Begins to listen.
    pub fn listen(&self) {
        self.on.store(true, Ordering::Relaxed);
    }

    /// Everything heard so far, requests and responses in turn.
    #[must_use]
    pub fn heard(&self) -> Vec<String> {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn hear(&self, request: &Request, answer: &Result<String, SoapFault>) {
        if !self.on.load(Ordering::Relaxed) {
            return;
        }
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push(envelope(Some(request), &request.body));
        if let Ok(answer) = answer {
            heard.push(envelope(None, answer));
        }
    }
}

fn envelope(request: Option<&Request>, body: &str) -> String {
    let namespaces = [
        ("s", SOAP),
        ("itr", "urn:riv:itintegration:registry:1"),
        ("ih", "urn:riv:interoperability:headers:1"),
    ];
    document("s:Envelope", &namespaces, |w| {
        w.element("s:Header", |w| {
            w.optional(
                "itr:LogicalAddress",
                request.map(|request| request.logical_address.as_str()),
            );
            w.element("ih:Actor", |w| {
                let actor = request.and_then(|request| request.actor.as_ref());
                w.optional("ih:actorId", actor.map(|actor| actor.id.as_str()));
                w.optional("ih:actorType", actor.map(|actor| actor.kind.as_str()));
            });
        });
        w.element("s:Body", |w| w.raw(body));
    })
}

/// Validates envelopes with `validate.py` of the schema collection, in one run.
///
/// The collection is not part of the project: `HALSONAV_SCHEMAS` names its folder, otherwise it is
/// looked for beside the project. Answers `None`, after saying so, when it or Python's lxml is not there.
///
/// # Errors
/// What the validator says of envelopes that are not valid.
pub fn validate(envelopes: &[String]) -> io::Result<Option<Result<(), String>>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/schemas");
    let folder =
        std::env::var_os("HALSONAV_SCHEMAS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let script = folder.join("validate.py");
    let lxml = Command::new("python3").args(["-c", "import lxml"]).output();
    if !script.is_file() || !lxml.is_ok_and(|output| output.status.success()) {
        eprintln!("validation against the schemas: not run (no schemas, or no Python with lxml)");
        return Ok(None);
    }
    let scratch = std::env::temp_dir().join(format!(
        "halsonav-wiretap-{}-{:p}",
        std::process::id(),
        envelopes
    ));
    fs::create_dir_all(&scratch)?;
    let mut files = Vec::new();
    for (n, envelope) in envelopes.iter().enumerate() {
        let file = scratch.join(format!("{n}.xml"));
        fs::write(&file, envelope)?;
        files.push(file);
    }
    let output = Command::new("python3").arg(script).args(&files).output()?;
    fs::remove_dir_all(&scratch)?;
    if output.status.success() {
        return Ok(Some(Ok(())));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    Ok(Some(Err(text)))
}
