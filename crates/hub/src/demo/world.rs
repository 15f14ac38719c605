//! The world around the hub: every neighbour, each behind its own socket, with the people in them.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use halsonav_domain::{Clock, HsaId, Kind, PersonId, Problem, Protection};
use halsonav_neighbours::{
    forms::{self, Forms, Input, Question, Template},
    inbox::{self, Account, Inbox},
    index::Subscriber,
    journal::{self, Journal},
    lab::{self, Lab},
    register::{self, Person, Register, Residence},
    scheduling::{self, Facility, Scheduling},
    vendor::{self, Vendor},
};
use halsonav_profile::{FormDefinition, QuestionKind};
use halsonav_rivta::ClientConfig;
use serde_json::Value;

use super::population::Resident;
use crate::config::Region;

/// Who the hub is to its neighbours.
const HUB: &str = "SE2321000999-HUB";
/// Leaders at each unit: enough that a time is found within weeks.
const LEADERS_FOR: usize = 250;

/// The neighbours of a demo.
pub struct World {
    /// The population register.
    pub register: Register,
    /// 1177 inkorg.
    pub inbox: Inbox,
    /// The booking system.
    pub scheduling: Scheduling,
    /// The form engine.
    pub forms: Forms,
    /// The lab system.
    pub lab: Lab,
    /// The print vendor.
    pub vendor: Vendor,
    /// The journal system.
    pub journal: Journal,
    /// The key with which the hub enters the vendor's account.
    vendor_key: PathBuf,
    /// Everybody, by ordinal.
    pub people: Vec<Resident>,
    /// Ordinal by every number the person has or gets.
    pub by_number: HashMap<String, usize>,
}

/// Starts every neighbour; what they remember lies in `dir`.
///
/// # Errors
/// `HUB-DEMO-001` when a socket or a file cannot be had.
pub async fn start(
    people: Vec<Resident>,
    region: &Region,
    questionnaires: &[FormDefinition],
    dir: &Path,
    letters: &Path,
    clock: Arc<dyn Clock>,
    seed: u64,
) -> Result<World, Problem> {
    let accounts = people
        .iter()
        .filter(|p| p.inbox)
        .filter_map(|p| Some((PersonId::parse(&p.person_id).ok()?, Account::active())));
    let population = people.iter().filter_map(person).collect();
    let facilities = facilities(region, people.len());
    let templates = questionnaires.iter().map(template).collect();
    let tape = |name: &str| dir.join(format!("{name}.jsonl"));
    let mut lab_settings = lab::Settings::new(tape("lab"), clock.clone());
    lab_settings.seed = seed;
    let by_number = numbers(&people);
    let vendor_key = dir.join("hub.vendor-key");
    let shop = letters.to_owned();
    let start = async {
        Ok::<_, io::Error>(World {
            register: Register::start(register::Settings::new(
                population,
                tape("register"),
                clock.clone(),
            ))
            .await?,
            inbox: Inbox::start(inbox::Settings::new(
                accounts.collect(),
                tape("inbox"),
                clock.clone(),
            ))
            .await?,
            scheduling: Scheduling::start(scheduling::Settings::new(
                facilities,
                tape("scheduling"),
                clock.clone(),
            ))
            .await?,
            forms: Forms::start(forms::Settings::new(
                templates,
                tape("forms"),
                clock.clone(),
            ))
            .await?,
            lab: Lab::start(lab_settings).await?,
            vendor: Vendor::start(vendor::Settings::new(
                shop,
                clock.clone(),
                &vendor::key_pair(&vendor_key)?,
            ))
            .await?,
            journal: Journal::start(journal::Settings::new(tape("journal"), clock.clone())).await?,
            vendor_key,
            people: Vec::new(),
            by_number,
        })
    };
    let mut world = start.await.map_err(|error| fault(&error))?;
    world.people = people;
    Ok(world)
}

/// A neighbour that could not be had, or could not reach the hub.
pub fn fault(error: &dyn std::error::Error) -> Problem {
    Problem::new(
        Kind::Unavailable,
        "HUB-DEMO-001",
        format!("a neighbour does not work: {error}"),
    )
}

