//! `ORU^R01` to observations. No I/O.

use std::collections::BTreeSet;

use halsonav_domain::{PersonId, Timestamp, event::Observation};
use halsonav_hl7::{Fault, Field, Message, Segment, datetime};

use crate::{
    Error,
    translate::zone,
    value::{unit, value},
};

/// What a message says of one order of one person.
pub(crate) struct Report {
    /// The person's numbers, as PID-3 has them.
    pub(crate) persons: Vec<PersonId>,
    /// Placer order number, when the lab tells it.
    pub(crate) order: Option<String>,
    /// Filler order number, when the lab tells it.
    pub(crate) filler: Option<String>,
    /// Values.
    pub(crate) observations: Vec<Observation>,
    /// Codes that are answered for good, with or without a value.
    pub(crate) answered: BTreeSet<String>,
    /// Codes that have been seen and are not.
    pub(crate) pending: BTreeSet<String>,
}

/// Reads all orders of a message; several groups of one order become one report.
pub(crate) fn read(message: &Message) -> Result<Vec<Report>, Error> {
    match message.kind() {
        ("ORU", "R01") => {}
        ("ORU", _) => return Err(fault("201", "only the event R01 is read", "MSH", 1, 9)),
        _ => return Err(fault("200", "only ORU messages are read", "MSH", 1, 9)),
    }
    let mut reader = Reader::default();
    for segment in message.segments() {
        match segment.name() {
            "PID" => reader.person(segment)?,
            "ORC" => reader.order(segment),
            "OBR" => reader.request(segment)?,
            "OBX" => reader.observation(segment)?,
            "SPM" => reader.current = None,
            _ => {}
        }
    }
    reader.finish()
}

/// Where we are in the message.
#[derive(Default)]
struct Reader {
    persons: Vec<PersonId>,
    person_count: usize,
    /// ORC-2 and ORC-3 of the group that begins.
    common: (String, String),
    reports: Vec<Report>,
    /// The report, time and status that OBX belong to.
    current: Option<(usize, Option<Timestamp>, String)>,
    requests: usize,
    observations: usize,
}

impl Reader {
    fn person(&mut self, pid: &Segment) -> Result<(), Error> {
        self.person_count += 1;
        let numbers = pid
            .repetitions(3)
            .filter_map(|id| PersonId::parse(id.component(1)).ok());
        self.persons = numbers.collect();
        self.common = Default::default();
        self.current = None;
        if self.persons.is_empty() {
            return Err(fault(
                "101",
                "PID-3 has no personal identity number",
                "PID",
                self.person_count,
                3,
            ));
        }
        Ok(())
    }

    fn order(&mut self, orc: &Segment) {
        self.common = (orc.text(2).to_owned(), orc.text(3).to_owned());
        self.current = None;
    }

    fn request(&mut self, obr: &Segment) -> Result<(), Error> {
        self.requests += 1;
        if self.person_count == 0 {
            return Err(fault("101", "PID is missing", "PID", 1, 3));
        }
        let either = |own: &str, common: &str| {
            let text = if own.is_empty() { common } else { own };
            (!text.is_empty()).then(|| text.to_owned())
        };
        let order = either(obr.text(2), &self.common.0);
        let filler = either(obr.text(3), &self.common.1);
        let known = self.reports.iter().position(|report| {
            report.persons == self.persons
                && report.order == order
                && (order.is_some() || report.filler == filler)
        });
        let index = known.unwrap_or(self.reports.len());
        if known.is_none() {
            self.reports.push(Report {
                persons: self.persons.clone(),
                order,
                filler,
                observations: Vec::new(),
                answered: BTreeSet::new(),
                pending: BTreeSet::new(),
            });
        }
        let time = time(obr, 7, "OBR", self.requests)?;
        let status = obr.text(25).to_owned();
        if let Some(code) = code(obr.field(4)) {
            let report = &mut self.reports[index];
            if matches!(status.as_str(), "F" | "C" | "X") {
                report.answered.insert(code);
            } else if !status.is_empty() {
                report.pending.insert(code);
            }
        }
        self.current = Some((index, time, status));
        Ok(())
    }

