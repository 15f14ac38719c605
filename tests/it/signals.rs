//! A signal that one case throws reaches the others that wait for it, also when the process dies just
//! after the step is on disk.

use std::{
    cell::Cell,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use async_trait::async_trait;
use halsonav::rehearsal::{Fate, Ports, Register, Rehearsal, Stage, watch};
use halsonav_bus::{Log, Settings};
use halsonav_domain::{
    CaseId, Clock as _, Envelope, PersonId, PersonRecord, Problem, Timestamp, VirtualClock,
};
use serde_json::json;
use uuid::Uuid;

use crate::numbers::number;

const PROCESS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="D" targetNamespace="test">
  <bpmn:message id="M" name="resident.declined"><bpmn:extensionElements><zeebe:subscription correlationKey="=caseId" /></bpmn:extensionElements></bpmn:message>
  <bpmn:signal id="S" name="round over" />
  <bpmn:process id="halsosamtal" name="Somebody calls it off for all" isExecutable="true">
    <bpmn:startEvent id="Start" />
    <bpmn:sequenceFlow id="a" sourceRef="Start" targetRef="Await" />
    <bpmn:eventBasedGateway id="Await" />
    <bpmn:sequenceFlow id="b" sourceRef="Await" targetRef="Said" />
    <bpmn:sequenceFlow id="c" sourceRef="Await" targetRef="Heard" />
    <bpmn:intermediateCatchEvent id="Said"><bpmn:messageEventDefinition messageRef="M" /></bpmn:intermediateCatchEvent>
    <bpmn:sequenceFlow id="d" sourceRef="Said" targetRef="Call" />
    <bpmn:intermediateThrowEvent id="Call"><bpmn:signalEventDefinition signalRef="S" /></bpmn:intermediateThrowEvent>
    <bpmn:sequenceFlow id="e" sourceRef="Call" targetRef="Caller" />
    <bpmn:endEvent id="Caller"><bpmn:extensionElements><zeebe:properties><zeebe:property name="outcome" value="caller" /></zeebe:properties></bpmn:extensionElements></bpmn:endEvent>
    <bpmn:intermediateCatchEvent id="Heard"><bpmn:signalEventDefinition signalRef="S" /></bpmn:intermediateCatchEvent>
    <bpmn:sequenceFlow id="f" sourceRef="Heard" targetRef="Hearer" />
    <bpmn:endEvent id="Hearer"><bpmn:extensionElements><zeebe:properties><zeebe:property name="outcome" value="hearer" /></zeebe:properties></bpmn:extensionElements></bpmn:endEvent>
  </bpmn:process>
</bpmn:definitions>
"#;

/// The shipped folder, with one region more.
fn regions(dir: &Path) -> PathBuf {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let own = dir.join("regions/signals");
    fs::create_dir_all(&own).unwrap();
    symlink(shipped.join("base"), dir.join("base")).unwrap();
    symlink(shipped.join("regions/demo"), dir.join("regions/demo")).unwrap();
    let text = "extends = \"demo\"\nname = \"signals\"\ntitle = \"Region med signaler\"\n";
    fs::write(own.join("region.toml"), text).unwrap();
    fs::write(own.join("process.bpmn"), PROCESS).unwrap();
    dir.to_owned()
}

/// Knows nobody; nobody asks.
struct Nobody;

#[async_trait]
impl Register for Nobody {
    async fn lookup(&self, _: &[PersonId], _: Timestamp) -> Vec<Result<PersonRecord, Problem>> {
        Vec::new()
    }
}

/// A hub in this folder; an earlier life's store and log are taken up.
async fn life(stage: &Stage, dir: &Path, clock: &Arc<VirtualClock>) -> Rehearsal {
    let ports = Ports {
        dir: dir.join("data"),
        bus: Arc::new(Log::open(&dir.join("log"), Settings::default()).unwrap()),
        clock: clock.clone(),
        lanes: Vec::new(),
        register: Arc::new(Nobody),
    };
    let started = Rehearsal::start(stage, ports).await;
    started.unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Turns everything until nothing moves any more.
async fn settle(hub: &mut Rehearsal) {
    let mut still = 0;
    while still < 3 {
        let mut moved = 0;
        for part in 0..hub.parts() {
            moved += hub.turn(part).await.unwrap();
        }
        still = if moved == 0 { still + 1 } else { 0 };
    }
}

fn outcomes(hub: &Rehearsal, cases: &[CaseId]) -> Vec<Option<String>> {
    let outcome = |case: &CaseId| {
        let case = hub.storage().read(|r| r.case(case)).unwrap();
        case.unwrap().ledger.outcome
    };
    cases.iter().map(outcome).collect()
}

async fn called_off(dies_at: Option<&'static str>) {
    let folder = tempfile::tempdir().unwrap();
    let regions = regions(&folder.path().join("config"));
    let stage = Stage::within(Some(regions), "signals");
    let stage = stage.unwrap_or_else(|problems| panic!("{problems:?}"));
    let clock = Arc::new(VirtualClock::new("2026-01-12T06:00:00Z".parse().unwrap()));
    let mut hub = life(&stage, folder.path(), &clock).await;
    let people: Vec<_> = (0..3)
        .map(|n| {
            let person = PersonId::parse(&number("19760101", 980 + n)).unwrap();
            (person, CaseId(Uuid::from_u128(u128::from(n) + 1)))
        })
        .collect();
    let cases: Vec<CaseId> = people.iter().map(|(_, case)| *case).collect();
    hub.open(people).await.unwrap();
    settle(&mut hub).await;
    assert_eq!(outcomes(&hub, &cases), [None, None, None]);

    let no = Envelope::new(
        "/api",
        "no",
        "resident.declined",
        Some(cases[0]),
        clock.now(),
        json!({}),
    );
    hub.say(vec![no]).await.unwrap();
    if let Some(point) = dies_at {
        let dead = Rc::new(Cell::new(false));
        let told = dead.clone();
        watch(Some(Box::new(move |at, _| match at == point {
            true => {
                told.set(true);
                Fate::Stops
            }
            false => Fate::GoesOn,
        })));
        let died = async {
            while !dead.get() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = died => {}
            () = settle(&mut hub) => panic!("nobody came to {point}"),
        }
        watch(None);
        drop(hub);
        hub = life(&stage, folder.path(), &clock).await;
    }
    settle(&mut hub).await;
    let one_and_the_others = ["caller", "hearer", "hearer"].map(|it| Some(it.to_owned()));
    assert_eq!(outcomes(&hub, &cases), one_and_the_others, "{dies_at:?}");
    assert_eq!(hub.storage().read(|r| r.news(10)).unwrap(), []);
    let facts = hub.storage().read(|r| r.totals(None)).unwrap();
    assert_eq!((facts.incident, facts.unaccounted), (0, 0));
}

#[tokio::test]
async fn all_others_hear_a_signal_whenever_the_process_dies() {
    for dies_at in [None, Some("processor.stored"), Some("news.published")] {
        called_off(dies_at).await;
    }
}
