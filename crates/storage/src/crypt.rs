//! Sealing fields and hashing numbers.

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use halsonav_domain::{PersonId, SubjectId};
use hmac::{Hmac, Mac};
use rand::{TryRngCore, rngs::OsRng};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{Error, Result, VaultKeys};

const NONCE: usize = 12;

/// Fills an array from the system's randomness.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| Error::Keys("no randomness".to_owned()))?;
    Ok(bytes)
}

/// Names the field, so that a sealed value cannot be moved to another row, column or version.
fn place(column: &str, subject: SubjectId, version: u32) -> String {
    format!("vault|{column}|{subject}|{version}")
}

/// AES-256-GCM under the newest key: nonce, then ciphertext with tag.
pub(crate) fn seal(
    keys: &VaultKeys,
    column: &str,
    subject: SubjectId,
    plain: &[u8],
) -> Result<Vec<u8>> {
    let (version, key) = keys.sealing();
    let nonce: [u8; NONCE] = random()?;
    let place = place(column, subject, version);
    let sealed = Aes256Gcm::new(key.into())
        .encrypt(
            &Nonce::from(nonce),
            Payload {
                msg: plain,
                aad: place.as_bytes(),
            },
        )
        .map_err(|_| Error::Vault("a field"))?;
    Ok([&nonce[..], &sealed].concat())
}

/// Opens what [`seal`] made under `version`.
pub(crate) fn open(
    keys: &VaultKeys,
    column: &'static str,
    subject: SubjectId,
    version: u32,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let key = keys.seal_key(version).ok_or(Error::Vault(column))?;
    let (nonce, sealed) = sealed
        .split_first_chunk::<NONCE>()
        .ok_or(Error::Vault(column))?;
    let place = place(column, subject, version);
    Aes256Gcm::new(key.into())
        .decrypt(
            &Nonce::from(*nonce),
            Payload {
                msg: sealed,
                aad: place.as_bytes(),
            },
        )
        .map(Zeroizing::new)
        .map_err(|_| Error::Vault(column))
}

/// HMAC-SHA-256 of the 12-position number. A plain hash would be reversed in seconds: there are
/// only some 36 million numbers in a century.
pub(crate) fn index(key: &[u8; 32], person: &PersonId) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(person.expose().as_bytes());
    mac.finalize().into_bytes().into()
}

/// What a key can be known by: a keyed hash of a constant, which is no number of a person.
pub(crate) fn fingerprint(key: &[u8; 32]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(b"halsonav vault key");
    let hash = mac.finalize().into_bytes();
    hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_field_opens_only_in_its_place() {
        let keys = VaultKeys::generate().expect("keys");
        let subject = SubjectId(uuid::Uuid::from_u128(1));
        let sealed = seal(&keys, "name", subject, b"Tolvan").expect("sealed");
        assert_eq!(
            open(&keys, "name", subject, 1, &sealed)
                .expect("opens")
                .as_slice(),
            b"Tolvan"
        );
        assert!(open(&keys, "address", subject, 1, &sealed).is_err());
        assert!(
            open(
                &keys,
                "name",
                SubjectId(uuid::Uuid::from_u128(2)),
                1,
                &sealed
            )
            .is_err()
        );
        assert!(open(&keys, "name", subject, 2, &sealed).is_err());
        assert!(open(&keys, "name", subject, 1, &sealed[..5]).is_err());
        assert!(
            open(
                &VaultKeys::generate().expect("keys"),
                "name",
                subject,
                1,
                &sealed
            )
            .is_err()
        );
        for i in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[i] ^= 1;
            assert!(open(&keys, "name", subject, 1, &bent).is_err(), "byte {i}");
        }
    }

    #[test]
    fn sealing_twice_shows_nothing_equal() {
        let keys = VaultKeys::generate().expect("keys");
        let subject = SubjectId(uuid::Uuid::from_u128(1));
        assert_ne!(
            seal(&keys, "name", subject, b"x").expect("one"),
            seal(&keys, "name", subject, b"x").expect("two")
        );
    }
}
