//! What can become of a document on its way.

use std::{fs, sync::Arc};

use halsonav_adapter::{Adapter, Build, Outbound, Reconciled, conformance};
use halsonav_domain::{Kind, Outcome, trace};
use halsonav_journal::{Config, Journal, documentation_event};
use halsonav_neighbours::{
    faults::Fault,
    journal::{self, Settings},
    pki::Authority,
};

use tokio::{io::AsyncReadExt as _, net::TcpListener};

use crate::{config, delivery, full, house, now, one, settings};

fn failed(outcome: &Outcome, kind: Kind, code: &str) {
    assert!(
        matches!(outcome, Outcome::Failed(p) if p.kind == kind && p.code == code),
        "{code}: {outcome:?}"
    );
}

#[tokio::test]
async fn the_contract_of_an_adapter() {
    let house = house().await;
    let count = || house.system.count();
    let first = || delivery(1, full());
    conformance::never_sent_is_absent(&*house.adapter, "document", first()).await;
    conformance::same_id_acts_once(&*house.adapter, "document", first(), count).await;
    conformance::bad_payload_is_invalid(&*house.adapter, "document", first()).await;
    let outcome = house
        .adapter
        .deliver("fly", vec![first()])
        .await
        .remove(0)
        .1;
    failed(&outcome, Kind::Invalid, "HUB-JOURNAL-010");
    let mut nobody = first();
    nobody.identity = None;
    failed(
        &one(&house.adapter, nobody).await,
        Kind::Internal,
        "HUB-JOURNAL-011",
    );
    house.adapter.check().await.unwrap();
    assert!(!house.adapter.operations()[0].contact);
    let config = config(&house.system);
    house.system.stop().await;
    let away = Journal::build(config).unwrap();
    conformance::refused_connection_is_unavailable(&away, "document", first()).await;
    assert_eq!(away.check().await.unwrap_err().kind, Kind::Unavailable);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_settled_by_asking() {
    let house = house().await;
    for (n, fault, there) in [
        (1, Fault::LoseAnswer, true),
        (2, Fault::DropRequest, false),
        (3, Fault::WrongAnswer, true),
        (4, Fault::Garbage, false),
    ] {
        house.system.faults().push(fault.clone());
        let outcome = one(&house.adapter, delivery(n, full())).await;
        assert!(
            matches!(outcome, Outcome::Unknown(_)),
            "{fault:?}: {outcome:?}"
        );
        let again = delivery(n, full());
        if there {
            conformance::lost_answer_is_settled(&*house.adapter, "document", again).await;
        } else {
            conformance::never_sent_is_absent(&*house.adapter, "document", again).await;
        }
    }
    assert_eq!(house.system.count(), 2);
    // What cannot be asked now is asked later; a wrong answer is no answer.
    for fault in [
        Fault::LoseAnswer,
        Fault::Technical,
        Fault::Garbage,
        Fault::WrongAnswer,
        Fault::Logical,
    ] {
        house.system.faults().push(fault.clone());
        let answer = house
            .adapter
            .reconcile("document", &delivery(1, full()))
            .await;
        assert!(
            matches!(answer, Reconciled::Later(_)),
            "{fault:?}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_refusal_tells_its_code_and_nobodys_number() {
    let house = house().await;
    house.system.faults().push(Fault::Logical);
    let outcome = one(&house.adapter, delivery(1, full())).await;
    failed(&outcome, Kind::Invalid, "HUB-JOURNAL-908");
    let text = format!("{outcome:?}");
    assert!(
        text.contains("business-rule") && !text.contains("191212121212"),
        "{text}"
    );
    house.system.faults().push(Fault::Technical);
    let outcome = one(&house.adapter, delivery(1, full())).await;
    failed(&outcome, Kind::Unavailable, "HUB-JOURNAL-905");
    assert!(matches!(outcome, Outcome::Failed(p) if p.retry_after_s == Some(7)));
    let mut small = config(&house.system);
    small.max_bytes = 100;
    let small = Journal::build(small).unwrap();
    failed(
        &one(&small, delivery(1, full())).await,
        Kind::Invalid,
        "HUB-JOURNAL-013",
    );
    let mut elsewhere = config(&house.system);
    elsewhere.base = house.system.url().replace("/fhir", "/wrong");
    let elsewhere = Journal::build(elsewhere).unwrap();
    failed(
        &one(&elsewhere, delivery(1, full())).await,
        Kind::Invalid,
        "HUB-JOURNAL-908",
    );
    assert_eq!(house.system.count(), 0);
}

#[tokio::test]
async fn documents_survive_a_restart() {
    let house = house().await;
    for n in 1..=3 {
        assert!(matches!(
            one(&house.adapter, delivery(n, full())).await,
            Outcome::Done(_)
        ));
    }
    let (new, cursor) = house.system.since(1);
    assert_eq!((new.len(), cursor), (2, 3));
    house.system.stop().await;
    let system = journal::Journal::start(settings(&house.folder))
        .await
        .unwrap();
    let adapter = Journal::build(config(&system)).unwrap();
    // The command comes again with more than before: what was written stays as it was written.
    let mut again = delivery(1, full());
    again.command.payload["summary"] = "Ändrat".into();
    assert!(matches!(one(&adapter, again).await, Outcome::Done(_)));
    assert_eq!(system.count(), 3);
    let id = delivery(1, full()).command.id.to_string();
    let kept = system.document(&id).unwrap();
    assert_eq!(kept.person, "191212121212");
    assert!(!kept.text.contains("Ändrat"));
    assert!(!format!("{kept:?}").contains("191212121212"));
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        token: Some("s3cret".to_owned()),
        ..settings(&folder)
    };
    let system = journal::Journal::start(settings).await.unwrap();
    let file = folder.path().join("token");
    let adapter = Journal::build(Config {
        token_file: Some(file.clone()),
        ..config(&system)
    })
    .unwrap();
    failed(
        &one(&adapter, delivery(1, full())).await,
        Kind::Denied,
        "HUB-JOURNAL-005",
    );
    fs::write(&file, "old\n").unwrap();
    failed(
        &one(&adapter, delivery(1, full())).await,
        Kind::Denied,
        "HUB-JOURNAL-904",
    );
    // Renewed in place, without a restart.
    fs::write(&file, "s3cret\n").unwrap();
    assert!(matches!(
        one(&adapter, delivery(1, full())).await,
        Outcome::Done(_)
    ));
}

#[tokio::test]
async fn certificates_are_shown_and_demanded() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new(folder.path(), "ours").unwrap();
    let theirs = Authority::new(folder.path(), "theirs").unwrap();
    let server = ours.issue("SE2321000999-JOURNAL").unwrap();
    let system = journal::Journal::start(Settings {
        tls: Some(server),
        ..settings(&folder)
    })
    .await
    .unwrap();
    let with = |ca: &Authority, issuer: &Authority| {
        let pem = issuer.issue("SE2321000999-HUB").unwrap();
        Journal::build(Config {
            ca: Some(ca.ca()),
            certificate: Some(pem.certificate),
            key: Some(pem.key),
            ..config(&system)
        })
        .unwrap()
    };
    let send = || delivery(1, full());
    assert!(matches!(
        one(&with(&ours, &ours), send()).await,
        Outcome::Done(_)
    ));
    failed(
        &one(&with(&theirs, &ours), send()).await,
        Kind::Denied,
        "HUB-JOURNAL-902",
    );
    let outcome = one(&with(&ours, &theirs), send()).await;
    assert!(
        matches!(&outcome, Outcome::Failed(p) if p.kind == Kind::Denied)
            || matches!(outcome, Outcome::Unknown(_)),
        "{outcome:?}"
    );
    assert_eq!(system.count(), 1);
}

#[tokio::test]
async fn a_document_belongs_to_the_trace_of_its_command() {
    let mut house = house().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = config(&house.system);
    settings.base = format!("http://{}/fhir", listener.local_addr().unwrap());
    house.adapter = Arc::new(Journal::build(settings).unwrap());
    let work = trace::within(Some("00-1-2-01"), one(&house.adapter, delivery(1, full())));
    let heard = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            assert!(stream.read_buf(&mut request).await.unwrap() > 0);
        }
        String::from_utf8_lossy(&request).into_owned()
    };
    let (outcome, heard) = tokio::join!(work, heard);
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    assert!(heard.contains("\r\ntraceparent: 00-1-2-01\r\n"), "{heard}");
}

#[test]
fn the_documentation_event_has_no_identity() {
    let command = delivery(1, full()).command;
    let event = documentation_event(command.case, command.id, &command.id.to_string(), now());
    assert_eq!(
        (event.kind.as_str(), event.subject),
        ("journal.documented", Some(command.case))
    );
    let text = serde_json::to_string(&event).unwrap();
    assert!(
        !text.contains("191212121212") && !text.contains("Tolvan"),
        "{text}"
    );
}
