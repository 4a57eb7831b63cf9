//! Instance types and where they are offered: everywhere.

use linkway_model::instance_type::InstanceType;
use linkway_model::region::{Region, Zone};
use linkway_wire::ec2::{
    DescribeInstanceTypeOfferingsRequest, DescribeInstanceTypeOfferingsResult, DescribeInstanceTypesRequest,
    DescribeInstanceTypesResult, EbsInfo, EbsOptimizedInfo, InstanceTypeInfo, InstanceTypeOffering,
    MemoryInfo, NetworkCardInfo, NetworkInfo, PlacementGroupInfo, ProcessorInfo, VCpuInfo,
};

use crate::error::InstanceError;
use crate::filter::{Field, Filters, fields, many, none, one};
use crate::page::{Limits, Page};
use crate::{Caller, Control, Error};

/// Pages of both calls.
const LIMITS: Limits = Limits { least: 5, most: 1000, clamp: true };

/// Whether something of the newer hypervisor's is there.
fn nitro(found: &InstanceType, yes: &'static str, no: &'static str) -> &'static str {
    if found.hypervisor == "nitro" { yes } else { no }
}

fn boot_modes(found: &InstanceType) -> Vec<&'static str> {
    match (found.architectures.contains(&"arm64"), found.hypervisor) {
        (true, _) => vec!["uefi"],
        (false, "nitro") => vec!["legacy-bios", "uefi"],
        (false, _) => vec!["legacy-bios"],
    }
}

/// MB a second of so many Mbit.
fn megabytes(megabits: i32) -> f64 {
    f64::from(megabits) / 8.0
}

const FILTERS: &[Field<&'static InstanceType>] = fields! {
    "auto-recovery-supported" | "network-info.ipv6-supported" => |_, _| one(true);
    "bare-metal" | "dedicated-hosts-supported" | "hibernation-supported" | "instance-storage-supported"
        | "network-info.efa-supported" | "network-info.encryption-in-transit-supported" => |_, _| one(false);
    "burstable-performance-supported" => |_, found| one(found.has_credits());
    "current-generation" => |_, found| one(found.current);
    "ebs-info.attachment-limit-type" => |_, found| one(found.volume_limit);
    "ebs-info.maximum-ebs-attachments" => |_, found| one(found.volumes);
    "ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps" => |_, found| many(found.ebs.map(|ebs| ebs.baseline));
    "ebs-info.ebs-optimized-info.baseline-iops" => |_, found| many(found.ebs.map(|ebs| ebs.baseline_iops));
    "ebs-info.ebs-optimized-info.baseline-throughput-in-mbps" =>
        |_, found| many(found.ebs.map(|ebs| megabytes(ebs.baseline)));
    "ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps" => |_, found| many(found.ebs.map(|ebs| ebs.most));
    "ebs-info.ebs-optimized-info.maximum-iops" => |_, found| many(found.ebs.map(|ebs| ebs.most_iops));
    "ebs-info.ebs-optimized-info.maximum-throughput-in-mbps" =>
        |_, found| many(found.ebs.map(|ebs| megabytes(ebs.most)));
    "ebs-info.ebs-optimized-support" =>
        |_, found| one(if found.ebs.is_some() { "default" } else { "unsupported" });
    "ebs-info.encryption-support" => |_, _| one("supported");
    "ebs-info.nvme-support" | "network-info.ena-support" => |_, found| one(nitro(found, "required", "unsupported"));
    "free-tier-eligible" => |_, found| one(found.free_tier);
    "hypervisor" => |_, found| one(found.hypervisor);
    "instance-storage-info.disk.count" | "instance-storage-info.disk.size-in-gb"
        | "instance-storage-info.disk.type" | "instance-storage-info.encryption-support"
        | "instance-storage-info.nvme-support" | "instance-storage-info.total-size-in-gb"
        | "network-info.bandwidth-weightings" | "network-info.efa-info.maximum-efa-interfaces"
        | "nitro-tpm-info.supported-versions" | "processor-info.supported-features" => none;
    "instance-type" => |_, found| one(found.name);
    "memory-info.size-in-mib" => |_, found| one(found.memory);
    "network-info.flexible-ena-queues-support" | "nitro-enclaves-support" | "nitro-tpm-support"
        | "reboot-migration-support" => |_, _| one("unsupported");
    "network-info.ipv4-addresses-per-interface" | "network-info.ipv6-addresses-per-interface" =>
        |_, found| one(found.addresses);
    "network-info.maximum-network-cards" => |_, _| one(1);
    "network-info.maximum-network-interfaces" => |_, found| one(found.interfaces);
    "network-info.network-performance" => |_, found| one(found.network);
    "processor-info.supported-architecture" => |_, found| many(&found.architectures);
    "processor-info.sustained-clock-speed-in-ghz" => |_, found| many(found.clock);
    "supported-boot-mode" => |_, found| many(boot_modes(found));
    "supported-root-device-type" => |_, _| one("ebs");
    "supported-usage-class" => |_, _| one("on-demand");
    "supported-virtualization-type" => |_, _| one("hvm");
    "vcpu-info.default-cores" => |_, found| one(found.cores);
    "vcpu-info.default-threads-per-core" => |_, found| one(found.threads);
    "vcpu-info.default-vcpus" => |_, found| one(found.processors());
    "vcpu-info.valid-cores" => |_, found| many(&found.valid_cores);
    "vcpu-info.valid-threads-per-core" => |_, found| many(&found.valid_threads);
};

