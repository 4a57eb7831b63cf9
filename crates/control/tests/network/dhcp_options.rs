use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, refused, some};

fn option(key: &str, values: &[&str]) -> NewDhcpConfiguration {
    NewDhcpConfiguration { key: some(key), values: values.iter().map(|value| (*value).to_owned()).collect() }
}

fn create(world: &World, options: Vec<NewDhcpConfiguration>) -> Result<DhcpOptions, ApiError> {
    let input = CreateDhcpOptionsRequest { dhcp_configurations: options, ..Default::default() };
    world.control.create_dhcp_options(&caller(), input).map(|answer| answer.dhcp_options.unwrap())
}

fn of(options: &DhcpOptions, key: &str) -> Vec<String> {
    let found = options.dhcp_configurations.iter().find(|found| found.key.as_deref() == Some(key)).unwrap();
    found.values.iter().map(|value| value.value.clone().unwrap()).collect()
}

#[test]
fn vpcs_have_the_regions_options_until_they_get_others() {
    let world = World::new();
    let vpc = world.create_vpc("10.0.0.0/16").unwrap();
    let input = DescribeDhcpOptionsRequest {
        dhcp_options_ids: vpc.dhcp_options_id.clone().into_iter().collect(),
        ..Default::default()
    };
    let default = world.control.describe_dhcp_options(&caller(), input).unwrap().dhcp_options.remove(0);
    assert_eq!(of(&default, "domain-name"), ["ec2.internal"]);
    assert_eq!(of(&default, "domain-name-servers"), ["AmazonProvidedDNS"]);
    assert_eq!(world.create_vpc("10.1.0.0/16").unwrap().dhcp_options_id, default.dhcp_options_id);

    let own =
        create(&world, vec![option("domain-name", &["corp.example"]), option("ntp-servers", &["10.0.0.9"])]);
    let own = own.unwrap().dhcp_options_id.unwrap();
    let id = vpc.vpc_id.unwrap();
    let associate = |options: &str| {
        let input =
            AssociateDhcpOptionsRequest { dhcp_options_id: some(options), vpc_id: some(&id), dry_run: None };
        world.control.associate_dhcp_options(&caller(), input)
    };
    let shown = || {
        let input = DescribeVpcsRequest { vpc_ids: vec![id.clone()], ..Default::default() };
        world.control.describe_vpcs(&caller(), input).unwrap().vpcs.remove(0).dhcp_options_id.unwrap()
    };
    let delete = |options: &str| {
        let input = DeleteDhcpOptionsRequest { dhcp_options_id: some(options), dry_run: None };
        world.control.delete_dhcp_options(&caller(), input)
    };
    associate(&own).unwrap();
    assert_eq!(shown(), own);
    let words = format!("The dhcpOptions '{own}' has dependencies and cannot be deleted.");
    refused(delete(&own), "DependencyViolation", &words);
    associate("default").unwrap();
    assert_eq!(shown(), "default");
    delete(&own).unwrap();
    let words = format!("The dhcpOption ID '{own}' does not exist");
    refused(delete(&own), "InvalidDhcpOptionID.NotFound", &words);
    refused(associate(&own), "InvalidDhcpOptionID.NotFound", &own);
    refused(associate("dopt-x"), "InvalidDhcpOptionsId.Malformed", "dopt-x");
}

#[test]
fn options_are_found_by_what_they_say() {
    let world = World::new();
    let own = create(&world, vec![option("domain-name", &["corp.example"])]).unwrap();
    let find = |filters: Vec<Filter>| {
        let input = DescribeDhcpOptionsRequest { filters, ..Default::default() };
        world.control.describe_dhcp_options(&caller(), input).unwrap().dhcp_options
    };
    assert_eq!(find(vec![filter("value", &["corp.*"])]), [own]);
    assert_eq!(find(vec![filter("key", &["domain-name"])]).len(), 2);
    assert_eq!(find(vec![filter("key", &["ntp-servers"])]), []);
}

#[test]
fn options_are_checked() {
    let world = World::new();
    refused(create(&world, vec![]), "MissingParameter", "dhcpConfiguration");
    for (key, values) in [
        ("colour", &["red"][..]),
        ("domain-name", &[]),
        ("domain-name", &["a.example", "b.example"]),
        ("domain-name-servers", &["resolver"]),
        ("domain-name-servers", &["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"]),
        ("ntp-servers", &["AmazonProvidedDNS"]),
        ("netbios-name-servers", &["fd00::1"]),
        ("netbios-node-type", &["3"]),
        ("ipv6-address-preferred-lease-time", &["soon"]),
    ] {
        refused(create(&world, vec![option(key, values)]), "InvalidParameterValue", key);
    }
    let twice = vec![option("domain-name", &["a"]), option("domain-name", &["b"])];
    refused(create(&world, twice), "InvalidParameterValue", "Duplicate");
    let all = vec![
        option("domain-name-servers", &["10.0.0.1", "AmazonProvidedDNS"]),
        option("ntp-servers", &["10.0.0.1", "fd00::1"]),
        option("netbios-name-servers", &["10.0.0.1"]),
        option("netbios-node-type", &["2"]),
        option("ipv6-address-preferred-lease-time", &["140"]),
    ];
    assert_eq!(create(&world, all).unwrap().dhcp_configurations.len(), 5);
}
