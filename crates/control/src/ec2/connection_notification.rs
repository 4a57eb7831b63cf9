//! Connection notifications, of services by their providers and of endpoints by their owners. What they tell is put by
//! for the daemon, which delivers it.

mod tell;

use linkway_model::connection_notification::{ConnectionNotification, NotificationSubject};
use linkway_model::endpoint_service::EndpointService;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{ConnectionNotificationId, Snapshot, Tags};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    ConnectionNotification as ConnectionNotificationShape, CreateVpcEndpointConnectionNotificationRequest,
    CreateVpcEndpointConnectionNotificationResult, DeleteVpcEndpointConnectionNotificationsRequest,
    DeleteVpcEndpointConnectionNotificationsResult, DescribeVpcEndpointConnectionNotificationsRequest,
    DescribeVpcEndpointConnectionNotificationsResult, ModifyVpcEndpointConnectionNotificationRequest,
    ModifyVpcEndpointConnectionNotificationResult,
};

use crate::ec2::bulk;
use crate::ec2::vpc_endpoint::filter_errors;
use crate::error::EndpointError;
use crate::filter::{Field, Filters, fields, many, one};
use crate::idempotency::once;
use crate::lookup::{own, required};
use crate::page::{Limits, Page};
use crate::{Caller, Control, Error};

pub(crate) use tell::{Event, tell};

/// What can be told of an endpoint.
const EVENTS: [&str; 4] = ["Accept", "Connect", "Delete", "Reject"];

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateVpcEndpointConnectionNotificationRequest,
) -> Result<CreateVpcEndpointConnectionNotificationResult, Error> {
    let (token, dry_run, now) = (input.client_token.take(), input.dry_run.take(), control.now());
    control.write(dry_run, |tx| {
        let make = |tx: &mut Transaction| make(tx, caller, &input);
        let operation = "CreateVpcEndpointConnectionNotification";
        let id = once::<ConnectionNotification>(tx, caller, now, operation, token.as_deref(), &input, make)?;
        Ok(CreateVpcEndpointConnectionNotificationResult {
            client_token: token.clone(),
            connection_notification: tx.get::<ConnectionNotification>(&id).map(|found| shape(found)),
        })
    })
}

fn make(
    tx: &mut Transaction,
    caller: &Caller,
    input: &CreateVpcEndpointConnectionNotificationRequest,
) -> Result<String, Error> {
    let subject = match (&input.service_id, &input.vpc_endpoint_id) {
        (Some(id), None) => NotificationSubject::Service(own::<EndpointService>(tx, caller, id)?.id.clone()),
        (None, Some(id)) => NotificationSubject::Endpoint(own::<VpcEndpoint>(tx, caller, id)?.id.clone()),
        (Some(_), Some(_)) => {
            return Err(Error::InvalidParameterCombination(
                "The parameters ServiceId and VpcEndpointId exclude each other.".into(),
            ));
        }
        (None, None) => return Err(Error::MissingParameter("ServiceId or VpcEndpointId")),
    };
    let notification = ConnectionNotification {
        id: ConnectionNotificationId::random(),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        subject,
        topic: topic(required(input.connection_notification_arn.as_deref(), "ConnectionNotificationArn")?)?,
        events: events(&input.connection_events)?,
    };
    let id = notification.id.to_string();
    tx.put(notification);
    Ok(id)
}

/// The ARN of an SNS topic: `arn:aws:sns:REGION:ACCOUNT:NAME`.
pub(crate) fn topic(arn: &str) -> Result<String, Error> {
    match arn.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", "aws", "sns", region, account, name]
            if ![*region, *account, *name].iter().any(|part| part.is_empty()) =>
        {
            Ok(arn.to_owned())
        }
        _ => Err(Error::InvalidParameter(format!(
            "The connection notification ARN {arn} is not the ARN of an SNS topic."
        ))),
    }
}

/// The events asked for, each once, in AWS's order.
fn events(given: &[String]) -> Result<Vec<String>, Error> {
    if given.is_empty() {
        return Err(Error::MissingParameter("ConnectionEvents"));
    }
    if let Some(unknown) = given.iter().find(|event| !EVENTS.contains(&event.as_str())) {
        return Err(Error::InvalidParameter(format!(
            "The connection event {unknown} is not valid. Valid values: {}.",
            EVENTS.join(", ")
        )));
    }
    let asked = |event: &&str| given.iter().any(|given| given == event);
    Ok(EVENTS.into_iter().filter(asked).map(str::to_owned).collect())
}

