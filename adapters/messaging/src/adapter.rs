//! The adapter.

use std::sync::Arc;

use async_trait::async_trait;
use halsonav_adapter::{
    Adapter, Build, Delivery, Disclosure, Operation, Outbound, Reconciled, payload,
};
use halsonav_domain::{
    CommandId, Done, Kind, Outcome, PersonId, Problem,
    command::messaging::{Check, Checked, Send, Sent, Status, StatusOf},
};
use halsonav_rivta::{Client, ClientConfig};
use serde_json::{Value, json};

use crate::{
    Config,
    config::Link,
    inbox::Inbox,
    translate::{self, IS_ACTIVE_USER, Message, Receipt, ResultCode},
};

/// One message at a time: the inbox takes no batches, and the pace is the client's.
const OPERATIONS: &[Operation] = &[
    Operation {
        name: "check",
        contact: false,
        disclosure: Disclosure::PersonId,
        idempotent: true,
        batch: 1,
    },
    Operation {
        name: "send",
        contact: true,
        disclosure: Disclosure::PersonId,
        idempotent: false,
        batch: 1,
    },
    Operation {
        name: "status",
        contact: false,
        disclosure: Disclosure::None,
        idempotent: true,
        batch: 1,
    },
];
const AREA: &str = "MESSAGING";

/// The inbox, as the hub sees it.
#[derive(Debug)]
pub struct Messaging {
    inbox: Inbox,
    config: Config,
}

impl Build for Messaging {
    type Config = Config;

    const OPERATIONS: &'static [Operation] = OPERATIONS;

    fn build(config: Config) -> Result<Self, Problem> {
        config.check()?;
        let calls_per_second = config.service.calls_per_second.or(Some(1.0));
        let client = Client::new(&ClientConfig {
            calls_per_second,
            ..config.service.clone()
        })?;
        Ok(Self {
            inbox: Inbox {
                client,
                logical_address: config.logical_address.clone(),
            },
            config,
        })
    }
}

#[async_trait]
impl Adapter for Messaging {
    fn name(&self) -> &'static str {
        "messaging"
    }

    fn outbound(self: Arc<Self>) -> Option<Arc<dyn Outbound>> {
        Some(self)
    }

    async fn check(&self) -> Result<(), Problem> {
        self.inbox
            .client
            .reach(&IS_ACTIVE_USER, &self.inbox.logical_address, AREA)
            .await
    }
}

#[async_trait]
impl Outbound for Messaging {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    async fn deliver(&self, operation: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for delivery in batch {
            let outcome = match operation {
                "check" => self.active(&delivery).await,
                "send" => self.send(&delivery).await,
                "status" => self.status(&delivery).await,
                _ => Err(Problem::new(
                    Kind::Invalid,
                    "HUB-MESSAGING-010",
                    format!("messaging has no operation {operation}"),
                )),
            };
            outcomes.push((delivery.command.id, outcome.unwrap_or_else(Outcome::from)));
        }
        outcomes
    }

    async fn reconcile(&self, operation: &str, delivery: &Delivery) -> Reconciled {
        if operation != "send" {
            return Reconciled::Absent;
        }
        if !self.config.thread_status {
            return Reconciled::Unknowable;
        }
        let thread = delivery.command.id.to_string();
        match self.inbox.thread(&thread).await {
            Ok(Some(_)) => Reconciled::Settled(self.sent(&thread, None)),
            Ok(None) => Reconciled::Absent,
            // An inbox that does not know the question will not know it tomorrow.
            Err(error) if error.kind() == Kind::Invalid => Reconciled::Unknowable,
            Err(error) => Reconciled::Later(error.problem(AREA)),
        }
    }
}

impl Messaging {
    async fn active(&self, delivery: &Delivery) -> Result<Outcome, Problem> {
        payload::<Check>(&delivery.command)?;
        let (active, notified_by) = self
            .inbox
            .activity(person(delivery)?)
            .await
            .map_err(|error| error.problem(AREA))?;
        done(json!(Checked {
            active,
            notified_by
        }))
    }

    async fn status(&self, delivery: &Delivery) -> Result<Outcome, Problem> {
        let Status { message_id } = payload(&delivery.command)?;
        if !self.config.thread_status {
            return Err(Problem::new(
                Kind::Invalid,
                "HUB-MESSAGING-011",
                "thread_status is off: the inbox cannot tell what is read",
            ));
        }
        match self.inbox.thread(&message_id).await {
            Ok(Some(thread)) => done(json!(StatusOf {
                read: thread.read,
                read_at: thread.read_at
            })),
            Ok(None) => Err(Problem::new(
                Kind::NotFound,
                "HUB-MESSAGING-012",
                "the inbox has no such message",
            )),
            Err(error) => Err(error.problem(AREA)),
        }
    }

