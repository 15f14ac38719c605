//! Wake-ups between processes: PostgreSQL's NOTIFY, sent in the transaction that gives the cause,
//! so that nobody is woken too early, for nothing or not at all.
//!
//! One thread listens. libpq tells of notifications only when it is asked, and to wait on its socket
//! would take `unsafe`, so it is asked every [`LOOK`]: one read that finds nothing. While it was not
//! connected it may have missed some, so after that everyone is woken.

use std::{
    fmt::Write as _,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use diesel::{PgConnection, connection::SimpleConnection as _};

use crate::{
    Postgres, Result, Wake,
    crew::pause,
    crypt, postgres,
    wakeups::{Causes, Wakeups},
};

/// Between two looks at the socket.
const LOOK: Duration = Duration::from_millis(5);
/// Between two questions whether the server is still there.
const ALIVE: Duration = Duration::from_secs(5);
/// Longest name of a channel.
const NAME: usize = 63;

/// How causes are told to others, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Notes {
    schema: String,
    from: String,
}

impl Notes {
    fn new(schema: String) -> Result<Self> {
        let from = u64::from_le_bytes(crypt::random()?);
        Ok(Self {
            schema,
            from: format!("{from:x}"),
        })
    }

    /// One for each wake and schema. Where it must be cut short, schemas share it, and somebody is
    /// woken for nothing.
    fn channel(&self, wake: Wake) -> String {
        let name = format!("halsonav_{}_{}", wake.as_str(), self.schema);
        name[..name.floor_char_boundary(NAME)].replace('"', "_")
    }

    /// Statements that tell of the causes.
    pub(crate) fn sql(&self, causes: Causes) -> String {
        causes.iter().fold(String::new(), |mut sql, wake| {
            // Writing to a text cannot fail.
            let _ = write!(sql, "NOTIFY \"{}\", '{}'; ", self.channel(wake), self.from);
            sql
        })
    }
}

/// A connection that has asked for every channel.
pub(crate) struct Ear {
    db: PgConnection,
    notes: Notes,
}

impl Ear {
    pub(crate) fn new(server: &Postgres) -> Result<Self> {
        let mut db = postgres::reader(server)?;
        let notes = Notes::new(postgres::schema(&mut db)?)?;
        listen(&mut db, &notes)?;
        Ok(Self { db, notes })
    }

    pub(crate) fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// Turns notifications into wake-ups until `stop` is closed.
    pub(crate) fn run(mut self, server: &Postgres, stop: &Receiver<()>, wakeups: &Wakeups) {
        let (mut asked, mut failures) = (Instant::now(), 0);
        let mut wait = LOOK;
        while stop.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            wait = LOOK;
            let mut heard = self.hear(wakeups);
            if heard.is_ok() && asked.elapsed() > ALIVE {
                asked = Instant::now();
                heard = self.db.batch_execute("SELECT 1").map_err(Into::into);
            }
            let Err(error) = heard else { continue };
            if failures == 0 {
                tracing::warn!(
                    code = error.code(),
                    "wake-ups of others are not heard: {error}"
                );
            }
            failures += 1;
            wait = pause(failures);
            if let Ok(db) = again(server, &self.notes) {
                self.db = db;
                (failures, wait) = (0, LOOK);
                wakeups.tell(Causes::all());
            }
        }
    }

    fn hear(&mut self, wakeups: &Wakeups) -> Result<()> {
        let mut causes = Causes::default();
        for note in self.db.notifications_iter() {
            let note = note?;
            // One's own were told at the commit.
            let wake = Wake::ALL
                .into_iter()
                .find(|wake| self.notes.channel(*wake) == note.channel);
            if let Some(wake) = wake.filter(|_| note.payload != self.notes.from) {
                causes.add(wake);
            }
        }
        wakeups.tell(causes);
        Ok(())
    }
}

fn again(server: &Postgres, notes: &Notes) -> Result<PgConnection> {
    let mut db = postgres::reader(server)?;
    listen(&mut db, notes)?;
    Ok(db)
}

fn listen(db: &mut PgConnection, notes: &Notes) -> Result<()> {
    let all = Wake::ALL.map(|wake| format!("LISTEN \"{}\"; ", notes.channel(wake)));
    Ok(db.batch_execute(&all.concat())?)
}
