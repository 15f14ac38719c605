//! Mutated expressions: whatever comes, an answer comes back.

use halsonav_expression::Expression;
use proptest::prelude::*;
use serde_json::json;

const SEEDS: [&str; 24] = [
    "x > 3 and y in (\"a\", \"b\")",
    "if case.round = null then 1 else case.round + 2",
    "for i in list, j in 1..3 return i * j",
    "some a in answers satisfies a.score > 5",
    "every a in [1, 2, 3] satisfies a in [1..5]",
    "answers[score > 5 and item.id = \"q\"].tags[1]",
    "date(clock.today) + duration(\"P14D\")",
    "@\"2026-03-29\" - @\"P1M\"",
    "{a: 1, \"b c\": a + 1, d: {e: [1, {f: 2}]}}",
    "sort(list, function(a, b) a < b)",
    "substring(string: name, start position: 2, length: -1)",
    "\"\\ud83d\\ude00 \\u00e5 \\\" \\n \\U01F600\"",
    "x instance of list<number>",
    "x between 1 and 2 or not(y)",
    "matches(name, \"^(a|b)*\\\\d{2,3}$\", \"i\")",
    "-x ** 2 / 3 - .5e-3",
    "string join(split(text, \",\"), \"-\")",
    "get value(context put({}, [\"a\", \"b\"], 1), \"a\")",
    "date and time(\"2026-03-29T02:30:00@Europe/Stockholm\").time offset",
    "list replace(list, 2, 4)[-1]",
    "[1..3] = (0..4) and ]1..2[ != [1..2)",
    "/* c */ x // d\n + 1",
    "function(x: number) external {java: {class: \"a\", method signature: \"b(int)\"}}",
    "decimal(1/3, 5) + round half up(2.5, 0) + number(\"1 000,5\", \" \", \",\")",
];

const BITS: [&str; 40] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\\",
    "\\u",
    "\\ud83d",
    "\\U",
    "..",
    ".",
    ",",
    ":",
    "@",
    "-",
    "+",
    "**",
    "=",
    "!=",
    " in ",
    " for ",
    "for  in(",
    " return ",
    " satisfies ",
    " and ",
    " between ",
    " then ",
    " else ",
    "if ",
    "null",
    "item",
    "now()",
    "9999999999",
    "1e6144",
    "å",
    "\u{feff}",
    "\0",
    "function(",
];

fn scope() -> serde_json::Value {
    json!({
        "x": 3, "y": "a", "list": [1, 2, 3], "name": "Åsa 12", "text": "a,b", "case": {"round": 1},
        "answers": [{"id": "q", "score": 7, "tags": ["t"]}], "clock": {"today": "2026-03-28"},
    })
}

fn mutate(seed: usize, edits: &[(usize, usize, u8)]) -> String {
    let mut chars: Vec<char> = SEEDS[seed % SEEDS.len()].chars().collect();
    for (at, what, how) in edits {
        let at = at % (chars.len() + 1);
        match how % 4 {
            0 => {
                let bit: Vec<char> = BITS[what % BITS.len()].chars().collect();
                chars.splice(at..at, bit);
            }
            1 => {
                let end = (at + what % 5).min(chars.len());
                chars.drain(at..end);
            }
            2 => {
                let other: Vec<char> = SEEDS[what % SEEDS.len()].chars().collect();
                let from = at % other.len();
                chars.splice(at..at, other[from..].iter().copied());
            }
            _ => {
                if let Some(c) = chars.get_mut(at) {
                    *c = char::from(u8::try_from(what % 95).unwrap_or(0) + 32);
                }
            }
        }
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutants_do_no_harm(seed in 0usize..24, edits in prop::collection::vec((0usize..200, 0usize..500, any::<u8>()), 0..6)) {
        let source = mutate(seed, &edits);
        if let Ok(expression) = Expression::parse(&source) {
            let first = expression.evaluate(&scope());
            prop_assert_eq!(first, expression.evaluate(&scope()), "not the same twice: {}", source);
        }
    }

    #[test]
    fn any_text_does_no_harm(source in "\\PC{0,60}") {
        let _ = Expression::parse(&source).map(|expression| expression.evaluate(&scope()));
    }
}
