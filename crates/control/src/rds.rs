//! RDS: the registry of its operations.

mod absent;
mod arn;
mod engine;
mod filter;
mod instance;
mod name;
mod page;
mod parameter_group;
mod subnet_group;
mod tags;

use linkway_wire::rds::*;

use crate::Error;
use crate::registry::operations;

operations! {
    Rds {
        create_db_instance(CreateDBInstanceMessage) -> CreateDBInstanceResult = instance::create;
        describe_db_instances(DescribeDBInstancesMessage) -> DBInstanceMessage = instance::describe;
        delete_db_instance(DeleteDBInstanceMessage) -> DeleteDBInstanceResult = instance::delete;
        modify_db_instance(ModifyDBInstanceMessage) -> ModifyDBInstanceResult = instance::modify;
        start_db_instance(StartDBInstanceMessage) -> StartDBInstanceResult = instance::start;
        stop_db_instance(StopDBInstanceMessage) -> StopDBInstanceResult = instance::stop;
        reboot_db_instance(RebootDBInstanceMessage) -> RebootDBInstanceResult = instance::reboot;
        create_db_subnet_group(CreateDBSubnetGroupMessage) -> CreateDBSubnetGroupResult = subnet_group::create;
        describe_db_subnet_groups(DescribeDBSubnetGroupsMessage) -> DBSubnetGroupMessage = subnet_group::describe;
        modify_db_subnet_group(ModifyDBSubnetGroupMessage) -> ModifyDBSubnetGroupResult = subnet_group::modify;
        delete_db_subnet_group(DeleteDBSubnetGroupMessage) -> () = subnet_group::delete;
        create_db_parameter_group(CreateDBParameterGroupMessage) -> CreateDBParameterGroupResult = parameter_group::create;
        describe_db_parameter_groups(DescribeDBParameterGroupsMessage) -> DBParameterGroupsMessage = parameter_group::describe;
        describe_db_parameters(DescribeDBParametersMessage) -> DBParameterGroupDetails = parameter_group::describe_parameters;
        describe_engine_default_parameters(DescribeEngineDefaultParametersMessage) -> DescribeEngineDefaultParametersResult = parameter_group::describe_defaults;
        modify_db_parameter_group(ModifyDBParameterGroupMessage) -> DBParameterGroupNameMessage = parameter_group::modify;
        reset_db_parameter_group(ResetDBParameterGroupMessage) -> DBParameterGroupNameMessage = parameter_group::reset;
        delete_db_parameter_group(DeleteDBParameterGroupMessage) -> () = parameter_group::delete;
        add_tags_to_resource(AddTagsToResourceMessage) -> () = tags::add;
        remove_tags_from_resource(RemoveTagsFromResourceMessage) -> () = tags::remove;
        list_tags_for_resource(ListTagsForResourceMessage) -> TagListMessage = tags::list;
        describe_db_engine_versions(DescribeDBEngineVersionsMessage) -> DBEngineVersionMessage = engine::describe;
        describe_orderable_db_instance_options(DescribeOrderableDBInstanceOptionsMessage) -> OrderableDBInstanceOptionsMessage = engine::describe_orderable;
        describe_db_clusters(DescribeDBClustersMessage) -> DBClusterMessage = absent::clusters;
        describe_db_snapshots(DescribeDBSnapshotsMessage) -> DBSnapshotMessage = absent::snapshots;
        describe_pending_maintenance_actions(DescribePendingMaintenanceActionsMessage) -> PendingMaintenanceActionsMessage = absent::maintenance;
    }
}

/// A refusal under the code that this service has for most of them.
fn invalid(message: impl Into<String>) -> Error {
    Error::InvalidParameterValue(message.into())
}