/// The caller's notification of an id.
fn find<'a>(state: &'a Snapshot, caller: &Caller, id: &str) -> Result<&'a ConnectionNotification, Error> {
    state
        .get::<ConnectionNotification>(id)
        .filter(|found| is_own(found, caller))
        .map(AsRef::as_ref)
        .ok_or_else(|| EndpointError::NotificationNotFound(id.to_owned()).into())
}

fn is_own(found: &ConnectionNotification, caller: &Caller) -> bool {
    found.owner == caller.account && found.region == caller.region
}

const FIELDS: &[Field<ConnectionNotification>] = fields! {
    "connection-notification-arn" => |_, found| one(&found.topic);
    "connection-notification-id" => |_, found| one(&found.id);
    "connection-notification-state" => |_, _| one(ENABLED);
    "connection-notification-type" => |_, _| one(TOPIC);
    "service-id" => |_, found| many(match &found.subject {
        NotificationSubject::Service(id) => Some(id),
        NotificationSubject::Endpoint(_) => None,
    });
    "vpc-endpoint-id" => |_, found| many(match &found.subject {
        NotificationSubject::Service(_) => None,
        NotificationSubject::Endpoint(id) => Some(id),
    });
};

const ENABLED: &str = "Enabled";
const TOPIC: &str = "Topic";

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeVpcEndpointConnectionNotificationsRequest,
) -> Result<DescribeVpcEndpointConnectionNotificationsResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(FIELDS, &input.filters).map_err(filter_errors)?;
    if let Some(id) = &input.connection_notification_id {
        find(&state, caller, id)?;
    }
    let found = state
        .all::<ConnectionNotification>()
        .filter(|found| is_own(found, caller))
        .filter(|found| input.connection_notification_id.as_ref().is_none_or(|id| found.id.as_str() == id))
        .filter(|found| filters.matches(&state, found, &Tags::new()));
    let limits = Limits { least: 1, most: 1000, clamp: true };
    let page = Page::new(limits, input.max_results, &input.next_token);
    let (found, next_token) = page.cut(found, |found| found.id.to_string())?;
    let connection_notification_set = found.iter().map(|found| shape(found)).collect();
    Ok(DescribeVpcEndpointConnectionNotificationsResult { connection_notification_set, next_token })
}

fn shape(found: &ConnectionNotification) -> ConnectionNotificationShape {
    let (service, endpoint) = match &found.subject {
        NotificationSubject::Service(id) => (Some(id.to_string()), None),
        NotificationSubject::Endpoint(id) => (None, Some(id.to_string())),
    };
    ConnectionNotificationShape {
        connection_events: found.events.clone(),
        connection_notification_arn: Some(found.topic.clone()),
        connection_notification_id: Some(found.id.to_string()),
        connection_notification_state: Some(ENABLED.into()),
        connection_notification_type: Some(TOPIC.into()),
        service_id: service,
        service_region: Some(found.region.clone()),
        vpc_endpoint_id: endpoint,
    }
}

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyVpcEndpointConnectionNotificationRequest,
) -> Result<ModifyVpcEndpointConnectionNotificationResult, Error> {
    let id = required(input.connection_notification_id.as_deref(), "ConnectionNotificationId")?;
    control.write(input.dry_run, |tx| {
        let mut notification = find(tx, caller, id)?.clone();
        if let Some(arn) = &input.connection_notification_arn {
            notification.topic = topic(arn)?;
        }
        if !input.connection_events.is_empty() {
            notification.events = events(&input.connection_events)?;
        }
        tx.put(notification);
        Ok(ModifyVpcEndpointConnectionNotificationResult { return_value: Some(true) })
    })
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteVpcEndpointConnectionNotificationsRequest,
) -> Result<DeleteVpcEndpointConnectionNotificationsResult, Error> {
    if input.connection_notification_ids.is_empty() {
        return Err(Error::MissingParameter("ConnectionNotificationId"));
    }
    control.write(input.dry_run, |tx| {
        let unsuccessful = bulk::each(&input.connection_notification_ids, |id| {
            find(tx, caller, id)?;
            tx.delete::<ConnectionNotification>(id);
            Ok(())
        })?;
        Ok(DeleteVpcEndpointConnectionNotificationsResult { unsuccessful })
    })
}
