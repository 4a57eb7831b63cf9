//! Credentials that IAM users have on AWS and not here: passwords, SSH keys, certificates, MFA devices, and those of
//! single services. Who deletes a user looks for them first, as Ansible's `iam_user` does.

use linkway_model::iam;
use linkway_wire::iam::*;

use super::entity::own;
use super::user;
use crate::error::IamError;
use crate::{Caller, Control, Error};

/// Fails unless the user, if one is named, is there.
fn named(control: &Control, caller: &Caller, name: Option<&str>) -> Result<(), Error> {
    if name.is_some() {
        let state = control.read(None)?;
        own::<iam::User>(&state, caller, name)?;
    }
    Ok(())
}

/// The message is AWS's.
pub(super) fn login_profile(
    control: &Control,
    caller: &Caller,
    input: GetLoginProfileRequest,
) -> Result<GetLoginProfileResponse, Error> {
    let state = control.read(None)?;
    let name = user::name_or_own(&state, caller, input.user_name)?;
    own::<iam::User>(&state, caller, Some(&name))?;
    Err(IamError::NoSuchEntity(format!("Login Profile for User {name} cannot be found.")).into())
}

pub(super) fn ssh_public_keys(
    control: &Control,
    caller: &Caller,
    input: ListSSHPublicKeysRequest,
) -> Result<ListSSHPublicKeysResponse, Error> {
    named(control, caller, input.user_name.as_deref())?;
    Ok(ListSSHPublicKeysResponse { is_truncated: Some(false), ..ListSSHPublicKeysResponse::default() })
}

pub(super) fn service_specific(
    control: &Control,
    caller: &Caller,
    input: ListServiceSpecificCredentialsRequest,
) -> Result<ListServiceSpecificCredentialsResponse, Error> {
    named(control, caller, input.user_name.as_deref())?;
    Ok(ListServiceSpecificCredentialsResponse::default())
}

pub(super) fn signing_certificates(
    control: &Control,
    caller: &Caller,
    input: ListSigningCertificatesRequest,
) -> Result<ListSigningCertificatesResponse, Error> {
    named(control, caller, input.user_name.as_deref())?;
    Ok(ListSigningCertificatesResponse {
        is_truncated: Some(false),
        ..ListSigningCertificatesResponse::default()
    })
}

pub(super) fn mfa_devices(
    control: &Control,
    caller: &Caller,
    input: ListMFADevicesRequest,
) -> Result<ListMFADevicesResponse, Error> {
    named(control, caller, input.user_name.as_deref())?;
    Ok(ListMFADevicesResponse { is_truncated: Some(false), ..ListMFADevicesResponse::default() })
}
