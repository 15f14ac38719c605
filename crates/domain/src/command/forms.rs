//! `forms`: questionnaires in 1177 Formulärhantering.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `forms.request`: place a form with the resident.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// The form engine's template id.
    pub template: String,
    /// A version, otherwise the newest published.
    #[serde(default)]
    pub version: Option<String>,
    /// Last day to answer, `YYYY-MM-DD`.
    pub expires: String,
    /// Day it is deleted, `YYYY-MM-DD`; until further notice when absent.
    #[serde(default)]
    pub keep_until: Option<String>,
}

/// Result of `forms.request`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Requested {
    /// The form, and correlation key of `form.completed`.
    pub form_id: String,
}

/// `forms.cancel`: take the form back, unless it is answered.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cancel {
    /// The form; nothing to cancel when absent.
    #[serde(default)]
    pub form_id: Option<String>,
}

/// Result of `forms.cancel`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cancelled {
    /// The form was open and is gone.
    pub cancelled: bool,
}
