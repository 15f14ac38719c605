//! What goes over the wire is what the schemas say.

use std::sync::{Arc, Mutex};

use halsonav_domain::{Protection, VirtualClock};
use halsonav_neighbours::register::{GET_PERSONS, Residence};
use halsonav_rivta::{Client, ClientConfig, Server, ServerConfig, SoapFault, handler};
use jiff::civil::date;

use crate::{house, now, number, roster, schema};

/// Stands between adapter and register, and keeps what is said.
#[tokio::test]
async fn requests_and_responses_are_valid() {
    let house = house(0..4).await;
    house.register.kill(&number(0), date(2026, 8, 30)).unwrap();
    house
        .register
        .protect(&number(1), Protection::FingeradePersonuppgifter)
        .unwrap();
    house
        .register
        .change_number(&number(2), &number(3), date(2026, 8, 30))
        .unwrap();
    let mut person = house.register.person(&number(3)).unwrap();
    person.special = Some(Residence {
        care_of: Some("c/o Bo".into()),
        street: "Box 1".into(),
        postal_code: 33_130,
        city: "VÄRNAMO".into(),
    });
    person.middle = Some("Alm".into());
    house.register.set(person).unwrap();

    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let onward = Client::new(&ClientConfig::to(house.register.url())).unwrap();
    let between = handler(move |request| {
        let (heard, onward) = (Arc::clone(&heard), onward.clone());
        async move {
            let answer = onward
                .call(&GET_PERSONS, &request.logical_address, None, &request.body)
                .await;
            let answer = answer.map_err(|error| SoapFault::server(error.to_string()))?;
            heard.lock().unwrap().extend([
                (Some(request.logical_address), request.body),
                (None, answer.clone()),
            ]);
            Ok(answer)
        }
    });
    let clock = Arc::new(VirtualClock::new(now()));
    let running = Server::builder(ServerConfig::loopback(), clock)
        .operation(&GET_PERSONS, between)
        .start()
        .await
        .unwrap();
    let ids: Vec<_> = (0..5).map(number).collect();
    assert!(
        roster(&running.url())
            .lookup(&ids, now())
            .await
            .iter()
            .all(Result::is_ok)
    );
    let said = said.lock().unwrap();
    assert_eq!(said.len(), 2);
    let envelopes: Vec<String> = said
        .iter()
        .map(|(address, body)| schema::envelope(address.as_deref(), body))
        .collect();
    schema::valid(envelopes.iter().map(String::as_str));
}

#[tokio::test]
async fn the_register_is_strict() {
    let house = house([1]).await;
    let client = Client::new(&ClientConfig::to(house.register.url())).unwrap();
    let good = format!(
        "<r:GetPersonsForProfile xmlns:r='{}' xmlns:c='{}'><r:personId><c:root>1.2.752.129.2.1.3.1</c:root><c:extension>{}</c:extension></r:personId>\
         <r:profile>P2</r:profile><r:ignoreReferredIdentity>false</r:ignoreReferredIdentity></r:GetPersonsForProfile>",
        GET_PERSONS.message_namespace(),
        GET_PERSONS.types_namespace(),
        number(1).expose()
    );
    let national = "SE165565594230-1000";
    let answer = client
        .call(&GET_PERSONS, national, None, &good)
        .await
        .unwrap();
    assert!(
        answer.contains("residentialAddress") && !answer.contains("optoutPaperNotification"),
        "profile 2 has no opt-out"
    );
    assert!(
        client
            .call(&GET_PERSONS, "SE1-OTHER", None, &good)
            .await
            .is_err()
    );
    for (from, to) in [
        ("P2", "P11"),
        ("false", "nej"),
        ("3.1</c:root>", "3.3</c:root>"),
        (number(1).expose(), "191212121213"),
    ] {
        assert!(
            client
                .call(&GET_PERSONS, national, None, &good.replace(from, to))
                .await
                .is_err(),
            "{to}"
        );
    }
    let person = &good[good.find("<r:personId>").unwrap()..good.find("<r:profile>").unwrap()];
    assert!(
        client
            .call(
                &GET_PERSONS,
                national,
                None,
                &good.replace(person, &person.repeat(501))
            )
            .await
            .is_err()
    );
    assert!(
        client
            .call(&GET_PERSONS, national, None, &good.replace(person, ""))
            .await
            .is_err()
    );
}
