//! From a delivery to an outcome.

use halsonav_adapter::{Delivery, payload};
use halsonav_domain::{
    Done, Outcome,
    command::lab::{Cancel, Cancelled, Order},
};
use halsonav_hl7::{Ack, Client, Message, SendError};
use serde_json::json;

use crate::{Config, Error, translate};

pub(crate) async fn deliver(
    client: &Client,
    config: &Config,
    operation: &str,
    delivery: &Delivery,
) -> Outcome {
    let outcome = match operation {
        "order" => order(client, config, delivery).await,
        "cancel" => cancel(client, config, delivery).await,
        _ => Err(Error::Command("the lab adapter knows order and cancel").into()),
    };
    outcome.unwrap_or_else(|outcome| outcome)
}

async fn order(client: &Client, config: &Config, delivery: &Delivery) -> Result<Outcome, Outcome> {
    let order: Order = payload(&delivery.command)?;
    let message = translate::order(config, delivery, &order).map_err(Outcome::from)?;
    let ack = send(client, &message).await?;
    Ok(translate::ordered(&ack, delivery))
}

async fn cancel(client: &Client, config: &Config, delivery: &Delivery) -> Result<Outcome, Outcome> {
    let cancel: Cancel = payload(&delivery.command)?;
    let Some(order_id) = cancel.order_id else {
        return Ok(Done::new(json!(Cancelled { cancelled: false })).into());
    };
    let message = translate::cancel(config, delivery, &order_id).map_err(Outcome::from)?;
    let ack = send(client, &message).await?;
    Ok(translate::cancelled(&ack))
}

async fn send(client: &Client, message: &Message) -> Result<Ack, Outcome> {
    client.send(message).await.map_err(|error| match error {
        SendError::NotSent(error) => Outcome::Failed(Error::Away(error).into()),
        SendError::Unknown(doubt) => Outcome::Unknown(Error::Doubtful(doubt).into()),
    })
}
