//! Services of a test's own, through `tests/services`: to be killed, paused and started again.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

/// What can be started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Service {
    /// PostgreSQL, with a database and an owner of everything in it.
    Postgres,
    /// Apache Kafka, one node.
    Kafka,
}

/// How something ends before it starts again on the same port, with the same data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It is asked to, and puts its things in order.
    Fast,
    /// PostgreSQL stops at once and recovers at the start. Kafka is killed.
    Immediate,
    /// `kill -9` of all its processes.
    Kill,
}

/// Private instances. They are removed with their data when this is dropped, and also when the process
/// ends in any other way.
#[derive(Debug)]
pub struct Services {
    dir: PathBuf,
}

impl Services {
    /// Starts them and waits until they answer. `None`, after saying that `what` was not checked, when
    /// one is not on this machine; `tests/services provision` brings it.
    ///
    /// # Errors
    /// When one does not start. With `CI=true` also when one is not on this machine.
    pub fn start(what: &str, services: &[Service]) -> Result<Option<Self>> {
        Self::begin(what, services, None)
    }

    /// The same, and Kafka has a second listener, [`Services::kafka_behind`], whose clients are told to
    /// come to `port`, where a proxy stands.
    ///
    /// # Errors
    /// As [`Services::start`].
    pub fn start_behind(what: &str, services: &[Service], port: u16) -> Result<Option<Self>> {
        Self::begin(what, services, Some(port))
    }

    fn begin(what: &str, services: &[Service], port: Option<u16>) -> Result<Option<Self>> {
        let names = services.iter().map(|service| name(*service));
        // Fetching and installing is for `tests/run`, not for a test.
        let has = call(Command::new(script()).arg("has").args(names.clone()))?;
        if !has.success() {
            eprintln!("NOT CHECKED: {what}: {services:?} is not here; tests/services provision");
            ensure!(
                env::var("CI").as_deref() != Ok("true"),
                "{what} was not checked"
            );
            return Ok(None);
        }
        let this = Self { dir: folder()? };
        let mut command = Command::new(script());
        command.arg("start").arg(&this.dir).args(names);
        command.args(["--owner", &std::process::id().to_string()]);
        if let Some(port) = port {
            command.args(["--advertise", &port.to_string()]);
        }
        let started = call(&mut command)?;
        ensure!(started.success(), "{services:?}: {started}");
        Ok(Some(this))
    }

    /// Where PostgreSQL is, with user, password and database: a URL.
    ///
    /// # Errors
    /// When it was not started.
    pub fn postgres(&self) -> Result<String> {
        self.told("HALSONAV_POSTGRES")
    }

    /// Where Kafka is: host and port.
    ///
    /// # Errors
    /// When it was not started.
    pub fn kafka(&self) -> Result<String> {
        self.told("HALSONAV_KAFKA")
    }

    /// Kafka's listener for a proxy to forward to: host and port.
    ///
    /// # Errors
    /// When it was not started with [`Services::start_behind`].
    pub fn kafka_behind(&self) -> Result<String> {
        self.told("HALSONAV_KAFKA_BEHIND")
    }

    fn told(&self, variable: &str) -> Result<String> {
        let env = fs::read_to_string(self.dir.join("env"))?;
        let start = format!("export {variable}=");
        let line = env.lines().find_map(|line| line.strip_prefix(&start));
        Ok(line
            .with_context(|| format!("{variable} is not told"))?
            .to_owned())
    }

