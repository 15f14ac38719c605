//! What can happen between two ends of a connection, and when.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seed;

/// One of the two ways through the proxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// From the client to the target: requests.
    Out,
    /// From the target to the client: replies.
    Back,
}

/// One thing that happens to traffic. Times are in milliseconds, amounts in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "fault")]
pub enum Fault {
    /// Every piece arrives later, each way, by `ms` and up to `jitter_ms` more. Order stays.
    Latency {
        /// At least this much later.
        ms: u64,
        /// And up to this much more.
        jitter_ms: u64,
    },
    /// No faster than this, each way.
    Bandwidth {
        /// Bytes in a second, at least 1.
        bytes_per_s: u64,
    },
    /// Connections are refused. If it happens to all, nobody listens; if to some, they are taken and
    /// reset at once. Open connections go on.
    Refuse,
    /// Both ends get a reset after so many bytes of an exchange.
    Reset {
        /// Bytes of the exchange, both ways together.
        after: u64,
    },
    /// Half-open: taken, but nothing passes and no end learns that the other is gone.
    BlackHole,
    /// Nothing passes this way; the other way goes on.
    Stall {
        /// Which.
        way: Way,
    },
    /// The request passes, the reply does not: the client gets a reset instead.
    LoseReply,
    /// The reply ends in the middle, as if it were whole.
    Truncate {
        /// Bytes of the reply that pass.
        after: u64,
    },
    /// Every piece passes twice, which TCP itself never does. Never drawn, only asked for.
    Duplicate,
}

/// A fault and how often it happens: drawn anew for each exchange, which is a request with its reply.
/// `Refuse` is drawn for each connection.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// What happens.
    #[serde(flatten)]
    pub fault: Fault,
    /// To how many, from 0 to 1.
    #[serde(default = "all")]
    pub chance: f64,
}

fn all() -> f64 {
    1.0
}

impl From<Fault> for Rule {
    /// It always happens.
    fn from(fault: Fault) -> Self {
        Self { fault, chance: 1.0 }
    }
}

/// The rules in force. Numbered, so that the same rules set again are drawn anew.
#[derive(Clone, Default, Debug)]
pub(super) struct Setting {
    pub number: u64,
    pub rules: Vec<Rule>,
}

impl Setting {
    /// The faults that happen to this exchange of this connection: the same for the same numbers.
    pub fn drawn(&self, seed: u64, connection: u64, exchange: u64) -> impl Iterator<Item = Fault> {
        self.rules.iter().zip(0u64..).filter_map(move |(rule, n)| {
            let words = [self.number, connection, exchange, n];
            (seed::unit(seed, &words) < rule.chance).then_some(rule.fault)
        })
    }

    /// Whether nobody is to listen at all.
    pub fn refuses_all(&self) -> bool {
        let refuses = |rule: &Rule| rule.fault == Fault::Refuse && rule.chance >= 1.0;
        self.rules.iter().any(refuses)
    }
}

/// A part of a schedule: calm, then trouble.
#[derive(Clone, PartialEq, Debug)]
pub struct Spell {
    /// How long nothing happens before it.
    pub calm: Duration,
    /// The rules that are then in force …
    pub rules: Vec<Rule>,
    /// … for so long.
    pub lasts: Duration,
}

/// What happens when, made from a seed: the same seed gives the same.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule(pub Vec<Spell>);

impl Schedule {
    /// Spells of trouble, each one rule of `menu`, until `total` is over. Calm and trouble last up to
    /// `longest` each, and a tenth of that at least. Without a menu there is no trouble.
    #[must_use]
    pub fn from_seed(seed: u64, total: Duration, longest: Duration, menu: &[Rule]) -> Self {
        let most = u64::try_from(longest.as_millis())
            .unwrap_or(u64::MAX)
            .max(10);
        let time =
            |n, which| Duration::from_millis(seed::between(seed, &[n, which], most / 10, most));
        let (mut spells, mut sum) = (Vec::new(), Duration::ZERO);
        for n in 0u64.. {
            let at = seed::between(seed, &[n, 2], 0, menu.len() as u64);
            let rule = usize::try_from(at).ok().and_then(|at| menu.get(at));
            let (calm, lasts) = (time(n, 0), time(n, 1));
            sum += calm + lasts;
            let Some(rule) = rule.filter(|_| sum <= total) else {
                break;
            };
            spells.push(Spell {
                calm,
                rules: vec![*rule],
                lasts,
            });
        }
        Self(spells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MENU: [Rule; 2] = [
        Rule {
            fault: Fault::LoseReply,
            chance: 0.5,
        },
        Rule {
            fault: Fault::BlackHole,
            chance: 1.0,
        },
    ];

    #[test]
    fn the_same_seed_gives_the_same_schedule() {
        let of = |seed| {
            Schedule::from_seed(seed, Duration::from_secs(60), Duration::from_secs(2), &MENU)
        };
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        let (schedule, fault) = (of(7), |n: usize| MENU[n].fault);
        let of_kind = |fault| {
            schedule
                .0
                .iter()
                .filter(move |spell| spell.rules[0].fault == fault)
        };
        assert!(of_kind(fault(0)).count() > 5 && of_kind(fault(1)).count() > 5);
        let total: Duration = schedule
            .0
            .iter()
            .map(|spell| spell.calm + spell.lasts)
            .sum();
        assert!(total <= Duration::from_secs(60) && total > Duration::from_secs(50));
        assert_eq!(
            Schedule::from_seed(7, Duration::MAX, Duration::MAX, &[]).0,
            []
        );
    }

    #[test]
    fn the_same_exchange_is_drawn_the_same() {
        let setting = Setting {
            number: 3,
            rules: MENU.to_vec(),
        };
        let struck = |seed, connection, exchange| {
            let mut drawn = setting.drawn(seed, connection, exchange);
            drawn.any(|fault| fault == Fault::LoseReply)
        };
        let told = |seed| {
            (0..64)
                .map(|n| struck(seed, n / 8, n % 8))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(1), told(1));
        assert_ne!(told(1), told(2));
        let hits = told(1).iter().filter(|hit| **hit).count();
        assert!((20..44).contains(&hits), "{hits}");
    }

    #[test]
    fn rules_are_read_from_json() {
        let rule: Rule =
            serde_json::from_str(r#"{"fault": "reset", "after": 10, "chance": 0.25}"#).unwrap();
        assert_eq!(rule.fault, Fault::Reset { after: 10 });
        let rule: Rule = serde_json::from_str(r#"{"fault": "stall", "way": "back"}"#).unwrap();
        assert_eq!(rule, Fault::Stall { way: Way::Back }.into());
    }
}
