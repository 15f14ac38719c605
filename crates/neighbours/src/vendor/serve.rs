//! The SSH server in front of the account: one user, one key, SFTP only.

use std::{collections::HashMap, io, path::PathBuf, sync::Arc, time::Duration};

use russh::{
    Channel, ChannelId, MethodKind, MethodSet,
    keys::{PrivateKey, PublicKey},
    server::{self, Auth, ChannelOpenHandle, Config, Msg, Session, VerifiedPublicKey},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::sftp::Account;
use crate::faults::Faults;

/// What all connections share.
pub(super) struct Desk {
    pub user: String,
    pub authorised: PublicKey,
    pub account: PathBuf,
    pub faults: Arc<Faults>,
    pub stop: CancellationToken,
}

/// Serves until stopped.
pub(super) async fn serve(listener: TcpListener, host_key: PrivateKey, desk: Arc<Desk>) {
    let mut methods = MethodSet::empty();
    methods.push(MethodKind::PublicKey);
    let config = Arc::new(Config {
        keys: vec![host_key],
        methods,
        // A fake has no secret to keep by answering slowly.
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        nodelay: true,
        ..Config::default()
    });
    loop {
        let socket = tokio::select! {
            () = desk.stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => socket,
                Err(_) => continue,
            },
        };
        let (config, desk) = (Arc::clone(&config), Arc::clone(&desk));
        tokio::spawn(async move {
            let stop = desk.stop.clone();
            let caller = Caller {
                desk,
                channels: HashMap::new(),
            };
            let serving = async {
                if let Ok(session) = server::run_stream(config, socket, caller).await {
                    // How a customer ends a connection is the customer's.
                    let _ = session.await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = serving => {}
            }
        });
    }
}

/// One connection.
struct Caller {
    desk: Arc<Desk>,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

/// A connection's end, for whatever reason.
#[derive(Debug)]
struct Ended;

impl From<russh::Error> for Ended {
    fn from(_: russh::Error) -> Self {
        Self
    }
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl server::Handler for Caller {
    type Error = Ended;

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Ended> {
        let known =
            user == self.desk.user && key.public_key.key_data() == self.desk.authorised.key_data();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Ended> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Ended> {
        session.close(channel)?;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Ended> {
        match self.channels.remove(&id).filter(|_| name == "sftp") {
            Some(channel) => {
                session.channel_success(id)?;
                let desk = &self.desk;
                let account = Account::new(
                    desk.account.clone(),
                    Arc::clone(&desk.faults),
                    session.handle(),
                );
                russh_sftp::server::run(channel.into_stream(), account).await;
            }
            None => session.channel_failure(id)?,
        }
        Ok(())
    }
}