fn numbers(people: &[Resident]) -> HashMap<String, usize> {
    let mut by_number = HashMap::with_capacity(people.len());
    for (ordinal, person) in people.iter().enumerate() {
        by_number.insert(person.person_id.clone(), ordinal);
        if let Some(next) = super::population::replacement(&person.person_id) {
            by_number.entry(next).or_insert(ordinal);
        }
    }
    by_number
}

fn person(resident: &Resident) -> Option<Person> {
    let id = PersonId::parse(&resident.person_id).ok()?;
    let mut person = Person::new(&id, &resident.given_name, &resident.surname);
    person.residence = Some(Residence {
        care_of: resident.care_of.clone(),
        street: resident.street.clone(),
        postal_code: resident.postal_code.parse().unwrap_or(0),
        city: resident.city.clone(),
    });
    person.protection = resident.protection;
    if resident.protection == Protection::SkyddadFolkbokforing {
        person.residence = None;
    }
    person.paper_opt_out = resident.paper_opt_out;
    person.test = resident.test_person;
    Some(person)
}

fn facilities(region: &Region, residents: usize) -> Vec<Facility> {
    let time_type = region
        .switches
        .get("timeType")
        .and_then(Value::as_str)
        .unwrap_or("HALSOSAMTAL");
    let leaders = (residents / region.units.len().max(1)).div_ceil(LEADERS_FOR) + 1;
    let leaders = u16::try_from(leaders).unwrap_or(u16::MAX);
    region
        .units
        .iter()
        .map(|unit| Facility::new(unit.hsa_id.clone(), &unit.name, leaders, time_type))
        .collect()
}

fn template(form: &FormDefinition) -> Template {
    let questions = form
        .questions
        .iter()
        .map(|question| {
            let values = || {
                question
                    .alternatives
                    .iter()
                    .map(|a| a.value.clone())
                    .collect()
            };
            let input = match question.kind {
                QuestionKind::Radio => Input::Radio(values()),
                QuestionKind::SelectMultiple => Input::Checkbox(values()),
                QuestionKind::Number => Input::Number {
                    unit: None,
                    min: None,
                    max: None,
                },
                QuestionKind::Text => Input::Text,
            };
            let asked = Question::new(&question.code, &question.text, input);
            if question.mandatory {
                asked
            } else {
                asked.optional()
            }
        })
        .collect();
    Template {
        id: form.template.clone(),
        version: 1,
        name: form.title.clone(),
        questions,
    }
}

impl World {
    /// Settings of the hub's adapters towards this world.
    #[must_use]
    pub fn adapters(&self, region: &Region) -> toml::Table {
        let client = |url: String| toml::toml! { endpoint = url max_in_flight = 16 };
        let mut table = toml::Table::new();
        let mut add = |name: &str, settings: toml::Table| {
            table.insert(name.to_owned(), toml::Value::Table(settings));
        };
        let loopback = "127.0.0.1:0";
        let hub = HUB;
        add("roster", one("register", client(self.register.url())));
        let mut service = client(self.inbox.url());
        service.insert("calls_per_second".to_owned(), toml::Value::Float(100_000.0));
        let mut messaging = one("service", service);
        messaging.extend(toml::toml! { basis = "screening-call" source_system = hub });
        messaging.insert("links".to_owned(), toml::Value::Table(links()));
        messaging.insert("units".to_owned(), toml::Value::Table(unit_names(region)));
        add("messaging", messaging);
        let mut booking = one("client", client(self.scheduling.url()));
        booking.extend(toml::toml! { notifications = { listen = loopback } });
        add("booking", booking);
        let mut forms = one("client", client(self.forms.url()));
        forms.extend(toml::toml! { engine = "SE165565594230-FORM" system = hub notifications = { listen = loopback } poll = { every_minutes = 1440 } });
        add("forms", forms);
        let (host, port) = (
            self.lab.addr().ip().to_string(),
            i64::from(self.lab.addr().port()),
        );
        let vendor = self.vendor.addr();
        let (vendor_host, vendor_port) = (vendor.ip().to_string(), i64::from(vendor.port()));
        let (key, host_key) = (
            self.vendor_key.display().to_string(),
            self.vendor.host_key(),
        );
        let back: Vec<String> = region
            .units
            .first()
            .map(|unit| [vec![unit.name.clone()], unit.address.clone()].concat())
            .unwrap_or_default();
        let mut print = toml::toml! { host = vendor_host port = vendor_port user = "hub" key = key vendor = "Tryckeriet" poll_minutes = 720 };
        print.insert(
            "host_keys".to_owned(),
            toml::Value::Array(vec![toml::Value::String(host_key)]),
        );
        print.insert(
            "return_address".to_owned(),
            toml::Value::Array(back.into_iter().map(toml::Value::String).collect()),
        );
        add("print", print);
        let mut journal = toml::Table::new();
        journal.insert("base".to_owned(), toml::Value::String(self.journal.url()));
        journal.insert("max_in_flight".to_owned(), toml::Value::Integer(16));
        journal.insert("units".to_owned(), toml::Value::Table(unit_names(region)));
        add("journal", journal);
        add("research", toml::Table::new());
        add(
            "lab",
            toml::toml! { host = host port = port listen = loopback facility = hub },
        );
        table
    }

