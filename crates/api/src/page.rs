//! Lists come in pages: `?limit=` many, and `next` leads on as `?after=`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Fault;

/// A page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// What is on it.
    pub items: Vec<T>,
    /// Give it as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

const USUAL: u32 = 50;
const MOST: u32 = 500;

/// How many to a page.
pub(crate) fn limit(wanted: Option<u32>) -> u32 {
    wanted.unwrap_or(USUAL).clamp(1, MOST)
}

/// Where a page begins, when it is a number.
pub(crate) fn after<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, Fault> {
    text.map(|text| text.parse().map_err(|_| Fault::query()))
        .transpose()
}

impl<T: ToSchema> Page<T> {
    /// A page of at most `limit`; `last` is the cursor of the last item.
    pub(crate) fn new(items: Vec<T>, limit: u32, last: Option<String>) -> Self {
        let full = items.len() >= limit as usize;
        Self {
            items,
            next: last.filter(|_| full),
        }
    }
}
