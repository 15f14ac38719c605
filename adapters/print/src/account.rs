//! The wire: our account at the vendor's SFTP server. One session, used again while it lives.

use std::{sync::Arc, time::Duration};

use halsonav_domain::{Kind, Problem};
use russh::{
    client::{self, AuthResult, Handle},
    keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate},
};
use russh_sftp::{
    client::{SftpSession, error::Error as Sftp},
    protocol::{OpenFlags, StatusCode},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Mutex, MutexGuard},
    time::timeout,
};

use crate::{Config, error::Error};

/// A connection that broke has ended after so long.
const BREAKING: Duration = Duration::from_secs(1);

/// Our account, and the session that is open there, if any.
pub(crate) struct Account {
    config: Config,
    key: Arc<PrivateKey>,
    pins: Arc<[Pin]>,
    session: Mutex<Option<Session>>,
}

/// A host key that is ours to trust.
#[derive(Debug)]
enum Pin {
    Fingerprint(String),
    Key(Box<PublicKey>),
}

/// An open session.
pub(crate) struct Session {
    ssh: Handle<Guard>,
    sftp: SftpSession,
    folder: String,
}

/// Whoever holds it is alone at the account.
pub(crate) struct Visit<'a> {
    slot: MutexGuard<'a, Option<Session>>,
}

/// Lets no strange server in.
struct Guard(Arc<[Pin]>);

impl client::Handler for Guard {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            return Ok(false);
        };
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        Ok(self.0.iter().any(|pin| match pin {
            Pin::Fingerprint(known) => *known == fingerprint,
            Pin::Key(known) => known.key_data() == key.key_data(),
        }))
    }
}

impl Account {
    /// Reads the keys; no network.
    pub fn new(config: &Config) -> Result<Self, Problem> {
        let key = russh::keys::load_secret_key(&config.key, None).map_err(|_| {
            let message = "key is not a readable private key without a passphrase";
            Problem::new(Kind::Invalid, "HUB-PRINT-003", message)
        })?;
        let pins: Result<Vec<_>, _> = config
            .host_keys
            .iter()
            .map(|text| Pin::parse(text))
            .collect();
        Ok(Self {
            config: config.clone(),
            key: Arc::new(key),
            pins: pins?.into(),
            session: Mutex::new(None),
        })
    }

    /// Waits until the account is ours alone, then opens a session unless one still answers.
    pub async fn visit(&self) -> Result<Visit<'_>, Error> {
        let mut slot = self.session.lock().await;
        let alive = match slot.as_ref() {
            Some(session) => session.answers().await,
            None => false,
        };
        if !alive {
            *slot = None;
            *slot = Some(self.open().await?);
        }
        Ok(Visit { slot })
    }

    /// Opens a new session for a visit whose session may be out of step.
    pub async fn again(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        *visit.slot = None;
        *visit.slot = Some(self.open().await?);
        Ok(())
    }

    async fn open(&self) -> Result<Session, Error> {
        let patience = Duration::from_millis(self.config.timeout_ms);
        timeout(patience, self.connect(patience))
            .await
            .unwrap_or(Err(Error::Late))
    }

    async fn connect(&self, patience: Duration) -> Result<Session, Error> {
        let mut ssh_config = client::Config {
            nodelay: true,
            keepalive_interval: Some(Duration::from_secs(30)),
            ..client::Config::default()
        };
        // A server with several keys shows the kind that we ask for first.
        if let [Pin::Key(key)] = &*self.pins {
            ssh_config.preferred.key = vec![key.algorithm()].into();
        }
        let address = (self.config.host.as_str(), self.config.port);
        let guard = Guard(Arc::clone(&self.pins));
        let mut ssh = client::connect(Arc::new(ssh_config), address, guard)
            .await
            .map_err(|error| match error {
                russh::Error::UnknownKey | russh::Error::NoCommonAlgo { .. } => Error::Stranger,
                _ => Error::Away,
            })?;
        let hash = ssh
            .best_supported_rsa_hash()
            .await
            .map_err(|_| Error::Away)?
            .flatten();
        let key = PrivateKeyWithHashAlg::new(Arc::clone(&self.key), hash);
        let answer = ssh
            .authenticate_publickey(&self.config.user, key)
            .await
            .map_err(|_| Error::Away)?;
        if !answer.success() {
            return Err(match broke(&mut ssh, &answer).await {
                true => Error::Away,
                false => Error::LockedOut,
            });
        }
        let channel = ssh.channel_open_session().await.map_err(|_| Error::Away)?;
        channel
            .request_subsystem(true, "sftp")
            .await
            .map_err(|_| Error::Away)?;
        let sftp_config = russh_sftp::client::Config {
            request_timeout_secs: patience.as_secs().max(1),
            ..russh_sftp::client::Config::default()
        };
        let sftp = SftpSession::new_with_config(channel.into_stream(), sftp_config)
            .await
            .map_err(|error| explain(error, "start SFTP"))?;
        let folder = self.config.folder.trim_end_matches('/').to_owned();
        Ok(Session { ssh, sftp, folder })
    }
}

/// To the library a connection that breaks at this moment is a no that leaves no other way in, and so is
/// a server that takes its leave: then the session ends well.
async fn broke(ssh: &mut Handle<Guard>, answer: &AuthResult) -> bool {
    let no_other_way = matches!(
        answer,
        AuthResult::Failure { remaining_methods, .. } if remaining_methods.is_empty()
    );
    no_other_way && matches!(timeout(BREAKING, ssh).await, Ok(Err(_)))
}

