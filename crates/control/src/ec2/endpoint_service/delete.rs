//! `DeleteVpcEndpointServiceConfigurations`.

use linkway_model::endpoint_service::EndpointService;
use linkway_store::Transaction;
use linkway_wire::ec2::{
    DeleteVpcEndpointServiceConfigurationsRequest, DeleteVpcEndpointServiceConfigurationsResult,
};

use super::connected;
use crate::ec2::bulk;
use crate::error::EndpointError;
use crate::lookup::{own, parse};
use crate::{Caller, Control, Error};

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteVpcEndpointServiceConfigurationsRequest,
) -> Result<DeleteVpcEndpointServiceConfigurationsResult, Error> {
    for id in &input.service_ids {
        parse::<EndpointService>(id)?;
    }
    control.write(input.dry_run, |tx| {
        let unsuccessful = bulk::each(&input.service_ids, |id| delete_one(tx, caller, id))?;
        Ok(DeleteVpcEndpointServiceConfigurationsResult { unsuccessful })
    })
}

fn delete_one(tx: &mut Transaction, caller: &Caller, id: &str) -> Result<(), Error> {
    let service = own::<EndpointService>(tx, caller, id)
        .map_err(|_| EndpointError::NoServiceToDelete(id.to_owned()))?
        .clone();
    if connected(tx, &service.id).next().is_some() {
        return Err(EndpointError::ExistingConnections.into());
    }
    tx.delete::<EndpointService>(id);
    Ok(())
}
