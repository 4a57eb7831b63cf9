//! `DeleteTargetGroup`.

use linkway_model::load_balancer::TargetGroup;
use linkway_wire::elbv2::{DeleteTargetGroupInput, DeleteTargetGroupOutput};

use super::listeners_of;
use crate::elbv2::arn;
use crate::error::LoadBalancingError;
use crate::{Caller, Control, Error};

/// A group that is gone is deleted again without an error.
pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteTargetGroupInput,
) -> Result<DeleteTargetGroupOutput, Error> {
    control.write(None, |tx| {
        let group = match arn::required::<TargetGroup>(tx, caller, input.target_group_arn.as_deref()) {
            Ok(group) => group.clone(),
            Err(Error::LoadBalancing(LoadBalancingError::TargetGroupNotFound)) => {
                return Ok(DeleteTargetGroupOutput {});
            }
            Err(error) => return Err(error),
        };
        if listeners_of(tx, &group).next().is_some() {
            return Err(LoadBalancingError::ResourceInUse(format!(
                "Target group '{}' is currently in use by a listener or a rule",
                group.arn
            ))
            .into());
        }
        tx.delete::<TargetGroup>(&group.arn);
        Ok(DeleteTargetGroupOutput {})
    })
}
