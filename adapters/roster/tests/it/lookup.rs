//! What the register says, and what becomes of it when it does not.

use halsonav_adapter::{Adapter, Outbound, Reconciled, conformance};
use halsonav_domain::{
    Kind, Outcome, PersonId, PersonStatus, Protection, command::roster::LookedUp,
};
use halsonav_neighbours::{
    faults::Fault,
    register::{Person, Register, Residence, Settings},
};
use jiff::civil::date;

use crate::{delivery, house, now, number, roster};

async fn one(house: &crate::House, id: &PersonId) -> halsonav_domain::PersonRecord {
    house
        .roster
        .lookup(std::slice::from_ref(id), now())
        .await
        .remove(0)
        .unwrap()
}

#[tokio::test]
async fn a_living_person_with_everything() {
    let house = house([1]).await;
    let mut person = Person::new(&number(1), "Anna Maria", "Ek");
    person.middle = Some("Alm".to_owned());
    person.notification_name = Some("Ek, Anna".to_owned());
    person.paper_opt_out = true;
    house.register.set(person).unwrap();
    let record = one(&house, &number(1)).await;
    assert_eq!(
        (
            record.status,
            record.protection,
            record.paper_opt_out,
            record.test_person
        ),
        (PersonStatus::Active, Protection::None, true, false)
    );
    let name = record.name.unwrap();
    assert_eq!(
        (name.full().as_str(), name.notification.as_deref()),
        ("Anna Maria Alm Ek", Some("Ek, Anna"))
    );
    assert!(record.address.unwrap().is_deliverable());
    assert_eq!(
        (record.county.as_deref(), record.fetched),
        (Some("06"), now())
    );
}

#[tokio::test]
async fn life_goes_on_between_two_lookups() {
    let house = house(0..6).await;
    let day = date(2026, 8, 30);
    house.register.kill(&number(0), day).unwrap();
    house.register.emigrate(&number(1), day).unwrap();
    house
        .register
        .protect(&number(2), Protection::SkyddadFolkbokforing)
        .unwrap();
    house
        .register
        .relocate(
            &number(3),
            Some(Residence {
                street: "Nygatan 2".into(),
                postal_code: 0,
                city: "VÄRNAMO".into(),
                care_of: None,
            }),
        )
        .unwrap();
    house.register.relocate(&number(4), None).unwrap();
    let ids: Vec<PersonId> = (0..7).map(number).collect();
    let records: Vec<_> = house
        .roster
        .lookup(&ids, now())
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let status: Vec<_> = records.iter().map(|record| record.status).collect();
    use PersonStatus::{Active, Deceased, Emigrated, Unknown};
    assert_eq!(
        status,
        [Deceased, Emigrated, Active, Active, Active, Active, Unknown]
    );
    assert_eq!(records[2].protection, Protection::SkyddadFolkbokforing);
    assert!(records[2].address.is_none() && records[4].address.is_none());
    assert!(!records[3].address.as_ref().unwrap().is_deliverable());
    assert_eq!(house.register.calls(), 1);
}

#[tokio::test]
async fn a_new_number_is_followed() {
    let house = house([1]).await;
    house
        .register
        .change_number(&number(1), &number(2), date(2026, 8, 30))
        .unwrap();
    let record = one(&house, &number(1)).await;
    assert_eq!(
        (&record.requested, &record.current, record.status),
        (&number(1), &number(2), PersonStatus::Active)
    );
}

#[tokio::test]
async fn batches_are_of_500_and_answers_in_order() {
    let house = house(0..1_200).await;
    let ids: Vec<PersonId> = (0..1_201).rev().chain([5, 5]).map(number).collect();
    let records = house.roster.lookup(&ids, now()).await;
    assert_eq!(records.len(), ids.len());
    for (id, record) in ids.iter().zip(&records) {
        assert_eq!(&record.as_ref().unwrap().requested, id);
    }
    assert_eq!((house.register.calls(), house.register.asked()), (3, 1_201));
    assert_eq!(records[0].as_ref().unwrap().status, PersonStatus::Unknown);
}

