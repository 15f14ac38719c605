//! Consent, whatever the process thinks.

use std::{collections::BTreeMap, sync::Arc};

use halsonav_adapter::{Adapter, Build, Delivery, Outbound, conformance};
use halsonav_domain::{CaseId, Command, CommandId, HsaId, Kind, Outcome, SubjectId};
use halsonav_research::{Config, Research};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{contribution, now};

fn delivery(payload: Value) -> Delivery {
    let case = CaseId(Uuid::from_u128(1));
    Delivery {
        command: Command {
            id: CommandId::derive(case, 1),
            case,
            subject: SubjectId(Uuid::from_u128(1)),
            kind: "research.contribute".parse().unwrap(),
            unit: HsaId::new("SE2321000999-VC01"),
            payload,
            headers: BTreeMap::new(),
            issued: now(),
        },
        identity: None,
        attachments: Vec::new(),
        attempt: 1,
        now: now(),
    }
}

async fn one(operation: &str, payload: Value) -> Outcome {
    let research = Research::build(Config::default()).unwrap();
    let outcomes = research.deliver(operation, vec![delivery(payload)]).await;
    outcomes.into_iter().next().unwrap().1
}

#[tokio::test]
async fn consent_is_true_or_it_is_not_consent() {
    let outcome = one("contribute", contribution(json!("good"))).await;
    assert!(
        matches!(&outcome, Outcome::Done(done) if done.result == json!({ "accepted": true })),
        "{outcome:?}"
    );
    for consent in [json!(false), json!(null), json!("true"), json!(1)] {
        let mut payload = contribution(json!("good"));
        payload["consent"] = consent.clone();
        let outcome = one("contribute", payload).await;
        assert!(
            matches!(&outcome, Outcome::Refused { code, .. } if code == "no-consent"),
            "{consent}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn the_contract_of_an_adapter() {
    let research = Arc::new(Research::build(Config::default()).unwrap());
    research.check().await.unwrap();
    let good = || delivery(contribution(json!("good")));
    conformance::bad_payload_is_invalid(&*research, "contribute", good()).await;
    conformance::never_sent_is_absent(&*research, "contribute", good()).await;
    let outcome = one("fly", contribution(json!("good"))).await;
    assert!(
        matches!(&outcome, Outcome::Failed(p) if p.kind == Kind::Invalid),
        "{outcome:?}"
    );
    assert!(serde_json::from_value::<Config>(json!({ "unheard": 1 })).is_err());
}
