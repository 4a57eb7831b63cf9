//! Who may connect to a service.

use linkway_model::endpoint_service::{EndpointService, ServicePermission};
use linkway_model::{AccountId, ServicePermissionId, Tags};
use linkway_wire::ec2::{
    AddedPrincipal, AllowedPrincipal, DescribeVpcEndpointServicePermissionsRequest,
    DescribeVpcEndpointServicePermissionsResult, Filter, ModifyVpcEndpointServicePermissionsRequest,
    ModifyVpcEndpointServicePermissionsResult,
};

use super::FROM_5_TO_1000;
use crate::ec2::vpc_endpoint::filter_errors;
use crate::error::EndpointError;
use crate::filter::{Field, Filters, fields, one};
use crate::lookup::named;
use crate::page::Page;
use crate::{Caller, Control, Error, tags};

/// `ModifyVpcEndpointServicePermissions`. Connections that are there stay, whatever is removed.
pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyVpcEndpointServicePermissionsRequest,
) -> Result<ModifyVpcEndpointServicePermissionsResult, Error> {
    for principal in input.add_allowed_principals.iter().chain(&input.remove_allowed_principals) {
        principal_type(principal).ok_or_else(|| {
            Error::InvalidParameter(format!(
                "The principal {principal} is not valid: it is *, or the ARN of an account's root, of a user or of \
                 a role, without a path."
            ))
        })?;
    }
    control.write(input.dry_run, |tx| {
        let before = named::<EndpointService>(tx, caller, input.service_id.as_deref(), "ServiceId")?;
        let mut service = EndpointService::clone(before);
        service.permissions.retain(|there| !input.remove_allowed_principals.contains(&there.principal));
        let mut added_principals = Vec::new();
        for principal in &input.add_allowed_principals {
            if service.permissions.iter().any(|there| there.principal == *principal) {
                continue;
            }
            let id = ServicePermissionId::random();
            added_principals.push(AddedPrincipal {
                principal: Some(principal.clone()),
                principal_type: principal_type(principal).map(str::to_owned),
                service_id: Some(service.id.to_string()),
                service_permission_id: Some(id.to_string()),
            });
            service.permissions.push(ServicePermission {
                id,
                principal: principal.clone(),
                tags: Tags::new(),
            });
        }
        tx.put(service);
        Ok(ModifyVpcEndpointServicePermissionsResult { added_principals, return_value: Some(true) })
    })
}

/// AWS's word for what a principal is; `None`: nothing that may be permitted.
fn principal_type(principal: &str) -> Option<&'static str> {
    if principal == "*" {
        return Some("All");
    }
    let (account, name) = principal.strip_prefix("arn:aws:iam::")?.split_once(':')?;
    account.parse::<AccountId>().ok()?;
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
    };
    match name.split_once('/') {
        None if name == "root" => Some("Account"),
        Some(("user", name)) if is_name(name) => Some("User"),
        Some(("role", name)) if is_name(name) => Some("Role"),
        _ => None,
    }
}

const FIELDS: &[Field<ServicePermission>] = fields! {
    "principal" => |_, permission| one(&permission.principal);
    "principal-type" => |_, permission| one(principal_type(&permission.principal).unwrap_or_default());
};

/// `DescribeVpcEndpointServicePermissions`.
pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeVpcEndpointServicePermissionsRequest,
) -> Result<DescribeVpcEndpointServicePermissionsResult, Error> {
    let state = control.read(input.dry_run)?;
    let service = named::<EndpointService>(&state, caller, input.service_id.as_deref(), "ServiceId")?;
    no_arns(&input.filters)?;
    let filters = Filters::new(FIELDS, &input.filters).map_err(filter_errors)?;
    let mut found: Vec<&ServicePermission> = service
        .permissions
        .iter()
        .filter(|permission| filters.matches(&state, permission, &permission.tags))
        .collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let page = Page::new(FROM_5_TO_1000, input.max_results, &input.next_token);
    let (found, next_token) = page.cut(found, |permission| permission.id.to_string())?;
    let shape = |permission: &&ServicePermission| AllowedPrincipal {
        principal: Some(permission.principal.clone()),
        principal_type: principal_type(&permission.principal).map(str::to_owned),
        service_id: Some(service.id.to_string()),
        service_permission_id: Some(permission.id.to_string()),
        tags: tags::shape(&permission.tags),
    };
    Ok(DescribeVpcEndpointServicePermissionsResult {
        allowed_principals: found.iter().map(shape).collect(),
        next_token,
    })
}

/// AWS documents ARNs as the values of `principal`, and refuses them.
fn no_arns(filters: &[Filter]) -> Result<(), Error> {
    let principals = filters.iter().filter(|filter| filter.name.as_deref() == Some("principal"));
    match principals.flat_map(|filter| &filter.values).find(|value| value.contains([':', '/'])) {
        Some(value) => Err(EndpointError::InvalidFilterValue(value.clone()).into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::principal_type;

    #[test]
    fn principals_are_accounts_users_and_roles() {
        assert_eq!(principal_type("*"), Some("All"));
        assert_eq!(principal_type("arn:aws:iam::123456789012:root"), Some("Account"));
        assert_eq!(principal_type("arn:aws:iam::123456789012:user/alice@example.com"), Some("User"));
        assert_eq!(principal_type("arn:aws:iam::123456789012:role/Deploy"), Some("Role"));
        for bad in [
            "",
            "123456789012",
            "arn:aws:iam::12345:root",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/team/Deploy",
            "arn:aws:iam::123456789012:group/x",
            "arn:aws:sts::123456789012:root",
        ] {
            assert_eq!(principal_type(bad), None, "{bad}");
        }
    }
}
