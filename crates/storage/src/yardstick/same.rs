//! The same rows as a step of the hub, in the hub's own tables with all their indexes and keys, written
//! plainly: nothing is read, compared or decided.
//!
//! It goes round in three steps, as the small process of the benchmarks does: a command is done and the
//! case waits for a message or a deadline; the message comes, and another command goes out; that is
//! done, and the first goes out anew.

use std::ops::Range;

use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};

use super::connect;
use crate::{
    Place, Result, Storage,
    dialect::{self, Db},
    rows::{delete, insert, update},
};

/// Steps of one round.
const LAP: usize = 3;
/// When everything happens: time is not what costs.
const NOW: i64 = 1_768_201_200_000;
const DEADLINE: i64 = NOW + 3_628_800_000;

const PAYLOAD: &str = r#"{"language":"sv","template":"invitation"}"#;
const BOOKING: &str = r#"{"again":true,"bookingId":"B-1","status":"booked"}"#;

/// Rows put at once while the cases are made.
const CHUNK: usize = 1_000;

/// A connection, with its part of the cases.
pub struct Same {
    db: Db,
    cases: Range<i64>,
    next: i64,
    /// Times that all its cases have been stepped.
    turn: i64,
    state: Vec<u8>,
}

impl std::fmt::Debug for Same {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Same")
    }
}

impl Same {
    /// Makes the hub's tables in a new file, or in the empty schema of a server, with so many cases,
    /// each with a state of `state` bytes and its first command out. Answers `connections` that share
    /// them.
    ///
    /// # Errors
    /// `Open`, `Migrate`, `Database`.
    pub fn open(
        place: &Place,
        cases: usize,
        state: usize,
        connections: usize,
    ) -> Result<Vec<Self>> {
        Storage::migrate(place)?;
        let state = vec![b'7'; state];
        let share = cases.div_ceil(connections.max(1)).max(1);
        let numbers: Vec<i64> = (1i64..).take(share * connections.max(1)).collect();
        let mut db = connect(place)?;
        let round = [1i64];
        dialect::begin_write(&mut db)?;
        insert!(&mut db, round, |no| rounds {
            round_no: *no => BigInt, id: "bench" => Text, name: "bench" => Text, opened: NOW => BigInt,
            data: "{}" => Text,
        })?;
        dialect::commit(&mut db, "")?;
        for part in numbers.chunks(CHUNK) {
            dialect::begin_write(&mut db)?;
            people(&mut db, part, &state)?;
            commands(&mut db, part, 0)?;
            dialect::commit(&mut db, "")?;
        }
        numbers
            .chunks(share)
            .map(|part| {
                let first = part.first().copied().unwrap_or_default();
                let end = first + i64::try_from(part.len()).unwrap_or_default();
                Ok(Self {
                    db: connect(place)?,
                    cases: first..end,
                    next: first,
                    turn: 1,
                    state: state.clone(),
                })
            })
            .collect()
    }

    /// Writes one batch, one step for each of the next `steps` cases, and commits it.
    ///
    /// # Errors
    /// `Database`.
    pub fn write(&mut self, steps: usize) -> Result<()> {
        let end = (self.next + i64::try_from(steps).unwrap_or(i64::MAX)).min(self.cases.end);
        let cases: Vec<i64> = (self.next..end).collect();
        let turn = self.turn;
        self.next = end;
        if end == self.cases.end {
            self.next = self.cases.start;
            self.turn += 1;
        }
        dialect::begin_write(&mut self.db)?;
        self.step(&cases, turn)?;
        dialect::commit(&mut self.db, "")
    }

    fn step(&mut self, cases: &[i64], turn: i64) -> Result<()> {
        let (db, state) = (&mut self.db, self.state.as_slice());
        insert!(db, marks(cases, turn), |(case, message)| seen {
            case_no: *case => BigInt,
            message: message.as_slice() => Binary,
            at: NOW => BigInt,
        } "ON CONFLICT DO NOTHING")?;
        update!(db, cases, |case| instances set {
            revision: turn => BigInt, updated: NOW => BigInt, state: state => Binary,
        } where { case_no: *case => BigInt })?;
        let waits = turn.rem_euclid(LAP as i64) == 1;
        let (at, wake) = if waits {
            ("Booked", Some(DEADLINE))
        } else {
            ("Invite", None)
        };
        update!(db, cases, |case| cases set {
            state: "waiting" => Text,
            outcome: None::<&str> => Nullable<Text>,
            waiting_for: at => Nullable<Text>,
            next_wake: wake => Nullable<BigInt>,
            ended: None::<i64> => Nullable<BigInt>,
        } where { case_no: *case => BigInt })?;
        match turn.rem_euclid(LAP as i64) {
            1 => {
                consume(db, cases, turn - 1)?;
                wait(db, cases, turn)
            }
            2 => {
                come(db, cases, turn - 1)?;
                commands(db, cases, turn)
            }
            _ => {
                consume(db, cases, turn - 1)?;
                commands(db, cases, turn)
            }
        }
    }
}

