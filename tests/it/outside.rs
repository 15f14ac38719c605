//! The hub and a program in another language, with nothing between them but the topics: the example
//! adapter in Python, and the judge in the place of the neighbour that it speaks to.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use halsonav_bus::{Bus as _, Delivered, Kafka, codec, kafka::Settings};
use halsonav_domain::{CaseId, CommandId, Envelope, PersonId, Topic};
use halsonav_tests::{
    judge::{Answer, Behaviour, Judge, Mode, Verdict},
    site::Site,
};
use serde_json::{Value, json};

use crate::support::{binary, command, folder, halsonav, named, until};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(90);
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Everything around the adapter.
struct Stage {
    site: String,
    regions: String,
    kafka: Kafka,
    judge: Judge,
    _hub: Running,
    _adapter: Running,
}

/// Services and Python, or why there is nothing to test.
fn wanted() -> Option<(String, String)> {
    binary()?;
    Some((named("HALSONAV_KAFKA")?, named("HALSONAV_PYTHON")?))
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A regions folder with the one region.
fn regions(out: &Path) -> PathBuf {
    let folder = out.join("config");
    let region = folder.join("regions/interpreter");
    fs::create_dir_all(region.join("rules")).unwrap();
    fs::create_dir_all(folder.join("base")).unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/outside");
    for name in ["region.toml", "interpreter.bpmn"] {
        fs::copy(here.join(name), region.join(name)).unwrap();
    }
    let rules = repository().join("config/regions/demo/rules/cohort.dmn");
    fs::copy(rules, region.join("rules/cohort.dmn")).unwrap();
    folder
}

/// A number with its check digit.
fn person(begins: &str) -> String {
    let mut whole = (0..10).map(|digit| format!("{begins}{digit}"));
    whole
        .find(|number| PersonId::parse(number).is_ok())
        .unwrap()
}

impl Stage {
    fn set(kafka: &str, python: &str) -> Self {
        let out = folder("outside");
        fs::create_dir_all(&out).unwrap();
        let regions = regions(&out);
        let site = out.join("site.toml");
        let settings = Site {
            brokers: Some(kafka),
            ..Site::default()
        };
        settings.write(&site).unwrap();
        let text = fs::read_to_string(&site).unwrap();
        let data = out.join("data");
        let own = format!(
            "[hub]\nregion = \"interpreter\"\ndata = \"{}\"\n{text}",
            data.display()
        );
        fs::write(&site, &own).unwrap();
        let (site, regions) = (site.display().to_string(), regions.display().to_string());
        let list = out.join("list.csv");
        let people = [person("19760403981"), person("19660403981")];
        let lines = people.map(|number| format!("{number};SE2321000999-VC01\n"));
        fs::write(&list, format!("person_id;unit_hsa_id\n{}", lines.concat())).unwrap();
        let tell = |words: &[&str]| tell(&site, &regions, words);
        tell(&["topics", "apply"]);
        let imported = tell(&["cohort", "import", list.to_str().unwrap()]);
        assert_eq!(imported["opened"], 2, "{imported}");

        let program = Path::new(env!("CARGO_BIN_EXE_judge"));
        let judge = Judge::start(program, &out.join("ledger"), Mode::NoDedup).unwrap();
        let own: toml::Table = own.parse().unwrap();
        let bus: Settings = own["kafka"].clone().try_into().unwrap();
        let neighbour = format!("http://{}", judge.address());
        let memory = out.join("memory.db");
        let adapter = Command::new(python)
            .arg(repository().join("docs/examples/python-adapter/adapter.py"))
            .args(["--kafka", kafka, "--prefix", &bus.prefix])
            .args(["--booking-system", &neighbour, "--pauses", "0,2,2"])
            .arg("--memory")
            .arg(memory)
            .stdin(Stdio::null())
            .stderr(fs::File::create(out.join("adapter.log")).unwrap())
            .spawn()
            .unwrap();
        let hub = command(&["--config", &site, "--regions", &regions, "serve"])
            .stderr(fs::File::create(out.join("hub.log")).unwrap())
            .spawn()
            .unwrap();
        Self {
            kafka: Kafka::new(bus).unwrap(),
            judge,
            _hub: Running(hub),
            _adapter: Running(adapter),
            site,
            regions,
        }
    }

    fn tell(&self, words: &[&str]) -> Value {
        tell(&self.site, &self.regions, words)
    }

    fn cases(&self, state: &str) -> Vec<CaseId> {
        let told = self.tell(&["case", "list", "--state", state]);
        let cases = told["cases"].as_array().unwrap().iter();
        cases
            .map(|case| case["id"].as_str().unwrap().parse().unwrap())
            .collect()
    }

    /// A booking of the case, as a neighbour tells it, in a trace.
    async fn book(&self, case: CaseId) {
        let data = json!({
            "bookingId": format!("B-{case}"),
            "start": "2026-03-05T10:00:00Z", "end": "2026-03-05T11:00:00Z"
        });
        let now = jiff::Timestamp::now();
        let mut fact = Envelope::new(
            "/adapters/booking",
            "booked",
            "booking.made",
            Some(case),
            now,
            data,
        );
        fact.traceparent = Some(TRACE.to_owned());
        let record = codec::event(&fact).unwrap();
        let said = self.kafka.publish(&Topic::Events, vec![record]).await;
        said.unwrap();
    }

    /// Everything of this case on a topic.
    async fn said(&self, topic: Topic, case: CaseId) -> Vec<Delivered> {
        let group = format!("reader-{}", uuid::Uuid::now_v7().simple());
        let mut reader = self.kafka.subscribe(&group, &[topic]).unwrap();
        let (mut all, begun) = (Vec::new(), Instant::now());
        while reader.lag().await.unwrap() > 0 || all.is_empty() {
            assert!(begun.elapsed() < PATIENCE, "nothing is said");
            let wait = Some(Duration::from_millis(200));
            all.extend(reader.poll(100, wait).await.unwrap());
            reader.commit().await.unwrap();
        }
        reader.close().await.unwrap();
        let key = case.to_string();
        all.retain(|one| one.record.key.as_deref() == Some(&key));
        all
    }
}

fn tell(site: &str, regions: &str, words: &[&str]) -> Value {
    let said = halsonav(&[&["--config", site, "--regions", regions, "--json"], words].concat());
    assert!(said.status.success(), "{words:?}: {}{}", said.out, said.err);
    said.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_moves_on_by_the_word_of_a_program_in_another_language() {
    let Some((kafka, python)) = wanted() else {
        return;
    };
    let mut stage = Stage::set(&kafka, &python);
    let cases = until(PATIENCE, "both cases wait", || {
        Some(stage.cases("waiting")).filter(|cases| cases.len() == 2)
    });
    stage.book(cases[0]).await;
    until(PATIENCE, "the first has its interpreter", || {
        stage.cases("ended").contains(&cases[0]).then_some(())
    });
    as_the_contract_says(&stage, cases[0]).await;

    // The neighbour does it, its answer is lost, and then it is away: nobody knows.
    let lost = Behaviour {
        drop_after: 1.0,
        ..Behaviour::default()
    };
    stage.judge.behave(&lost).unwrap();
    stage.book(cases[1]).await;
    until(PATIENCE, "the request arrives", || {
        let verdict = stage.judge.verdict().unwrap();
        verdict
            .answers
            .contains_key(&Answer::DroppedAfter)
            .then_some(())
    });
    stage.judge.kill().unwrap();
    let incident = until(PATIENCE, "nobody knows", || {
        let told = stage.tell(&["incident", "list"]);
        told["incidents"].as_array()?.first().cloned()
    });
    assert_eq!(incident["code"], "INTERPRETER-003", "{incident}");
    stage.judge.behave(&Behaviour::default()).unwrap();
    stage.judge.start_again().unwrap();
    // Somebody asks again. It is there: found under the id of the first command, not done anew.
    stage.tell(&["incident", "retry", &incident["no"].to_string()]);
    until(PATIENCE, "the second has its interpreter too", || {
        stage.cases("ended").contains(&cases[1]).then_some(())
    });
    let verdict: Verdict = stage.judge.verdict().unwrap();
    assert!(verdict.twice.is_empty(), "{:?}", verdict.twice);
    assert_eq!(verdict.effects["interpreter"].len(), 2);
    let asked = stage.said(commands(), cases[1]).await;
    assert_eq!(asked.len(), 2, "once decided, once asked again");
    let second = codec::read_command(&asked[1].record).unwrap();
    let first = codec::read_command(&asked[0].record).unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(
        second.headers["halsonav-repeats"],
        first.headers["halsonav-job"]
    );
}

fn commands() -> Topic {
    Topic::Commands("interpreter".to_owned())
}

/// The records of the case, as contracts/asyncapi.yaml has them.
async fn as_the_contract_says(stage: &Stage, case: CaseId) {
    let asked = stage.said(commands(), case).await;
    let [asked] = asked.as_slice() else {
        panic!("{} commands", asked.len());
    };
    let command = codec::read_command(&asked.record).unwrap();
    let job: u64 = command.headers["halsonav-job"].parse().unwrap();
    assert_eq!(command.id, CommandId::derive(case, job));
    assert_eq!(command.headers["traceparent"], TRACE);
    let header = |one: &Delivered, name: &str| one.record.header(name).map(str::to_owned);
    let (id, issued) = (command.id.to_string(), command.issued.to_string());
    for (name, value) in [
        ("content-type", "application/json"),
        ("ce_specversion", "1.0"),
        ("ce_id", &id),
        ("ce_source", "/engine"),
        ("ce_type", "interpreter.book"),
        ("ce_time", &issued),
        ("ce_subject", &case.to_string()),
        ("traceparent", TRACE),
    ] {
        assert_eq!(header(asked, name).as_deref(), Some(value), "{name}");
    }
    let facts = stage.said(Topic::Events, case).await;
    let answer = facts
        .iter()
        .find(|fact| header(fact, "ce_type").as_deref() == Some("command.done"))
        .expect("an answer");
    for (name, value) in [
        ("ce_id", id.as_str()),
        ("ce_source", "/adapters/interpreter"),
        ("traceparent", TRACE),
    ] {
        assert_eq!(header(answer, name).as_deref(), Some(value), "{name}");
    }
    let told = codec::read_event(&answer.record).unwrap();
    assert_eq!(told.data["job"], job);
    assert_eq!(told.data["result"]["reference"], id.as_str());
}
