//! Orders out of messages, results into messages.

use halsonav_domain::Timestamp;
use halsonav_hl7::{Field, Message, Segment, datetime};
use jiff::tz::TimeZone;

use super::{Order, Value};

/// What a message asks of the lab.
pub(super) enum Request {
    Order(Box<Order>),
    Cancel(String),
    /// Error code of table 0357, and why.
    Bad(&'static str, &'static str),
}

pub(super) fn request(message: &Message, now: Timestamp) -> Request {
    if message.kind() != ("OML", "O21") {
        return Request::Bad("200", "only OML^O21 is taken");
    }
    let (Some(pid), Some(orc)) = (message.segment("PID"), message.segment("ORC")) else {
        return Request::Bad("100", "PID and ORC are needed");
    };
    let (person, number) = (pid.text(3).to_owned(), orc.text(2).to_owned());
    if person.is_empty() || number.is_empty() {
        return Request::Bad("101", "PID-3 and ORC-2 are needed");
    }
    match orc.text(1) {
        "NW" => {}
        "CA" => return Request::Cancel(number),
        _ => return Request::Bad("103", "ORC-1 is NW or CA"),
    }
    let requests = message
        .segments()
        .iter()
        .filter(|segment| segment.name() == "OBR");
    let analyses: Vec<String> = requests.map(|obr| obr.component(4, 1).to_owned()).collect();
    if analyses.is_empty() || analyses.iter().any(String::is_empty) {
        return Request::Bad("101", "OBR-4 is needed");
    }
    Request::Order(Box::new(Order {
        number,
        person,
        authority: pid
            .field(3)
            .map_or("", |id| id.subcomponent(4, 2))
            .to_owned(),
        name: format!("{} {}", pid.component(5, 1), pid.component(5, 2))
            .trim()
            .to_owned(),
        analyses,
        planned: message.text("TQ1", 7).to_owned(),
        comment: message.text("NTE", 3).to_owned(),
        unit: orc.component(21, 10).to_owned(),
        control_id: message.control_id().to_owned(),
        received: now,
        cancelled: false,
    }))
}

/// `ORU^R01`: an ORC, an OBR and an OBX for each value, times in local time without a zone.
pub(super) fn result(
    order: &Order,
    values: &[Value],
    partial: bool,
    control_id: &str,
    now: Timestamp,
) -> Message {
    let status = if partial { "P" } else { "F" };
    let local = local(now);
    let mut message = Message::new(header("ORU", "R01", "ORU_R01", control_id, &local));
    let id = Field::from(order.person.as_str()).with(4, &["", &order.authority, "ISO"]);
    message.push(
        Segment::new("PID")
            .with(1, "1")
            .with(3, id)
            .with(5, Field::components(&[&order.name])),
    );
    for (index, value) in values.iter().enumerate() {
        let code = Field::components(&[&value.code, "", "NPU"]);
        message.push(
            Segment::new("ORC")
                .with(1, "RE")
                .with(2, order.number.as_str()),
        );
        message.push(
            Segment::new("OBR")
                .with(1, (index + 1).to_string())
                .with(2, order.number.as_str())
                .with(3, format!("L{}", order.number))
                .with(4, code.clone())
                .with(7, local.as_str())
                .with(25, status),
        );
        message.push(
            Segment::new("OBX")
                .with(1, "1")
                .with(2, "NM")
                .with(3, code)
                .with(5, value.value.to_string())
                .with(6, value.unit.as_str())
                .with(11, status)
                .with(14, local.as_str()),
        );
    }
    message
}

/// The answer to a request.
pub(super) fn ack(
    request: &Message,
    code: &str,
    control_id: &str,
    fault: Option<(&str, &str)>,
    now: Timestamp,
) -> Message {
    let id = format!(
        "K{}",
        request.control_id().chars().take(19).collect::<String>()
    );
    let mut message = Message::new(header("ACK", request.kind().1, "ACK", &id, &local(now)));
    message.push(Segment::new("MSA").with(1, code).with(2, control_id));
    if let Some((code, text)) = fault {
        let error = Field::components(&[code, text, "HL70357"]);
        message.push(Segment::new("ERR").with(3, error).with(4, "E"));
    }
    message
}

/// `ORL^O22`: what became of one order.
pub(super) fn order_response(
    request: &Message,
    number: &str,
    control: &str,
    now: Timestamp,
) -> Message {
    let id = format!(
        "K{}",
        request.control_id().chars().take(19).collect::<String>()
    );
    let mut message = Message::new(header("ORL", "O22", "ORL_O22", &id, &local(now)));
    message.push(
        Segment::new("MSA")
            .with(1, "AA")
            .with(2, request.control_id()),
    );
    message.push(
        Segment::new("PID")
            .with(1, "1")
            .with(3, request.text("PID", 3)),
    );
    message.push(Segment::new("ORC").with(1, control).with(2, number));
    message
}

fn header(code: &str, event: &str, structure: &str, control_id: &str, local: &str) -> Segment {
    Segment::new("MSH")
        .with(3, "LIS")
        .with(4, "KLINKEM")
        .with(5, "HALSONAV")
        .with(7, local)
        .with(9, Field::components(&[code, event, structure]))
        .with(10, control_id)
        .with(11, "P")
        .with(12, "2.5.1")
        .with(18, "UNICODE UTF-8")
}

fn local(now: Timestamp) -> String {
    let zone = TimeZone::get("Europe/Stockholm").unwrap_or(TimeZone::UTC);
    let text = datetime::format(now, &zone);
    text.split(['+', '-']).next().unwrap_or_default().to_owned()
}
