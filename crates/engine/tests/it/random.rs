//! Random processes of nested blocks, driven by random answers.

use halsonav_engine::{Input, Operator};
use proptest::prelude::*;
use serde_json::json;

use crate::sketch::bpmn;
use crate::world::{World, library};

/// A piece of process with one way in and one way out.
#[derive(Clone, Debug)]
enum Block {
    Job,
    Catch,
    Timer,
    Sequence(Vec<Block>),
    And(Vec<Block>),
    Or(Vec<Block>),
    Choice(Vec<Block>),
    Race,
    Sub(Box<Block>),
    Nudged(Box<Block>),
    Guarded(Box<Block>),
    Each(Box<Block>),
}

fn block() -> impl Strategy<Value = Block> {
    let leaf = prop_oneof![3 => Just(Block::Job), 1 => Just(Block::Catch), 1 => Just(Block::Timer), 1 => Just(Block::Race)];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let many = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            many.clone().prop_map(Block::Sequence),
            many.clone().prop_map(Block::And),
            many.clone().prop_map(Block::Or),
            many.prop_map(Block::Choice),
            inner.clone().prop_map(|block| Block::Sub(Box::new(block))),
            inner
                .clone()
                .prop_map(|block| Block::Nudged(Box::new(block))),
            inner
                .clone()
                .prop_map(|block| Block::Guarded(Box::new(block))),
            inner.prop_map(|block| Block::Each(Box::new(block))),
        ]
    })
}

/// Writes the block's elements; gives its first and last.
fn write(block: &Block, text: &mut String, count: &mut usize) -> (String, String) {
    *count += 1;
    let n = *count;
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let id = match block {
        Block::Job => format!("job j{n}"),
        Block::Catch => format!("catch c{n} message m"),
        Block::Timer => format!("catch t{n} timer P{}D", n % 3 + 1),
        _ => String::new(),
    };
    if !id.is_empty() {
        let name = id.split(' ').nth(1).unwrap().to_owned();
        line(id);
        return (name.clone(), name);
    }
    match block {
        Block::Sequence(blocks) => {
            let ends: Vec<_> = blocks
                .iter()
                .map(|block| write(block, text, count))
                .collect();
            for pair in ends.windows(2) {
                text.push_str(&format!("{} > {}\n", pair[0].1, pair[1].0));
            }
            (ends[0].0.clone(), ends.last().unwrap().1.clone())
        }
        Block::And(blocks) | Block::Or(blocks) | Block::Choice(blocks) => {
            let kind = match block {
                Block::And(_) => "and",
                Block::Or(_) => "or",
                _ => "xor",
            };
            line(format!("{kind} a{n}\n{kind} z{n}"));
            for (at, block) in blocks.iter().enumerate() {
                let (first, last) = write(block, text, count);
                let condition = match kind {
                    "and" => String::new(),
                    _ if at == 0 => format!("\ndefault a{n} {first}"),
                    "or" => format!(" if {}", !(n + at).is_multiple_of(3)),
                    _ => format!(" if {}", !(n + at).is_multiple_of(2)),
                };
                text.push_str(&format!("a{n} > {first}{condition}\n{last} > z{n}\n"));
            }
            (format!("a{n}"), format!("z{n}"))
        }
        Block::Race => {
            line(format!(
                "ebg g{n}\ncatch x{n} message m\ncatch y{n} timer P2D\nxor z{n}"
            ));
            line(format!("g{n} > x{n} > z{n}\ng{n} > y{n} > z{n}"));
            (format!("g{n}"), format!("z{n}"))
        }
        Block::Sub(inner) | Block::Nudged(inner) | Block::Guarded(inner) | Block::Each(inner) => {
            line(format!("sub s{n} {{\nstart i{n}\nend o{n}"));
            let (first, last) = write(inner, text, count);
            text.push_str(&format!("i{n} > {first}\n{last} > o{n}\n"));
            if matches!(block, Block::Sub(_)) {
                text.push_str(&format!("event e{n} {{\nstart es{n} message note non\njob ej{n}\nend ee{n}\nes{n} > ej{n} > ee{n}\n}}\n"));
            }
            text.push_str("}\n");
            match block {
                Block::Nudged(_) => {
                    text.push_str(&format!("boundary b{n} s{n} cycle R3/P1D non\njob k{n}\nend l{n}\nb{n} > k{n} > l{n}\n"));
                }
                Block::Guarded(_) => {
                    text.push_str(&format!(
                        "boundary b{n} s{n} error no\nxor z{n}\ns{n} > z{n}\nb{n} > z{n}\n"
                    ));
                    return (format!("s{n}"), format!("z{n}"));
                }
                Block::Each(_) => {
                    text.push_str(&format!("multi s{n} [1, 2] as item into out{n} = item\n"))
                }
                _ => {}
            }
            (format!("s{n}"), format!("s{n}"))
        }
        Block::Job | Block::Catch | Block::Timer => unreachable!("written above"),
    }
}

