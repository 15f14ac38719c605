//! What the hub itself has to say.

use halsonav_domain::Envelope;
use serde_json::json;

use crate::world::{at, everywhere};

fn fact(n: i64) -> Envelope {
    let data = json!({ "reason": "deceased" });
    Envelope::new(
        "/hub",
        format!("person-{n}"),
        "person.changed",
        None,
        at(n),
        data,
    )
}

#[test]
fn what_is_noted_is_kept_in_order_until_it_is_told() {
    everywhere(|base| {
        let world = base.world();
        let storage = &world.storage;
        let put = |facts: Vec<Envelope>| storage.write(move |tx| tx.put_news(&facts)).unwrap();
        let news = |limit| storage.read(|tx| tx.news(limit)).unwrap();
        put(Vec::new());
        assert_eq!(news(10), []);
        put(vec![fact(1), fact(2)]);
        put(vec![fact(3)]);
        let first = news(2);
        let facts: Vec<_> = first.iter().map(|news| news.fact.clone()).collect();
        assert_eq!(facts, [fact(1), fact(2)]);
        let all = news(10);
        assert_eq!(all.len(), 3);
        // Two tell the same at the same time: what the slower one has done with is gone already, and
        // what came in between stays, since its number is a new one.
        let drop = |told: Vec<_>| storage.write(move |tx| tx.drop_news(&told)).unwrap();
        drop(all.clone());
        put(vec![fact(4)]);
        drop(all);
        let rest = news(10);
        assert_eq!(rest.len(), 1);
        assert_eq!(rest[0].fact, fact(4));
    });
}

#[test]
fn what_was_rolled_back_is_not_told() {
    everywhere(|base| {
        let world = base.world();
        let failed = world.storage.write(|tx| {
            tx.put_news(&[fact(1)])?;
            Err::<(), _>(halsonav_storage::Error::NotFound("subject"))
        });
        assert!(failed.is_err());
        assert_eq!(world.storage.read(|tx| tx.news(10)).unwrap(), []);
    });
}
