//! No adapter without a basis.

use halsonav_adapter::{Build, Outbound};
use halsonav_domain::Outcome;
use halsonav_messaging::{Basis, Config, Messaging};
use serde_json::json;

use crate::{config, house, send};

fn code(change: impl FnOnce(&mut Config)) -> Option<String> {
    let mut config = config("http://127.0.0.1:9/");
    change(&mut config);
    Messaging::build(config).err().map(|problem| problem.code)
}

#[test]
fn a_configuration_says_why_the_inbox_may_be_used() {
    let text = json!({ "service": { "endpoint": "http://127.0.0.1:9/" }, "source_system": "SE1-HUB", "units": { "se1-a": "Björken" } });
    let read = |value: serde_json::Value| serde_json::from_value::<Config>(value);
    assert!(read(text.clone()).is_err(), "basis is required");
    let mut good = text;
    good["basis"] = json!("established-relation");
    assert!(Messaging::build(read(good.clone()).unwrap()).is_ok());
    good["bases"] = json!("x");
    assert!(read(good).is_err(), "an unknown field is a mistake");
    assert_eq!(
        code(|config| config.basis = Basis::RegionWide).as_deref(),
        Some("HUB-MESSAGING-001")
    );
    let approved = |reference: &str| {
        code(|config| {
            config.basis = Basis::RegionWide;
            config.approval_reference = Some(reference.to_owned());
        })
    };
    assert_eq!(approved(" ").as_deref(), Some("HUB-MESSAGING-001"));
    assert_eq!(approved("INERA-2026-17"), None);
    assert_eq!(
        code(|config| config.units.clear()).as_deref(),
        Some("HUB-MESSAGING-003")
    );
    assert_eq!(
        code(|config| config.service.endpoint = "http://example.org/".into()).as_deref(),
        Some("HUB-RIVTA-001")
    );
    let _ = schemars::schema_for!(Config);
}

#[tokio::test]
async fn every_message_tells_its_basis() {
    let house = house().await;
    let mut config = config(&house.inbox.url());
    config.basis = Basis::RegionWide;
    config.approval_reference = Some("INERA-2026-17".into());
    let messaging = Messaging::build(config).unwrap();
    let Outcome::Done(done) = messaging.deliver("send", vec![send(1)]).await.remove(0).1 else {
        panic!()
    };
    assert_eq!(
        (&done.result["basis"], &done.result["approvalReference"]),
        (&json!("region-wide"), &json!("INERA-2026-17"))
    );
}
