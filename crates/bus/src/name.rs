//! What topics and groups may be called.

use crate::Error;

/// Names become file names and parts of access rules, so they are held to a safe alphabet.
pub(crate) fn check(name: &str) -> Result<(), Error> {
    let safe = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    if (1..=120).contains(&name.len()) && name.bytes().all(safe) && !name.starts_with('.') {
        Ok(())
    } else {
        Err(Error::Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_directory() {
        for bad in ["", "..", ".hidden", "a/b", "a\\b", "A", "å", "a b", "a\0"] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check("halsonav.commands.lab").is_ok());
        assert!(check(&"a".repeat(121)).is_err());
    }
}