    fn observation(&mut self, obx: &Segment) -> Result<(), Error> {
        self.observations += 1;
        let number = self.observations;
        let Some((index, requested, request_status)) = &self.current else {
            // Of a specimen, or before any OBR: no answer to an order.
            return Ok(());
        };
        let Some(code) = code(obx.field(3)) else {
            return Err(fault("101", "OBX-3 is missing", "OBX", number, 3));
        };
        let status = match obx.text(11) {
            "" => request_status.as_str(),
            status => status,
        };
        let report = &mut self.reports[*index];
        let status = match status {
            "F" | "U" => "final",
            "C" => "corrected",
            "P" | "R" | "S" => "preliminary",
            "X" => {
                report.answered.insert(code);
                return Ok(());
            }
            "I" | "N" | "O" => {
                report.pending.insert(code);
                return Ok(());
            }
            "D" | "W" => return Err(Error::Withdrawn),
            _ => {
                return Err(fault(
                    "103",
                    "OBX-11 is not in table 0085",
                    "OBX",
                    number,
                    11,
                ));
            }
        };
        if status == "preliminary" {
            report.pending.insert(code.clone());
        } else {
            report.answered.insert(code.clone());
        }
        let taken = time(obx, 14, "OBX", number)?.or(*requested);
        // An answer in words has no place among values; that it came is told by `answered`.
        if let Some((comparator, value)) = value(obx) {
            report.observations.push(Observation {
                code,
                value,
                unit: unit(obx.field(6)),
                taken,
                status: Some(status.to_owned()),
                comparator,
            });
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<Report>, Error> {
        let mut reports = self.reports;
        for report in &mut reports {
            report
                .pending
                .retain(|code| !report.answered.contains(code));
        }
        if reports.is_empty() {
            return Err(fault("100", "a result needs PID and OBR", "OBR", 1, 1));
        }
        Ok(reports)
    }
}

/// The code, or the alternate one when only that is NPU or SWE.
fn code(field: Option<&Field>) -> Option<String> {
    let field = field?;
    let (first, other) = (field.component(1), field.component(4));
    let national = |code: &str| code.starts_with("NPU") || code.starts_with("SWE");
    let code = if !national(first) && national(other) || first.is_empty() {
        other
    } else {
        first
    };
    (!code.is_empty()).then(|| code.to_owned())
}

fn time(
    segment: &Segment,
    field: usize,
    name: &'static str,
    number: usize,
) -> Result<Option<Timestamp>, Error> {
    datetime::parse(segment.text(field), &zone())
        .map_err(|_| fault("102", "a time stamp cannot be read", name, number, field))
}

fn fault(
    code: &'static str,
    text: &str,
    segment: &'static str,
    number: usize,
    field: usize,
) -> Error {
    Error::Result(Fault::new(code, text).at(segment, number, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(lines: &str) -> Result<Vec<Report>, Error> {
        let text = format!("MSH|^~\\&|LIS|LAB|||||ORU^R01^ORU_R01|1|P|2.5.1\r{lines}");
        read(&Message::parse(text.as_bytes()).expect("reads"))
    }

    fn check(obx: &str, expect: Option<(&str, f64, &str)>) {
        let lines = format!(
            "PID|1||191212121212\rOBR|1|A||NPU1|||20261101|||||||||||||||||||F\rOBX|1|{obx}"
        );
        let report = reports(&lines).expect("reads").remove(0);
        let found = report.observations.first().map(|observation| {
            (
                observation.comparator.as_deref().unwrap_or(""),
                observation.value,
                observation.unit.as_str(),
            )
        });
        assert_eq!(found, expect, "{obx}");
    }

    #[test]
    fn values_of_every_type() {
        check("NM|NPU1||5.4|mmol/L|||||F", Some(("", 5.4, "mmol/L")));
        check("NM|NPU1||-0,3|^mmol/L|||||F", Some(("", -0.3, "mmol/L")));
        check("SN|NPU1||<^0.5|mmol/L|||||F", Some(("<", 0.5, "mmol/L")));
        check("SN|NPU1||=^7|x|||||F", Some(("", 7.0, "x")));
        check("SN|NPU1||^1^:^128|x|||||F", None);
        check(
            "ST|NPU1||>=90|mL/min/1.73m2|||||F",
            Some((">=", 90.0, "mL/min/1.73m2")),
        );
        check("ST|NPU1||< 0,5|µmol/L|||||F", Some(("<", 0.5, "µmol/L")));
        check("CWE|NPU1||^5,1|mmol/L|||||F", Some(("", 5.1, "mmol/L")));
        check("CWE|NPU1||NEG^Negativ||||||F", None);
        for text in [
            "hemolys", "inf", "NaN", "1e400", "5.4.3", "", "<>5", "0x1F", "5.", ".5",
        ] {
            check(&format!("NM|NPU1||{text}|u|||||F"), None);
        }
        check("NM|NPU1||5.4|u|||||X", None);
    }

    #[test]
    fn an_answer_in_words_is_an_answer() {
        let lines = "PID|1||191212121212\rOBR|1|A||NPU1\rOBX|1|ST|NPU1||hemolys||||||F";
        let report = reports(lines).expect("reads").remove(0);
        assert!(
            report.observations.is_empty()
                && report.answered.contains("NPU1")
                && report.pending.is_empty()
        );
    }

    #[test]
    fn times_come_from_the_observation_or_the_request() {
        let lines = "PID|1||191212121212\rOBR|1|A||NPU1|||202607010800\r\
            OBX|1|NM|NPU1||1|u|||||F|||20260701093000\rOBX|2|NM|NPU2||1|u|||||C";
        let report = reports(lines).expect("reads").remove(0);
        let found: Vec<_> = report
            .observations
            .iter()
            .map(|o| (o.taken.map(|t| t.to_string()), o.status.clone()))
            .collect();
        assert_eq!(
            found[0],
            (Some("2026-07-01T07:30:00Z".into()), Some("final".into()))
        );
        assert_eq!(
            found[1],
            (
                Some("2026-07-01T06:00:00Z".into()),
                Some("corrected".into())
            )
        );
    }

    #[test]
    fn a_message_may_hold_several_orders_and_persons() {
        let lines = "PID|1||19121212-1212^^^&1.2.752.129.2.1.3.1&ISO\rORC|RE|A\rOBR|1|||NPU1\rOBX|1|NM|X^^L^NPU1||1|u|||||F\r\
            SPM|1\rOBX|1|NM|VOL||9|mL|||||F\rORC|RE|B\rOBR|2|||NPU2\rOBX|1|NM|NPU2||2|u|||||P\r\
            ORC|RE|A\rOBR|3|||NPU3\rOBX|1|NM|NPU3||3|u|||||F\r\
            PID|2||x~191212121212\rOBR|1||F1|NPU4\rOBX|1|NM|NPU4||4|u|||||F";
        let reports = reports(lines).expect("reads");
        let orders: Vec<_> = reports
            .iter()
            .map(|r| {
                (
                    r.order.as_deref(),
                    r.filler.as_deref(),
                    r.observations.len(),
                )
            })
            .collect();
        assert_eq!(
            orders,
            [
                (Some("A"), None, 2),
                (Some("B"), None, 1),
                (None, Some("F1"), 1)
            ]
        );
        assert_eq!(reports[0].observations[0].code, "NPU1");
        assert!(reports[1].pending.contains("NPU2"));
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let at = |lines: &str| match reports(lines) {
            Err(Error::Result(fault)) => (fault.code, fault.location),
            Err(_) => ("withdrawn", None),
            Ok(_) => ("read", None),
        };
        assert_eq!(at("OBR|1|A||NPU1"), ("101", Some(("PID", 1, 3))));
        assert_eq!(
            at("PID|1||190001010000\rOBR|1|A"),
            ("101", Some(("PID", 1, 3)))
        );
        assert_eq!(at("PID|1||191212121212"), ("100", Some(("OBR", 1, 1))));
        let obx = |obx: &str| at(&format!("PID|1||191212121212\rOBR|1|A||NPU1\rOBX|1|{obx}"));
        assert_eq!(obx("NM|||5|u|||||F"), ("101", Some(("OBX", 1, 3))));
        assert_eq!(obx("NM|NPU1||5|u|||||Q"), ("103", Some(("OBX", 1, 11))));
        assert_eq!(
            obx("NM|NPU1||5|u|||||F|||igår"),
            ("102", Some(("OBX", 1, 14)))
        );
        assert_eq!(obx("NM|NPU1||5|u|||||W"), ("withdrawn", None));
    }
}
