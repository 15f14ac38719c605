//! Acknowledgements: `MSH`, `MSA` and, when something is wrong, `ERR`.

use halsonav_domain::Timestamp;
use jiff::tz::TimeZone;

use crate::{Answer, Fault, Field, Message, Segment, charset, datetime};

/// MSA-1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// Application accept.
    AA,
    /// Application error: may work later.
    AE,
    /// Application reject: will not work.
    AR,
    /// Commit accept: in safe storage, no need to resend.
    CA,
    /// Commit error: may work later.
    CE,
    /// Commit reject: will not work.
    CR,
}

impl Code {
    /// Reads MSA-1.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Some(match text {
            "AA" => Self::AA,
            "AE" => Self::AE,
            "AR" => Self::AR,
            "CA" => Self::CA,
            "CE" => Self::CE,
            "CR" => Self::CR,
            _ => return None,
        })
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AA => "AA",
            Self::AE => "AE",
            Self::AR => "AR",
            Self::CA => "CA",
            Self::CE => "CE",
            Self::CR => "CR",
        }
    }

    /// The message is done.
    #[must_use]
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::AA | Self::CA)
    }

    /// The message may be sent again.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::AE | Self::CE)
    }
}

/// An acknowledgement as it came.
#[derive(Clone, Debug)]
pub struct Ack {
    /// MSA-1.
    pub code: Code,
    /// MSA-2: the message that it is about.
    pub control_id: String,
    /// The first error code of `ERR` (ERR-3, or ERR-1 before 2.5) or MSA-6; empty when there is none.
    pub error: String,
    /// The whole, for answers that carry more, such as `ORL`.
    pub message: Message,
}

impl Ack {
    /// Reads a message that holds an `MSA`.
    #[must_use]
    pub fn read(message: Message) -> Option<Self> {
        let msa = message.segment("MSA")?;
        let code = Code::read(msa.text(1))?;
        let control_id = msa.text(2).to_owned();
        let before_2_5 = |err: &Segment| {
            err.field(1)
                .map(|field| field.subcomponent(4, 1).to_owned())
                .unwrap_or_default()
        };
        let error = message
            .segment("ERR")
            .map(|err| match err.text(3) {
                "" => before_2_5(err),
                code => code.to_owned(),
            })
            .filter(|code| !code.is_empty())
            .unwrap_or_else(|| msa.text(6).to_owned());
        Some(Self {
            code,
            control_id,
            error,
            message,
        })
    }
}

/// Makes the acknowledgements that `request` asks for: one in original mode (MSH-15 and MSH-16
/// empty), and in enhanced mode none, a commit acknowledgement, an application one, or both.
pub(crate) fn acknowledge(
    request: &Message,
    answer: &Answer,
    serial: impl Fn() -> String,
    now: Timestamp,
) -> Vec<Message> {
    let (commit, application) = (request.text("MSH", 15), request.text("MSH", 16));
    let accepted = *answer == Answer::Accepted;
    let asked = |condition: &str| match condition {
        "AL" => true,
        "SU" => accepted,
        "ER" => !accepted,
        _ => false,
    };
    let (early, late) = match answer {
        Answer::Accepted => (Code::CA, Code::AA),
        Answer::Retry(_) => (Code::CE, Code::AE),
        Answer::Rejected(_) => (Code::CR, Code::AR),
    };
    let codes: Vec<Code> = if commit.is_empty() && application.is_empty() {
        vec![late]
    } else {
        [(asked(commit), early), (asked(application), late)]
            .into_iter()
            .filter_map(|(asked, code)| asked.then_some(code))
            .collect()
    };
    let fault = match answer {
        Answer::Accepted => None,
        Answer::Retry(fault) | Answer::Rejected(fault) => Some(fault),
    };
    codes
        .into_iter()
        .map(|code| write(request, code, fault, serial(), now))
        .collect()
}

