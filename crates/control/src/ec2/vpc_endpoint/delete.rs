//! `DeleteVpcEndpoints`.
//!
//! An endpoint stops at once: nothing is delivered to what is `deleting`. Its interfaces stay until the packet
//! path has let go of them (the reconciler's part), so that no address is given away that still leads somewhere.

use linkway_model::Timestamp;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_store::Transaction;
use linkway_wire::ec2::{DeleteVpcEndpointsRequest, DeleteVpcEndpointsResult};

use crate::ec2::bulk;
use crate::ec2::connection_notification::{Event, tell};
use crate::error::EndpointError;
use crate::lookup::{own, parse};
use crate::{Caller, Control, Error};

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteVpcEndpointsRequest,
) -> Result<DeleteVpcEndpointsResult, Error> {
    for id in &input.vpc_endpoint_ids {
        parse::<VpcEndpoint>(id)?;
    }
    let now = control.now();
    control.write(input.dry_run, |tx| {
        let unsuccessful = bulk::each(&input.vpc_endpoint_ids, |id| delete_one(tx, caller, id, now))?;
        Ok(DeleteVpcEndpointsResult { unsuccessful })
    })
}

fn delete_one(tx: &mut Transaction, caller: &Caller, id: &str, now: Timestamp) -> Result<(), Error> {
    let endpoint = own::<VpcEndpoint>(tx, caller, id)
        .ok()
        .filter(|endpoint| endpoint.state != EndpointState::Deleted)
        .ok_or_else(|| EndpointError::NothingToDelete(id.to_owned()))?;
    if endpoint.state == EndpointState::Deleting {
        return Ok(());
    }
    let revision = tx.revision();
    tx.update::<VpcEndpoint>(id, |endpoint| {
        endpoint.state = EndpointState::Deleting;
        endpoint.since = revision;
    });
    if let Some(endpoint) = tx.get::<VpcEndpoint>(id).cloned() {
        tell(tx, &endpoint, Event::Delete, now);
    }
    Ok(())
}