    async fn send(&self, delivery: &Delivery) -> Result<Outcome, Problem> {
        let wanted: Send = payload(&delivery.command)?;
        let person = person(delivery)?;
        let text = text(delivery)?;
        let (heading, text) = translate::heading(&text);
        if text.is_empty() || text.chars().count() > self.config.max_characters {
            return Err(Problem::new(
                Kind::Invalid,
                "HUB-MESSAGING-013",
                "the message is empty or longer than max_characters",
            ));
        }
        let unit = &delivery.command.unit;
        let unit_name = self.config.units.get(unit).ok_or_else(|| {
            Problem::new(
                Kind::Invalid,
                "HUB-MESSAGING-014",
                format!("unit {unit} has no name in the configuration of messaging"),
            )
        })?;
        let link = self.link(&wanted.links)?;
        let thread = delivery.command.id.to_string();
        // A second attempt may follow a crash of ours: what is already there is not sent again.
        if delivery.attempt > 1 && self.config.thread_status {
            match self.inbox.thread(&thread).await {
                Ok(Some(_)) => return Ok(self.sent(&thread, None)),
                Ok(None) => {}
                Err(error) => return Err(error.problem(AREA)),
            }
        }
        let message = Message {
            person,
            thread: &thread,
            unit: unit.as_str(),
            unit_name,
            heading,
            text,
            link: link.map(|link| outgoing(link, delivery)),
            notify: self.config.notify,
            source_system: self.config.source_system.as_str(),
        };
        match self.inbox.add(&message).await {
            Ok(receipt) if receipt.code == ResultCode::Error => self.refused(person, receipt).await,
            Ok(receipt) => Ok(self.sent(&thread, Some(receipt))),
            Err(error) => Ok(error.outcome(AREA)),
        }
    }

    /// The contract carries one link: the first wanted one that is configured.
    fn link(&self, wanted: &[String]) -> Result<Option<&Link>, Problem> {
        let found = wanted.iter().find_map(|name| self.config.links.get(name));
        if found.is_none() && !wanted.is_empty() {
            let message = format!("none of the links {} is configured", wanted.join(", "));
            return Err(Problem::new(Kind::Invalid, "HUB-MESSAGING-015", message));
        }
        Ok(found)
    }

    /// ERROR means not performed. The reason is only in the text, so the text or else the
    /// inbox itself says whether it is that the resident has no account.
    async fn refused(&self, person: &PersonId, receipt: Receipt) -> Result<Outcome, Problem> {
        let text = receipt.text.unwrap_or_default();
        let inactive = text.to_lowercase().contains("not active user")
            || matches!(self.inbox.activity(person).await, Ok((false, _)));
        let code = if inactive {
            "not-active"
        } else {
            "message-refused"
        };
        Ok(Outcome::Refused {
            code: code.to_owned(),
            result: json!({ "notice": translate::without_numbers(&text) }),
        })
    }

    /// The result carries the basis, so that every message's ground stands in the case's history.
    fn sent(&self, thread: &str, receipt: Option<Receipt>) -> Outcome {
        let (notified_by, notice) = receipt
            .map(|receipt| (receipt.notified_by, receipt.text))
            .unwrap_or_default();
        let mut result = json!(Sent {
            message_id: thread.to_owned(),
            notified_by
        });
        result["basis"] = json!(self.config.basis);
        if let Some(reference) = &self.config.approval_reference {
            result["approvalReference"] = json!(reference);
        }
        if let Some(notice) = notice {
            result["notice"] = json!(translate::without_numbers(&notice));
        }
        Done::new(result).referring("message", thread).into()
    }
}

fn done(result: Value) -> Result<Outcome, Problem> {
    Ok(Done::new(result).into())
}

fn person(delivery: &Delivery) -> Result<&PersonId, Problem> {
    let identity = delivery.identity.as_ref();
    identity.map(|identity| &identity.person_id).ok_or_else(|| {
        Problem::new(
            Kind::Internal,
            "HUB-MESSAGING-016",
            "the command came without a person",
        )
    })
}

fn text(delivery: &Delivery) -> Result<String, Problem> {
    let missing = |message: &str| Problem::new(Kind::Internal, "HUB-MESSAGING-017", message);
    let attachment = delivery
        .attachments
        .iter()
        .find(|attachment| attachment.role == "message");
    let bytes = &attachment
        .ok_or_else(|| missing("the command came without its message"))?
        .bytes;
    String::from_utf8(bytes.to_vec()).map_err(|_| missing("the message is not UTF-8"))
}

fn outgoing<'a>(link: &'a Link, delivery: &Delivery) -> translate::Link<'a> {
    let fill = |query: &String| {
        query
            .replace("{message}", &delivery.command.id.to_string())
            .replace("{case}", &delivery.command.case.to_string())
    };
    translate::Link {
        system: &link.system,
        text: &link.text,
        query: link.query.as_ref().map(fill),
        kind: link.kind.as_str(),
    }
}