/// What a case needs to be there.
fn people(db: &mut Db, numbers: &[i64], state: &[u8]) -> Result<()> {
    insert!(db, marks(numbers, -1), |(no, id)| subjects {
        subject_no: *no => BigInt,
        subject_id: id.as_slice() => Binary,
        protection: "none" => Text,
        test_person: false => Bool,
        paper_opt_out: false => Bool,
        has_address: true => Bool,
        opt_outs: "" => Text,
    })?;
    insert!(db, marks(numbers, -2), |(no, id)| cases {
        case_no: *no => BigInt,
        case_id: id.as_slice() => Binary,
        subject_no: *no => BigInt,
        round_no: 1_i64 => BigInt,
        unit: "SE2321000999-VC01" => Text,
        state: "waiting" => Text,
        definition: "bench" => Text,
        definition_version: 1_i64 => BigInt,
        started: NOW => BigInt,
    })?;
    insert!(db, numbers, |no| instances {
        case_no: *no => BigInt, revision: 0_i64 => BigInt, updated: NOW => BigInt, state: state => Binary,
    })?;
    Ok(())
}

fn commands(db: &mut Db, cases: &[i64], job: i64) -> Result<()> {
    insert!(db, cases, |case| effects {
        case_no: *case => BigInt,
        job: job => BigInt,
        adapter: "messaging" => Text,
        operation: "send" => Text,
        payload: PAYLOAD => Text,
        headers: "{}" => Text,
        contact: true => Bool,
        state: "new" => Text,
        attempts: 0_i64 => BigInt,
        due: NOW => BigInt,
        epoch: 0_i64 => BigInt,
        issued: NOW => BigInt,
        consumed: false => Bool,
    })?;
    Ok(())
}

fn consume(db: &mut Db, cases: &[i64], job: i64) -> Result<()> {
    update!(db, cases, |case| effects set "consumed = TRUE"
        where { case_no: *case => BigInt, job: job => BigInt })?;
    Ok(())
}

fn wait(db: &mut Db, cases: &[i64], key: i64) -> Result<()> {
    insert!(db, cases, |case| timers {
        case_no: *case => BigInt, timer: key => BigInt, due: DEADLINE => BigInt, element: "Overdue" => Text,
    })?;
    insert!(db, cases, |case| subscriptions {
        case_no: *case => BigInt, sub: key => BigInt, is_signal: false => Bool, name: "booking.made" => Text,
    })?;
    Ok(())
}

fn come(db: &mut Db, cases: &[i64], key: i64) -> Result<()> {
    delete!(db, cases, |case| timers { case_no: *case => BigInt, timer: key => BigInt })?;
    delete!(db, cases, |case| subscriptions { case_no: *case => BigInt, sub: key => BigInt })?;
    insert!(db, cases, |case| refs {
        kind: "booking" => Text, value: "B-1" => Text, case_no: *case => BigInt, open_since: NOW => BigInt,
    } "ON CONFLICT DO NOTHING")?;
    insert!(db, cases, |case| records {
        case_no: *case => BigInt, kind: "booking" => Text, key: "B-1" => Text, at: NOW => BigInt,
        data: BOOKING => Text,
    } "ON CONFLICT (case_no, kind, key) DO UPDATE SET at = excluded.at, data = excluded.data")?;
    Ok(())
}

/// Each number with sixteen bytes that nothing else has.
fn marks(numbers: &[i64], turn: i64) -> Vec<(i64, [u8; 16])> {
    let mark = |number: &i64| {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&turn.to_be_bytes());
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        (*number, bytes)
    };
    numbers.iter().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;

    use super::*;
    use crate::schema::{effects, records, seen, subscriptions, timers};

    #[test]
    fn a_round_leaves_what_a_round_of_the_hub_leaves() {
        let dir = tempfile::tempdir().expect("a directory");
        let place = Place::Sqlite(dir.path().join("same.db"));
        let mut same = Same::open(&place, 5, 40, 1).expect("opens").remove(0);
        // Batches that do not divide the cases: none is stepped twice in a turn.
        let mut counts = |batches: usize| {
            (0..batches).for_each(|_| same.write(3).expect("writes"));
            let Db::Sqlite(db) = &mut same.db else {
                unreachable!("a file is SQLite's")
            };
            let count = |rows: QueryResult<i64>| rows.expect("counts");
            [
                count(seen::table.count().get_result(db)),
                count(effects::table.count().get_result(db)),
                count(timers::table.count().get_result(db)),
                count(subscriptions::table.count().get_result(db)),
                count(records::table.count().get_result(db)),
            ]
        };
        assert_eq!(counts(2), [5, 5, 5, 5, 0]);
        assert_eq!(counts(2), [10, 10, 0, 0, 5]);
        assert_eq!(counts(2), [15, 15, 0, 0, 5]);
        assert_eq!(counts(2), [20, 15, 5, 5, 5]);
    }
}
