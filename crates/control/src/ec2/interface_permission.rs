//! Permissions to network interfaces for other accounts and AWS services. They are kept and shown.

use linkway_model::interface_permission::NetworkInterfacePermission;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::{AccountId, NetworkInterfacePermissionId, Snapshot, Tags};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateNetworkInterfacePermissionRequest, CreateNetworkInterfacePermissionResult,
    DeleteNetworkInterfacePermissionRequest, DeleteNetworkInterfacePermissionResult,
    DescribeNetworkInterfacePermissionsRequest, DescribeNetworkInterfacePermissionsResult,
    NetworkInterfacePermission as PermissionShape, NetworkInterfacePermissionState,
};

use crate::error::NetworkError;
use crate::filter::{Field, Filters, fields, many, one};
use crate::lookup::{named, required};
use crate::page::{Limits, Page};
use crate::{Caller, Control, Error};

const FILTERS: &[Field<NetworkInterfacePermission>] = fields! {
    "network-interface-permission.aws-account-id" => |_, found| many(found.account.as_ref());
    "network-interface-permission.aws-service" => |_, found| many(found.service.as_ref());
    "network-interface-permission.network-interface-id" => |_, found| one(&found.interface);
    "network-interface-permission.network-interface-permission-id" => |_, found| one(&found.id);
    "network-interface-permission.permission" => |_, found| one(&found.permission);
};

/// Permissions of interfaces that are gone go, too.
pub(crate) fn reconcile(tx: &mut Transaction) {
    let orphans: Vec<_> = tx
        .all::<NetworkInterfacePermission>()
        .filter(|found| tx.get::<NetworkInterface>(&found.interface).is_none())
        .map(|found| found.id.clone())
        .collect();
    for id in orphans {
        tx.delete::<NetworkInterfacePermission>(id);
    }
}

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateNetworkInterfacePermissionRequest,
) -> Result<CreateNetworkInterfacePermissionResult, Error> {
    let permission = required(input.permission.clone(), "Permission")?;
    if !["INSTANCE-ATTACH", "EIP-ASSOCIATE"].contains(&permission.as_str()) {
        return Err(Error::InvalidParameterValue(format!(
            "Value ({permission}) for parameter permission is invalid."
        )));
    }
    let malformed = |id: &String| Error::InvalidParameterValue(format!("Invalid account ID: {id}"));
    let account: Option<AccountId> =
        input.aws_account_id.as_ref().map(|id| id.parse().map_err(|_| malformed(id))).transpose()?;
    if account.is_some() == input.aws_service.is_some() {
        return Err(match account {
            Some(_) => Error::InvalidParameterCombination(
                "The parameters AwsAccountId and AwsService exclude each other.".into(),
            ),
            None => Error::MissingParameter("AwsAccountId"),
        });
    }
    control.write(input.dry_run, |tx| {
        let id = input.network_interface_id.as_deref();
        let interface = named::<NetworkInterface>(tx, caller, id, "NetworkInterfaceId")?.id.clone();
        let same = |other: &NetworkInterfacePermission| {
            other.interface == interface
                && other.permission == permission
                && other.account == account
                && other.service == input.aws_service
        };
        let present = tx.all::<NetworkInterfacePermission>().find(|other| same(other)).cloned();
        let given = match present {
            Some(present) => NetworkInterfacePermission::clone(&present),
            None => NetworkInterfacePermission {
                id: NetworkInterfacePermissionId::random(),
                owner: caller.account.clone(),
                region: caller.region.clone(),
                interface,
                account: account.clone(),
                service: input.aws_service.clone(),
                permission: permission.clone(),
            },
        };
        tx.put(given.clone());
        Ok(CreateNetworkInterfacePermissionResult { interface_permission: Some(shape(&given)) })
    })
}

/// The caller's permission of an id.
fn find<'a>(state: &'a Snapshot, caller: &Caller, id: &str) -> Result<&'a NetworkInterfacePermission, Error> {
    state
        .get::<NetworkInterfacePermission>(id)
        .filter(|found| is_own(found, caller))
        .map(AsRef::as_ref)
        .ok_or_else(|| NetworkError::InterfacePermissionNotFound(id.to_owned()).into())
}

fn is_own(found: &NetworkInterfacePermission, caller: &Caller) -> bool {
    found.owner == caller.account && found.region == caller.region
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeNetworkInterfacePermissionsRequest,
) -> Result<DescribeNetworkInterfacePermissionsResult, Error> {
    let state = control.read(None)?;
    let filters = Filters::new(FILTERS, &input.filters)?;
    let ids = &input.network_interface_permission_ids;
    for id in ids {
        find(&state, caller, id)?;
    }
    let found = state.all::<NetworkInterfacePermission>().filter(|found| {
        is_own(found, caller)
            && (ids.is_empty() || ids.iter().any(|id| id == found.id.as_str()))
            && filters.matches(&state, found, &Tags::new())
    });
    let limits = Limits { least: 5, most: 255, clamp: false };
    let (found, next_token) =
        Page::new(limits, input.max_results, &input.next_token).cut(found, |found| found.id.to_string())?;
    let network_interface_permissions = found.iter().map(|found| shape(found)).collect();
    Ok(DescribeNetworkInterfacePermissionsResult { network_interface_permissions, next_token })
}

fn shape(found: &NetworkInterfacePermission) -> PermissionShape {
    PermissionShape {
        aws_account_id: found.account.as_ref().map(ToString::to_string),
        aws_service: found.service.clone(),
        network_interface_id: Some(found.interface.to_string()),
        network_interface_permission_id: Some(found.id.to_string()),
        permission: Some(found.permission.clone()),
        permission_state: Some(NetworkInterfacePermissionState {
            state: Some("granted".into()),
            status_message: None,
        }),
    }
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteNetworkInterfacePermissionRequest,
) -> Result<DeleteNetworkInterfacePermissionResult, Error> {
    control.write(input.dry_run, |tx| {
        let id = required(input.network_interface_permission_id.as_deref(), "NetworkInterfacePermissionId")?;
        let id = find(tx, caller, id)?.id.clone();
        tx.delete::<NetworkInterfacePermission>(id);
        Ok(DeleteNetworkInterfacePermissionResult { return_: Some(true) })
    })
}
