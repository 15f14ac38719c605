//! What the handlers share.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use halsonav_domain::{CaseId, Timestamp};
use halsonav_storage::{Case, Reader};

use crate::{Api, access::Caller, problem::Fault};

/// The hub's parts, and which idempotency keys are being worked on.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) api: Api,
    pub(crate) busy: Arc<Mutex<HashSet<(String, String)>>>,
}

impl State {
    pub(crate) fn new(api: Api) -> Self {
        Self {
            api,
            busy: Arc::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.api.clock.now()
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Reader) -> halsonav_storage::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        Ok(self.api.storage.read_async(work).await?)
    }

    /// A case, if it is the caller's to know of.
    pub(crate) async fn case(&self, caller: &Caller, id: &str) -> Result<Case, Fault> {
        let id: CaseId = id.parse().map_err(|_| Fault::not_found())?;
        let case = self.read(move |r| r.case(&id)).await?;
        case.filter(|case| caller.serves(&case.unit))
            .ok_or_else(Fault::not_found)
    }
}
