//! Calls to the inbox.

use halsonav_domain::PersonId;
use halsonav_rivta::{CallError, Client, Contract, xml};

use crate::{
    thread_status::{self, Thread},
    translate::{self, Message, Receipt},
};

/// The inbox behind a client.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub client: Client,
    pub logical_address: String,
}

impl Inbox {
    /// Active, and how the resident is told.
    pub async fn activity(&self, person: &PersonId) -> Result<(bool, Vec<String>), CallError> {
        let root = self
            .ask(
                &translate::IS_ACTIVE_USER,
                &translate::is_active_user(person),
            )
            .await?;
        translate::activity(&root).map_err(malformed)
    }

    /// Delivers a message. An answer about another thread is no answer to this one.
    pub async fn add(&self, message: &Message<'_>) -> Result<Receipt, CallError> {
        let root = self
            .ask(&translate::ADD_MESSAGE, &translate::add_message(message))
            .await?;
        let receipt = translate::receipt(&root).map_err(malformed)?;
        match &receipt.thread {
            Some(thread) if thread != message.thread => Err(CallError::Malformed(
                "an answer about another message".to_owned(),
            )),
            _ => Ok(receipt),
        }
    }

    /// What is known of a thread; `None` when it is not there.
    pub async fn thread(&self, thread: &str) -> Result<Option<Thread>, CallError> {
        let root = self
            .ask(&thread_status::CONTRACT, &thread_status::request(thread))
            .await?;
        thread_status::response(&root, thread).map_err(malformed)
    }

    async fn ask(&self, contract: &Contract, body: &str) -> Result<xml::Element, CallError> {
        self.client
            .ask(contract, &self.logical_address, None, body)
            .await
    }
}

fn malformed(error: xml::Error) -> CallError {
    CallError::Malformed(error.to_string())
}
