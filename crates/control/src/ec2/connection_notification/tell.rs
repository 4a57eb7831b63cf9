//! Telling the topics of notifications what becomes of endpoints: a message each is put by in the transaction of what it
//! tells of, so that none is lost, and none tells of what did not happen.
//!
//! AWS documents which events there are, and no form of the messages; the one here is Linkway's own.

use linkway_model::connection_notification::{ConnectionNotification, NotificationSubject};
use linkway_model::notice::Notice;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{Timestamp, random_uuid};
use linkway_store::Transaction;
use serde_json::json;

/// Messages of an account that wait for one topic; when there are more, the oldest go.
const MAX_WAITING: usize = 1000;

/// What becomes of an endpoint. Source: `CreateVpcEndpointConnectionNotification` in the EC2 API reference.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    /// The provider has accepted it.
    Accept,
    /// It was made.
    Connect,
    /// It was deleted.
    Delete,
    /// The provider has rejected it.
    Reject,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::Accept => "Accept",
            Self::Connect => "Connect",
            Self::Delete => "Delete",
            Self::Reject => "Reject",
        }
    }
}

/// Tell of an event of the endpoint, as it is after it.
pub(crate) fn tell(tx: &mut Transaction, endpoint: &VpcEndpoint, event: Event, now: Timestamp) {
    let is_about = |subject: &NotificationSubject| match subject {
        NotificationSubject::Service(service) => *service == endpoint.service,
        NotificationSubject::Endpoint(id) => *id == endpoint.id,
    };
    let wanted: Vec<_> = tx
        .all::<ConnectionNotification>()
        .filter(|found| is_about(&found.subject) && found.events.iter().any(|wanted| wanted == event.name()))
        .cloned()
        .collect();
    for notification in wanted {
        let message = json!({
            "event": event.name(),
            "time": now.to_string(),
            "connectionNotificationId": notification.id,
            "vpcEndpointId": endpoint.id,
            "vpcEndpointConnectionId": endpoint.connection,
            "vpcEndpointOwner": endpoint.owner,
            "vpcEndpointRegion": endpoint.region,
            "vpcEndpointState": endpoint.state.name(),
            "serviceId": endpoint.service,
            "serviceName": endpoint.service_name,
        });
        make_room(tx, &notification);
        let number = tx.next_number("notice");
        tx.put(Notice {
            id: format!("{number:010}"),
            message_id: random_uuid(),
            topic: notification.topic.clone(),
            owner: notification.owner.clone(),
            subject: format!("{}: {}", event.name(), endpoint.id),
            message: message.to_string(),
            created: now,
        });
    }
}

fn make_room(tx: &mut Transaction, notification: &ConnectionNotification) {
    let ConnectionNotification { topic, owner, .. } = notification;
    let is_like = |notice: &Notice| notice.topic == *topic && notice.owner == *owner;
    let waiting: Vec<String> =
        tx.all::<Notice>().filter(|notice| is_like(notice)).map(|notice| notice.id.clone()).collect();
    for id in waiting.iter().take((waiting.len() + 1).saturating_sub(MAX_WAITING)) {
        tracing::error!(
            topic,
            "a notification is dropped: {MAX_WAITING} wait for the topic's webhook already"
        );
        tx.delete::<Notice>(id);
    }
}