#[tokio::test]
async fn the_register_remembers_after_a_restart() {
    let house = house([1]).await;
    house.register.kill(&number(1), date(2026, 8, 30)).unwrap();
    let tape = house.folder.path().join("register.jsonl");
    drop(house.register);
    let clock = std::sync::Arc::new(halsonav_domain::VirtualClock::new(now()));
    let again = Register::start(Settings::new(
        vec![Person::new(&number(1), "Tolvan", "Tolvansson")],
        tape,
        clock,
    ))
    .await
    .unwrap();
    assert_eq!(
        roster(&again.url()).lookup(&[number(1)], now()).await[0]
            .as_ref()
            .unwrap()
            .status,
        PersonStatus::Deceased
    );
}

#[tokio::test]
async fn a_delivery_gives_variables_and_the_record_for_the_vault() {
    let house = house([1]).await;
    let mut outcomes = house.roster.deliver("lookup", vec![delivery(1)]).await;
    let (id, outcome) = outcomes.remove(0);
    assert_eq!(id, delivery(1).command.id);
    let Outcome::Done(done) = outcome else {
        panic!("{outcome:?}")
    };
    let looked: LookedUp = serde_json::from_value(done.result.clone()).unwrap();
    assert!(looked.has_address && looked.status == PersonStatus::Active);
    assert!(!done.result.to_string().contains(number(1).expose()));
    assert_eq!(done.person.unwrap().current, number(1));
    assert!(matches!(
        house.roster.reconcile("lookup", &delivery(1)).await,
        Reconciled::Absent
    ));
    house.roster.check().await.unwrap();
}

#[tokio::test]
async fn what_goes_wrong_with_the_whole_goes_wrong_with_each() {
    let house = house(0..3).await;
    for fault in [
        Fault::LoseAnswer,
        Fault::DropRequest,
        Fault::Technical,
        Fault::Garbage,
        Fault::WrongAnswer,
    ] {
        house.register.faults().push(fault.clone());
        let outcomes = house
            .roster
            .deliver("lookup", (0..3).map(delivery).collect())
            .await;
        assert_eq!(outcomes.len(), 3);
        for (_, outcome) in outcomes {
            let Outcome::Failed(problem) = outcome else {
                panic!("{fault:?}: a question has no effect to be unsure of: {outcome:?}")
            };
            assert_eq!(problem.kind, Kind::Unavailable, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn one_number_that_the_register_chokes_on_does_not_hold_up_the_rest() {
    let house = house(0..64).await;
    let ids: Vec<PersonId> = (0..64).map(number).collect();
    // Refused as a whole, and once more in its first half; then nothing is wrong any longer.
    house.register.faults().push(Fault::Logical);
    house.register.faults().push(Fault::Logical);
    let records = house.roster.lookup(&ids, now()).await;
    assert!(records.iter().all(Result::is_ok));
    // A register that refuses everything is asked a bounded number of times.
    let before = house.register.calls();
    (0..200).for_each(|_| house.register.faults().push(Fault::Logical));
    let records = house.roster.lookup(&ids, now()).await;
    assert!(records.iter().all(|record| {
        record
            .as_ref()
            .is_err_and(|problem| problem.kind == Kind::Invalid)
    }));
    assert!(
        house.register.calls() - before <= 80,
        "{}",
        house.register.calls() - before
    );
}

#[tokio::test]
async fn the_contract_of_an_adapter() {
    let house = house([1]).await;
    conformance::bad_payload_is_invalid(&*house.roster, "lookup", delivery(1)).await;
    assert_eq!(house.register.calls(), 0);
    let mut anonymous = delivery(1);
    anonymous.identity = None;
    assert!(
        matches!(&house.roster.deliver("lookup", vec![anonymous]).await[0].1, Outcome::Failed(p) if p.kind == Kind::Internal)
    );
    assert!(
        matches!(&house.roster.deliver("fly", vec![delivery(1)]).await[0].1, Outcome::Failed(p) if p.kind == Kind::Invalid)
    );
    let url = house.register.url();
    drop(house.register);
    conformance::refused_connection_is_unavailable(&*roster(&url), "lookup", delivery(1)).await;
}
