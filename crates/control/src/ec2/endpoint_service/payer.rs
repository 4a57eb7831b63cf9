//! Who pays for a service's endpoints. Nobody does here; what is said is shown.

use linkway_model::endpoint_service::EndpointService;
use linkway_wire::ec2::{
    ModifyVpcEndpointServicePayerResponsibilityRequest, ModifyVpcEndpointServicePayerResponsibilityResult,
};

use crate::lookup::{named, required};
use crate::{Caller, Control, Error};

/// The one responsibility that a request can name; without any, endpoints' owners pay.
const SERVICE_OWNER: &str = "ServiceOwner";

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyVpcEndpointServicePayerResponsibilityRequest,
) -> Result<ModifyVpcEndpointServicePayerResponsibilityResult, Error> {
    let given = required(input.payer_responsibility.as_deref(), "PayerResponsibility")?;
    if given != SERVICE_OWNER {
        return Err(Error::InvalidParameterValue(format!(
            "Value ({given}) for parameter PayerResponsibility is invalid. Valid values: {SERVICE_OWNER}."
        )));
    }
    control.write(input.dry_run, |tx| {
        let id = named::<EndpointService>(tx, caller, input.service_id.as_deref(), "ServiceId")?.id.clone();
        tx.update::<EndpointService>(id, |service| service.owner_pays = true);
        Ok(ModifyVpcEndpointServicePayerResponsibilityResult { return_value: Some(true) })
    })
}

/// The responsibility as responses carry it.
pub(crate) fn responsibility(service: &EndpointService) -> Option<String> {
    service.owner_pays.then(|| SERVICE_OWNER.to_owned())
}
