//! Commands to `OML^O21`, and the lab's answer to an outcome. No I/O.

use halsonav_adapter::Delivery;
use halsonav_domain::{
    Done, Identity, Outcome, PersonIdKind, Timestamp,
    command::lab::{Cancelled, Order, Ordered},
};
use halsonav_hl7::{Ack, Field, Message, Segment, datetime};
use jiff::tz::TimeZone;
use serde_json::json;

use crate::{Config, Error, number};

/// Name of our coding system in OBR-4 and OBX-3, for NPU codes and the Swedish SWE codes alike.
const CODING_SYSTEM: &str = "NPU";
/// OID of HSA-ids.
const HSA: &str = "1.2.752.129.2.1.4.1";
const MOST_ANALYSES: usize = 50;

/// What the analyses of a health dialogue are called, for people who read messages.
const NAMES: [(&str, &str); 8] = [
    ("NPU27300", "B-Hemoglobin A1c (IFCC)"),
    ("NPU02192", "P-Glucose"),
    ("NPU02195", "P(fPt)-Glucose"),
    ("NPU01566", "P-Cholesterol"),
    ("NPU01567", "P-HDL-Cholesterol"),
    ("NPU01568", "P-LDL-Cholesterol"),
    ("NPU04094", "P-Triglyceride"),
    ("NPU03620", "P(fPt)-Triglyceride"),
];

/// Local time in Sweden.
pub(crate) fn zone() -> TimeZone {
    TimeZone::get("Europe/Stockholm").unwrap_or(TimeZone::UTC)
}

