//! Topics as the hub needs them: what is there, what is lacking, and making it so.
//!
//! Every topic is kept whole for a time (`cleanup.policy=delete`). Compaction has no place: it keeps
//! the last record of a key, and a key is a case, of which every record counts. Times are the
//! broker's (`LogAppendTime`), so that no sender's clock makes a record old before it was read.

use std::{collections::BTreeMap, fmt, sync::Arc};

use halsonav_domain::Topic;
use serde::Serialize;

use super::{
    Settings,
    admin::{self, Found},
    apart,
    asker::Asker,
    context::Context,
    properties::message_bytes,
};
use crate::Error;

const DAY_MS: u64 = 86_400_000;

/// What is to be done so that topics are as they should be.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Plan {
    /// In order of the topics' names.
    pub steps: Vec<Step>,
    /// Partitions may be added to topics that are there.
    pub repartition: bool,
}

/// One thing to do, or that somebody else must do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Make a topic.
    Create {
        /// Its name on the cluster.
        topic: String,
        /// How many partitions.
        partitions: u32,
        /// Copies of each record.
        replication: u16,
        /// What is said about it; nothing is left to the cluster's defaults.
        config: BTreeMap<String, String>,
    },
    /// Give a topic more partitions. Keys move to other partitions by it: records of a case that were
    /// sent before and after may be read in another order. Stop who publishes, let everything be
    /// read, and only then do it.
    AddPartitions {
        /// Its name on the cluster.
        topic: String,
        /// How many it has.
        from: u32,
        /// How many it should have.
        to: u32,
    },
    /// Say something else about a topic.
    Configure {
        /// Its name on the cluster.
        topic: String,
        /// By key: what is said now, if anything, and what should be.
        changes: BTreeMap<String, (Option<String>, String)>,
    },
    /// What only the cluster's operator can mend.
    Mend {
        /// Its name on the cluster.
        topic: String,
        /// What is wrong.
        fault: String,
    },
}

impl Plan {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The plan with leave to add partitions, at the price that [`Step::AddPartitions`] tells.
    #[must_use]
    pub fn repartition(mut self) -> Self {
        self.repartition = true;
        self
    }

    /// The first step that will not be done.
    fn hindrance(&self) -> Option<Error> {
        self.steps.iter().find_map(|step| match step {
            Step::Mend { topic, fault } => Some(topic_fault(topic, fault)),
            Step::AddPartitions { topic, from, to } if !self.repartition => Some(topic_fault(
                topic,
                format!(
                    "has {from} partitions, not {to}; more break the order of keys, ask for it"
                ),
            )),
            _ => None,
        })
    }
}

/// Compares what is there with what `topics` should be.
///
/// # Errors
/// `Unavailable` or `Denied` when the cluster cannot be asked; `Invalid` for bad settings.
pub async fn plan(settings: &Settings, topics: &[Topic]) -> Result<Plan, Error> {
    let mut steps = Vec::new();
    for (topic, found) in find(settings, topics).await? {
        let name = settings.topic(topic)?;
        steps.extend(compare(settings, topic, &name, found.as_ref()));
    }
    Ok(Plan {
        steps,
        repartition: false,
    })
}

/// Does what a plan says, or nothing if a step of it is refused.
///
/// # Errors
/// [`Error::Topic`] for a step that is not done: adding partitions without leave, or what only the
/// operator can do. Otherwise as for [`plan`]; what was done until then is done.
pub async fn apply(settings: &Settings, plan: &Plan) -> Result<(), Error> {
    if let Some(hindrance) = plan.hindrance() {
        return Err(hindrance);
    }
    let admin = admin::Admin::new(settings)?;
    for step in &plan.steps {
        match step {
            Step::Create {
                topic,
                partitions,
                replication,
                config,
            } => {
                admin
                    .create(topic, *partitions, *replication, config)
                    .await?
            }
            Step::AddPartitions { topic, to, .. } => admin.grow(topic, *to).await?,
            Step::Configure { topic, changes } => {
                let wanted = changes
                    .iter()
                    .map(|(key, (_, to))| (key.clone(), to.clone()));
                admin.configure(topic, wanted.collect()).await?;
            }
            Step::Mend { .. } => {}
        }
    }
    Ok(())
}

/// Takes topics away with everything in them: for those who made them for a rehearsal.
///
/// # Errors
/// `Unavailable` or `Denied` when the cluster does not do it; `Invalid` for bad settings.
pub async fn remove(settings: &Settings, topics: &[Topic]) -> Result<(), Error> {
    let names = topics
        .iter()
        .map(|topic| settings.topic(topic))
        .collect::<Result<Vec<_>, _>>()?;
    admin::Admin::new(settings)?.remove(&names).await
}

/// Whether topics are there and as we rely on: for the start of a process.
///
/// # Errors
/// [`Error::Topic`] tells the first difference; otherwise as for [`plan`].
pub async fn verify(settings: &Settings, topics: &[Topic]) -> Result<(), Error> {
    let plan = plan(settings, topics).await?;
    match plan.steps.first() {
        None => Ok(()),
        Some(step) => Err(step.fault()),
    }
}

