//! Warns about expiring secrets of OAuth clients, as another job does for the token (rule P2). A client with an expired
//! secret gets no access tokens, so the identity provider stops provisioning.

use serde_json::{Map, Value};

use super::Budget;
use super::warnings::{Due, due};
use crate::capability::Host;
use crate::protocol::timestamp;
use crate::provisioning::letters;
use crate::store::{Batch, ClientRecord, EventKind, EventSubject, Letter, Store, StoreError, Told};

/// Warns about each client's secret that has passed a threshold; returns when the next threshold comes.
pub(super) fn run(_: Host<'_>, store: &Store<'_>, _: &Budget<'_>) -> Result<Option<u64>, StoreError> {
    let clients = store.oauth_clients()?;
    if clients.is_empty() || !store.is_enabled()? {
        return Ok(None);
    }
    let mut next = None::<u64>;
    for client in clients {
        let again = store.transact(|| warn(store, &client.id))?;
        next = [next, again].into_iter().flatten().min();
    }
    Ok(next)
}

/// Warns about one client's secret; returns when to check it again.
fn warn(store: &Store, id: &str) -> Result<Option<u64>, StoreError> {
    let Some(client) = store.oauth_client(id)? else { return Ok(None) };
    let (seen, mut client) = (Some(client.version), client.record);
    let Some((told, expires)) = client.secret.as_ref().and_then(|secret| Some((secret.told, secret.expires?))) else {
        return Ok(None);
    };
    let name = client.name.clone();
    let mut batch = Batch::new();
    let next = match due(told, expires, store.now()) {
        Due::Nothing(next) => return Ok(next),
        Due::Soon { left: days, next, told, .. } => {
            let data = data(expires, Some(days));
            store.add_event(&mut batch, EventKind::ClientSecretExpiring, subject(&client), data)?;
            letters::to_administrators(store, &mut batch, &Letter::ClientSecretExpiring { name, days, expires })?;
            tell(&mut client, told);
            next
        }
        Due::Over { told } => {
            store.add_event(&mut batch, EventKind::ClientSecretExpired, subject(&client), data(expires, None))?;
            letters::to_administrators(store, &mut batch, &Letter::ClientSecretExpired { name, expires })?;
            tell(&mut client, told);
            None
        }
    };
    batch.put_oauth_client(seen, &client)?;
    store.commit(batch)?;
    Ok(next)
}

fn tell(client: &mut ClientRecord, told: Told) {
    if let Some(secret) = &mut client.secret {
        secret.told = told;
    }
}

fn subject(client: &ClientRecord) -> EventSubject {
    EventSubject { kind: "oauth-client".into(), id: Some(client.id.clone()), name: Some(client.name.clone()) }
}

fn data(expires: u64, days: Option<u32>) -> Value {
    let mut data = Map::new();
    data.insert("expires".into(), timestamp::format(expires).into());
    if let Some(days) = days {
        data.insert("daysLeft".into(), days.into());
    }
    Value::Object(data)
}
