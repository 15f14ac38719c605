use std::path::PathBuf;

use halsonav_bus::{
    Error, Kafka,
    kafka::{Protocol, Settings},
};

fn fault(change: fn(&mut Settings)) -> String {
    let mut settings = Settings::default();
    change(&mut settings);
    match Kafka::new(settings) {
        Err(error @ Error::Setting { .. }) => error.to_string(),
        other => panic!("{:?}", other.map(drop)),
    }
}

#[test]
fn what_is_left_out_has_a_default_and_what_is_unknown_is_an_error() {
    let read = |json: &str| serde_json::from_str::<Settings>(json);
    assert_eq!(read("{}").unwrap(), Settings::default());
    let some = read(
        r#"{"brokers": "a:1,b:2", "prefix": "skane.", "replication": 1, "min_insync": 1,
            "partitions": {"events": 4, "commands": 2, "documentation": 1},
            "security": {"protocol": "sasl-tls", "mechanism": "scram-sha-256", "user": "hub"}}"#,
    )
    .unwrap();
    assert_eq!(some.security.protocol, Protocol::SaslTls);
    assert!(read(r#"{"broker": "a:1"}"#).is_err());
    assert!(read(r#"{"security": {"password": "x"}}"#).is_err());
}

#[tokio::test]
async fn a_setting_that_cannot_be_used_is_named() {
    let named = |key: &str, change: fn(&mut Settings)| {
        let told = fault(change);
        assert!(told.contains(&format!("{key}: ")), "{told}");
    };
    named("brokers", |s| s.brokers = String::new());
    named("prefix", |s| s.prefix = "Å".to_owned());
    named("min_insync", |s| s.min_insync = 4);
    named("partitions.events", |s| s.partitions.events = 0);
    named("delivery_s", |s| s.delivery_s = 0);
    named("security.protocol", |s| s.security.user = "hub".to_owned());
    named("security.ca_file", |s| {
        s.security.protocol = Protocol::Tls;
        s.security.ca_file = PathBuf::from("/nowhere/at/all");
    });
    named("security.password_file", |s| {
        s.security.protocol = Protocol::SaslTls;
        s.security.user = "hub".to_owned();
    });
    Kafka::new(Settings::default()).unwrap();
}
