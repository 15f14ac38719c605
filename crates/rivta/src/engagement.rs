//! Engagemangsindex (itintegration:engagementindex 1): who has what where.
//!
//! A producer tells the index with `Update`; the index tells subscribers with
//! `ProcessNotification`. The hub is a subscriber of several service domains, and each adapter
//! takes the engagements of its own.

use halsonav_domain::Timestamp;

use crate::{
    Contract,
    xml::{Element, Error, document, parse_timestamp, timestamp},
};

/// What a subscriber receives.
pub const PROCESS_NOTIFICATION: Contract = Contract::new(DOMAIN, "ProcessNotification", 1);
/// What a producer sends.
pub const UPDATE: Contract = Contract::new(DOMAIN, "Update", 1);
/// Mandatory fields that are not used hold this.
pub const NOT_APPLICABLE: &str = "NA";
/// Most engagements in one request (TKB, rule of `Update`).
pub const MAX_TRANSACTIONS: usize = 1000;

const DOMAIN: &str = "urn:riv:itintegration:engagementindex";
const TYPES: &str = "urn:riv:itintegration:engagementindex:1";

/// One `engagementTransaction`. `Debug` leaves the resident out.
#[derive(Clone, PartialEq, Eq)]
pub struct Engagement {
    /// The engagement is gone (`deleteFlag`).
    pub deleted: bool,
    /// `registeredResidentIdentification`, as written.
    pub resident: String,
    /// `serviceDomain`, such as `riv:crm:scheduling`.
    pub service_domain: String,
    /// `categorization`, such as `Booking` or `FormCompleted`.
    pub categorization: String,
    /// `logicalAddress` of the producer to ask.
    pub logical_address: String,
    /// `businessObjectInstanceIdentifier`: booking id, form id.
    pub object: String,
    /// `clinicalProcessInterestId`; `NA` when unused.
    pub interest: String,
    /// `mostRecentContent`.
    pub most_recent: Option<Timestamp>,
    /// `sourceSystem`.
    pub source_system: String,
    /// `creationTime`; only in notifications.
    pub created: Option<Timestamp>,
    /// `updateTime`; only in notifications.
    pub updated: Option<Timestamp>,
    /// `dataController`.
    pub data_controller: String,
    /// `owner`, the index instance; only in notifications.
    pub owner: Option<String>,
}

impl std::fmt::Debug for Engagement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.deleted { "deleted" } else { "present" };
        write!(
            f,
            "Engagement({} {} {what})",
            self.service_domain, self.categorization
        )
    }
}

/// Reads a `ProcessNotification` or `Update` request element.
///
/// # Errors
/// When it is not XML, holds nothing or too much, or a mandatory field is missing.
pub fn parse(body: &str) -> Result<Vec<Engagement>, Error> {
    let root = Element::parse(body)?;
    let ns = root.ns.to_string();
    let transactions: Vec<_> = root
        .all(&ns, "engagementTransaction")
        .take(MAX_TRANSACTIONS + 1)
        .collect();
    match transactions.len() {
        0 => Err(Error::Missing("engagementTransaction".to_owned())),
        n if n > MAX_TRANSACTIONS => Err(Error::Limit("engagementTransaction")),
        _ => transactions.into_iter().map(transaction).collect(),
    }
}

fn transaction(element: &Element) -> Result<Engagement, Error> {
    let deleted = element
        .flag(TYPES, "deleteFlag")?
        .ok_or_else(|| Error::Missing("deleteFlag".to_owned()))?;
    let engagement = element.require(TYPES, "engagement")?;
    let text = |name| engagement.require_text(TYPES, name).map(str::to_owned);
    let time = |name: &str| match engagement.text_of(TYPES, name) {
        None => Ok(None),
        Some(text) => parse_timestamp(text).map(Some).ok_or_else(|| Error::Value {
            name: name.to_owned(),
            expected: "a point in time, YYYYMMDDhhmmss",
        }),
    };
    Ok(Engagement {
        deleted,
        resident: text("registeredResidentIdentification")?,
        service_domain: text("serviceDomain")?,
        categorization: text("categorization")?,
        logical_address: text("logicalAddress")?,
        object: text("businessObjectInstanceIdentifier")?,
        interest: text("clinicalProcessInterestId")?,
        most_recent: time("mostRecentContent")?,
        source_system: text("sourceSystem")?,
        created: time("creationTime")?,
        updated: time("updateTime")?,
        data_controller: text("dataController")?,
        owner: engagement.text_of(TYPES, "owner").map(str::to_owned),
    })
}

