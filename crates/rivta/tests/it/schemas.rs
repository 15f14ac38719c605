//! Our messages against the published schemas, where they are at hand.

use halsonav_rivta::{handler, xml};

use crate::{ASK, client, schema, serve};

#[tokio::test]
async fn our_ping_and_its_answer_are_valid() {
    let running = serve(&ASK, handler(|_| async { Ok(String::new()) })).await;
    let body = xml::document(
        "p:PingForConfiguration",
        &[(
            "p",
            "urn:riv:itintegration:monitoring:PingForConfigurationResponder:1",
        )],
        |w| {
            w.text("p:serviceContractNamespace", &ASK.message_namespace());
            w.text("p:logicalAddress", "SE1-A");
        },
    );
    let request = format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header>\
         <i:LogicalAddress xmlns:i='urn:riv:itintegration:registry:1'>SE1-A</i:LogicalAddress></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    );
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http
        .post(running.url())
        .body(request.clone())
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(answer.contains("PingForConfigurationResponse"), "{answer}");
    let fault = http
        .post(running.url())
        .body("<x/>")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    schema::valid([request.as_str(), &answer, &fault]);
    client(&running).ping(&ASK, "SE1-A").await.unwrap();
}

#[test]
fn published_samples_are_read() {
    let Some(folder) = schema::folder() else {
        return;
    };
    let mut read = 0;
    for entry in std::fs::read_dir(folder.join("../samples"))
        .into_iter()
        .flatten()
        .flatten()
    {
        if entry.path().extension().is_some_and(|ext| ext == "xml") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            xml::Element::parse(&text).unwrap();
            read += 1;
        }
    }
    assert!(read > 0, "the samples are beside the schemas");
}
