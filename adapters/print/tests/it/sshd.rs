//! The adapter against OpenSSH's own server, where there is one; the shop works on its folder.

use std::{
    io::Write as _,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use halsonav_adapter::{Adapter, Outbound, Reconciled};
use halsonav_domain::{Clock, Outcome, VirtualClock};
use halsonav_neighbours::vendor::{Shop, key_pair};
use tempfile::TempDir;

use crate::support::{again, at, build, config, expect_done, letter, letters};

const SERVERS: [&str; 3] = [
    "/usr/sbin/sshd",
    "/usr/local/sbin/sshd",
    "/usr/lib/ssh/sshd",
];

/// `sshd` in its inetd mode behind a port of ours: no port to guess, no process to wait for.
struct Sshd {
    folder: TempDir,
    addr: std::net::SocketAddr,
    user: String,
    host_key: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn spawn(sshd: &Path, settings: &Path, socket: std::net::TcpStream) -> std::io::Result<Child> {
    let output = OwnedFd::from(socket.try_clone()?);
    Command::new(sshd)
        .args(["-i", "-e", "-f"])
        .arg(settings)
        .stdin(Stdio::from(OwnedFd::from(socket)))
        .stdout(Stdio::from(output))
        .stderr(Stdio::null())
        .spawn()
}

impl Sshd {
    /// `Err` says why it cannot be run here.
    async fn start() -> Result<Self, String> {
        let found = SERVERS.iter().map(PathBuf::from).find(|path| path.exists());
        let sshd = found.ok_or("no sshd is installed")?;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let host_key = key_pair(&path("host_key")).unwrap();
        std::fs::write(path("keys"), key_pair(&path("hub_key")).unwrap()).unwrap();
        let settings = format!(
            "HostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
             Subsystem sftp internal-sftp\n",
            path("host_key").display(),
            path("keys").display(),
        );
        std::fs::write(path("settings"), settings).unwrap();
        let test = Command::new(&sshd)
            .args(["-t", "-f"])
            .arg(path("settings"))
            .output();
        let test = test.map_err(|error| error.to_string())?;
        if !test.status.success() {
            return Err(String::from_utf8_lossy(&test.stderr).trim().to_owned());
        }
        let user = Command::new("id")
            .arg("-un")
            .output()
            .map_err(|error| error.to_string())?;
        let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let settings = path("settings");
        let task = tokio::spawn(async move {
            let mut children = Vec::new();
            while let Ok((socket, _)) = listener.accept().await {
                let socket = socket.into_std().unwrap();
                socket.set_nonblocking(false).unwrap();
                children.push(Reaped(spawn(&sshd, &settings, socket).unwrap()));
            }
        });
        Ok(Self {
            folder,
            addr,
            user,
            host_key,
            task,
        })
    }
}

/// A child that does not outlive the test.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_travel_through_openssh() {
    let sshd = match Sshd::start().await {
        Ok(sshd) => sshd,
        Err(why) => {
            // Written past the test harness, so that it is seen.
            let _ = writeln!(std::io::stderr(), "print against sshd not run: {why}");
            return;
        }
    };
    let clock = Arc::new(VirtualClock::new(at("2026-09-01T06:00:00Z")));
    let shop = Shop::open(sshd.folder.path().join("vendor"), clock.clone()).unwrap();
    let mut settings = config(sshd.folder.path(), sshd.addr, &sshd.host_key);
    settings.user.clone_from(&sshd.user);
    settings.folder = shop.folders().account().to_str().unwrap().to_owned();
    let print = build(settings);
    print.check().await.unwrap();

    for (_, outcome) in print.deliver("letter", letters(1..51)).await {
        expect_done(outcome);
    }
    let absent = print.reconcile("letter", &letter(60)).await;
    assert!(matches!(absent, Reconciled::Absent), "{absent:?}");
    let waits = print.reconcile("letter", &letter(1)).await;
    assert!(
        matches!(waits, Reconciled::Settled(Outcome::Done(_))),
        "{waits:?}"
    );
    // The same job again: the server refuses to overwrite, and that is told from a failure.
    for (_, outcome) in print.deliver("letter", letters(1..51)).await {
        expect_done(outcome);
    }
    assert_eq!(shop.pickup(clock.now()).unwrap().printed, 50);
    for (_, outcome) in print.deliver("letter", vec![again(letter(7))]).await {
        expect_done(outcome);
    }
    assert_eq!(shop.pickup(clock.now()).unwrap().jobs, 0);
    assert_eq!(shop.letters().len(), 50);
    assert!(shop.printed_twice().is_empty());
}
