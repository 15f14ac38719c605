//! The settings of a hub on services of a test.

use std::{fs, io, path::Path};

/// What the hub is put on. `None`: what is embedded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Site<'a> {
    /// PostgreSQL with a schema: a URL.
    pub store: Option<&'a str>,
    /// Kafka, one node.
    pub brokers: Option<&'a str>,
    /// How long what a process had in hand is left to it, seconds; `None`: as shipped.
    pub lease_s: Option<u32>,
}

impl Site<'_> {
    /// Writes them. Kafka's topics are this file's own: no other site has them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = String::new();
        if let Some(url) = self.store {
            text.push_str(&format!("[storage]\nurl = \"{url}\"\n"));
        }
        if let Some(brokers) = self.brokers {
            let prefix = uuid::Uuid::now_v7().simple();
            text.push_str(&format!(
                "[bus]\nkind = \"kafka\"\n[kafka]\nbrokers = \"{brokers}\"\nprefix = \"it-{prefix}.\"\nreplication = 1\n\
                 min_insync = 1\npartitions = {{ events = 4, commands = 2, documentation = 1 }}\n"
            ));
        }
        if let Some(seconds) = self.lease_s {
            text.push_str(&format!("[lease]\nttl_s = {seconds}\n"));
        }
        fs::write(path, text)
    }
}
