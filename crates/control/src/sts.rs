//! STS: the registry of its operations, and the small ones.

mod assume_role;
mod credentials;
mod instance_role;
mod session_token;

pub use instance_role::{InstanceCredentials, profile_of, role_of};
use linkway_model::account::AccessKey;
use linkway_model::session::Session;
use linkway_wire::sts::*;

use crate::error::IamError;
use crate::registry::operations;
use crate::{Caller, Control, Error};

operations! {
    Sts {
        get_caller_identity(GetCallerIdentityRequest) -> GetCallerIdentityResponse = get_caller_identity;
        assume_role(AssumeRoleRequest) -> AssumeRoleResponse = assume_role::assume;
        get_session_token(GetSessionTokenRequest) -> GetSessionTokenResponse = session_token::get;
        get_federation_token(GetFederationTokenRequest) -> GetFederationTokenResponse = session_token::federate;
        get_access_key_info(GetAccessKeyInfoRequest) -> GetAccessKeyInfoResponse = get_access_key_info;
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

fn get_access_key_info(
    control: &Control,
    _: &Caller,
    input: GetAccessKeyInfoRequest,
) -> Result<GetAccessKeyInfoResponse, Error> {
    let id = input.access_key_id.unwrap_or_default();
    let state = control.read(None)?;
    let lasting = state.get::<AccessKey>(&id).map(|key| &key.account);
    let account = lasting.or_else(|| state.get::<Session>(&id).map(|session| &session.account));
    match account {
        Some(account) => Ok(GetAccessKeyInfoResponse { account: Some(account.to_string()) }),
        None => Err(IamError::Validation(format!("The access key {id} belongs to no account here.")).into()),
    }
}