/// An order: one ORDER group per analysis, all under one placer order number.
pub(crate) fn order(config: &Config, delivery: &Delivery, order: &Order) -> Result<Message, Error> {
    let count = order.analyses.len();
    if count == 0 || count > MOST_ANALYSES {
        return Err(Error::Command("an order has 1 to 50 analyses"));
    }
    let code = |code: &String| {
        (1..=20).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if !order.analyses.iter().all(code) {
        return Err(Error::Command(
            "an analysis is a code of letters and digits, such as NPU27300",
        ));
    }
    let number = number::of(delivery.command.id);
    let mut message = begin(config, delivery)?;
    for (index, code) in order.analyses.iter().enumerate() {
        message.push(orc(delivery, "NW", &number));
        if let Some(planned) = order.planned {
            let start = local(planned);
            message.push(Segment::new("TQ1").with(1, "1").with(7, start).with(9, "R"));
        }
        let name = NAMES
            .iter()
            .find(|(known, _)| known == code)
            .map_or("", |(_, name)| name);
        message.push(
            Segment::new("OBR")
                .with(1, (index + 1).to_string())
                .with(2, number.as_str())
                .with(4, Field::components(&[code, name, CODING_SYSTEM])),
        );
        if let (0, Some(comment)) = (index, &order.comment) {
            message.push(
                Segment::new("NTE")
                    .with(1, "1")
                    .with(2, "P")
                    .with(3, comment.as_str()),
            );
        }
    }
    Ok(message)
}

/// The withdrawal of an order.
pub(crate) fn cancel(
    config: &Config,
    delivery: &Delivery,
    order_id: &str,
) -> Result<Message, Error> {
    let mut message = begin(config, delivery)?;
    message.push(orc(delivery, "CA", order_id));
    Ok(message)
}

/// `MSH` and `PID`. The time is the command's, so that a repeated message is the same to the byte.
fn begin(config: &Config, delivery: &Delivery) -> Result<Message, Error> {
    let identity = delivery.identity.as_ref().ok_or(Error::NoIdentity)?;
    let header = Segment::new("MSH")
        .with(3, config.application.as_str())
        .with(4, config.facility.as_str())
        .with(5, config.lab_application.as_str())
        .with(6, config.lab_facility.as_str())
        .with(7, local(delivery.command.issued))
        .with(9, Field::components(&["OML", "O21", "OML_O21"]))
        .with(10, number::of(delivery.command.id))
        .with(11, config.processing_id.as_str())
        .with(12, "2.5.1")
        .with(17, "SWE")
        .with(18, "UNICODE UTF-8");
    let mut message = Message::new(header);
    message.push(pid(identity));
    Ok(message)
}

/// Number, name and birth date; the address is of no use to a lab.
fn pid(identity: &Identity) -> Segment {
    let id = &identity.person_id;
    let id_type = match id.kind() {
        PersonIdKind::Personnummer | PersonIdKind::Samordningsnummer => "NNSWE",
        PersonIdKind::Reservnummer => "PI",
    };
    let number = Field::components(&[id.expose(), "", "", "", id_type])
        .with(4, &["", id.kind().oid(), "ISO"]);
    let name = &identity.name;
    let middle = name.middle.as_deref().unwrap_or_default();
    let segment = Segment::new("PID")
        .with(1, "1")
        .with(3, number)
        .with(5, Field::components(&[&name.surname, &name.given, middle]));
    match id.birth_date() {
        Some(date) => segment.with(7, date.strftime("%Y%m%d").to_string()),
        None => segment,
    }
}

fn orc(delivery: &Delivery, control: &str, number: &str) -> Segment {
    let unit = delivery.command.unit.as_str();
    let unit = Field::default()
        .with(6, &["", HSA, "ISO"])
        .with(10, &[unit]);
    Segment::new("ORC")
        .with(1, control)
        .with(2, number)
        .with(9, local(delivery.command.issued))
        .with(21, unit)
}

fn local(time: Timestamp) -> String {
    datetime::format(time, &zone())
}

/// What the lab's answer to an order means.
pub(crate) fn ordered(ack: &Ack, delivery: &Delivery) -> Outcome {
    if !ack.code.is_accepted() {
        return refused(ack);
    }
    if orl_says(ack, &["UA"]) {
        return business_refusal(ack);
    }
    let order_id = number::of(delivery.command.id);
    Done::new(json!(Ordered {
        order_id: order_id.clone()
    }))
    .referring("order", order_id)
    .into()
}

/// What the lab's answer to a withdrawal means.
pub(crate) fn cancelled(ack: &Ack) -> Outcome {
    let cancelled = if ack.code.is_accepted() {
        !orl_says(ack, &["UC", "UA"])
    } else if ack.error == "204" {
        // The lab knows no such order: nothing is there, which is what was wanted.
        false
    } else {
        return refused(ack);
    };
    Done::new(json!(Cancelled { cancelled })).into()
}

/// Whether any ORC of an `ORL^O22` has one of these order controls.
fn orl_says(ack: &Ack, controls: &[&str]) -> bool {
    let mut orders = ack
        .message
        .segments()
        .iter()
        .filter(|segment| segment.name() == "ORC");
    orders.any(|orc| controls.contains(&orc.text(1)))
}

fn refused(ack: &Ack) -> Outcome {
    // Table 0357: 100–103 and 200–203 are about the message, the others about what it asks for.
    let format = ["100", "101", "102", "103", "200", "201", "202", "203"];
    if ack.code.is_retryable() {
        Error::Later.into()
    } else if format.contains(&ack.error.as_str()) {
        Error::Unreadable(ack.error.clone()).into()
    } else {
        business_refusal(ack)
    }
}

fn business_refusal(ack: &Ack) -> Outcome {
    // The code only: the lab's text may say who it is about.
    let error = ack
        .error
        .chars()
        .filter(char::is_ascii_digit)
        .take(3)
        .collect::<String>();
    Outcome::Refused {
        code: "lab-refused".to_owned(),
        result: json!({ "error": error }),
    }
}

#[cfg(test)]
mod tests {
    use halsonav_domain::{CaseId, Command, CommandId, HsaId, Name, PersonId, SubjectId};

    use super::*;

    fn config() -> Config {
        let text = "host = 'lis'\nport = 1\nlisten = '127.0.0.1:0'\nfacility = 'REGION'\nlab_application = 'LIS'";
        toml::from_str(text).expect("a configuration")
    }

    fn delivery(person: &str) -> Delivery {
        let id = uuid::Uuid::from_u128(0x0190_0000_0000_4000_8000_0000_0000_0001);
        let command = Command {
            id: CommandId(id),
            case: CaseId(id),
            subject: SubjectId(id),
            kind: "lab.order".parse().expect("a kind"),
            unit: HsaId::new("SE2321000016-1HZ5"),
            payload: json!({}),
            headers: Default::default(),
            issued: "2026-11-23T06:25:00Z".parse().expect("a time"),
        };
        let name = Name {
            given: "Åsa & Eva".into(),
            middle: Some("Maria".into()),
            surname: "Öst^berg".into(),
            notification: None,
        };
        let person_id = PersonId::parse(person).expect("a number");
        let identity = Identity {
            person_id,
            name,
            address: None,
        };
        let now = command.issued;
        Delivery {
            command,
            identity: Some(identity),
            attachments: Vec::new(),
            attempt: 1,
            now,
        }
    }

    fn text(message: Message) -> Vec<String> {
        let text = String::from_utf8(message.to_bytes()).expect("text");
        text.split_terminator('\r').map(str::to_owned).collect()
    }

    #[test]
    fn an_order_is_one_group_for_each_analysis() {
        let wanted = Order {
            analyses: vec!["NPU27300".into(), "SWE05074".into()],
            planned: Some("2026-07-01T07:30:00Z".parse().expect("a time")),
            comment: Some("40 år | fasta".into()),
        };
        let found = text(order(&config(), &delivery("191212121212"), &wanted).expect("an order"));
        let orc = "ORC|NW|00008008000000000001|||||||20261123072500+0100||||||||||||\
                   ^^^^^&1.2.752.129.2.1.4.1&ISO^^^^SE2321000016-1HZ5";
        let expect = [
            "MSH|^~\\&|HALSONAV|REGION|LIS||20261123072500+0100||OML^O21^OML_O21|00008008000000000001|P|2.5.1|||||SWE|UNICODE UTF-8",
            "PID|1||191212121212^^^&1.2.752.129.2.1.3.1&ISO^NNSWE||Öst\\S\\berg^Åsa \\T\\ Eva^Maria||19121212",
            orc,
            "TQ1|1||||||20260701093000+0200||R",
            "OBR|1|00008008000000000001||NPU27300^B-Hemoglobin A1c (IFCC)^NPU",
            "NTE|1|P|40 år \\F\\ fasta",
            orc,
            "TQ1|1||||||20260701093000+0200||R",
            "OBR|2|00008008000000000001||SWE05074^^NPU",
        ];
        assert_eq!(found, expect);
    }

    #[test]
    fn each_kind_of_number_has_its_authority() {
        let check = |person: &str, expect: &str| {
            let found = text(cancel(&config(), &delivery(person), "A1").expect("a message"));
            assert!(found[1].starts_with(expect), "{}", found[1]);
            assert!(found[2].starts_with("ORC|CA|A1|"), "{}", found[2]);
        };
        check(
            "191212121212",
            "PID|1||191212121212^^^&1.2.752.129.2.1.3.1&ISO^NNSWE||",
        );
        let digit = PersonId::check_digit("19760463111").expect("digits");
        check(
            &format!("19760463111{digit}"),
            &format!("PID|1||19760463111{digit}^^^&1.2.752.129.2.1.3.3&ISO^NNSWE||"),
        );
        check(
            "22860101AB1C",
            "PID|1||22860101AB1C^^^&1.2.752.74.9.1&ISO^PI||",
        );
    }

    fn ack(code: &str, rest: &str) -> Ack {
        let text = format!("MSH|^~\\&|||||||ACK|9\rMSA|{code}|1\r{rest}");
        Ack::read(Message::parse(text.as_bytes()).expect("reads")).expect("an ack")
    }

    #[test]
    fn answers_become_outcomes() {
        let order = |code, rest| match ordered(&ack(code, rest), &delivery("191212121212")) {
            Outcome::Done(done) => done.references[0].value.clone(),
            Outcome::Refused { code, result } => format!("{code} {}", result["error"]),
            Outcome::Failed(problem) => problem.code,
            Outcome::Unknown(_) => "unknown".to_owned(),
        };
        assert_eq!(order("AA", ""), "00008008000000000001");
        assert_eq!(order("CA", "ORC|OK|1"), "00008008000000000001");
        assert_eq!(order("AA", "ORC|UA|1"), "lab-refused \"\"");
        assert_eq!(order("AE", "ERR|||101"), "HUB-LAB-005");
        assert_eq!(order("AR", "ERR|||101"), "HUB-LAB-006");
        assert_eq!(
            order("CR", "ERR|||205^Tolvan Tolvansson"),
            "lab-refused \"205\""
        );
    }
}
