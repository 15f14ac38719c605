//! TLS and logins, against a broker that asks for them and certificates that are made here.

use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use halsonav_bus::{
    Bus as _, Error, Kafka,
    kafka::{Mechanism, Protocol, Security, Settings, topics},
};
use halsonav_domain::{Kind, Topic};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
};

use crate::{
    publish, record,
    stand::{make_topics, not_checked, settings_for},
    values,
};

const PASSWORD: &str = "hemligt-och-ganska-langt";

/// A broker that lets in over TLS by certificate, and over TLS by password.
struct Secure {
    dir: tempfile::TempDir,
    broker: Child,
    tls: u16,
    login: u16,
}

impl Drop for Secure {
    fn drop(&mut self) {
        let _ = self.broker.kill();
        let _ = self.broker.wait();
    }
}

/// Where `tests/services` keeps Kafka's classes.
fn classes() -> Option<PathBuf> {
    if env::var("HALSONAV_KAFKA").is_err() {
        return not_checked("HALSONAV_KAFKA is not set: no broker asks for a login");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/services");
    if !script.exists() {
        return not_checked("there is no tests/services to start a broker with");
    }
    let status = Command::new(script)
        .args(["provision", "kafka"])
        .status()
        .unwrap();
    assert!(status.success());
    let cache = env::var_os("HALSONAV_CACHE").map_or_else(
        || Path::new(&env::var_os("HOME").unwrap()).join(".cache/halsonav"),
        PathBuf::from,
    );
    let kept = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap());
    let kafka = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("kafka-");
    let mut kept: Vec<_> = kept.filter(kafka).map(|entry| entry.path()).collect();
    kept.retain(|path| path.join("ready").exists());
    kept.sort();
    Some(kept.pop().unwrap().join("lib"))
}

