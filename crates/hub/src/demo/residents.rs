//! How residents behave. Every choice is a function of seed, person and question, so that the same
//! seed gives the same round in whatever order things reach them.

use std::sync::Arc;

use halsonav_domain::{
    Envelope, PersonId, Problem, Timestamp,
    event::{Declined, Event, OptedOut},
};
use halsonav_neighbours::scheduling::Booking;
use halsonav_profile::{FormDefinition, QuestionKind};
use jiff::{SignedDuration, Span, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::{
    agenda::{Act, Agenda},
    dice::Dice,
    population::{Answer, Becomes},
    world::{World, fault},
};
use crate::runtime::{Core, inlet};

/// The residents of a world.
pub struct Residents {
    seed: u64,
    forms: Vec<FormDefinition>,
    zone: TimeZone,
    /// The hour in which a killed run was taken up: what was done in it may be asked for again.
    taken_up: Option<Timestamp>,
    messages: usize,
    placed: usize,
    orders: usize,
}

impl Residents {
    /// Nobody has seen anything yet.
    #[must_use]
    pub fn new(
        seed: u64,
        forms: Vec<FormDefinition>,
        zone: TimeZone,
        taken_up: Option<Timestamp>,
    ) -> Self {
        Self {
            seed,
            forms,
            zone,
            taken_up,
            messages: 0,
            placed: 0,
            orders: 0,
        }
    }

    /// What happens to people whatever the hub does.
    pub fn plan_fates(&self, world: &World, agenda: &mut Agenda) {
        for (ordinal, person) in world.people.iter().enumerate() {
            for (n, fate) in person.fates.iter().enumerate() {
                if let Ok(at) = fate.on.at(7, 0, 0, 0).to_zoned(self.zone.clone()) {
                    agenda.plan(at.timestamp(), Act::Fate(ordinal, n));
                }
            }
        }
    }

    /// Looks at what has reached people since the last look and plans what they do about it.
    pub fn look(&mut self, world: &World, agenda: &mut Agenda) {
        let (messages, cursor) = world.inbox.since(self.messages);
        self.messages = cursor;
        for message in messages {
            let Some(ordinal) = world.ordinal(&message.person) else {
                continue;
            };
            let dice = self.dice(ordinal);
            let question = format!("read {}", message.thread);
            if dice.chance(&question, 0.75) {
                let at = self.daytime(
                    message.received,
                    dice.between(&question, 0, 5),
                    8 + dice.roll(&question) % 12,
                );
                agenda.plan(at, Act::Read(ordinal, message.thread));
            }
        }
        let (forms, cursor) = world.forms.open_forms(self.placed);
        self.placed = cursor;
        for form in forms {
            let Some(ordinal) = world.ordinal(&form.person) else {
                continue;
            };
            let dice = self.dice(ordinal);
            let question = format!("form {}", form.template);
            if dice.chance(&question, 0.88) {
                let at = self.daytime(form.created, dice.between(&question, 1, 9), 18);
                agenda.plan(at, Act::Answer(ordinal, form.id));
            }
        }
        if world.lab.count() > self.orders {
            let orders = world.lab.orders();
            for order in orders.iter().skip(self.orders) {
                let dice = world
                    .ordinal(&order.person)
                    .map_or(Dice::new(self.seed, 0), |ordinal| self.dice(ordinal));
                if dice.chance("gives a sample", 0.94) {
                    let at = self.daytime(
                        self.planned(&order.planned, order.received),
                        dice.between("analysis", 1, 3),
                        14,
                    );
                    if dice.chance("in parts", 0.1) {
                        agenda.plan(at, Act::Analyse(order.number.clone(), true));
                    }
                    agenda.plan(
                        at + SignedDuration::from_hours(24),
                        Act::Analyse(order.number.clone(), false),
                    );
                }
            }
            self.orders = orders.len();
        }
    }

    /// A letter has come: the person reads it the same day and answers within days.
    pub fn letter_arrives(&self, ordinal: usize, now: Timestamp, agenda: &mut Agenda) {
        let dice = self.dice(ordinal);
        agenda.plan(
            self.daytime(now, dice.between("after letter", 1, 6), 10),
            Act::Decide(ordinal),
        );
    }

    /// Does one act of a resident.
    ///
    /// # Errors
    /// When a neighbour's own memory or the hub fails; a refusal by a neighbour is life.
    pub async fn act(
        &self,
        world: &World,
        core: &Arc<Core>,
        agenda: &mut Agenda,
        act: &Act,
    ) -> Result<(), Problem> {
        let now = core.clock.now();
        match act {
            Act::Fate(ordinal, n) => self.meet_fate(world, *ordinal, *n, now),
            Act::Read(ordinal, thread) => {
                world
                    .inbox
                    .mark_read(&world.numbers(*ordinal), thread, now)
                    .map_err(|error| fault(&error))?;
                let dice = self.dice(*ordinal);
                agenda.plan(
                    self.daytime(now, dice.between("after reading", 0, 3), 17),
                    Act::Decide(*ordinal),
                );
                Ok(())
            }
            Act::Decide(ordinal) => self.decide(world, core, agenda, *ordinal, now).await,
            Act::Rebook(_, booking) => {
                let (from, to) = (
                    now + SignedDuration::from_hours(24 * 8),
                    now + SignedDuration::from_hours(24 * 70),
                );
                // Refused when it is cancelled, past, or nothing is free: then it stays as it is.
                let _ = world.scheduling.rebook_as_resident(booking, from, to);
                Ok(())
            }
            Act::Cancel(_, booking) => {
                let _ = world.scheduling.cancel_as_resident(booking);
                Ok(())
            }
            Act::Answer(ordinal, form) => {
                self.answer_form(world, *ordinal, form, now);
                Ok(())
            }
            Act::Analyse(order, part) => analyse(world, order, *part).await,
            _ => Ok(()),
        }
    }

    /// How this person answers, by lot unless the population file says it.
    #[must_use]
    pub fn answer(&self, world: &World, ordinal: usize) -> Answer {
        if let Some(answer) = world.people.get(ordinal).and_then(|person| person.answer) {
            return answer;
        }
        match self.dice(ordinal).unit("answer") {
            x if x < 0.40 => Answer::Books,
            x if x < 0.47 => Answer::Phones,
            x if x < 0.54 => Answer::Declines,
            x if x < 0.555 => Answer::OptsOut,
            x if x < 0.70 => Answer::YesWhenPhoned,
            x if x < 0.80 => Answer::NoWhenPhoned,
            _ => Answer::Silent,
        }
    }

    async fn decide(
        &self,
        world: &World,
        core: &Arc<Core>,
        agenda: &mut Agenda,
        ordinal: usize,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let (Some(person), Some(unit)) = (world.person_id(ordinal), world.unit(ordinal)) else {
            return Ok(());
        };
        let gone = world
            .register
            .person(&person)
            .is_none_or(|person| person.gone.is_some());
        if gone {
            return Ok(());
        }
        let dice = self.dice(ordinal);
        match self.answer(world, ordinal) {
            // Whoever has no inbox phones the unit, which books in the same system.
            Answer::Books | Answer::Phones => {
                let (from, to) = (
                    now + SignedDuration::from_hours(24 * 10),
                    now + SignedDuration::from_hours(24 * 75),
                );
                let made = self.made_before(world, &person, now).map_or_else(
                    || {
                        world
                            .scheduling
                            .book_as_resident(&person, unit, from, to, None)
                    },
                    Ok,
                );
                if let Ok(booking) = made {
                    if dice.chance("cancels", 0.04) {
                        agenda.plan(self.daytime(now, 3, 12), Act::Cancel(ordinal, booking.id));
                    } else if dice.chance("rebooks", 0.06) {
                        agenda.plan(self.daytime(now, 2, 12), Act::Rebook(ordinal, booking.id));
                    }
                }
                Ok(())
            }
            Answer::Declines => {
                self.say(
                    core,
                    &person,
                    Declined::TYPE,
                    Declined {
                        by: "inbox".to_owned(),
                    }
                    .data(),
                    now,
                )
                .await
            }
            Answer::OptsOut => {
                self.say(
                    core,
                    &person,
                    OptedOut::TYPE,
                    OptedOut {
                        by: "phone".to_owned(),
                    }
                    .data(),
                    now,
                )
                .await
            }
            Answer::YesWhenPhoned | Answer::NoWhenPhoned | Answer::Silent => Ok(()),
        }
    }

    /// A booking that the person made just before the run was killed.
    fn made_before(&self, world: &World, person: &PersonId, now: Timestamp) -> Option<Booking> {
        if self.taken_up != Some(now) {
            return None;
        }
        let bookings = world.scheduling.bookings();
        bookings
            .into_iter()
            .find(|booking| booking.person == person.expose())
    }

    /// What a person tells the unit is entered by the unit.
    async fn say(
        &self,
        core: &Arc<Core>,
        person: &PersonId,
        kind: &str,
        data: Value,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if let Some((case, _)) = inlet(core).directory.case_of_person(person).await? {
            core.publish(vec![Envelope::new(
                "/api",
                format!("{kind}-{case}"),
                kind,
                Some(case),
                now,
                data,
            )])
            .await?;
        }
        Ok(())
    }

    fn meet_fate(
        &self,
        world: &World,
        ordinal: usize,
        n: usize,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let Some(id) = world.person_id(ordinal) else {
            return Ok(());
        };
        let (Some(resident), today) = (
            world.people.get(ordinal),
            now.to_zoned(self.zone.clone()).date(),
        ) else {
            return Ok(());
        };
        let Some(fate) = resident.fates.get(n) else {
            return Ok(());
        };
        let met = match fate.becomes {
            Becomes::Deceased => world.register.kill(&id, today),
            Becomes::Emigrated => world.register.emigrate(&id, today),
            Becomes::Protected => world
                .register
                .protect(&id, halsonav_domain::Protection::Sekretessmarkering),
            Becomes::Moved => {
                let moved = world
                    .register
                    .person(&id)
                    .and_then(|person| person.residence)
                    .map(|mut residence| {
                        residence.street = format!("Nya {}", residence.street);
                        residence
                    });
                world.register.relocate(&id, moved)
            }
            Becomes::NumberChanged => match super::population::replacement(id.expose())
                .and_then(|n| PersonId::parse(&n).ok())
            {
                Some(new) => world.register.change_number(&id, &new, today),
                None => Ok(()),
            },
        };
        met.map_err(|error| fault(&error))
    }

    fn answer_form(&self, world: &World, ordinal: usize, form: &str, now: Timestamp) {
        let Some(placed) = world.forms.form(form) else {
            return;
        };
        let answers = self.answers(ordinal, &placed.template);
        // Refused when the form was withdrawn or has expired: then nobody can answer it.
        let _ = world.forms.answer(form, &answers, now);
    }

    /// Answers to a form: each person has habits, and keeps to them.
    #[must_use]
    pub fn answers(&self, ordinal: usize, template: &str) -> Map<String, Value> {
        let dice = self.dice(ordinal);
        let Some(form) = self.forms.iter().find(|form| form.template == template) else {
            return Map::new();
        };
        form.questions
            .iter()
            .map(|question| {
                let options = || {
                    question
                        .alternatives
                        .iter()
                        .map(|a| a.value.clone())
                        .collect::<Vec<_>>()
                };
                let value = match question.kind {
                    QuestionKind::Radio => json!(dice.pick(&question.code, &options())),
                    QuestionKind::SelectMultiple => json!([dice.pick(&question.code, &options())]),
                    QuestionKind::Number => json!(dice.between(&question.code, 1, 7)),
                    QuestionKind::Text => json!("Jag vill röra mig mer."),
                };
                (question.code.clone(), value)
            })
            .collect()
    }

    /// A person's dice.
    #[must_use]
    pub fn dice(&self, ordinal: usize) -> Dice {
        Dice::new(self.seed, ordinal as u64)
    }

    /// `days` after `from`, at `hour` Swedish time.
    #[must_use]
    pub fn daytime(&self, from: Timestamp, days: u64, hour: u64) -> Timestamp {
        let days = Span::new().days(i64::try_from(days).unwrap_or(0));
        let date = from.to_zoned(self.zone.clone()).date().saturating_add(days);
        let hour = i8::try_from(hour.min(23)).unwrap_or(12);
        let at = date
            .at(hour, 0, 0, 0)
            .to_zoned(self.zone.clone())
            .map(|at| at.timestamp())
            .unwrap_or(from);
        at.max(from)
    }

    /// TQ1-7 in Swedish local time, `YYYYMMDDhhmmss`.
    fn planned(&self, text: &str, otherwise: Timestamp) -> Timestamp {
        let digits = text.get(..8).unwrap_or_default();
        jiff::civil::Date::strptime("%Y%m%d", digits)
            .and_then(|date| date.at(9, 0, 0, 0).to_zoned(self.zone.clone()))
            .map_or(otherwise, |at| at.timestamp().max(otherwise))
    }
}

async fn analyse(world: &World, order: &str, part: bool) -> Result<(), Problem> {
    let Some(known) = world.lab.order(order).filter(|order| !order.cancelled) else {
        return Ok(());
    };
    let answered = if part {
        let first = known.analyses.first().cloned().unwrap_or_default();
        let value = halsonav_neighbours::lab::plausible(1, &known.person, &first);
        world.lab.answer(order, &[value], true).await
    } else {
        world.lab.answer_plausibly(order).await
    };
    match answered {
        // The hub may say that it no longer asks: the case has ended.
        Ok(_) | Err(halsonav_neighbours::lab::AnswerError::NoOrder) => Ok(()),
        Err(error) => Err(fault(&error)),
    }
}
