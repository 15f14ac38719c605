use std::sync::atomic::Ordering;

use halsonav_adapter::Outbound;
use halsonav_domain::event::{Event, LabResult};
use halsonav_hl7::{Ack, Client, Code, Endpoint, Message};
use halsonav_neighbours::lab::Value;
use serde_json::json;

use crate::{
    OTHER, TOLVAN, adapter, case,
    hub::{Hub, Listening, listen},
    lis, order,
};

async fn send(listening: &Listening, lines: &str, id: &str) -> Ack {
    let text = format!("MSH|^~\\&|LIS|KLINKEM|||20261123||ORU^R01^ORU_R01|{id}|P|2.5.1\r{lines}");
    let client = Client::new(Endpoint::new("127.0.0.1", listening.addr.port()));
    client
        .send(&Message::parse(text.as_bytes()).unwrap())
        .await
        .unwrap()
}

fn results(hub: &Hub) -> Vec<LabResult> {
    hub.events()
        .into_iter()
        .map(|event| serde_json::from_value(event.data).unwrap())
        .collect()
}

#[tokio::test]
async fn an_order_is_answered_in_parts_and_comes_together() {
    let dir = tempfile::tempdir().unwrap();
    let lis = lis(dir.path()).await;
    let lab = adapter(lis.addr().port(), "");
    let hub = Hub::new(&[(TOLVAN, case(1))]);
    let listening = listen(&lab, &hub).await;
    lis.set_target(listening.addr);
    lab.deliver("order", vec![order(1)]).await;
    let number = lis.orders()[0].number.clone();
    hub.note(&number, case(1), order(1).command.payload);

    let glucose = [Value::new("NPU27300", 41.0, "mmol/mol")];
    assert_eq!(
        lis.answer(&number, &glucose, true).await.unwrap().code,
        Code::AA
    );
    lis.answer(&number, &glucose, false).await.unwrap();
    lis.answer(&number, &[Value::new("NPU01566", 5.4, "mmol/L")], false)
        .await
        .unwrap();
    let found = results(&hub);
    assert_eq!(
        found
            .iter()
            .map(|result| result.complete)
            .collect::<Vec<_>>(),
        [false, false, true]
    );
    assert_eq!(
        found[0].observations[0].status.as_deref(),
        Some("preliminary")
    );
    let last = &found[2].observations[0];
    assert_eq!(
        (last.code.as_str(), last.value, last.unit.as_str()),
        ("NPU01566", 5.4, "mmol/L")
    );
    assert_eq!(last.taken, Some("2026-11-23T06:25:00Z".parse().unwrap()));
    let event = &hub.events()[0];
    assert_eq!(
        (event.kind.as_str(), event.subject),
        (LabResult::TYPE, Some(case(1)))
    );
    assert_eq!(
        (event.correlationkey.as_ref(), event.source.as_str()),
        (Some(&number), "/adapters/lab")
    );
    assert!(
        !serde_json::to_string(&hub.events())
            .unwrap()
            .contains(TOLVAN)
    );
}

#[tokio::test]
async fn a_result_that_was_not_acknowledged_comes_again_as_the_same_fact() {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::new(&[(TOLVAN, case(1))]);
    let lab;
    {
        let lis = lis(dir.path()).await;
        lab = adapter(lis.addr().port(), "");
        lab.deliver("order", vec![order(1)]).await;
        let listening = listen(&lab, &hub).await;
        lis.set_target(listening.addr);
        hub.away.store(true, Ordering::SeqCst);
        let number = lis.orders()[0].number.clone();
        hub.note(&number, case(1), order(1).command.payload);
        let ack = lis.answer_plausibly(&number).await.unwrap();
        assert_eq!((ack.code, ack.error.as_str()), (Code::AE, "207"));
        hub.away.store(false, Ordering::SeqCst);
        listening.stop.cancel();
        listening.done.await.unwrap().unwrap();
    }
    // Both begin anew: the lab with its tape, the listener with nothing.
    let lis = lis(dir.path()).await;
    assert_eq!((lis.count(), lis.unacknowledged()), (1, 1));
    let listening = listen(&lab, &hub).await;
    lis.set_target(listening.addr);
    assert_eq!(lis.resend().await.unwrap(), 1);
    assert_eq!((lis.resend().await.unwrap(), lis.unacknowledged()), (0, 0));
    assert!(results(&hub)[0].complete);

    let lines = format!("PID|1||{TOLVAN}\rOBR|1|||NPU1\rOBX|1|NM|NPU1||5|u|||||F");
    for _ in 0..2 {
        assert_eq!(send(&listening, &lines, "77").await.code, Code::AA);
    }
    assert_eq!(send(&listening, &lines, "78").await.code, Code::AA);
    let ids: Vec<_> = hub.events().into_iter().map(|event| event.id).collect();
    assert_eq!(ids[1], ids[2]);
    assert_ne!(ids[2], ids[3]);
}

