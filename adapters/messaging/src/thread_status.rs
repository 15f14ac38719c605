//! GetMessageThreadStatus 2: is the thread there, and has it been read?
//!
//! **The schema of version 2.0 is not public.** Contract, namespace and purpose are known; the
//! names below the namespace are our best reading and stand in this file only. They must be
//! compared with Inera's package `infrastructure_eservicesupply_patientportal_2.0` before use:
//!
//! | direction | element | reading |
//! |---|---|---|
//! | request | `messageThreadId` 1 | the id that was set in AddMessage |
//! | response | `messageThread` 0..1 | absent when there is no such thread |
//! | | `messageThread/messageThreadId` 1 | the same id |
//! | | `messageThread/read` 1 | `xs:boolean` |
//! | | `messageThread/readTime` 0..1 | `YYYYMMDDhhmmss` |
//! | | `resultCode` 1 | `OK`, `INFO` or `ERROR` |

use halsonav_domain::Timestamp;
use halsonav_rivta::{
    Contract,
    xml::{self, Element},
};

use crate::translate::ResultCode;

/// The contract.
pub(crate) const CONTRACT: Contract = Contract::new(
    "urn:riv-application:infrastructure:eservicesupply:patientportal",
    "GetMessageThreadStatus",
    2,
);
const NS: &str = "urn:riv-application:infrastructure:eservicesupply:patientportal:GetMessageThreadStatusResponder:2";

/// What the inbox knows of a thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Thread {
    pub read: bool,
    pub read_at: Option<Timestamp>,
}

/// The request element.
pub(crate) fn request(thread: &str) -> String {
    xml::document("r:GetMessageThreadStatus", &[("r", NS)], |w| {
        w.text("r:messageThreadId", thread)
    })
}

/// The response element; `None` when there is no such thread.
pub(crate) fn response(root: &Element, thread: &str) -> Result<Option<Thread>, xml::Error> {
    let wrong = |name: &str, expected| xml::Error::Value {
        name: name.to_owned(),
        expected,
    };
    match ResultCode::parse(root.require_text(NS, "resultCode")?) {
        Some(ResultCode::Ok | ResultCode::Info) => {}
        // A refusal says nothing about the thread; it must not pass for "not there".
        Some(ResultCode::Error) => {
            return Err(wrong("resultCode", "OK: the inbox refused to tell"));
        }
        None => return Err(wrong("resultCode", "OK, INFO or ERROR")),
    }
    let Some(found) = root.child(NS, "messageThread") else {
        return Ok(None);
    };
    if found.require_text(NS, "messageThreadId")? != thread {
        return Err(wrong("messageThreadId", "the one asked for"));
    }
    let read = found
        .flag(NS, "read")?
        .ok_or_else(|| xml::Error::Missing("read".to_owned()))?;
    let read_at = match found.text_of(NS, "readTime") {
        None => None,
        Some(text) => {
            Some(xml::parse_timestamp(text).ok_or_else(|| wrong("readTime", "YYYYMMDDhhmmss"))?)
        }
    };
    Ok(Some(Thread { read, read_at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(inside: &str, expect: Option<Option<bool>>) {
        let root = Element::parse(&format!("<X xmlns='{NS}'>{inside}</X>")).expect("reads");
        assert_eq!(
            response(&root, "t")
                .ok()
                .map(|found| found.map(|thread| thread.read)),
            expect,
            "{inside}"
        );
    }

    #[test]
    fn only_a_clear_answer_counts() {
        let ok = "<resultCode>OK</resultCode>";
        check(ok, Some(None));
        check(
            &format!(
                "<messageThread><messageThreadId>t</messageThreadId><read>true</read></messageThread>{ok}"
            ),
            Some(Some(true)),
        );
        check(
            &format!(
                "<messageThread><messageThreadId>u</messageThreadId><read>true</read></messageThread>{ok}"
            ),
            None,
        );
        check(
            &format!("<messageThread><messageThreadId>t</messageThreadId></messageThread>{ok}"),
            None,
        );
        check("<resultCode>ERROR</resultCode>", None);
        check("", None);
    }
}