/// Every topic with what is there of it.
async fn find<'a>(
    settings: &Settings,
    topics: &'a [Topic],
) -> Result<Vec<(&'a Topic, Option<Found>)>, Error> {
    let names = topics
        .iter()
        .map(|topic| settings.topic(topic))
        .collect::<Result<Vec<_>, _>>()?;
    let asker = Arc::new(Asker::new(settings.clone(), Context::default()));
    let asked = names.clone();
    let shapes = apart(move || {
        let shapes = asked.iter().map(|name| asker.shape(name));
        shapes.collect::<Result<Vec<_>, _>>()
    })
    .await?;
    let admin = admin::Admin::new(settings)?;
    let mut found = Vec::new();
    for ((topic, name), shape) in topics.iter().zip(&names).zip(shapes) {
        let there = match shape {
            Some(shape) => Some(Found {
                shape,
                config: admin.config(name).await?,
            }),
            None => None,
        };
        found.push((topic, there));
    }
    Ok(found)
}

fn compare(settings: &Settings, topic: &Topic, name: &str, found: Option<&Found>) -> Vec<Step> {
    let wanted = config(settings, topic);
    let partitions = settings.partitions.of(topic);
    let name = || name.to_owned();
    let Some(Found { shape, config }) = found else {
        return vec![Step::Create {
            topic: name(),
            partitions,
            replication: settings.replication,
            config: wanted,
        }];
    };
    let mut steps = Vec::new();
    if shape.replication < settings.replication {
        let fault = format!(
            "has {} copies of each record, not {}: reassign its partitions",
            shape.replication, settings.replication
        );
        steps.push(Step::Mend {
            topic: name(),
            fault,
        });
    }
    if shape.partitions < partitions {
        steps.push(Step::AddPartitions {
            topic: name(),
            from: shape.partitions,
            to: partitions,
        });
    }
    let changes: BTreeMap<_, _> = wanted
        .into_iter()
        .filter(|(key, value)| config.get(key) != Some(value))
        .map(|(key, value)| (key.clone(), (config.get(&key).cloned(), value)))
        .collect();
    if !changes.is_empty() {
        steps.push(Step::Configure {
            topic: name(),
            changes,
        });
    }
    steps
}

/// What is said about a topic.
fn config(settings: &Settings, topic: &Topic) -> BTreeMap<String, String> {
    let retention = u64::from(settings.retention_days.of(topic)) * DAY_MS;
    let all = [
        ("cleanup.policy", "delete".to_owned()),
        ("compression.type", "producer".to_owned()),
        // A batch may be larger than the largest record by what was in it before.
        (
            "max.message.bytes",
            (2 * message_bytes(settings)).to_string(),
        ),
        ("message.timestamp.type", "LogAppendTime".to_owned()),
        ("min.insync.replicas", settings.min_insync.to_string()),
        ("retention.bytes", "-1".to_owned()),
        ("retention.ms", retention.to_string()),
        // Only whole segments are deleted: a day late at most.
        ("segment.ms", DAY_MS.to_string()),
        ("unclean.leader.election.enable", "false".to_owned()),
    ];
    all.map(|(key, value)| (key.to_owned(), value)).into()
}

fn topic_fault(topic: &str, fault: impl Into<String>) -> Error {
    Error::Topic {
        topic: topic.to_owned(),
        fault: fault.into(),
    }
}

impl Step {
    fn fault(&self) -> Error {
        match self {
            Self::Create { topic, .. } => topic_fault(topic, "is not there"),
            Self::AddPartitions { topic, from, to } => {
                topic_fault(topic, format!("has {from} partitions, not {to}"))
            }
            Self::Configure { topic, changes } => {
                let told = changes.iter().map(|(key, (from, to))| {
                    format!(
                        "{key} is {}, not {to}",
                        from.as_deref().unwrap_or("not set")
                    )
                });
                topic_fault(topic, told.collect::<Vec<_>>().join("; "))
            }
            Self::Mend { topic, fault } => topic_fault(topic, fault),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            match step {
                Step::AddPartitions { .. } if !self.repartition => {
                    write!(f, "{step}; refused unless asked for")?;
                }
                step => write!(f, "{step}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create {
                topic,
                partitions,
                replication,
                config,
            } => {
                write!(
                    f,
                    "create {topic}: {partitions} partitions, {replication} copies"
                )?;
                config
                    .iter()
                    .try_for_each(|(key, value)| write!(f, "\n    {key} = {value}"))
            }
            Self::AddPartitions { topic, from, to } => write!(
                f,
                "add partitions to {topic}: {from} → {to}; breaks the order of keys, \
                 unless nobody publishes and everything is read"
            ),
            Self::Configure { topic, changes } => {
                write!(f, "configure {topic}:")?;
                changes.iter().try_for_each(|(key, (from, to))| {
                    let from = from.as_deref().unwrap_or("not set");
                    write!(f, "\n    {key}: {from} → {to}")
                })
            }
            Self::Mend { topic, fault } => write!(f, "cannot be done here: {topic} {fault}"),
        }
    }
}
