//! What waits in the mailbox, in which order, and what becomes of it.

use gx_store::mailbox::{self, Channel, Mail, Queue, State};
use gx_store::{Store, Tx};
use gx_types::TimeMs;

use crate::backend::for_each_backend;

fn message(id: &str, channel: Channel, at: i64) -> Mail {
    Mail {
        mail_id: id.to_owned(),
        channel,
        recipient: "ada@example.org".to_owned(),
        title: "Hello".to_owned(),
        body: "sealed".to_owned(),
        created_at: TimeMs(at),
        expires_at: TimeMs(at + 100),
    }
}

async fn in_tx<T>(
    store: &Store,
    work: impl AsyncFnOnce(&mut Tx) -> Result<T, gx_store::Error>,
) -> T {
    let mut tx = store.begin().await.unwrap();
    let done = work(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn due(store: &Store, channel: Channel, now: i64) -> Vec<String> {
    let due = mailbox::due(store, channel, TimeMs(now), 9).await.unwrap();
    due.into_iter().map(|kept| kept.mail.mail_id).collect()
}

#[test]
fn messages_wait_in_their_order_until_their_end() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        in_tx(store, async |tx| {
            for (id, at) in [("m1", 6), ("m2", 5), ("m3", 7), ("m4", 8)] {
                mailbox::put(tx, &message(id, Channel::Mail, at)).await?;
            }
            mailbox::put(tx, &message("t1", Channel::Text, 1)).await
        })
        .await;
        assert_eq!(due(store, Channel::Mail, 10).await, ["m2", "m1", "m3", "m4"]);
        assert_eq!(due(store, Channel::Text, 10).await, ["t1"]);
        in_tx(store, async |tx| {
            mailbox::failed(tx, "m2", "unreachable", TimeMs(50)).await?;
            mailbox::delivered(tx, "m1").await?;
            mailbox::given_up(tx, "m3", "recipient_refused").await
        })
        .await;
        assert_eq!(due(store, Channel::Mail, 49).await, ["m4"]);
        assert_eq!(due(store, Channel::Mail, 50).await, ["m2", "m4"]);
        let queue = mailbox::queue(store, Channel::Mail, TimeMs(50)).await.unwrap();
        let failure = Some("unreachable".to_owned());
        let oldest = Some(TimeMs(5));
        assert_eq!(queue, Queue { channel: Channel::Mail, waiting: 2, oldest, failure });
        let expire = async |tx: &mut Tx| mailbox::expire(tx, Channel::Mail, TimeMs(105)).await;
        assert_eq!(in_tx(store, expire).await, 1);
        assert_eq!(due(store, Channel::Mail, 105).await, ["m4"]);
        let newest = mailbox::newest(store, 9).await.unwrap();
        let states: Vec<_> = newest
            .iter()
            .map(|kept| (kept.mail.mail_id.as_str(), kept.state, kept.mail.body.as_str()))
            .collect();
        assert_eq!(
            states,
            [
                ("m4", State::Waiting, "sealed"),
                ("m3", State::Undeliverable, ""),
                ("m1", State::Delivered, ""),
                ("m2", State::Expired, ""),
                ("t1", State::Waiting, "sealed"),
            ]
        );
    });
}
