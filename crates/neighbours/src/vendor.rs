//! The print vendor: an SFTP account where jobs are left, and the shop behind it.
//!
//! [`Shop`] is the vendor at work on a folder and knows nothing of SSH, so that it also works on a
//! folder that a real `sshd` serves; [`Vendor`] adds an SFTP server of its own. Under the folder:
//!
//! ```text
//! account/in         <job>.zip, recall-<letter>.json     left by the customer
//! account/receipts   <letter>.json                       what became of a letter
//! account/status     *.json                              news, fetched by the customer
//! house/             the vendor's own: printed letters, finished jobs, host key, tape
//! ```

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use halsonav_domain::{Clock, Timestamp};
use russh::keys::{HashAlg, PublicKey};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::faults::Faults;

mod folders;
mod keys;
mod news;
mod package;
mod serve;
mod sftp;
mod shop;
#[cfg(test)]
mod shop_tests;

pub use keys::key_pair;
pub use shop::{Letter, Pickup, Shop};

/// How the vendor is set up.
pub struct Settings {
    /// Everything of the vendor's is under this folder.
    pub directory: PathBuf,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The customer's account.
    pub user: String,
    /// The customer's public key, as a line of OpenSSH. Nobody else is let in.
    pub authorised: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// A letter that comes again in another job is not printed again.
    pub deduplicates: bool,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Settings({} at {})", self.user, self.listen)
    }
}

impl Settings {
    /// Account `hub` on a free port of the loopback address.
    #[must_use]
    pub fn new(directory: PathBuf, clock: Arc<dyn Clock>, authorised: &str) -> Self {
        Self {
            directory,
            clock,
            user: "hub".to_owned(),
            authorised: authorised.to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            deduplicates: true,
        }
    }
}

/// A running vendor. It stops serving when dropped.
#[derive(Debug)]
pub struct Vendor {
    shop: Shop,
    faults: Arc<Faults>,
    addr: SocketAddr,
    host_key: PublicKey,
    stop: CancellationToken,
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Vendor {
    /// Opens the shop, then serves the account.
    ///
    /// # Errors
    /// When the folder cannot be used, the key is none, or the socket cannot be bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let mut shop = Shop::open(settings.directory, settings.clock)?;
        shop.deduplicate(settings.deduplicates);
        let authorised = PublicKey::from_openssh(&settings.authorised).map_err(io::Error::other)?;
        let host_key = keys::host_key(&shop.folders().host_key())?;
        let listener = TcpListener::bind(settings.listen).await?;
        let vendor = Self {
            addr: listener.local_addr()?,
            host_key: host_key.public_key().clone(),
            faults: Arc::default(),
            stop: CancellationToken::new(),
            shop,
        };
        let desk = serve::Desk {
            user: settings.user,
            authorised,
            account: vendor.shop.folders().account(),
            faults: Arc::clone(&vendor.faults),
            stop: vendor.stop.clone(),
        };
        tokio::spawn(serve::serve(listener, host_key, Arc::new(desk)));
        Ok(vendor)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The fingerprint of its host key, `SHA256:…`: what a customer pins.
    #[must_use]
    pub fn host_key(&self) -> String {
        self.host_key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Its host key as a line of OpenSSH.
    #[must_use]
    pub fn host_key_line(&self) -> String {
        self.host_key.to_openssh().unwrap_or_default()
    }

    /// Misbehaviour for the next renames by which a job would be handed in.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The shop behind the account.
    #[must_use]
    pub fn shop(&self) -> &Shop {
        &self.shop
    }

    /// [`Shop::pickup`].
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn pickup(&self, now: Timestamp) -> io::Result<Pickup> {
        self.shop.pickup(now)
    }

    /// [`Shop::return_letter`].
    ///
    /// # Errors
    /// `NotFound` for a letter that was never posted, `InvalidInput` for a code that is none.
    pub fn return_letter(&self, letter_id: &str, code: &str) -> io::Result<()> {
        self.shop.return_letter(letter_id, code)
    }

    /// [`Shop::since`].
    #[must_use]
    pub fn since(&self, cursor: usize) -> (Vec<Letter>, usize) {
        self.shop.since(cursor)
    }

    /// [`Shop::letters`].
    #[must_use]
    pub fn letters(&self) -> Vec<Letter> {
        self.shop.letters()
    }

    /// [`Shop::printed_twice`].
    #[must_use]
    pub fn printed_twice(&self) -> Vec<String> {
        self.shop.printed_twice()
    }
}
