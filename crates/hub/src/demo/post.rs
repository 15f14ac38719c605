//! The print vendor's days and the postal service.

use std::io;

use halsonav_domain::{Problem, Timestamp};
use jiff::SignedDuration;

use super::{
    agenda::{Act, Agenda},
    dice::Dice,
    residents::Residents,
    staff::Staff,
    world::World,
};
use crate::runtime::{Core, store_problem};

/// Days from the vendor to the door.
const DELIVERY: SignedDuration = SignedDuration::from_hours(48);
/// A letter that comes back takes this long.
const WAY_BACK: SignedDuration = SignedDuration::from_hours(24 * 9);
/// Working hours of the vendor: it empties its in-tray once in the morning.
const MORNING: u64 = 8;

/// Letters on their way.
#[derive(Default)]
pub struct Post {
    dispatched: usize,
    days: u64,
}

impl Post {
    /// The vendor's first morning.
    pub fn plan(&mut self, residents: &Residents, agenda: &mut Agenda, now: Timestamp) {
        agenda.plan(residents.daytime(now, 0, MORNING), Act::Pickup(self.days));
    }

    /// Plans what becomes of the letters that the vendor has handed to the post since the last look.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look(
        &mut self,
        world: &World,
        core: &Core,
        residents: &Residents,
        staff: &Staff,
        agenda: &mut Agenda,
    ) -> Result<(), Problem> {
        let (letters, cursor) = world.vendor.since(self.dispatched);
        self.dispatched = cursor;
        for letter in letters {
            let id = letter.letter_id.clone();
            let noted = core
                .storage
                .read_async(move |r| r.case_of_reference("letter", &id))
                .await
                .map_err(store_problem)?;
            let Some(ordinal) = noted.and_then(|noted| staff.person(&noted.case)) else {
                continue;
            };
            let dice = residents.dice(ordinal);
            if comes_back(dice, &letter.letter_id) {
                agenda.plan(
                    letter.time + WAY_BACK,
                    Act::Return(letter.letter_id, return_code(dice)),
                );
            } else {
                agenda.plan(
                    letter.time + DELIVERY,
                    Act::Letter(ordinal, letter.letter_id),
                );
            }
        }
        Ok(())
    }

    /// Fetches, delivers, returns.
    ///
    /// # Errors
    /// When the vendor's folder fails.
    pub fn act(
        &mut self,
        world: &World,
        residents: &Residents,
        agenda: &mut Agenda,
        act: &Act,
        now: Timestamp,
    ) -> io::Result<()> {
        match act {
            Act::Pickup(day) => {
                world.vendor.pickup(now)?;
                self.days = day + 1;
                agenda.plan(residents.daytime(now, 1, MORNING), Act::Pickup(self.days));
            }
            Act::Letter(ordinal, _) => residents.letter_arrives(*ordinal, now, agenda),
            Act::Return(letter, code) => world.vendor.return_letter(letter, code)?,
            _ => {}
        }
        Ok(())
    }
}

fn comes_back(dice: Dice, letter: &str) -> bool {
    dice.chance(&format!("returned {letter}"), 0.015)
}

fn return_code(dice: Dice) -> String {
    (*dice.pick("return code", &["R01", "R02", "R04", "R07"])).to_owned()
}