/// Keys and certificates, PEM: an authority, and what it vouches for. Another authority vouches for
/// nobody.
fn certify(dir: &Path) {
    let named = |name: &str, hosts: Vec<String>| {
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let authority = |name: &str| {
        let mut params = named(name, Vec::new());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ours, other) = (authority("ours"), authority("other"));
    fs::write(dir.join("ca.pem"), ours.pem()).unwrap();
    fs::write(dir.join("other.pem"), other.pem()).unwrap();
    for name in ["broker", "hub"] {
        let key = KeyPair::generate().unwrap();
        let params = named(name, vec!["localhost".to_owned()]);
        let certificate = params.signed_by(&key, &ours).unwrap();
        fs::write(dir.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        fs::write(dir.join(format!("{name}.pem")), certificate.pem()).unwrap();
        let both = key.serialize_pem() + &certificate.pem();
        fs::write(dir.join(format!("{name}.both")), both).unwrap();
    }
    fs::write(dir.join("password"), format!("{PASSWORD}\n")).unwrap();
    fs::write(dir.join("wrong"), "fel").unwrap();
}

fn properties(dir: &Path, [plain, controller, tls, login]: [u16; 4]) -> String {
    let at = dir.display();
    format!(
        "process.roles=broker,controller\nnode.id=1\n\
        controller.quorum.voters=1@localhost:{controller}\n\
        controller.listener.names=CONTROLLER\ninter.broker.listener.name=PLAINTEXT\n\
        listeners=PLAINTEXT://localhost:{plain},CONTROLLER://localhost:{controller},\
        TLS://localhost:{tls},LOGIN://localhost:{login}\n\
        advertised.listeners=PLAINTEXT://localhost:{plain},TLS://localhost:{tls},LOGIN://localhost:{login}\n\
        listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,LOGIN:SASL_SSL\n\
        log.dirs={at}/data\noffsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n\
        auto.create.topics.enable=false\n\
        ssl.keystore.type=PEM\nssl.keystore.location={at}/broker.both\n\
        ssl.truststore.type=PEM\nssl.truststore.location={at}/ca.pem\n\
        listener.name.tls.ssl.client.auth=required\n\
        sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN\n\
        listener.name.login.scram-sha-256.sasl.jaas.config=\
        org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
        listener.name.login.scram-sha-512.sasl.jaas.config=\
        org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
        listener.name.login.plain.sasl.jaas.config=\
        org.apache.kafka.common.security.plain.PlainLoginModule required user_hub=\"{PASSWORD}\";\n\
        authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
        super.users=User:ANONYMOUS;User:hub;User:CN=hub\n"
    )
}

fn start(classes: &Path) -> Secure {
    let dir = tempfile::tempdir().unwrap();
    certify(dir.path());
    let ports = [(); 4].map(|()| TcpListener::bind("localhost:0").unwrap());
    let ports = ports.map(|listener| listener.local_addr().unwrap().port());
    let config = dir.path().join("server.properties");
    fs::write(&config, properties(dir.path(), ports)).unwrap();
    let log = dir.path().join("log");
    let java = |class: &str| {
        let mut java = Command::new("java");
        java.args([
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
        ]);
        java.arg(classes.join("*")).arg(class);
        let said = fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        java.stdout(said.try_clone().unwrap()).stderr(said);
        java
    };
    let mut format = java("kafka.tools.StorageTool");
    format
        .args([
            "format",
            "--cluster-id",
            "AAAAAAAAAAAAAAAAAAAAAQ",
            "--config",
        ])
        .arg(&config);
    for (mechanism, name) in [("256", "hub"), ("512", "hub"), ("512", "stranger")] {
        let user = format!("SCRAM-SHA-{mechanism}=[name={name},password={PASSWORD}]");
        format.args(["--add-scram", &user]);
    }
    let formatted = format.status().unwrap().success();
    assert!(formatted, "{}", fs::read_to_string(&log).unwrap());
    let broker = java("kafka.Kafka").arg(&config).spawn().unwrap();
    let [_, _, tls, login] = ports;
    let secure = Secure {
        dir,
        broker,
        tls,
        login,
    };
    let begun = Instant::now();
    while TcpStream::connect(("localhost", login)).is_err() {
        let late = begun.elapsed() > Duration::from_secs(180);
        assert!(!late, "{}", fs::read_to_string(&log).unwrap());
        std::thread::sleep(Duration::from_millis(100));
    }
    secure
}

impl Secure {
    fn by_certificate(&self) -> Settings {
        let mut settings = settings_for(&format!("localhost:{}", self.tls), 1);
        (settings.delivery_s, settings.request_s) = (8, 8);
        settings.security = Security {
            protocol: Protocol::Tls,
            ca_file: self.dir.path().join("ca.pem"),
            certificate_file: self.dir.path().join("hub.pem"),
            key_file: self.dir.path().join("hub.key"),
            ..Security::default()
        };
        settings
    }

    fn by_password(&self, mechanism: Mechanism, user: &str, password: &str) -> Settings {
        let mut settings = settings_for(&format!("localhost:{}", self.login), 1);
        (settings.delivery_s, settings.request_s) = (8, 8);
        settings.security = Security {
            protocol: Protocol::SaslTls,
            ca_file: self.dir.path().join("ca.pem"),
            mechanism,
            user: user.to_owned(),
            password_file: self.dir.path().join(password),
            ..Security::default()
        };
        settings
    }
}

async fn works(settings: Settings) {
    make_topics(&settings).await;
    let bus = Kafka::new(settings).unwrap();
    publish(&bus, 0..10).await;
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    assert!(values(consumer.as_mut(), 10).await.into_iter().eq(0..10));
    consumer.commit().await.unwrap();
    assert_eq!(bus.lag("g", &[Topic::Events]).await.unwrap(), 0);
    consumer.close().await.unwrap();
}

/// Everything says that we are not let in, and nothing hangs or tells the password.
async fn is_denied(settings: Settings, told: &str) {
    let bus = Kafka::new(settings.clone()).unwrap();
    let sent = bus.publish(&Topic::Events, vec![record("k", 1)]).await;
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    let polled = consumer.poll(1, Some(crate::LONG)).await.map(drop);
    let planned = topics::plan(&settings, &[Topic::Events]).await;
    let planned = match planned {
        Ok(plan) => topics::apply(&settings, &plan).await,
        Err(error) => Err(error),
    };
    for error in [sent, polled, planned] {
        let error = error.expect_err("we are not let in");
        assert_eq!(
            (error.code(), error.kind()),
            ("HUB-BUS-012", Kind::Denied),
            "{error}"
        );
        assert!(error.to_string().contains(told), "{error}");
        assert!(!error.to_string().contains("hemligt"), "{error}");
    }
    consumer.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_known_is_let_in_and_nobody_else() {
    let Some(classes) = classes() else {
        return;
    };
    let broker = tokio::task::spawn_blocking(move || start(&classes))
        .await
        .unwrap();
    works(broker.by_certificate()).await;
    for mechanism in [
        Mechanism::ScramSha256,
        Mechanism::ScramSha512,
        Mechanism::Plain,
    ] {
        works(broker.by_password(mechanism, "hub", "password")).await;
    }
    let scram = Mechanism::ScramSha512;
    is_denied(broker.by_password(scram, "hub", "wrong"), "uthentication").await;
    let mut stranger = broker.by_password(scram, "stranger", "password");
    is_denied(stranger.clone(), "uthorization").await;
    stranger.security.ca_file = broker.dir.path().join("other.pem");
    is_denied(stranger, "certificate verify failed").await;

    let mut nobody = broker.by_certificate();
    nobody.security.certificate_file = PathBuf::new();
    let half = Kafka::new(nobody.clone()).map(drop);
    assert!(matches!(half, Err(Error::Setting { .. })), "{half:?}");
    nobody.security.key_file = PathBuf::new();
    is_denied(nobody, "bad certificate").await;
}
