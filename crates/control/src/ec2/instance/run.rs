//! `RunInstances`.

use std::collections::BTreeMap;
use std::sync::Arc;

use linkway_model::image::{Image, ImageState};
use linkway_model::instance::{Instance, InstanceState};
use linkway_model::instance_type::InstanceType;
use linkway_model::key_pair::KeyPair;
use linkway_model::launch::{Kept, Launch, LaunchKey, MetadataOptions, NameOptions, ShutdownBehavior};
use linkway_model::vpc::Vpc;
use linkway_model::{ImageId, InstanceId, ReservationId, Snapshot, Tags, VolumeId};
use linkway_store::Transaction;
use linkway_wire::ec2::{Reservation, RunInstancesRequest};

use super::network::{Plan, groups};
use super::{profile, settings, shape};
use crate::ec2::{default_vpc, image, key_pair, volume};
use crate::error::InstanceError;
use crate::idempotency::once;
use crate::lookup::{Owned, not_found, required};
use crate::{Caller, Control, Error, tags};

/// Instances that an account may have in a region, those that are not terminated counted: each is processes of this
/// host. AWS counts virtual processors instead.
const MAX_INSTANCES: usize = 64;

/// Types of resources that a launch makes and can tag.
const TAGGED: [&str; 3] = ["instance", "volume", "network-interface"];

pub(crate) fn run(
    control: &Control,
    caller: &Caller,
    mut input: RunInstancesRequest,
) -> Result<Reservation, Error> {
    forget_empty(&mut input);
    check_supported(&input)?;
    let client_token = input.client_token.take().filter(|token| !token.is_empty());
    control.write(input.dry_run.take(), |tx| {
        default_vpc::ensure(tx, caller);
        let token = client_token.as_deref();
        let make = |tx: &mut Transaction| launch(control, caller, tx, &input, token);
        let first = once::<Instance>(tx, caller, control.now(), "RunInstances", token, &input, make)?;
        let first = tx.get::<Instance>(&first).cloned().ok_or_else(|| not_found::<Instance>(first))?;
        if first.state == InstanceState::Terminated {
            return Err(InstanceError::IdempotentInstanceTerminated.into());
        }
        let instances: Vec<Arc<Instance>> =
            tx.all::<Instance>().filter(|other| other.reservation == first.reservation).cloned().collect();
        shape::reservations(tx, &instances).pop().ok_or_else(|| not_found::<Instance>(first.id.as_str()))
    })
}

/// Take texts that are empty for what is not there, as AWS does: Terraform's provider sends a placement of them.
fn forget_empty(input: &mut RunInstancesRequest) {
    let placement = input.placement.get_or_insert_default();
    let texts = [
        &mut placement.affinity,
        &mut placement.availability_zone,
        &mut placement.availability_zone_id,
        &mut placement.group_id,
        &mut placement.group_name,
        &mut placement.host_id,
        &mut placement.host_resource_group_arn,
        &mut placement.spread_domain,
        &mut placement.tenancy,
        &mut input.key_name,
        &mut input.subnet_id,
        &mut input.private_ip_address,
        &mut input.instance_initiated_shutdown_behavior,
    ];
    for text in texts {
        text.take_if(|text| text.is_empty());
    }
}

/// What a launch makes of its parameters once, for all of its instances.
struct Model<'a> {
    image: Arc<Image>,
    found: &'static InstanceType,
    plan: Plan<'a>,
    user_data: Vec<u8>,
    key: Option<LaunchKey>,
    profile: Option<profile::Profile>,
    metadata: MetadataOptions,
    shutdown_behavior: ShutdownBehavior,
    names: NameOptions,
    volumes: Vec<volume::Wanted>,
    kept: Kept,
    tags: BTreeMap<&'a str, Tags>,
}

