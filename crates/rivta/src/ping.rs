//! PingForConfiguration: is it there, and which version?

use halsonav_domain::{Kind, Problem, Timestamp};

use crate::{
    CallError, Client, Contract,
    xml::{self, Element},
};

/// `itintegration:monitoring` PingForConfiguration 1. Every [`crate::Server`] answers it.
pub const PING: Contract = Contract::new(
    "urn:riv:itintegration:monitoring",
    "PingForConfiguration",
    1,
);

/// Answer to a ping.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pong {
    /// The producer's version of itself.
    pub version: String,
    /// When it answered, by its clock.
    pub at: Option<Timestamp>,
}

impl Client {
    /// Asks whether `contract` is there at `logical_address`.
    ///
    /// # Errors
    /// [`CallError`]. A producer need not know this contract (the demand was dropped in 2018).
    pub async fn ping(
        &self,
        contract: &Contract,
        logical_address: &str,
    ) -> Result<Pong, CallError> {
        let ns = PING.message_namespace();
        let body = xml::document("p:PingForConfiguration", &[("p", &ns)], |w| {
            w.text("p:serviceContractNamespace", &contract.message_namespace());
            w.text("p:logicalAddress", logical_address);
        });
        let response = self.ask(&PING, logical_address, None, &body).await?;
        Ok(Pong {
            version: response
                .text_of(&ns, "version")
                .unwrap_or_default()
                .to_owned(),
            at: response
                .text_of(&ns, "pingDateTime")
                .and_then(xml::parse_timestamp),
        })
    }

    /// Whether someone who speaks SOAP and lets us in is there. A producer without
    /// PingForConfiguration answers with a fault, which is an answer.
    ///
    /// # Errors
    /// The problem of `area` that stands in the way.
    pub async fn reach(
        &self,
        contract: &Contract,
        logical_address: &str,
        area: &str,
    ) -> Result<(), Problem> {
        match self.ping(contract, logical_address).await {
            Ok(_) => Ok(()),
            Err(CallError::Fault(fault))
                if fault.vp.is_none_or(|vp| vp.kind() == Kind::Invalid) =>
            {
                Ok(())
            }
            Err(error) => Err(error.problem(area)),
        }
    }
}

/// The response element to a ping at `now`.
pub(crate) fn pong(request: &Element, version: &str, now: Timestamp) -> Result<String, xml::Error> {
    let ns = PING.message_namespace();
    request.require_text(&ns, "serviceContractNamespace")?;
    request.require_text(&ns, "logicalAddress")?;
    Ok(xml::document(
        "p:PingForConfigurationResponse",
        &[("p", &ns)],
        |w| {
            w.text("p:version", version);
            w.text("p:pingDateTime", &xml::timestamp(now));
        },
    ))
}
