//! `ModifyTargetGroup`: its health checks.

use linkway_model::load_balancer::TargetGroup;
use linkway_wire::elbv2::{ModifyTargetGroupInput, ModifyTargetGroupOutput};

use super::{describe, health_check};
use crate::elbv2::arn;
use crate::{Caller, Control, Error};

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyTargetGroupInput,
) -> Result<ModifyTargetGroupOutput, Error> {
    control.write(None, |tx| {
        let before = arn::required::<TargetGroup>(tx, caller, input.target_group_arn.as_deref())?;
        let mut group = TargetGroup::clone(before);
        group.health_check = health_check::changed(group.health_check, &(&input).into())?;
        let shape = describe::shape(tx, &group);
        tx.update::<TargetGroup>(group.arn.clone(), |kept| kept.health_check = group.health_check);
        Ok(ModifyTargetGroupOutput { target_groups: vec![shape] })
    })
}
