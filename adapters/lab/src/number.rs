//! Order numbers and control ids: short enough for MSH-10, which 2.5.1 cuts at 20 characters.

use halsonav_domain::CommandId;

/// Crockford's alphabet, without letters that are read as digits.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 20 characters that always are the same for a command: its last 96 bits.
pub(crate) fn of(command: CommandId) -> String {
    let bits = command.0.as_u128() & ((1 << 96) - 1);
    (0..20)
        .rev()
        .map(|place| {
            let digit = usize::try_from((bits >> (place * 5)) & 31).unwrap_or(0);
            char::from(ALPHABET[digit])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use halsonav_domain::CaseId;

    use super::*;

    #[test]
    fn numbers_are_stable_short_and_distinct() {
        let case = CaseId(uuid::Uuid::from_u128(
            0x1234_5678_9abc_4def_8123_4567_89ab_cdef,
        ));
        let mut seen = HashSet::new();
        for job in 0..10_000 {
            let number = of(CommandId::derive(case, job));
            assert_eq!(number, of(CommandId::derive(case, job)));
            assert_eq!(number.len(), 20);
            assert!(seen.insert(number));
        }
        assert_eq!(
            of(CommandId(uuid::Uuid::from_u128(33))),
            "00000000000000000011"
        );
    }
}