fn write(
    request: &Message,
    code: Code,
    fault: Option<&Fault>,
    serial: String,
    now: Timestamp,
) -> Message {
    let header = request.segment("MSH");
    let echo = |field: usize| {
        header
            .and_then(|header| header.field(field))
            .cloned()
            .unwrap_or_default()
    };
    let version = match request.text("MSH", 12) {
        version if version.starts_with("2.") => version,
        _ => "2.5.1",
    };
    let processing = match request.text("MSH", 11) {
        "" => "P",
        id => id,
    };
    let zone = TimeZone::get("Europe/Stockholm").unwrap_or(TimeZone::UTC);
    let msh = Segment::new("MSH")
        .with(3, echo(5))
        .with(4, echo(6))
        .with(5, echo(3))
        .with(6, echo(4))
        .with(7, datetime::format(now, &zone))
        .with(9, Field::components(&["ACK", request.kind().1, "ACK"]))
        .with(10, serial)
        .with(11, processing)
        .with(12, version)
        .with(18, charset::UTF_8);
    let mut message = Message::new(msh);
    let msa = Segment::new("MSA")
        .with(1, code.as_str())
        .with(2, request.control_id());
    message.push(match fault {
        Some(fault) => msa.with(3, fault.text.as_str()),
        None => msa,
    });
    if let Some(fault) = fault {
        message.push(err(fault));
    }
    message
}

/// `ERR` of 2.5 and later.
fn err(fault: &Fault) -> Segment {
    let segment = Segment::new("ERR")
        .with(3, Field::components(&[fault.code, "", "HL70357"]))
        .with(4, "E")
        .with(8, fault.text.as_str());
    match fault.location {
        Some((name, number, field)) => segment.with(
            2,
            Field::components(&[name, &number.to_string(), &field.to_string()]),
        ),
        None => segment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(conditions: (&str, &str), answer: &Answer, expect: &[&str]) {
        let text = format!(
            "MSH|^~\\&|LIS|LAB|HUB|R|20261123||ORU^R01^ORU_R01|77|T|2.4|||{}|{}",
            conditions.0, conditions.1
        );
        let request = Message::parse(text.as_bytes()).expect("reads");
        let acks = acknowledge(&request, answer, || "1".to_owned(), Timestamp::UNIX_EPOCH);
        let codes: Vec<_> = acks.iter().map(|ack| ack.text("MSA", 1)).collect();
        assert_eq!(codes, expect, "{conditions:?}");
        for ack in &acks {
            assert_eq!(
                (ack.text("MSA", 2), ack.text("MSH", 3), ack.text("MSH", 5)),
                ("77", "HUB", "LIS")
            );
            assert_eq!(
                (ack.text("MSH", 11), ack.text("MSH", 12), ack.kind()),
                ("T", "2.4", ("ACK", "R01"))
            );
        }
    }

    #[test]
    fn the_request_says_how_it_is_acknowledged() {
        let retry = Answer::Retry(Fault::new("207", "later"));
        let rejected = Answer::Rejected(Fault::new("101", "no PID").at("PID", 1, 3));
        check(("", ""), &Answer::Accepted, &["AA"]);
        check(("", ""), &retry, &["AE"]);
        check(("", ""), &rejected, &["AR"]);
        check(("AL", "NE"), &Answer::Accepted, &["CA"]);
        check(("AL", "NE"), &rejected, &["CR"]);
        check(("AL", "AL"), &retry, &["CE", "AE"]);
        check(("ER", "SU"), &Answer::Accepted, &["AA"]);
        check(("ER", "SU"), &retry, &["CE"]);
        check(("NE", "NE"), &rejected, &[]);
        check(("", "AL"), &Answer::Accepted, &["AA"]);
    }

    #[test]
    fn a_fault_is_told_with_its_place() {
        let request = Message::parse(b"MSH|^~\\&|||||||ORU^R01|1").expect("reads");
        let answer = Answer::Rejected(Fault::new("101", "PID-3 is missing").at("PID", 1, 3));
        let acks = acknowledge(&request, &answer, || "1".to_owned(), Timestamp::UNIX_EPOCH);
        let text = String::from_utf8(acks[0].to_bytes()).expect("text");
        assert!(
            text.contains(
                "\rMSA|AR|1|PID-3 is missing\rERR||PID^1^3|101^^HL70357|E||||PID-3 is missing\r"
            ),
            "{text}"
        );
        let ack = Ack::read(acks[0].clone()).expect("an ack");
        assert_eq!((ack.code, ack.error.as_str()), (Code::AR, "101"));
    }

    #[test]
    fn older_acks_tell_their_error_elsewhere() {
        for tail in ["MSA|AE|1||||204", "MSA|AE|1\rERR|PID^1^3^204"] {
            let text = format!("MSH|^~\\&|||||||ACK|9\r{tail}");
            let ack = Ack::read(Message::parse(text.as_bytes()).expect("reads")).expect("an ack");
            assert_eq!(ack.error, "204", "{tail}");
        }
        let strange = Message::parse(b"MSH|^~\\&|||||||ACK|9\rMSA|XX|1").expect("reads");
        assert!(Ack::read(strange).is_none());
    }
}