/// Writes the request element of `contract`, [`PROCESS_NOTIFICATION`] or [`UPDATE`].
///
/// An `Update` carries no creation time, update time or owner, and a deletion no most recent
/// content (rules of the index).
#[must_use]
pub fn write(contract: &Contract, engagements: &[Engagement]) -> String {
    let notification = contract.interaction == PROCESS_NOTIFICATION.interaction;
    let ns = contract.message_namespace();
    document(
        &format!("r:{}", contract.request_element()),
        &[("r", &ns), ("c", TYPES)],
        |w| {
            for engagement in engagements {
                w.element("r:engagementTransaction", |w| {
                    w.flag("c:deleteFlag", engagement.deleted);
                    w.element("c:engagement", |w| {
                        let time = |at: Option<Timestamp>, wanted: bool| {
                            at.filter(|_| wanted).map(timestamp)
                        };
                        w.text("c:registeredResidentIdentification", &engagement.resident);
                        w.text("c:serviceDomain", &engagement.service_domain);
                        w.text("c:categorization", &engagement.categorization);
                        w.text("c:logicalAddress", &engagement.logical_address);
                        w.text("c:businessObjectInstanceIdentifier", &engagement.object);
                        w.text("c:clinicalProcessInterestId", &engagement.interest);
                        w.optional(
                            "c:mostRecentContent",
                            time(engagement.most_recent, !engagement.deleted).as_deref(),
                        );
                        w.text("c:sourceSystem", &engagement.source_system);
                        w.optional(
                            "c:creationTime",
                            time(engagement.created, notification).as_deref(),
                        );
                        w.optional(
                            "c:updateTime",
                            time(engagement.updated, notification).as_deref(),
                        );
                        w.text("c:dataController", &engagement.data_controller);
                        w.optional(
                            "c:owner",
                            engagement.owner.as_deref().filter(|_| notification),
                        );
                    });
                });
            }
        },
    )
}

/// The answer "taken": `ResultCode` `OK`.
#[must_use]
pub fn taken(contract: &Contract) -> String {
    let ns = contract.message_namespace();
    document(
        &format!("r:{}", contract.response_element()),
        &[("r", &ns)],
        |w| w.text("r:ResultCode", "OK"),
    )
}

/// Whether the receiver has taken the engagements (`OK` or `INFO`).
///
/// # Errors
/// When the answer is not XML or has no `ResultCode`.
pub fn is_taken(answer: &str) -> Result<bool, Error> {
    let root = Element::parse(answer)?;
    let ns = root.ns.to_string();
    Ok(matches!(
        root.require_text(&ns, "ResultCode")?,
        "OK" | "INFO"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engagement() -> Engagement {
        Engagement {
            deleted: false,
            resident: "191212121212".into(),
            service_domain: "riv:crm:scheduling".into(),
            categorization: "Booking".into(),
            logical_address: "SE2321000156-TEST1".into(),
            object: "BK & 1".into(),
            interest: NOT_APPLICABLE.into(),
            most_recent: "2026-09-15T07:00:00Z".parse().ok(),
            source_system: "SE2321000156-BOOK".into(),
            created: "2026-09-01T07:00:00Z".parse().ok(),
            updated: "2026-09-01T07:00:00Z".parse().ok(),
            data_controller: "SE2321000156-VG".into(),
            owner: Some("5565594230".into()),
        }
    }

    #[test]
    fn a_notification_comes_back_as_it_was() {
        let list = [
            engagement(),
            Engagement {
                deleted: true,
                most_recent: None,
                owner: None,
                ..engagement()
            },
        ];
        assert_eq!(
            parse(&write(&PROCESS_NOTIFICATION, &list)),
            Ok(list.to_vec())
        );
    }

    #[test]
    fn an_update_keeps_the_rules_of_the_index() {
        let gone = Engagement {
            deleted: true,
            ..engagement()
        };
        let back = parse(&write(&UPDATE, &[gone])).expect("reads");
        let bare = Engagement {
            deleted: true,
            most_recent: None,
            created: None,
            updated: None,
            owner: None,
            ..engagement()
        };
        assert_eq!(back, [bare]);
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        let whole = write(&PROCESS_NOTIFICATION, &[engagement()]);
        let check = |text: &str, expect| assert_eq!(parse(text), Err(expect));
        check(
            &write(&PROCESS_NOTIFICATION, &[]),
            Error::Missing("engagementTransaction".into()),
        );
        check(
            &whole.replace("<c:deleteFlag>false</c:deleteFlag>", ""),
            Error::Missing("deleteFlag".into()),
        );
        check(
            &whole.replace("BK &amp; 1", " "),
            Error::Missing("businessObjectInstanceIdentifier".into()),
        );
        check(
            &whole.replace("20260915090000", "2026-09-15"),
            Error::Value {
                name: "mostRecentContent".into(),
                expected: "a point in time, YYYYMMDDhhmmss",
            },
        );
        let many = vec![engagement(); MAX_TRANSACTIONS + 1];
        check(
            &write(&PROCESS_NOTIFICATION, &many),
            Error::Limit("engagementTransaction"),
        );
    }

    #[test]
    fn the_answer_is_read_with_its_capital_letter() {
        assert_eq!(is_taken(&taken(&PROCESS_NOTIFICATION)), Ok(true));
        assert_eq!(
            is_taken("<r xmlns='urn:x'><ResultCode>ERROR</ResultCode></r>"),
            Ok(false)
        );
        assert_eq!(
            is_taken("<r><resultCode>OK</resultCode></r>"),
            Err(Error::Missing("ResultCode".into()))
        );
    }

    #[test]
    fn debug_leaves_the_resident_out() {
        assert!(!format!("{:?}", engagement()).contains("1912"));
    }
}
