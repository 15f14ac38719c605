//! Every type that crosses the hub's border, by the name it has there.

use halsonav_domain::{
    Command, Envelope, Problem,
    command::{booking, forms, journal, lab, messaging, print, profile, research, roster},
    event::{self, Event},
};
use schemars::{JsonSchema, generate::SchemaSettings, transform::ReplaceBoolSchemas};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// What a type is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// What everything travels in.
    Frame,
    /// What a command asks.
    Command,
    /// What a carried out command answers.
    Result,
    /// `data` of an event.
    Event,
}

impl Part {
    /// Last but one part of the file's name.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Frame => None,
            Self::Command => Some("command"),
            Self::Result => Some("result"),
            Self::Event => Some("event"),
        }
    }
}

/// One type of the border.
pub struct Contract {
    /// `messaging.send`, `booking.made`, `envelope`.
    pub name: &'static str,
    /// What it is for.
    pub part: Part,
    /// Its schema.
    pub schema: Value,
    /// Reads a value and writes it again.
    pub again: fn(&Value) -> Result<Value, String>,
}

impl Contract {
    /// Name of its schema file.
    pub fn file(&self) -> String {
        match self.part.word() {
            None => format!("{}.schema.json", self.name),
            Some(word) => format!("{}.{word}.schema.json", self.name),
        }
    }
}

/// In the draft that AsyncAPI 3.0 has as its own, so that its tools read the files as they are.
fn schema<T: JsonSchema>() -> Value {
    let mut anything = ReplaceBoolSchemas::default();
    anything.skip_additional_properties = true;
    SchemaSettings::draft07()
        .with_transform(anything)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

fn contract<T: JsonSchema + Serialize + DeserializeOwned>(
    name: &'static str,
    part: Part,
) -> Contract {
    let again = |value: &Value| {
        let read: T = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
        serde_json::to_value(read).map_err(|error| error.to_string())
    };
    Contract {
        name,
        part,
        schema: schema::<T>(),
        again,
    }
}

fn pair<C, R>(name: &'static str) -> [Contract; 2]
where
    C: JsonSchema + Serialize + DeserializeOwned,
    R: JsonSchema + Serialize + DeserializeOwned,
{
    [
        contract::<C>(name, Part::Command),
        contract::<R>(name, Part::Result),
    ]
}

fn event<T: Event + JsonSchema>() -> Contract {
    contract::<T>(T::TYPE, Part::Event)
}

/// All of them.
pub fn all() -> Vec<Contract> {
    let frames = [
        contract::<Envelope>("envelope", Part::Frame),
        contract::<Command>("command", Part::Frame),
        contract::<Problem>("problem", Part::Frame),
    ];
    frames
        .into_iter()
        .chain(commands().into_iter().flatten())
        .chain(events())
        .collect()
}

fn commands() -> Vec<[Contract; 2]> {
    vec![
        pair::<booking::Book, booking::Booked>("booking.book"),
        pair::<booking::Rebook, booking::Booked>("booking.rebook"),
        pair::<booking::Cancel, booking::Cancelled>("booking.cancel"),
        pair::<booking::Lookup, booking::LookedUp>("booking.lookup"),
        pair::<forms::Request, forms::Requested>("forms.request"),
        pair::<forms::Cancel, forms::Cancelled>("forms.cancel"),
        pair::<journal::Document, journal::Documented>("journal.document"),
        pair::<lab::Order, lab::Ordered>("lab.order"),
        pair::<lab::Cancel, lab::Cancelled>("lab.cancel"),
        pair::<messaging::Check, messaging::Checked>("messaging.check"),
        pair::<messaging::Send, messaging::Sent>("messaging.send"),
        pair::<messaging::Status, messaging::StatusOf>("messaging.status"),
        pair::<print::Letter, print::Lettered>("print.letter"),
        pair::<print::Recall, print::Recalled>("print.recall"),
        pair::<profile::Draw, profile::Drawn>("profile.draw"),
        pair::<research::Contribute, research::Contributed>("research.contribute"),
        pair::<roster::Lookup, roster::LookedUp>("roster.lookup"),
    ]
}

fn events() -> Vec<Contract> {
    vec![
        event::<event::CommandDone>(),
        event::<event::CommandRefused>(),
        event::<event::CommandFailed>(),
        event::<event::WorkItemCompleted>(),
        event::<event::Declined>(),
        event::<event::OptedOut>(),
        event::<event::ConsentGiven>(),
        event::<event::PersonChanged>(),
        event::<event::BookingMade>(),
        event::<event::BookingChanged>(),
        event::<event::BookingCancelled>(),
        event::<event::FormCompleted>(),
        event::<event::LabResult>(),
        event::<event::LetterAccepted>(),
        event::<event::LetterRejected>(),
        event::<event::LetterDispatched>(),
        event::<event::LetterReturned>(),
        event::<event::DocumentationWritten>(),
    ]
}

/// A contract by name and part.
pub fn find<'a>(all: &'a [Contract], name: &str, part: Part) -> Option<&'a Contract> {
    all.iter()
        .find(|contract| contract.name == name && contract.part == part)
}

/// A type that is added to the vocabulary and forgotten here would have no contract.
#[test]
fn nothing_of_the_vocabulary_is_left_out() {
    let all = all();
    let events = include_str!("../../src/event.rs");
    for line in events.lines().filter(|line| line.starts_with("event!(")) {
        let name = line.split('"').nth(1).expect("a type in quotes");
        assert!(
            find(&all, name, Part::Event).is_some(),
            "event {name} has no contract"
        );
    }
    let modules = [
        include_str!("../../src/command/booking.rs"),
        include_str!("../../src/command/forms.rs"),
        include_str!("../../src/command/journal.rs"),
        include_str!("../../src/command/lab.rs"),
        include_str!("../../src/command/messaging.rs"),
        include_str!("../../src/command/print.rs"),
        include_str!("../../src/command/profile.rs"),
        include_str!("../../src/command/research.rs"),
        include_str!("../../src/command/roster.rs"),
    ];
    for line in modules
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| line.starts_with("/// `"))
    {
        let name = line.split('`').nth(1).expect("a kind in backticks");
        assert!(
            find(&all, name, Part::Command).is_some(),
            "command {name} has no contract"
        );
    }
    let declared = include_str!("../../src/command.rs")
        .lines()
        .filter(|line| line.starts_with("pub mod "))
        .count();
    assert_eq!(
        declared,
        modules.len(),
        "a command module is not looked at here"
    );
}
