//! Connection notifications: who is told what becomes of an endpoint, or of a service's endpoints.

use serde::{Deserialize, Serialize};

use crate::{AccountId, ConnectionNotificationId, EndpointServiceId, VpcEndpointId};

/// A connection notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionNotification {
    /// Its id.
    pub id: ConnectionNotificationId,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// What it is about.
    pub subject: NotificationSubject,
    /// ARN of the SNS topic that is told.
    pub topic: String,
    /// Of what: `Accept`, `Connect`, `Delete`, `Reject`.
    pub events: Vec<String>,
}

/// What a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationSubject {
    /// All endpoints of a service: its provider's.
    Service(EndpointServiceId),
    /// One endpoint: its owner's.
    Endpoint(VpcEndpointId),
}
