//! STS: the registry of its operations, and the one there is.

use linkway_wire::sts::{GetCallerIdentityRequest, GetCallerIdentityResponse, Sts};

use crate::registry::operations;
use crate::{Caller, Control, Error};

operations! {
    Sts {
        get_caller_identity(GetCallerIdentityRequest) -> GetCallerIdentityResponse = get_caller_identity;
    }
}

fn get_caller_identity(
    _: &Control,
    caller: &Caller,
    _: GetCallerIdentityRequest,
) -> Result<GetCallerIdentityResponse, Error> {
    Ok(GetCallerIdentityResponse {
        account: Some(caller.account.to_string()),
        arn: Some(caller.principal.clone()),
        user_id: Some(caller.user_id.clone()),
    })
}