    /// Tells the neighbours where the hub listens, by the adapter's name.
    ///
    /// # Errors
    /// `HUB-DEMO-001` when an address will not do.
    pub fn introduce(&self, adapter: &str, address: SocketAddr) -> Result<(), Problem> {
        let subscriber = Subscriber {
            client: ClientConfig::to(format!("http://{address}/")),
            logical_address: HUB.to_owned(),
        };
        match adapter {
            "booking" => self
                .scheduling
                .notify(Some(&subscriber))
                .map_err(|error| fault(&error)),
            "forms" => self
                .forms
                .notify(Some(&subscriber))
                .map_err(|error| fault(&error)),
            "lab" => {
                self.lab.set_target(address);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The person behind a number, by ordinal.
    #[must_use]
    pub fn ordinal(&self, number: &str) -> Option<usize> {
        self.by_number.get(number).copied()
    }

    /// The number that the register has in force for a person.
    #[must_use]
    pub fn person_id(&self, ordinal: usize) -> Option<PersonId> {
        let id = PersonId::parse(&self.people.get(ordinal)?.person_id).ok()?;
        let now = self.register.person(&id).and_then(|person| person.now);
        now.map_or(Some(id), |number| PersonId::parse(&number).ok())
    }

    /// The number that a person has now and, if it is another, the one they had first.
    #[must_use]
    pub fn numbers(&self, ordinal: usize) -> Vec<PersonId> {
        let first = self.people.get(ordinal).map(|person| &person.person_id);
        let first = first.and_then(|id| PersonId::parse(id).ok());
        let mut numbers: Vec<PersonId> = self.person_id(ordinal).into_iter().chain(first).collect();
        numbers.dedup();
        numbers
    }

    /// Returns when the hub has taken every notification.
    pub async fn settled(&self) {
        self.scheduling.settled().await;
        self.forms.settled().await;
    }

    /// The unit where a person is listed.
    #[must_use]
    pub fn unit(&self, ordinal: usize) -> Option<&HsaId> {
        self.people.get(ordinal).map(|person| &person.unit)
    }
}

fn one(name: &str, settings: toml::Table) -> toml::Table {
    [(name.to_owned(), toml::Value::Table(settings))]
        .into_iter()
        .collect()
}

fn unit_names(region: &Region) -> toml::Table {
    region
        .units
        .iter()
        .map(|unit| {
            (
                unit.hsa_id.to_string(),
                toml::Value::String(unit.name.clone()),
            )
        })
        .collect()
}

/// What a resident can do from a message.
fn links() -> toml::Table {
    let link =
        |text: &str| toml::Value::Table(toml::toml! { system = "SE2321000999-BOOK" text = text });
    [
        ("book", "Boka tid"),
        ("decline", "Tacka nej"),
        ("rebook", "Boka om"),
        ("cancel", "Avboka"),
        ("form", "Svara på formulär"),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), link(text)))
    .collect()
}