/// Make the instances. Returns the id of the first.
fn launch(
    control: &Control,
    caller: &Caller,
    tx: &mut Transaction,
    input: &RunInstancesRequest,
    client_token: Option<&str>,
) -> Result<String, Error> {
    let (least, most) = counts(input)?;
    let groups = groups(tx, caller, input)?;
    let model = Model::read(control, tx, caller, input, &groups)?;
    model.plan.check(most, model.found)?;
    let count = usize::try_from(most).unwrap_or(0).min(quota(tx, caller)).min(model.plan.room(tx));
    if count < usize::try_from(least).unwrap_or(0) {
        return Err(match quota(tx, caller) {
            left if left < usize::try_from(least).unwrap_or(0) => {
                InstanceError::InstanceLimitExceeded { left, asked: least }.into()
            }
            _ => Error::InsufficientFreeAddresses,
        });
    }
    let reservation = ReservationId::random();
    let mut first = None;
    for index in 0..count {
        let instance = model.make(control, caller, tx, input, client_token, &reservation, index)?;
        first.get_or_insert(instance);
    }
    first.map(String::from).ok_or(Error::MissingParameter("MinCount"))
}

/// How many instances a request asks for, at least and at most.
fn counts(input: &RunInstancesRequest) -> Result<(i32, i32), Error> {
    let least = required(input.min_count, "MinCount")?;
    let most = required(input.max_count, "MaxCount")?;
    let refuse = |value, parameter| {
        Err(Error::InvalidParameterValue(format!(
            "Value ({value}) for parameter {parameter} is invalid. Expecting a value greater than 0."
        )))
    };
    match (least, most) {
        (..=0, _) => refuse(least, "minCount"),
        (_, ..=0) => refuse(most, "maxCount"),
        (least, most) if least > most => Err(Error::InvalidParameterValue(format!(
            "Value ({least}) for parameter minCount is invalid. It may not be greater than maxCount ({most})."
        ))),
        counts => Ok(counts),
    }
}

/// How many more instances the caller may have.
fn quota(state: &Snapshot, caller: &Caller) -> usize {
    let live = |instance: &&Arc<Instance>| {
        instance.launch.is_some()
            && instance.state != InstanceState::Terminated
            && instance.belongs_to(caller)
    };
    MAX_INSTANCES.saturating_sub(state.all::<Instance>().filter(live).count())
}

