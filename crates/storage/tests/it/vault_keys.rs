//! The vault's keys: whose they are, and how they are exchanged.

use halsonav_domain::Kind;
use halsonav_storage::{Error, Extent, Storage, VaultKeys};

use crate::world::{access, everywhere, person};

#[test]
fn without_the_key_nobody_is_found_and_nothing_opens() {
    everywhere(|base| {
        let world = base.world();
        let (_, _, subject) = world.case(1);
        // Somebody who can write to the database makes it forget what it was made with.
        world.behind("DELETE FROM settings WHERE key LIKE 'vault-key.%'");
        let stranger = Storage::open(&world.place, VaultKeys::generate().unwrap()).unwrap();
        assert_eq!(
            stranger
                .read(|tx| tx.subject_of_person(&person(1)))
                .unwrap(),
            None
        );
        let opened = stranger.write(move |tx| {
            tx.disclose(&[subject], Extent::Number, &[access(9)])
                .map(|_| ())
        });
        assert!(matches!(opened, Err(Error::Vault(_))));
    });
}

#[test]
fn a_store_is_opened_with_the_keys_it_was_made_with_and_no_others() {
    everywhere(|base| {
        let world = base.world();
        let open = |keys: VaultKeys| Storage::open(&world.place, keys);
        let ours = || VaultKeys::parse(&world.keys).unwrap();
        // Nobody is in the vault yet: two processes that take people in would not find each other's.
        let error = open(VaultKeys::generate().unwrap()).unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (Kind::Denied, "HUB-STORAGE-015")
        );
        // Half of the file is right.
        let other = VaultKeys::generate().unwrap().text();
        let mixed = format!(
            "{}\n{}",
            world.keys.lines().next().unwrap(),
            other.lines().nth(1).unwrap()
        );
        let error = open(VaultKeys::parse(&mixed).unwrap()).unwrap_err();
        assert!(
            matches!(&error, Error::OtherKeys(told) if told == "index key 1 is another"),
            "{error}"
        );
        for line in mixed.lines().chain(world.keys.lines()) {
            let secret = line.split(' ').nth(2).unwrap();
            assert!(!format!("{error} {error:?}").contains(secret));
        }
        // Who was refused has left nothing that others stumble over.
        open(ours().rotated().unwrap()).unwrap();
        let error = open(ours().rotated().unwrap()).unwrap_err();
        assert!(
            matches!(&error, Error::OtherKeys(told) if told == "index key 2 is another"),
            "two rotations of one key: {error}"
        );
    });
}

#[test]
fn a_seal_key_stays_until_nothing_is_sealed_with_it() {
    everywhere(|base| {
        let world = base.world();
        world.case(1);
        let next = VaultKeys::parse(&world.keys).unwrap().rotated().unwrap();
        let keys = next.text();
        let open = |keys: &str| Storage::open(&world.place, VaultKeys::parse(keys).unwrap());
        let lines = keys.lines().filter(|line| !line.starts_with("seal 1 "));
        let without: String = lines.map(|line| format!("{line}\n")).collect();
        let storage = open(&keys).unwrap();
        let error = open(&without).unwrap_err();
        assert!(
            matches!(&error, Error::OtherKeys(told) if told == "seal key 1 is missing"),
            "{error}"
        );
        storage.write(|tx| tx.rewrap(10)).unwrap();
        open(&without).unwrap();
    });
}

#[test]
fn keys_can_be_rotated() {
    everywhere(|base| {
        let world = base.world();
        let (_, _, subject) = world.case(1);
        world.case(2);
        let next = VaultKeys::parse(&world.keys).unwrap().rotated().unwrap();
        let keys = next.text();
        let open =
            |text: &str| Storage::open(&world.place, VaultKeys::parse(text).unwrap()).unwrap();
        let storage = open(&keys);
        assert_eq!(
            storage.read(|tx| tx.subject_of_person(&person(1))).unwrap(),
            Some(subject)
        );
        assert_eq!(storage.write(|tx| tx.rewrap(1)).unwrap(), 1);
        assert_eq!(storage.write(|tx| tx.rewrap(10)).unwrap(), 1);
        assert_eq!(storage.write(|tx| tx.rewrap(10)).unwrap(), 0);
        drop(storage);
        let before = VaultKeys::parse(&world.keys).unwrap();
        let refused = Storage::open(&world.place, before).unwrap_err();
        assert!(
            matches!(&refused, Error::OtherKeys(told) if told == "index key 2 is missing"),
            "what is written now is under a key that it has not: {refused}"
        );
        let only_new: String = keys
            .lines()
            .filter(|line| line.contains(" 2 "))
            .map(|line| format!("{line}\n"))
            .collect();
        let storage = open(&only_new);
        assert_eq!(
            storage.read(|tx| tx.subject_of_person(&person(1))).unwrap(),
            Some(subject)
        );
        let opened = storage
            .write(move |tx| tx.disclose(&[subject], Extent::Full, &[access(9)]))
            .unwrap();
        assert!(
            opened[0]
                .as_ref()
                .is_some_and(|identity| identity.person_id == person(1))
        );
    });
}
