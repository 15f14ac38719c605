//! The marks that part a message, as MSH-1 and MSH-2 give them.

use crate::Error;

/// One sender's marks. The later ones may be missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Delimiters {
    pub(crate) field: char,
    pub(crate) component: char,
    pub(crate) repetition: Option<char>,
    pub(crate) escape: Option<char>,
    pub(crate) subcomponent: Option<char>,
}

/// What we write.
pub(crate) const STANDARD: Delimiters = Delimiters {
    field: '|',
    component: '^',
    repetition: Some('~'),
    escape: Some('\\'),
    subcomponent: Some('&'),
};

impl Delimiters {
    /// Reads them from the beginning of a header, `MSH|^~\&`.
    ///
    /// MSH-2 may hold a fifth mark (truncation, 2.7), which is not used.
    pub(crate) fn read(header: &str) -> Result<Self, Error> {
        let rest = header.strip_prefix("MSH").ok_or(Error::NoHeader)?;
        let field = rest.chars().next().ok_or(Error::NoHeader)?;
        let marks: Vec<char> = rest[field.len_utf8()..]
            .split(field)
            .next()
            .unwrap_or_default()
            .chars()
            .take(6)
            .collect();
        let mut all = vec![field];
        all.extend(&marks);
        let mark = |c: &char| c.is_ascii_graphic() && !c.is_ascii_alphanumeric();
        let distinct = (1..all.len()).all(|at| !all[..at].contains(&all[at]));
        match marks.first() {
            Some(component) if marks.len() <= 5 && distinct && all.iter().all(mark) => Ok(Self {
                field,
                component: *component,
                repetition: marks.get(1).copied(),
                escape: marks.get(2).copied(),
                subcomponent: marks.get(3).copied(),
            }),
            _ => Err(Error::Delimiters),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expect: Result<Delimiters, Error>) {
        assert_eq!(Delimiters::read(header), expect, "{header}");
    }

    #[test]
    fn marks_are_read_from_the_header() {
        check("MSH|^~\\&|LIS", Ok(STANDARD));
        check("MSH|^~\\&#|LIS", Ok(STANDARD));
        check("MSH|^~\\&", Ok(STANDARD));
        let other = Delimiters {
            field: '$',
            component: '%',
            repetition: Some('*'),
            escape: Some('!'),
            subcomponent: Some('@'),
        };
        check("MSH$%*!@$LIS", Ok(other));
        let few = Delimiters {
            repetition: None,
            escape: None,
            subcomponent: None,
            ..STANDARD
        };
        check("MSH|^|LIS", Ok(few));
        check("PID|^~\\&", Err(Error::NoHeader));
        check("MSH", Err(Error::NoHeader));
        for bad in [
            "MSH||LIS",
            "MSH|^^\\&|",
            "MSH|^~|\\&",
            "MSHA^~\\&A",
            "MSH|^~\\|",
            "MSH\u{b}^~\\&\u{b}",
            "MSHö^~\\&ö",
        ] {
            if bad == "MSH|^~|\\&" || bad == "MSH|^~\\|" {
                assert!(Delimiters::read(bad).is_ok(), "{bad}: shorter is allowed");
            } else {
                check(bad, Err(Error::Delimiters));
            }
        }
    }
}
