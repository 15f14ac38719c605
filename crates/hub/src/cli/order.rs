//! What an operator orders on the command line, for those who check later.

use std::os::unix::fs::MetadataExt as _;

use halsonav_domain::Timestamp;
use halsonav_storage::NewAudit;
use serde_json::Value;

/// The audit entry of an order that is about no single resident. `detail` holds no identity.
pub fn entry(purpose: &str, by: &str, at: Timestamp, detail: Value) -> NewAudit {
    NewAudit {
        at,
        actor: by.to_owned(),
        action: "decide".to_owned(),
        purpose: purpose.to_owned(),
        unit: None,
        subject: None,
        case: None,
        detail,
    }
}

/// The audit entry of a look at the audit log itself.
pub fn looked(purpose: &str, by: &str, at: Timestamp, detail: Value) -> NewAudit {
    NewAudit {
        action: "read".to_owned(),
        ..entry(purpose, by, at, detail)
    }
}

/// The login at this machine: the name that it goes by, or its number.
pub fn by() -> String {
    let named = ["LOGNAME", "USER"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty());
    let login = named.unwrap_or_else(|| {
        std::fs::metadata("/proc/self").map_or("unknown".to_owned(), |own| own.uid().to_string())
    });
    format!("cli:{login}")
}
