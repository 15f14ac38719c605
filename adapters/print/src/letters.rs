//! `print.letter`: letters into jobs, and jobs to the vendor.

use halsonav_adapter::{Delivery, Reconciled, payload};
use halsonav_domain::{
    CommandId, Done, Kind, Outcome, Problem,
    command::print::{Letter, Lettered},
};
use serde_json::json;

use crate::{
    Print,
    account::Visit,
    package,
    whereabouts::{IN, PACKAGE, PART, Place},
};

impl Print {
    /// Each letter's outcome. A batch travels as one job, or several if it is large.
    pub(crate) async fn letters(&self, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut good = Vec::with_capacity(batch.len());
        for delivery in &batch {
            match ready(delivery) {
                Ok(()) => good.push(delivery),
                Err(outcome) => outcomes.push((delivery.command.id, outcome)),
            }
        }
        if good.is_empty() {
            return outcomes;
        }
        let mut visit = match self.account.visit().await {
            Ok(visit) => visit,
            Err(error) => {
                let problem = Problem::from(error);
                outcomes.extend(good.iter().map(|d| (d.command.id, problem.clone().into())));
                return outcomes;
            }
        };
        good.sort_unstable_by_key(|delivery| delivery.command.id);
        good.dedup_by_key(|delivery| delivery.command.id);
        let mut fresh = Vec::with_capacity(good.len());
        for delivery in good {
            // A second attempt may follow a crash of ours: what is there is not brought again.
            if delivery.attempt > 1 {
                match self.place(&mut visit, delivery.command.id).await {
                    Ok(Place::Nowhere) => fresh.push(delivery),
                    Ok(place) => outcomes.extend(with(delivery.command.id, &place)),
                    Err(error) => outcomes.push((delivery.command.id, Problem::from(error).into())),
                }
            } else {
                fresh.push(delivery);
            }
        }
        for letters in jobs(&fresh, self.config.max_job_mb << 20) {
            let job = package::job_id(&letters);
            let outcome = self.bring(&mut visit, &job, &letters).await;
            for letter in letters {
                let id = letter.command.id;
                outcomes.push((id, outcome.clone().unwrap_or_else(|| done(id, &job))));
            }
        }
        outcomes
    }

    /// Brings a job; `None` when it is there.
    async fn bring(
        &self,
        visit: &mut Visit<'_>,
        job: &str,
        letters: &[&Delivery],
    ) -> Option<Outcome> {
        let package = match package::build(&self.config, job, letters) {
            Ok(package) => package,
            Err(error) => return Some(Problem::from(error).into()),
        };
        let there = format!("{IN}/{job}{PACKAGE}");
        let part = format!("{there}{PART}");
        // Nothing is with the vendor before the rename.
        if let Err(error) = visit.write(&part, &package).await {
            return Some(Problem::from(error).into());
        }
        match visit.rename(&part, &there).await {
            Ok(()) => None,
            Err(error) => {
                let problem = Problem::from(error);
                match self.brought(visit, job, letters[0].command.id).await {
                    Ok(Some(true)) => None,
                    Ok(Some(false)) => Some(Outcome::Failed(problem)),
                    Ok(None) | Err(_) => Some(Outcome::Unknown(problem)),
                }
            }
        }
    }

    pub(crate) async fn reconcile_letter(&self, letter: CommandId) -> Reconciled {
        let looked = async {
            let mut visit = self.account.visit().await?;
            self.place(&mut visit, letter).await
        };
        match looked.await {
            Ok(Place::Nowhere) => Reconciled::Absent,
            Ok(place) => with(letter, &place).map_or(Reconciled::Unknowable, |(_, outcome)| {
                Reconciled::Settled(outcome)
            }),
            Err(error) => Reconciled::Later(error.into()),
        }
    }
}

/// Whether a delivery can become a letter.
fn ready(delivery: &Delivery) -> Result<(), Outcome> {
    payload::<Letter>(&delivery.command)?;
    let Some(identity) = &delivery.identity else {
        let message = "the command came without a person";
        return Err(Problem::new(Kind::Internal, "HUB-PRINT-011", message).into());
    };
    if !identity
        .address
        .as_ref()
        .is_some_and(|address| address.is_deliverable())
    {
        return Err(Outcome::Refused {
            code: "no-address".to_owned(),
            result: json!({}),
        });
    }
    let letters = delivery
        .attachments
        .iter()
        .filter(|attachment| attachment.role == "letter");
    if letters.count() != 1 {
        let message = "the command came without its letter, or with several";
        return Err(Problem::new(Kind::Internal, "HUB-PRINT-012", message).into());
    }
    let is_pdf = |bytes: &[u8]| bytes.starts_with(b"%PDF-");
    if !package::sheets(delivery)
        .all(|sheet| sheet.media_type == "application/pdf" && is_pdf(&sheet.bytes))
    {
        let message = "a letter or an enclosure is not a PDF";
        return Err(Problem::new(Kind::Internal, "HUB-PRINT-013", message).into());
    }
    Ok(())
}

/// Cuts a batch so that no job is larger than `limit` bytes, unless a single letter is.
fn jobs<'a>(letters: &[&'a Delivery], limit: u64) -> Vec<Vec<&'a Delivery>> {
    let mut jobs: Vec<Vec<&Delivery>> = Vec::new();
    let mut filled = limit;
    for letter in letters {
        let size: u64 = package::sheets(letter)
            .map(|sheet| sheet.bytes.len() as u64)
            .sum();
        match jobs
            .last_mut()
            .filter(|_| filled.saturating_add(size) <= limit)
        {
            Some(job) => {
                job.push(letter);
                filled += size;
            }
            None => {
                jobs.push(vec![letter]);
                filled = size;
            }
        }
    }
    jobs
}

/// The outcome for a letter that is somewhere.
fn with(letter: CommandId, place: &Place) -> Option<(CommandId, Outcome)> {
    let job = match place {
        Place::In(job) => job,
        Place::Taken(receipt) => &receipt.job_id,
        Place::Nowhere => return None,
    };
    Some((letter, done(letter, job)))
}

fn done(letter: CommandId, job: &str) -> Outcome {
    let letter_id = letter.to_string();
    let lettered = Lettered {
        letter_id: letter_id.clone(),
        job_id: job.to_owned(),
    };
    Done::new(json!(lettered))
        .referring("letter", letter_id)
        .into()
}