pub(crate) fn describe(
    control: &Control,
    _: &Caller,
    input: DescribeInstanceTypesRequest,
) -> Result<DescribeInstanceTypesResult, Error> {
    let state = control.read(input.dry_run)?;
    let asked = &input.instance_types;
    if !asked.is_empty() && input.max_results.is_some() {
        return Err(Error::InvalidParameterCombination(
            "The parameter instanceTypes cannot be used with the parameter maxResults".into(),
        ));
    }
    let unknown: Vec<String> =
        asked.iter().filter(|name| InstanceType::find(name).is_none()).cloned().collect();
    if !unknown.is_empty() {
        return Err(InstanceError::UnknownInstanceTypes(unknown).into());
    }
    let filters = Filters::new(FILTERS, &input.filters)?;
    let found = InstanceType::all().filter(|found| {
        (asked.is_empty() || asked.iter().any(|name| name == found.name))
            && filters.matches(&state, found, &Default::default())
    });
    let page = Page::new(LIMITS, input.max_results, &input.next_token);
    let (found, next_token) = page.cut(found, |found| found.name.to_owned())?;
    Ok(DescribeInstanceTypesResult { instance_types: found.into_iter().map(shape).collect(), next_token })
}

fn text(word: &str) -> Option<String> {
    Some(word.to_owned())
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn shape(found: &InstanceType) -> InstanceTypeInfo {
    InstanceTypeInfo {
        auto_recovery_supported: Some(true),
        bare_metal: Some(false),
        burstable_performance_supported: Some(found.has_credits()),
        current_generation: Some(found.current),
        dedicated_hosts_supported: Some(false),
        ebs_info: Some(ebs(found)),
        free_tier_eligible: Some(found.free_tier),
        hibernation_supported: Some(false),
        hypervisor: text(found.hypervisor),
        instance_storage_supported: Some(false),
        instance_type: text(found.name),
        memory_info: Some(MemoryInfo { size_in_mi_b: Some(found.memory) }),
        network_info: Some(network(found)),
        nitro_enclaves_support: text("unsupported"),
        nitro_tpm_support: text("unsupported"),
        phc_support: text("unsupported"),
        placement_group_info: Some(PlacementGroupInfo::default()),
        processor_info: Some(ProcessorInfo {
            manufacturer: text(found.manufacturer),
            supported_architectures: texts(&found.architectures),
            sustained_clock_speed_in_ghz: found.clock,
            ..ProcessorInfo::default()
        }),
        reboot_migration_support: text("unsupported"),
        supported_boot_modes: texts(&boot_modes(found)),
        supported_root_device_types: texts(&["ebs"]),
        supported_usage_classes: texts(&["on-demand"]),
        supported_virtualization_types: texts(&["hvm"]),
        v_cpu_info: Some(VCpuInfo {
            default_cores: Some(found.cores),
            default_threads_per_core: Some(found.threads),
            default_v_cpus: Some(found.processors()),
            valid_cores: found.valid_cores.clone(),
            valid_threads_per_core: found.valid_threads.clone(),
        }),
        ..InstanceTypeInfo::default()
    }
}

fn ebs(found: &InstanceType) -> EbsInfo {
    EbsInfo {
        attachment_limit_type: text(found.volume_limit),
        ebs_optimized_info: found.ebs.map(|ebs| EbsOptimizedInfo {
            baseline_bandwidth_in_mbps: Some(ebs.baseline),
            baseline_iops: Some(ebs.baseline_iops),
            baseline_throughput_in_m_bps: Some(megabytes(ebs.baseline)),
            maximum_bandwidth_in_mbps: Some(ebs.most),
            maximum_iops: Some(ebs.most_iops),
            maximum_throughput_in_m_bps: Some(megabytes(ebs.most)),
        }),
        ebs_optimized_support: text(if found.ebs.is_some() { "default" } else { "unsupported" }),
        encryption_support: text("supported"),
        maximum_ebs_attachments: Some(found.volumes),
        nvme_support: text(nitro(found, "required", "unsupported")),
        ..EbsInfo::default()
    }
}

fn network(found: &InstanceType) -> NetworkInfo {
    let interfaces = i32::try_from(found.interfaces).ok();
    let addresses = i32::try_from(found.addresses).ok();
    NetworkInfo {
        default_network_card_index: Some(0),
        efa_supported: Some(false),
        ena_srd_supported: Some(false),
        ena_support: text(nitro(found, "required", "unsupported")),
        encryption_in_transit_supported: Some(false),
        flexible_ena_queues_support: text("unsupported"),
        ipv4_addresses_per_interface: addresses,
        ipv6_addresses_per_interface: addresses,
        ipv6_supported: Some(true),
        maximum_network_cards: Some(1),
        maximum_network_interfaces: interfaces,
        network_cards: vec![NetworkCardInfo {
            maximum_network_interfaces: interfaces,
            network_card_index: Some(0),
            network_performance: text(found.network),
            ..NetworkCardInfo::default()
        }],
        network_performance: text(found.network),
        ..NetworkInfo::default()
    }
}

const OFFERING_FILTERS: &[Field<InstanceTypeOffering>] = fields! {
    "instance-type" => |_, offering| many(offering.instance_type.as_ref());
    "location" => |_, offering| many(offering.location.as_ref());
};

/// `DescribeInstanceTypeOfferings`: every type in every place of the region, by the region's name, by its zones' names
/// or by their ids.
pub(crate) fn describe_offerings(
    control: &Control,
    caller: &Caller,
    input: DescribeInstanceTypeOfferingsRequest,
) -> Result<DescribeInstanceTypeOfferingsResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(OFFERING_FILTERS, &input.filters)?;
    let kind = input.location_type.as_deref().unwrap_or("region");
    let zones: &[Zone] = Region::find(&caller.region).map_or(&[], |region| region.zones);
    let places: Vec<&str> = match kind {
        "region" => vec![&caller.region],
        "availability-zone" => zones.iter().map(|zone| zone.name).collect(),
        "availability-zone-id" => zones.iter().map(|zone| zone.id).collect(),
        "outpost" => Vec::new(),
        other => {
            return Err(Error::InvalidParameterValue(format!(
                "Value ({other}) for parameter locationType is invalid. Expected one of: region, availability-zone, \
                 availability-zone-id, outpost."
            )));
        }
    };
    let offering = |found: &InstanceType, place: &str| InstanceTypeOffering {
        instance_type: text(found.name),
        location: text(place),
        location_type: text(kind),
    };
    let offerings = InstanceType::all()
        .flat_map(|found| places.iter().map(move |place| (found, *place)))
        .map(|(found, place)| offering(found, place))
        .filter(|offering| filters.matches(&state, offering, &Default::default()));
    let key = |offering: &InstanceTypeOffering| {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        format!("{} {}", part(&offering.instance_type), part(&offering.location))
    };
    let mut offerings: Vec<_> = offerings.collect();
    offerings.sort_by_key(key);
    let page = Page::new(LIMITS, input.max_results, &input.next_token);
    let (instance_type_offerings, next_token) = page.cut(offerings, key)?;
    Ok(DescribeInstanceTypeOfferingsResult { instance_type_offerings, next_token })
}
