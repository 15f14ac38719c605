//! What is held because register data is old or absent.

use halsonav_domain::CommandId;
use halsonav_storage::{Claim, ContactGate, EffectRef, EffectState};

use crate::world::{HOUR, at, everywhere, record, send};

#[test]
fn old_or_absent_register_data_holds_until_the_register_answers() {
    everywhere(|base| {
        let world = base.world();
        let epoch = world.epoch();
        let (_, which) = world.effect(1, send(1));
        world.publish(1);
        let held = world.claim(which, 25 * HOUR, epoch);
        let Claim::Held { subject, until, .. } = held else {
            panic!("{held:?}")
        };
        assert_eq!(until, at(25 * HOUR + 900));
        assert_eq!(world.publish(25 * HOUR), 0);
        // A message delivered again meanwhile does not pass the hold.
        assert!(matches!(
            world.claim(which, 25 * HOUR, epoch),
            Claim::Gone {
                state: Some(EffectState::Held),
                ..
            }
        ));
        let now = 25 * HOUR + 60;
        let released = world
            .storage
            .write(move |tx| {
                tx.put_person(&record(1, now))?;
                tx.release_held(&[subject], at(now))
            })
            .unwrap();
        assert_eq!(released, 1);
        assert_eq!(world.publish(now), 1);
        assert!(matches!(world.claim(which, now, epoch), Claim::Ready(_)));
        // Never asked at all: hold.
        let never = world
            .storage
            .write(move |tx| {
                let subject = tx.enrol(&[crate::world::person(7)])?[0].subject;
                let id = halsonav_domain::CaseId(uuid::Uuid::from_u128(70));
                tx.create_cases(&[crate::world::new_case(id, subject)])?;
                let mut change = crate::world::first(tx.case_no(&id)?.unwrap(), id);
                change.effects.push(send(1));
                tx.apply(&[change])?;
                let which = EffectRef {
                    case: id,
                    command: CommandId::derive(id, 1),
                };
                Ok(tx
                    .claim(&[which], at(5), epoch, &ContactGate::default())?
                    .remove(0))
            })
            .unwrap();
        assert!(matches!(never, Claim::Held { .. }), "{never:?}");
    });
}

#[test]
fn a_relay_that_notes_late_does_not_undo_a_hold() {
    everywhere(|base| {
        let world = base.world();
        let epoch = world.epoch();
        let (_, which) = world.effect(1, send(1));
        let read = world.storage.read(|r| r.outbox(at(1), 100)).unwrap().due;
        assert_eq!(read.len(), 1);
        // The record is on the bus, and a lane meets it before the relay has noted so.
        let held = world.claim(which, 25 * HOUR, epoch);
        assert!(matches!(held, Claim::Held { .. }), "{held:?}");
        world
            .storage
            .write(move |tx| tx.mark_published(&read))
            .unwrap();
        assert_eq!(world.state(which), EffectState::Held);
        assert_eq!(world.publish(25 * HOUR), 0);
        assert_eq!(world.publish(25 * HOUR + 900), 1);
    });
}

#[test]
fn nor_does_it_when_what_was_held_goes_at_the_moment_at_which_it_was_due() {
    everywhere(|base| {
        let world = base.world();
        let epoch = world.epoch();
        let (no, which) = world.effect(1, send(1));
        let read = world.storage.read(|r| r.outbox(at(1), 100)).unwrap().due;
        let held = world.claim(which, 25 * HOUR, epoch);
        let Claim::Held { subject, .. } = held else {
            panic!("{no:?}: {held:?}")
        };
        // On a clock that stands still, the register is asked and answers before the relay has noted.
        let released = world
            .storage
            .write(move |tx| tx.release_held(&[subject], at(1)))
            .unwrap();
        assert_eq!(released, 1);
        world
            .storage
            .write(move |tx| tx.mark_published(&read))
            .unwrap();
        assert_eq!(world.publish(1), 1, "it is put on the bus again");
    });
}