impl<'a> Model<'a> {
    fn read(
        control: &Control,
        tx: &Transaction,
        caller: &Caller,
        input: &'a RunInstancesRequest,
        groups: &'a [String],
    ) -> Result<Self, Error> {
        let image = image_of(tx, caller, input.image_id.as_deref())?;
        let found = settings::instance_type(input.instance_type.as_deref())?;
        settings::check_architecture(found, &image.architecture)?;
        let key = input.key_name.as_deref().map(|name| key_of(tx, caller, name)).transpose()?;
        let plan = Plan::read(tx, caller, input, groups)?;
        let vpc = tx.get::<Vpc>(&plan.subnet.vpc);
        let vpc = vpc.ok_or_else(|| not_found::<Vpc>(plan.subnet.vpc.as_str()))?;
        let profile = input.iam_instance_profile.as_ref();
        let metadata = input.metadata_options.clone().unwrap_or_default();
        Ok(Self {
            found,
            user_data: settings::user_data(input.user_data.as_deref())?,
            key,
            profile: profile.map(|given| profile::Profile::find(control, tx, caller, given)).transpose()?,
            metadata: settings::metadata(MetadataOptions::default(), &metadata)?,
            shutdown_behavior: settings::shutdown_behavior(
                input.instance_initiated_shutdown_behavior.as_deref(),
            )?,
            names: settings::names(input.private_dns_name_options.as_ref(), &plan.subnet)?,
            volumes: volume::wanted(&image, &input.block_device_mappings)?,
            kept: settings::kept(input, found, &vpc.tenancy)?,
            tags: tags::specified_by_type(&input.tag_specifications, &TAGGED)?,
            image,
            plan,
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what all instances of a launch share, and what tells them apart"
    )]
    fn make(
        &self,
        control: &Control,
        caller: &Caller,
        tx: &mut Transaction,
        input: &RunInstancesRequest,
        client_token: Option<&str>,
        reservation: &ReservationId,
        index: usize,
    ) -> Result<InstanceId, Error> {
        let now = control.now();
        let id = InstanceId::random();
        let tags = |kind: &str| self.tags.get(kind).cloned().unwrap_or_default();
        let interface = self.plan.make(tx, caller, &id, now, &tags("network-interface"))?;
        let volumes = self.volumes.iter().map(|wanted| wanted.make(VolumeId::random(), now, tags("volume")));
        let launch = Launch {
            image: self.image.id.clone(),
            instance_type: self.found.name.to_owned(),
            index: i32::try_from(index).unwrap_or(i32::MAX),
            client_token: client_token.map(str::to_owned),
            user_data: self.user_data.clone(),
            key: self.key.clone(),
            profile: self.profile.as_ref().map(|profile| profile.associate(now)),
            metadata: self.metadata,
            shutdown_behavior: self.shutdown_behavior,
            termination_protection: input.disable_api_termination.unwrap_or(false),
            stop_protection: input.disable_api_stop.unwrap_or(false),
            names: self.names.clone(),
            volumes: volumes.collect(),
            kept: self.kept.clone(),
            boot: 1,
            booted: None,
            abruptly: false,
        };
        let subnet = &self.plan.subnet;
        tx.put(Instance {
            id: id.clone(),
            reservation: reservation.clone(),
            owner: subnet.owner.clone(),
            region: subnet.region.clone(),
            vpc: subnet.vpc.clone(),
            subnet: subnet.id.clone(),
            zone: subnet.zone.clone(),
            interface,
            command: Vec::new(),
            launch: Some(Box::new(launch)),
            process: None,
            state: InstanceState::Pending,
            cause: None,
            reason: String::new(),
            launched: now,
            ended: None,
            tags: tags("instance"),
        });
        Ok(id)
    }
}

/// The image that a launch names, if instances can be made of it.
fn image_of(state: &Snapshot, caller: &Caller, id: Option<&str>) -> Result<Arc<Image>, Error> {
    let id: ImageId = crate::lookup::parse::<Image>(required(id, "ImageId")?)?;
    let found = image::visible(state, caller, &id).ok_or_else(|| not_found::<Image>(id.as_str()))?;
    match found.state {
        ImageState::Available => Ok(found),
        ImageState::Pending => Err(InstanceError::ImagePending(id.to_string()).into()),
    }
}

fn key_of(state: &Snapshot, caller: &Caller, name: &str) -> Result<LaunchKey, Error> {
    let pair: &Arc<KeyPair> = key_pair::by_name(state, caller, name)?;
    Ok(LaunchKey { name: pair.name.clone(), public_key: pair.public_key.clone() })
}

/// Refuse what AWS does and Linkway does not.
fn check_supported(input: &RunInstancesRequest) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::Unsupported(why.into()));
    let placement = input.placement.clone().unwrap_or_default();
    let capacity = input.capacity_reservation_specification.as_ref();
    if input.launch_template.is_some() {
        return refuse("There are no launch templates.");
    }
    if input.instance_market_options.is_some() {
        return refuse(
            "There are no Spot Instances and no Capacity Blocks: instances are On-Demand Instances.",
        );
    }
    if input.hibernation_options.as_ref().and_then(|given| given.configured) == Some(true) {
        return refuse("Instances cannot be hibernated.");
    }
    if input.enclave_options.as_ref().and_then(|given| given.enabled) == Some(true) {
        return refuse("There are no Nitro Enclaves.");
    }
    if capacity.is_some_and(|given| given.capacity_reservation_target.is_some()) {
        return refuse("There are no Capacity Reservations.");
    }
    if placement.group_name.is_some()
        || placement.group_id.is_some()
        || placement.partition_number.is_some()
        || placement.spread_domain.is_some()
    {
        return refuse("There are no placement groups.");
    }
    if placement.host_id.is_some()
        || placement.host_resource_group_arn.is_some()
        || placement.affinity.as_deref().is_some_and(|affinity| affinity != "default")
        || placement.tenancy.as_deref() == Some("host")
    {
        return refuse("There are no Dedicated Hosts.");
    }
    if input.kernel_id.is_some() || input.ramdisk_id.is_some() {
        return refuse("Instances run this host's kernel.");
    }
    if !input.license_specifications.is_empty()
        || !input.elastic_gpu_specification.is_empty()
        || !input.elastic_inference_accelerators.is_empty()
        || !input.secondary_interfaces.is_empty()
        || input.operator.is_some()
    {
        return refuse(
            "There are no licence configurations, accelerators, secondary networks or instances that services \
             manage.",
        );
    }
    let weighting =
        input.network_performance_options.as_ref().and_then(|given| given.bandwidth_weighting.as_deref());
    if weighting.is_some_and(|weighting| weighting != "default") {
        return refuse("Instances have no weighted bandwidth.");
    }
    Ok(())
}