    /// Ends it so and starts it again; returns when it answers.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn restart(&self, service: Service, end: End) -> Result<()> {
        let how = match end {
            End::Fast => "fast",
            End::Immediate => "immediate",
            End::Kill => "kill",
        };
        self.order("restart", service, Some(how))
    }

    /// `kill -9`; it stays away until [`Services::start_again`].
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&self, service: Service) -> Result<()> {
        self.order("kill", service, None)
    }

    /// Starts what was killed, with its data; returns when it answers.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn start_again(&self, service: Service) -> Result<()> {
        self.order("start", service, None)
    }

    /// Lets it stand still, with its sockets open, until [`Services::resume`].
    ///
    /// # Errors
    /// When it cannot be told to.
    pub fn pause(&self, service: Service) -> Result<()> {
        self.order("pause", service, None)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it cannot be told to.
    pub fn resume(&self, service: Service) -> Result<()> {
        self.order("resume", service, None)
    }

    fn order(&self, verb: &str, service: Service, how: Option<&str>) -> Result<()> {
        let mut command = Command::new(script());
        command
            .arg(verb)
            .arg(&self.dir)
            .arg(name(service))
            .args(how);
        let done = call(&mut command)?;
        if !done.success() {
            bail!("{verb} {}: {done}", name(service));
        }
        Ok(())
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        if let Err(error) = call(Command::new(script()).arg("remove").arg(&self.dir)) {
            eprintln!("{error}");
        }
    }
}

fn name(service: Service) -> &'static str {
    match service {
        Service::Postgres => "postgres",
        Service::Kafka => "kafka",
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("services")
}

/// On a disk, so that syncing is real, and where PostgreSQL's user can enter.
fn folder() -> Result<PathBuf> {
    let parent = Some(PathBuf::from("/var/tmp")).filter(|path| path.is_dir());
    let made = tempfile::Builder::new()
        .prefix("halsonav-services.")
        .tempdir_in(parent.unwrap_or_else(env::temp_dir))?;
    fs::set_permissions(made.path(), fs::Permissions::from_mode(0o711))?;
    Ok(made.keep())
}

/// Standard output is the test's own; what the script has to say goes to standard error.
fn call(command: &mut Command) -> Result<ExitStatus> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.status().context("tests/services cannot be called")
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
        time::Duration,
    };

    use super::*;

    /// Whether PostgreSQL answers a request for TLS, which needs no password: one letter.
    fn postgres_answers(services: &Services) -> bool {
        let url = services.postgres().unwrap();
        let address = url.split(['@', '/']).nth(3).unwrap();
        ask(address, &[0, 0, 0, 8, 4, 210, 22, 47])
    }

    /// Whether Kafka tells which requests it knows.
    fn kafka_answers(services: &Services) -> bool {
        let request = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 255, 255];
        ask(&services.kafka().unwrap(), &request)
    }

    fn ask(address: &str, request: &[u8]) -> bool {
        let Ok(mut stream) = TcpStream::connect(address) else {
            return false;
        };
        stream
            .set_read_timeout(Some(Duration::from_millis(500)))
            .unwrap();
        stream.write_all(request).is_ok() && stream.read_exact(&mut [0]).is_ok()
    }

    #[test]
    fn postgres_pauses_dies_and_comes_back() {
        let Some(services) =
            Services::start("a PostgreSQL of its own", &[Service::Postgres]).unwrap()
        else {
            return;
        };
        let url = services.postgres().unwrap();
        assert!(postgres_answers(&services));
        services.pause(Service::Postgres).unwrap();
        assert!(!postgres_answers(&services));
        services.resume(Service::Postgres).unwrap();
        assert!(postgres_answers(&services));
        services.kill(Service::Postgres).unwrap();
        assert!(!postgres_answers(&services));
        services.start_again(Service::Postgres).unwrap();
        assert!(postgres_answers(&services));
        services.restart(Service::Postgres, End::Immediate).unwrap();
        assert!(postgres_answers(&services));
        assert_eq!(services.postgres().unwrap(), url);
        let dir = services.dir.clone();
        drop(services);
        assert!(!dir.exists());
    }

    #[test]
    fn kafka_pauses_dies_and_comes_back() {
        let Some(services) =
            Services::start_behind("a Kafka of its own", &[Service::Kafka], 9).unwrap()
        else {
            return;
        };
        assert!(services.kafka_behind().is_ok());
        assert!(kafka_answers(&services));
        services.pause(Service::Kafka).unwrap();
        assert!(!kafka_answers(&services));
        services.resume(Service::Kafka).unwrap();
        services.restart(Service::Kafka, End::Kill).unwrap();
        assert!(kafka_answers(&services));
    }
}