fn process(block: &Block) -> String {
    let mut text = "message m case\nmessage note case\nerror no\nstart s\nend e\n".to_owned();
    let (first, last) = write(block, &mut text, &mut 0);
    text.push_str(&format!("s > {first}\n{last} > e\n"));
    bpmn(&text)
}

/// One answer of the world, chosen among what is open.
fn answer(world: &mut World, choice: u16) {
    let pick = usize::from(choice / 8);
    let jobs: Vec<u64> = world.open.jobs.keys().copied().collect();
    let job = (!jobs.is_empty()).then(|| jobs[pick % jobs.len()]);
    let next = world.open.timers.values().map(|(due, _)| *due).min();
    let incident = world.instance.incidents().next();
    match (choice % 8, job, next, incident) {
        (0, Some(job), ..) => drop(world.step(&Input::Refused {
            job,
            code: "no".into(),
            variables: json!({}),
        })),
        (1, ..) => {
            let name = if pick % 3 == 0 { "note" } else { "m" };
            let input = world.message(name, "k", json!({"seen": choice}), Some(2));
            world.step(&input).unwrap();
        }
        (2, _, Some(due), _) => drop(world.pass(due)),
        (3, _, _, Some(incident)) => {
            let operator = if pick % 2 == 0 {
                Operator::Retry {
                    incident,
                    variables: json!({}),
                }
            } else {
                Operator::Skip {
                    incident,
                    variables: json!({}),
                }
            };
            drop(world.operate(operator));
        }
        (4, ..) if world.instance.is_suspended() => drop(world.operate(Operator::Resume)),
        (4, ..) if pick % 5 == 0 => drop(world.operate(Operator::Suspend)),
        (_, Some(job), ..) => drop(world.step(&Input::Completed {
            job,
            variables: json!({"n": choice}),
        })),
        (_, None, Some(due), _) => drop(world.pass(due)),
        _ => {
            let input = world.message("m", "k", json!({}), None);
            world.step(&input).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// The laws of `World` hold at every step, and with patience every process ends.
    #[test]
    fn every_process_ends_or_waits_and_leaves_no_ghosts(block in block(), choices in prop::collection::vec(any::<u16>(), 0..60)) {
        let (mut world, _) = World::start(library(&[&process(&block)]), "p", &json!({"case": "k"}));
        for choice in choices {
            if world.ended.is_some() {
                break;
            }
            answer(&mut world, choice);
        }
        if world.ended.is_none() && world.instance.is_suspended() {
            world.operate(Operator::Resume).unwrap();
        }
        for round in 0..2_000 {
            if world.ended.is_some() {
                break;
            }
            let incident = world.instance.incidents().next();
            match incident {
                Some(incident) => drop(world.operate(Operator::Retry { incident, variables: json!({}) })),
                None => answer(&mut world, if round % 7 == 6 { 1 } else { 5 }),
            }
        }
        prop_assert!(world.ended.is_some(), "does not end: {:?}", world.open);
    }

    /// Jobs of parallel branches in any order come to the same end.
    #[test]
    fn independent_inputs_converge(order in Just((0..5usize).collect::<Vec<_>>()).prop_shuffle()) {
        let branches: String = (0..5).map(|n| format!("job a{n}\njob b{n}\nsplit > a{n} > b{n} > join\n")).collect();
        let xml = bpmn(&format!("start s\nand split\nand join\nend e\ns > split\njoin > e\n{branches}"));
        let (mut world, _) = World::start(library(&[&xml]), "p", &json!({}));
        for n in order {
            world.complete(&format!("a{n}"), json!({format!("r{n}"): n})).unwrap();
            world.complete(&format!("b{n}"), json!({})).unwrap();
        }
        prop_assert_eq!(world.variables(), json!({"r0": 0, "r1": 1, "r2": 2, "r3": 3, "r4": 4}));
        prop_assert!(world.ended.is_some());
    }
}