#[tokio::test]
async fn a_result_is_never_filed_on_another_person() {
    let hub = Hub::new(&[(TOLVAN, case(1)), (OTHER, case(2))]);
    hub.note("A1", case(1), json!({ "analyses": ["NPU1"] }));
    let listening = listen(&adapter(1, ""), &hub).await;
    let result = |person: &str, order: &str| {
        format!("PID|1||{person}\rOBR|1|{order}||NPU1\rOBX|1|NM|NPU1||5|u|||||F")
    };
    let wrong = send(&listening, &result(OTHER, "A1"), "1").await;
    assert_eq!((wrong.code, wrong.error.as_str()), (Code::AE, "204"));
    let unknown = PERSON_WITHOUT_CASE;
    assert_eq!(
        send(&listening, &result(unknown, "A1"), "2").await.code,
        Code::AE
    );
    assert_eq!(
        send(&listening, &result(unknown, "B1"), "3").await.code,
        Code::AR
    );
    let both = format!("{TOLVAN}~{OTHER}");
    assert_eq!(
        send(&listening, &result(&both, "A1"), "4").await.code,
        Code::AE
    );
    // One order in the message is right, the other is not: none is filed.
    let mixed = format!("{}\r{}", result(TOLVAN, "A1"), result(OTHER, "A1"));
    assert_eq!(send(&listening, &mixed, "5").await.code, Code::AE);
    assert!(hub.events().is_empty());
    let text = String::from_utf8(wrong.message.to_bytes()).unwrap();
    assert!(
        text.contains("HUB-LAB-011") && !text.contains(OTHER) && !text.contains(TOLVAN),
        "{text}"
    );

    assert_eq!(
        send(&listening, &result(TOLVAN, "A1"), "6").await.code,
        Code::AA
    );
    assert_eq!(
        send(&listening, &result(OTHER, "unknown"), "7").await.code,
        Code::AA
    );
    assert_eq!(
        hub.events()[1].subject,
        Some(case(2)),
        "a number we do not know: the person decides"
    );
}

const PERSON_WITHOUT_CASE: &str = "198001019291";

#[tokio::test]
async fn several_orders_in_one_message_are_several_facts() {
    let hub = Hub::new(&[(TOLVAN, case(1)), (OTHER, case(2))]);
    hub.note("A", case(1), json!({ "analyses": ["NPU1", "NPU2"] }));
    hub.note("B", case(2), json!({ "analyses": ["NPU3"] }));
    let listening = listen(&adapter(1, ""), &hub).await;
    let lines = format!(
        "PID|1||{TOLVAN}\rORC|RE|A\rOBR|1|||NPU1\rOBX|1|SN|NPU1||<^0.5|mmol/L|||||F\rORC|RE|A\rOBR|2|||NPU2|||||||||||||||||||||X\r\
         PID|2||{OTHER}\rOBR|1|B||SWE05074\rOBX|1|ST|SWE05074||>=90|mL/min|||||C"
    );
    assert_eq!(send(&listening, &lines, "1").await.code, Code::AA);
    let found = results(&hub);
    assert_eq!(
        (found.len(), found[0].complete, found[1].complete),
        (2, true, false)
    );
    assert_eq!(found[0].observations[0].comparator.as_deref(), Some("<"));
    assert_eq!(
        found[1].observations[0].status.as_deref(),
        Some("corrected")
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_rejected_with_its_place() {
    let hub = Hub::new(&[(TOLVAN, case(1))]);
    let listening = listen(
        &adapter(
            1,
            "allowed = [{ application = 'LIS', facility = 'KLINKEM' }]",
        ),
        &hub,
    )
    .await;
    let cases = [
        ("OBR|1|A||NPU1", "101"),
        ("PID|1||12\rOBR|1|A||NPU1", "101"),
        (
            &format!("PID|1||{TOLVAN}\rOBR|1|A||NPU1\rOBX|1|NM|NPU1||5|u|||||Q"),
            "103",
        ),
        (
            &format!("PID|1||{TOLVAN}\rOBR|1|A||NPU1\rOBX|1|NM|NPU1||5|u|||||W"),
            "207",
        ),
    ];
    for (number, (lines, error)) in cases.into_iter().enumerate() {
        let ack = send(&listening, lines, &number.to_string()).await;
        assert_eq!((ack.code, ack.error.as_str()), (Code::AR, error), "{lines}");
        assert!(
            !String::from_utf8(ack.message.to_bytes())
                .unwrap()
                .contains(TOLVAN)
        );
    }
    let stranger = Message::parse(b"MSH|^~\\&|X|Y|||||ORU^R01|9|P|2.5.1\rPID|1").unwrap();
    let client = Client::new(Endpoint::new("127.0.0.1", listening.addr.port()));
    assert_eq!(client.send(&stranger).await.unwrap().code, Code::AR);
    assert!(hub.events().is_empty());
}
