//! Whatever is done to a file, it is loaded or refused with a reason.

use proptest::prelude::*;

use super::{accepts, cases, faults, sheet};

fn mend(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// What mutations put in: pieces that mean something to the loader.
const PIECES: &[&str] = &[
    "",
    "<",
    ">",
    "\"",
    "=",
    "id=\"s\"",
    "<task id=\"x\"/>",
    "</process>",
    "<subProcess id=\"y\" triggeredByEvent=\"true\">",
    "sourceRef",
    "P1D",
    "å",
    "<!--",
    "<![CDATA[",
    "&#x0;",
    "isForCompensation=\"true\"",
    "default=\"s_t\"",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_file_is_loaded_or_refused(
        seed in 0usize..1_000,
        cuts in prop::collection::vec((0usize..8_000, 0usize..40, 0usize..PIECES.len()), 1..6),
    ) {
        let sheets: Vec<String> = cases().map(|case| sheet::file(case.sheet)).chain([accepts::everything()]).collect();
        let mut text = sheets[seed % sheets.len()].clone();
        for (at, length, piece) in cuts {
            let start = mend(&text, at % (text.len() + 1));
            let end = mend(&text, start + length).max(start);
            text.replace_range(start..end, PIECES[piece]);
        }
        let faults = faults(&text);
        prop_assert!(faults.iter().all(|fault| fault.line >= 1 && !fault.message.is_empty()));
    }
}
