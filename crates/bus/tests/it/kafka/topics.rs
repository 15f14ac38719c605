use halsonav_bus::{
    Bus as _, Error, Kafka,
    kafka::topics::{self, Step},
};
use halsonav_domain::Topic;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
};

use crate::stand::kafka_settings;

fn all() -> Vec<Topic> {
    vec![
        Topic::Events,
        Topic::Documentation,
        Topic::Commands("lab".to_owned()),
        Topic::Intents("lab".to_owned()),
    ]
}

#[tokio::test]
async fn topics_are_made_as_planned_and_then_nothing_is_left_to_do() {
    let Some(settings) = kafka_settings(3) else {
        return;
    };
    let missing = topics::verify(&settings, &all()).await;
    assert!(matches!(missing, Err(Error::Topic { .. })), "{missing:?}");
    let plan = topics::plan(&settings, &all()).await.unwrap();
    assert_eq!(plan.steps.len(), 4);
    let shown = plan.to_string();
    let first = format!(
        "create {}halsonav.events: 3 partitions, 1 copies",
        settings.prefix
    );
    assert!(shown.starts_with(&first), "{shown}");
    assert!(shown.contains("cleanup.policy = delete"), "{shown}");
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["steps"][0]["step"], "create");
    topics::apply(&settings, &plan).await.unwrap();
    assert!(topics::plan(&settings, &all()).await.unwrap().is_empty());
    topics::verify(&settings, &all()).await.unwrap();
    Kafka::new(settings).unwrap().health().await.now.unwrap();
}

#[tokio::test]
async fn configuration_is_changed_and_what_others_said_stays() {
    let Some(mut settings) = kafka_settings(1) else {
        return;
    };
    let events = [Topic::Events];
    let name = format!("{}{}", settings.prefix, Topic::Events);
    let admin = admin(&settings.brokers);
    let fresh = NewTopic::new(&name, 1, TopicReplication::Fixed(1)).set("flush.messages", "77");
    admin
        .create_topics([&fresh], &AdminOptions::new())
        .await
        .unwrap();
    let plan = topics::plan(&settings, &events).await.unwrap();
    assert!(
        plan.to_string()
            .contains("cleanup.policy: not set → delete"),
        "{plan}"
    );
    topics::apply(&settings, &plan).await.unwrap();

    settings.retention_days.events = 3;
    let plan = topics::plan(&settings, &events).await.unwrap();
    let [Step::Configure { changes, .. }] = &plan.steps[..] else {
        panic!("{plan}");
    };
    let days = |n: u64| (n * 86_400_000).to_string();
    assert_eq!(changes["retention.ms"], (Some(days(14)), days(3)));
    assert_eq!(changes.len(), 1);
    let fault = topics::verify(&settings, &events)
        .await
        .expect_err("differs");
    assert!(fault.to_string().contains("retention.ms"), "{fault}");
    topics::apply(&settings, &plan).await.unwrap();
    assert!(topics::plan(&settings, &events).await.unwrap().is_empty());

    let asked = [ResourceSpecifier::Topic(&name)];
    let found = admin
        .describe_configs(&asked, &AdminOptions::new())
        .await
        .unwrap();
    let found = found[0].as_ref().unwrap().get("flush.messages").unwrap();
    assert_eq!(found.value.as_deref(), Some("77"));
}

fn admin(brokers: &str) -> AdminClient<DefaultClientContext> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).create().unwrap()
}

#[tokio::test]
async fn partitions_are_added_only_when_asked_for() {
    let Some(mut settings) = kafka_settings(2) else {
        return;
    };
    let events = [Topic::Events];
    let plan = topics::plan(&settings, &events).await.unwrap();
    topics::apply(&settings, &plan).await.unwrap();
    settings.partitions.events = 5;
    let plan = topics::plan(&settings, &events).await.unwrap();
    assert!(plan.to_string().contains("2 → 5"), "{plan}");
    assert!(
        plan.to_string().contains("refused unless asked for"),
        "{plan}"
    );
    let refused = topics::apply(&settings, &plan).await;
    assert!(matches!(refused, Err(Error::Topic { .. })), "{refused:?}");
    topics::apply(&settings, &plan.repartition()).await.unwrap();
    topics::verify(&settings, &events).await.unwrap();
    settings.partitions.events = 3;
    topics::verify(&settings, &events)
        .await
        .expect("more is fine");
}

#[tokio::test]
async fn too_few_copies_are_for_the_operator() {
    let Some(mut settings) = kafka_settings(1) else {
        return;
    };
    let events = [Topic::Events];
    let plan = topics::plan(&settings, &events).await.unwrap();
    topics::apply(&settings, &plan).await.unwrap();
    settings.replication = 3;
    let plan = topics::plan(&settings, &events).await.unwrap();
    assert!(matches!(&plan.steps[..], [Step::Mend { .. }]), "{plan}");
    let refused = topics::apply(&settings, &plan).await;
    assert!(refused.unwrap_err().to_string().contains("1 copies"));
    let fresh = [Topic::Documentation];
    let plan = topics::plan(&settings, &fresh).await.unwrap();
    // More copies than brokers, unless the cluster under test has three.
    match topics::apply(&settings, &plan).await {
        Ok(()) => topics::verify(&settings, &fresh).await.unwrap(),
        Err(error) => assert!(matches!(error, Error::Refused { .. }), "{error}"),
    }
}
