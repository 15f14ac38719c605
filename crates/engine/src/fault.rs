//! What is wrong with a process file, said so that its author can mend it.

use std::fmt;

use serde::Serialize;

/// How bad a fault is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file loads; someone should look.
    Warning,
    /// The file is refused.
    Error,
}

/// One fault in a process file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fault {
    /// Stable id of the rule, such as `flow-dangling`; see [`crate::rules`].
    pub rule: &'static str,
    /// Refused, or only pointed at.
    pub severity: Severity,
    /// Name of the file, if the caller gave one with [`Fault::in_file`].
    pub file: Option<String>,
    /// Id of the process it is in.
    pub process: Option<String>,
    /// Id of the element it is about.
    pub element: Option<String>,
    /// Line in the file, from 1.
    pub line: u32,
    /// What is wrong here.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}

impl Fault {
    /// The same fault, with the name of the file it was found in.
    #[must_use]
    pub fn in_file(mut self, name: impl Into<String>) -> Self {
        self.file = Some(name.into());
        self
    }

    /// Whether the file is refused for it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
        }
        write!(
            f,
            "{}: {}[{}]: {}",
            self.line, self.severity, self.rule, self.message
        )?;
        if !self.advice.is_empty() {
            write!(f, " ({})", self.advice)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
