//! Personal identity numbers for people who do not exist.

/// A number of a birth date, `YYYYMMDD`, from the series 980–999 that is set aside for tests.
pub fn number(birth: &str, serial: u32) -> String {
    let eleven = format!("{birth}{serial:03}");
    let sum: u32 = eleven[2..]
        .bytes()
        .enumerate()
        .map(|(n, digit)| {
            let doubled = u32::from(digit - b'0') * if n % 2 == 0 { 2 } else { 1 };
            doubled / 10 + doubled % 10
        })
        .sum();
    format!("{eleven}{}", (10 - sum % 10) % 10)
}

/// How a number may be written.
pub fn spellings(number: &str) -> Vec<String> {
    let (date, serial) = number.split_at(8);
    vec![
        number.to_owned(),
        number[2..].to_owned(),
        format!("{date}-{serial}"),
        format!("{}-{serial}", &date[2..]),
        format!("{}+{serial}", &date[2..]),
    ]
}

#[test]
fn check_digits() {
    // Tolvan Tolvansson, known from every manual.
    assert_eq!(number("19121212", 121), "191212121212");
    assert_eq!(spellings("191212121212")[3], "121212-1212");
}