impl Pin {
    fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if text.starts_with("SHA256:") {
            return Ok(Self::Fingerprint(text.trim_end_matches('=').to_owned()));
        }
        PublicKey::from_openssh(text)
            .map(|key| Self::Key(Box::new(key)))
            .map_err(|_| {
                let message = "a host key is neither SHA256:… nor a public key in OpenSSH's form";
                Problem::new(Kind::Invalid, "HUB-PRINT-002", message)
            })
    }
}

impl Visit<'_> {
    fn session(&self) -> Result<&Session, Error> {
        self.slot.as_ref().ok_or(Error::Away)
    }

    /// Ends the session when `error` says that it is lost, so that the next visit opens another.
    fn noted<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if result.as_ref().is_err_and(Error::is_lost) {
            *self.slot = None;
        }
        result
    }

    /// Names of the files in a folder, sorted. A folder that is not there is empty.
    pub async fn list(&mut self, folder: &str) -> Result<Vec<String>, Error> {
        let session = self.session()?;
        let result = match session.sftp.read_dir(session.path(folder)).await {
            Ok(entries) => {
                let files = entries.filter(|entry| !entry.metadata().is_dir());
                let mut names: Vec<_> = files.map(|entry| entry.file_name()).collect();
                names.sort();
                Ok(names)
            }
            Err(error) => match explain(error, "list a folder") {
                Error::Missing => Ok(Vec::new()),
                error => Err(error),
            },
        };
        self.noted(result)
    }

    /// The first bytes of a file, at most `limit`; with `whole` a longer file is an error.
    pub async fn read(&mut self, path: &str, limit: u64, whole: bool) -> Result<Vec<u8>, Error> {
        let session = self.session()?;
        let result = session.read(path, limit, whole).await;
        self.noted(result)
    }

    /// Whether the file is there.
    pub async fn has(&mut self, path: &str) -> Result<bool, Error> {
        let session = self.session()?;
        let result = session.sftp.try_exists(session.path(path)).await;
        self.noted(result.map_err(|error| explain(error, "look for a file")))
    }

    /// Writes a file whole and asks the server to put it on its disk.
    pub async fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let session = self.session()?;
        let result = session.write(path, bytes).await;
        self.noted(result)
    }

    /// Gives a file its name. Does not overwrite, on servers that keep to the protocol (version 3).
    pub async fn rename(&mut self, from: &str, to: &str) -> Result<(), Error> {
        let session = self.session()?;
        let result = session
            .sftp
            .rename(session.path(from), session.path(to))
            .await;
        self.noted(result.map_err(|error| explain(error, "rename a file")))
    }

    /// Removes a file. `false` when it was not there.
    pub async fn remove(&mut self, path: &str) -> Result<bool, Error> {
        let session = self.session()?;
        let result = match session.sftp.remove_file(session.path(path)).await {
            Ok(()) => Ok(true),
            Err(error) => match explain(error, "remove a file") {
                Error::Missing => Ok(false),
                error => Err(error),
            },
        };
        self.noted(result)
    }

    /// Makes a folder unless it is there.
    pub async fn folder(&mut self, path: &str) -> Result<(), Error> {
        if self.has(path).await? {
            return Ok(());
        }
        let session = self.session()?;
        let result = session.sftp.create_dir(session.path(path)).await;
        self.noted(result.map_err(|error| explain(error, "make a folder")))
    }
}

impl Session {
    fn path(&self, path: &str) -> String {
        format!("{}/{path}", self.folder)
    }

    async fn answers(&self) -> bool {
        !self.ssh.is_closed() && self.sftp.canonicalize(".").await.is_ok()
    }

    async fn read(&self, path: &str, limit: u64, whole: bool) -> Result<Vec<u8>, Error> {
        let doing = "read a file";
        let opened = self.sftp.open(self.path(path)).await;
        let file = opened.map_err(|error| explain(error, doing))?;
        let mut bytes = Vec::new();
        let mut part = file.take(limit + u64::from(whole));
        let read = part.read_to_end(&mut bytes).await;
        read.map_err(|error| explain(error.into(), doing))?;
        // The file was only read: whether closing it succeeds changes nothing.
        let _ = part.into_inner().close().await;
        if bytes.len() as u64 > limit {
            return Err(Error::TooLarge(limit));
        }
        Ok(bytes)
    }

    async fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let doing = "write a file";
        let flags = OpenFlags::CREATE | OpenFlags::TRUNCATE | OpenFlags::WRITE;
        let opened = self.sftp.open_with_flags(self.path(path), flags).await;
        let mut file = opened.map_err(|error| explain(error, doing))?;
        let written = async {
            file.write_all(bytes).await?;
            file.flush().await?;
            // Does nothing where the server does not offer it.
            file.sync_all().await?;
            let size = file.metadata().await?.len();
            file.close().await?;
            Ok(size)
        };
        let size = written.await.map_err(|error: Sftp| explain(error, doing))?;
        if size != bytes.len() as u64 {
            return Err(Error::Failed(doing));
        }
        Ok(())
    }
}

/// What the server's words mean for us.
fn explain(error: Sftp, doing: &'static str) -> Error {
    match error {
        Sftp::Status(status) => match status.status_code {
            StatusCode::NoSuchFile => Error::Missing,
            StatusCode::PermissionDenied => Error::Forbidden(doing),
            StatusCode::NoConnection | StatusCode::ConnectionLost => Error::Away,
            _ => Error::Failed(doing),
        },
        Sftp::Timeout => Error::Late,
        Sftp::Limited(_) => Error::Failed(doing),
        Sftp::IO(_) | Sftp::UnexpectedPacket | Sftp::UnexpectedBehavior(_) => Error::Away,
    }
}
