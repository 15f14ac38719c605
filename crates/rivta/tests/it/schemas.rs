//! Our messages against the published schemas, where they are at hand.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use halsonav_rivta::{handler, xml};

use crate::{ASK, client, serve};

/// The folder of schemas: `HALSONAV_SCHEMAS`, or beside the repository.
fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("HALSONAV_SCHEMAS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schemas");
    named.into_iter().chain([beside]).find(|folder| folder.join("validate.py").is_file())
}

fn valid(envelope: &str) {
    let Some(folder) = folder() else {
        return println!("not run: no schemas (set HALSONAV_SCHEMAS)");
    };
    let mut file = tempfile::NamedTempFile::with_suffix(".xml").unwrap();
    file.write_all(envelope.as_bytes()).unwrap();
    let output = match Command::new("python3").arg(folder.join("validate.py")).arg(file.path()).output() {
        Ok(output) => output,
        Err(_) => return println!("not run: no python3"),
    };
    if String::from_utf8_lossy(&output.stderr).contains("needs lxml") {
        return println!("not run: no lxml");
    }
    assert!(output.status.success(), "{}\n{envelope}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn our_ping_and_its_answer_are_valid() {
    let running = serve(&ASK, handler(|_| async { Ok(String::new()) })).await;
    let body = xml::document("p:PingForConfiguration", &[("p", "urn:riv:itintegration:monitoring:PingForConfigurationResponder:1")], |w| {
        w.text("p:serviceContractNamespace", &ASK.message_namespace());
        w.text("p:logicalAddress", "SE1-A");
    });
    let request = format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header>\
         <i:LogicalAddress xmlns:i='urn:riv:itintegration:registry:1'>SE1-A</i:LogicalAddress></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    );
    valid(&request);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.post(running.url()).body(request).send().await.unwrap().text().await.unwrap();
    assert!(answer.contains("PingForConfigurationResponse"), "{answer}");
    valid(&answer);
    let fault = http.post(running.url()).body("<x/>").send().await.unwrap().text().await.unwrap();
    valid(&fault);
    client(&running).ping(&ASK, "SE1-A").await.unwrap();
}

#[test]
fn published_samples_are_read() {
    let Some(folder) = folder() else {
        return println!("not run: no schemas (set HALSONAV_SCHEMAS)");
    };
    let mut read = 0;
    for entry in std::fs::read_dir(folder.join("../samples")).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|ext| ext == "xml") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            xml::Element::parse(&text).unwrap();
            read += 1;
        }
    }
    println!("{read} samples read");
}
