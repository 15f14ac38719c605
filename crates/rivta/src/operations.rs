//! What an endpoint can do: handlers found by the name of the request element.

use std::{collections::HashMap, fmt, future::Future, sync::Arc};

use futures::{FutureExt, future::BoxFuture};
use halsonav_domain::HsaId;

use crate::{Actor, Contract, Error, SoapFault};

/// A request that passed the endpoint's checks. `Debug` shows no content.
#[derive(Clone)]
pub struct Request {
    /// Whom it is for; never empty.
    pub logical_address: String,
    /// On whose behalf, if the header is there and whole.
    pub actor: Option<Actor>,
    /// Who sent it, by its certificate; `None` without TLS.
    pub sender: Option<HsaId>,
    /// The request element, readable by itself.
    pub body: String,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Request(from {:?}, {} bytes)",
            self.sender,
            self.body.len()
        )
    }
}

impl Request {
    /// The request element as a tree.
    ///
    /// # Errors
    /// The fault to answer with.
    pub fn element(&self) -> Result<crate::xml::Element, SoapFault> {
        crate::xml::Element::parse(&self.body).map_err(|error| SoapFault::client(error.to_string()))
    }
}

/// The response element as XML, or a fault.
pub type Answer = Result<String, SoapFault>;

/// Answers requests of one operation.
pub type Handler = Arc<dyn Fn(Request) -> BoxFuture<'static, Answer> + Send + Sync>;

/// A [`Handler`] from an async function.
pub fn handler<F, Fut>(function: F) -> Handler
where
    F: Fn(Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answer> + Send + 'static,
{
    Arc::new(move |request| function(request).boxed())
}

/// Handlers by namespace and local name of the request element.
///
/// Several adapters put theirs together for the hub's one endpoint. A notification may have
/// several takers: each is called in order, the first fault is the answer, and otherwise the last
/// one's response.
#[derive(Clone, Default)]
pub struct Operations {
    taken: HashMap<(String, String), Taken>,
}

#[derive(Clone)]
struct Taken {
    shared: bool,
    handlers: Vec<Handler>,
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.taken.keys()).finish()
    }
}

impl Operations {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an operation with one handler.
    ///
    /// # Errors
    /// [`Error::Taken`] when there is one already.
    pub fn operation(self, contract: &Contract, handler: Handler) -> Result<Self, Error> {
        self.put(contract, handler, false)
    }

    /// Adds a taker of a notification, such as ProcessNotification.
    ///
    /// # Errors
    /// [`Error::Taken`] when it is an operation with one handler already.
    pub fn notification(self, contract: &Contract, handler: Handler) -> Result<Self, Error> {
        self.put(contract, handler, true)
    }

    /// Puts two sets together.
    ///
    /// # Errors
    /// [`Error::Taken`] when both have an operation that is not a notification.
    pub fn merge(mut self, other: Self) -> Result<Self, Error> {
        for (name, taken) in other.taken {
            match self.taken.get_mut(&name) {
                Some(mine) if mine.shared && taken.shared => mine.handlers.extend(taken.handlers),
                Some(_) => {
                    return Err(Error::Taken {
                        namespace: name.0,
                        element: name.1,
                    });
                }
                None => {
                    self.taken.insert(name, taken);
                }
            }
        }
        Ok(self)
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// The handlers of a request element, in order.
    pub(crate) fn find(&self, namespace: &str, element: &str) -> Option<&[Handler]> {
        self.taken
            .get(&(namespace.to_owned(), element.to_owned()))
            .map(|taken| taken.handlers.as_slice())
    }

    /// Whether a message namespace is served.
    pub(crate) fn serves(&self, namespace: &str) -> bool {
        self.taken.keys().any(|(known, _)| known == namespace)
    }

    fn put(self, contract: &Contract, handler: Handler, shared: bool) -> Result<Self, Error> {
        let namespace = contract.message_namespace();
        let taken = Taken {
            shared,
            handlers: vec![handler],
        };
        let one = HashMap::from([((namespace, contract.request_element().to_owned()), taken)]);
        self.merge(Self { taken: one })
    }
}
