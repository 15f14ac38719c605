//! What goes over the wire is what the schemas say. GetMessageThreadStatus has none in public.

use std::sync::{Arc, Mutex};

use halsonav_adapter::{Build, Outbound};
use halsonav_domain::VirtualClock;
use halsonav_messaging::Messaging;
use halsonav_neighbours::inbox::{ADD_MESSAGE, Account, IS_ACTIVE_USER};
use halsonav_rivta::{Client, ClientConfig, Server, ServerConfig, SoapFault, handler};
use serde_json::json;

use crate::{config, delivery, house, now, schema, send, tolvan};

#[tokio::test]
async fn requests_and_responses_are_valid() {
    let house = house().await;
    let said = Arc::new(Mutex::new(Vec::new()));
    let onward = Client::new(&ClientConfig::to(house.inbox.url())).unwrap();
    let clock = Arc::new(VirtualClock::new(now()));
    let mut builder = Server::builder(ServerConfig::loopback(), clock);
    for contract in [ADD_MESSAGE, IS_ACTIVE_USER] {
        let (said, onward) = (Arc::clone(&said), onward.clone());
        let between = handler(move |request| {
            let (said, onward) = (Arc::clone(&said), onward.clone());
            async move {
                let answer = onward
                    .call(&contract, &request.logical_address, None, &request.body)
                    .await;
                let answer = answer.map_err(|error| SoapFault::server(error.to_string()))?;
                said.lock().unwrap().extend([
                    (Some(request.logical_address), request.body),
                    (None, answer.clone()),
                ]);
                Ok(answer)
            }
        });
        builder = builder.operation(&contract, between);
    }
    let running = builder.start().await.unwrap();
    let messaging = Messaging::build(config(&running.url())).unwrap();
    let accounts = [
        Account::active(),
        Account {
            active: true,
            notified_by: vec![],
        },
        Account::default(),
    ];
    for (n, account) in (1..).zip(accounts) {
        house.inbox.set_account(&tolvan(), account);
        messaging
            .deliver("check", vec![delivery(n, "check", json!({}))])
            .await;
        messaging.deliver("send", vec![send(n)]).await;
    }
    messaging
        .deliver(
            "send",
            vec![delivery(9, "send", json!({ "template": "x" }))],
        )
        .await;
    let said = said.lock().unwrap();
    assert_eq!(
        said.len(),
        14,
        "{:?}",
        said.iter().map(|(_, body)| body.len()).collect::<Vec<_>>()
    );
    let envelopes: Vec<String> = said
        .iter()
        .map(|(address, body)| schema::envelope(address.as_deref(), body))
        .collect();
    schema::valid(envelopes.iter().map(String::as_str));
}
