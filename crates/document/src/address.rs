//! The address as it stands in the window.

use halsonav_domain::{Address, Identity};

use crate::data::strip;
use crate::error::Error;

/// The lines of an address: name, care of, street, postal code and place in capitals, country.
/// Long lines stay whole; the letterhead fits them to the window.
///
/// # Errors
/// [`Error::AddressLines`] without a deliverable address or with more than seven lines.
pub fn address_block(identity: &Identity) -> Result<Vec<String>, Error> {
    let address = identity
        .address
        .as_ref()
        .filter(|address| address.is_deliverable())
        .ok_or(Error::AddressLines)?;
    let name = identity
        .name
        .notification
        .clone()
        .filter(|name| !name.trim().is_empty());
    let mut lines = vec![name.unwrap_or_else(|| identity.name.full())];
    lines.extend(
        address
            .care_of
            .as_deref()
            .filter(|name| !name.trim().is_empty())
            .map(care_of),
    );
    lines.extend(address.lines.iter().cloned());
    lines.push(place(address));
    lines.extend(
        address
            .country
            .as_deref()
            .filter(|country| !is_sweden(country))
            .map(str::to_uppercase),
    );
    let lines: Vec<String> = lines
        .iter()
        .map(|line| tidy(line))
        .filter(|line| !line.is_empty())
        .collect();
    if (3..=7).contains(&lines.len()) {
        Ok(lines)
    } else {
        Err(Error::AddressLines)
    }
}

fn care_of(name: &str) -> String {
    let name = name.trim();
    let marked = name
        .get(..3)
        .is_some_and(|start| start.eq_ignore_ascii_case("c/o"));
    if marked {
        name.to_owned()
    } else {
        format!("c/o {name}")
    }
}

fn place(address: &Address) -> String {
    let code: String = address
        .postal_code
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let foreign = address
        .country
        .as_deref()
        .is_some_and(|country| !is_sweden(country));
    let swedish = !foreign && code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit());
    let code = if swedish {
        format!("{} {}", &code[..3], &code[3..])
    } else {
        address.postal_code.clone()
    };
    format!("{} {}", code, address.city.to_uppercase())
}

fn is_sweden(country: &str) -> bool {
    matches!(
        country.trim().to_lowercase().as_str(),
        "" | "sverige" | "sweden" | "se"
    )
}

/// One line, with single spaces.
fn tidy(line: &str) -> String {
    strip(line).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use halsonav_domain::{Name, PersonId};

    use super::*;

    fn check(change: impl FnOnce(&mut Identity)) -> Result<Vec<String>, Error> {
        let mut identity = Identity {
            person_id: PersonId::parse("191212121212").unwrap(),
            name: Name {
                given: "Tolvan".into(),
                middle: None,
                surname: "Tolvansson".into(),
                notification: None,
            },
            address: Some(Address {
                care_of: None,
                lines: vec!["Storgatan 1".into()],
                postal_code: "57131".into(),
                city: "Nässjö".into(),
                country: None,
            }),
        };
        change(&mut identity);
        address_block(&identity)
    }

    #[test]
    fn lines() {
        assert_eq!(
            check(|_| ()).unwrap(),
            ["Tolvan Tolvansson", "Storgatan 1", "571 31 NÄSSJÖ"]
        );
        let full = check(|one| {
            let address = one.address.as_mut().unwrap();
            address.care_of = Some("Åse\u{202e}  Ek".into());
            address.lines = vec!["Box 1\n".into(), " ".into(), "Byn".into()];
            address.country = Some("Sverige".into());
        });
        assert_eq!(
            full.unwrap(),
            [
                "Tolvan Tolvansson",
                "c/o Åse Ek",
                "Box 1",
                "Byn",
                "571 31 NÄSSJÖ"
            ]
        );
        let abroad = check(|one| {
            let address = one.address.as_mut().unwrap();
            (address.postal_code, address.city, address.country) =
                ("0150".into(), "Oslo".into(), Some("Norge".into()));
        });
        assert_eq!(
            abroad.unwrap(),
            ["Tolvan Tolvansson", "Storgatan 1", "0150 OSLO", "NORGE"]
        );
    }

    #[test]
    fn no_address_no_letter() {
        assert_eq!(check(|one| one.address = None), Err(Error::AddressLines));
        assert_eq!(
            check(|one| one.address.as_mut().unwrap().postal_code = "0".into()),
            Err(Error::AddressLines)
        );
        assert_eq!(
            check(|one| one.address.as_mut().unwrap().lines = vec!["x".into(); 6]),
            Err(Error::AddressLines)
        );
    }
}
