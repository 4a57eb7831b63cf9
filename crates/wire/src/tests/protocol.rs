//! The spelling of requests, answers and errors, where it can go wrong.

use std::cell::RefCell;

use super::Sampler;
use crate::{ApiError, Call, FormProtocol, Params, ec2, elbv2, rds, sts};

/// What an operation of EC2 was asked, or the error.
fn ask_ec2(form: &str) -> Result<String, String> {
    let asked = RefCell::new(String::new());
    let params = Params::parse(form.as_bytes()).unwrap();
    let call = Call::new(ec2::PROTOCOL, params, "id").map_err(|error| error.to_string())?;
    ec2::dispatch(&Sampler, &asked, call).map_err(|error| error.to_string())?;
    Ok(asked.into_inner())
}

fn ask_elbv2(form: &str) -> Result<String, String> {
    let asked = RefCell::new(String::new());
    let params = Params::parse(form.as_bytes()).unwrap();
    let call = Call::new(elbv2::PROTOCOL, params, "id").map_err(|error| error.to_string())?;
    elbv2::dispatch(&Sampler, &asked, call).map_err(|error| error.to_string())?;
    Ok(asked.into_inner())
}

fn answer(protocol: FormProtocol, action: &str, output: &impl crate::encode::Output) -> String {
    let text = protocol.answer(action, "id", |xml| output.members(xml));
    text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap().to_owned()
}

#[test]
fn lists_of_ec2_are_numbered_in_any_order_and_with_gaps() {
    let asked = ask_ec2(
        "Action=DescribeVpcs&VpcId.10=c&VpcId.2=b&VpcId.1=a&Filter.1.Name=state&Filter.1.Value.1=available\
         &Filter.1.Value.2=&DryRun=TRUE&MaxResults=5",
    )
    .unwrap();
    assert!(asked.contains(r#"vpc_ids: ["a", "b", "c"]"#), "{asked}");
    assert!(asked.contains(r#"[Filter { name: Some("state"), values: ["available", ""] }]"#), "{asked}");
    assert!(asked.contains("dry_run: Some(true)") && asked.contains("max_results: Some(5)"), "{asked}");
    assert!(asked.contains("next_token: None"), "{asked}");
}

#[test]
fn ec2_refuses_what_it_does_not_know() {
    for (form, name) in [
        ("Action=DescribeVpcs&Vpc=a", "Vpc"),
        ("Action=DescribeVpcs&Filter.1.Item.1=a", "Item"),
        ("Action=DescribeVpcs&VpcId.first=a", "first"),
        ("Action=DescribeVpcs&DryRun.1=true", "1"),
        ("Action=DescribeVpcs&VpcId=a", "VpcId"),
        ("Action=ModifyVpcAttribute&VpcId=a&EnableDnsSupport=true", "EnableDnsSupport"),
        ("Action=CreateSecurityGroup&GroupName=a&Description=b", "Description"),
    ] {
        let expected = format!("UnknownParameter: The parameter {name} is not recognized");
        assert_eq!(ask_ec2(form), Err(expected), "{form}");
    }
}

#[test]
fn ec2_names_what_is_missing_or_malformed() {
    for (form, expected) in [
        (
            "Action=CreateSecurityGroup&GroupName=a",
            "MissingParameter: The request must contain the parameter GroupDescription",
        ),
        ("Action=DeleteVpc", "MissingParameter: The request must contain the parameter VpcId"),
        (
            "Action=DeleteVpc&VpcId=a&DryRun=yes",
            "InvalidParameterValue: Value (yes) for parameter dryRun is invalid. Expected a boolean.",
        ),
        (
            "Action=AuthorizeSecurityGroupIngress&IpPermissions.1.FromPort=http",
            "InvalidParameterValue: Value (http) for parameter ipPermissions.1.FromPort is invalid. Expected an integer.",
        ),
        (
            "Action=ModifyVpcAttribute&VpcId=a&EnableDnsSupport.Value=",
            "InvalidParameterValue: Value () for parameter enableDnsSupport.Value is invalid. Expected a boolean.",
        ),
        ("Action=RunPrograms", "InvalidAction: The action RunPrograms is not valid for this web service."),
        ("Version=2016-11-15", "MissingAction: The request must contain the parameter Action"),
    ] {
        assert_eq!(ask_ec2(form), Err(expected.to_owned()), "{form}");
    }
}

#[test]
fn a_signature_in_the_url_is_no_parameter() {
    assert!(ask_ec2("Action=DeleteVpc&Version=2016-11-15&VpcId=a&X-Amz-Signature=00&X-Amz-Date=1").is_ok());
}

#[test]
fn lists_of_query_services_have_members() {
    const V: &str = "&Version=2015-12-01";
    let asked = ask_elbv2(&format!(
        "Action=RegisterTargets&TargetGroupArn=arn&Targets.member.2.Id=b&Targets.member.1.Id=a&Targets.member.1.Port=80&Unknown=1{V}"
    ));
    let expected = r#"targets: [TargetDescription { availability_zone: None, id: Some("a"), port: Some(80), quic_server_id: None }, "#;
    assert!(asked.as_ref().unwrap().contains(expected), "{asked:?}");
    // botocore spells an empty list as its name and nothing.
    assert!(ask_elbv2(&format!("Action=DescribeLoadBalancers&Names={V}")).unwrap().contains("names: []"));

    for (form, expected) in [
        (
            "Action=RegisterTargets&TargetGroupArn=arn&Targets.member.1.Port=80",
            "ValidationError: 1 validation error detected: Value null at 'targets.member.1.Id' failed to satisfy constraint: Member must not be null",
        ),
        (
            "Action=RegisterTargets&TargetGroupArn=arn&Targets.member.1.Id=a&Targets.member.1.Port=http",
            "MalformedInput: Value 'http' at 'targets.member.1.Port' is malformed: expected an integer",
        ),
        (
            "Action=DeleteLoadBalancer&LoadBalancerArn.member.1=a",
            "MalformedInput: Start of list found where not expected",
        ),
        (
            "Action=RegisterTargets&TargetGroupArn=arn&Targets.member.1=a",
            "MalformedInput: Unexpected complex element termination",
        ),
        ("Action=Fly", "InvalidAction: Could not find operation Fly for version 2015-12-01"),
    ] {
        assert_eq!(ask_elbv2(&format!("{form}{V}")), Err(expected.to_owned()), "{form}");
    }
}

#[test]
fn lists_whose_items_have_names_are_spelled_with_them() {
    let ask = |form: &str| {
        let asked = RefCell::new(String::new());
        let params = Params::parse(form.as_bytes()).unwrap();
        let call = Call::new(rds::PROTOCOL, params, "id").unwrap();
        let answer = rds::dispatch(&Sampler, &asked, call).map_err(|error| error.to_string())?;
        Ok::<_, String>((asked.into_inner(), answer))
    };
    const V: &str = "&Version=2014-10-31";
    let form = |items: &str| {
        format!(
            "Action=DescribeDBInstances&Filters.{items}.1.Name=engine&Filters.{items}.1.Values.Value.1=mysql{V}"
        )
    };
    // AWS takes both spellings, and its own documentation has both.
    for items in ["Filter", "member"] {
        let (asked, answer) = ask(&form(items)).unwrap();
        assert!(asked.contains(r#"[Filter { name: Some("engine"), values: ["mysql"] }]"#), "{asked}");
        assert!(answer.contains("<DBInstances><DBInstance>"));
    }
    let missing = format!("Action=DescribeDBInstances&Filters.Filter.1.Values.Value.1=mysql{V}");
    assert_eq!(
        ask(&missing).unwrap_err(),
        "ValidationError: 1 validation error detected: Value null at 'filters.Filter.1.Name' failed to satisfy \
         constraint: Member must not be null"
    );
    let (asked, _) = ask(&format!("Action=DescribeDBInstances&Filters={V}")).unwrap();
    assert!(asked.contains("filters: []"), "{asked}");
}

#[test]
fn another_version_of_a_query_service_is_another_service() {
    for (version, named) in [("&Version=2012-06-01", "2012-06-01"), ("", "NO_VERSION_SPECIFIED")] {
        let expected =
            format!("InvalidAction: Could not find operation DescribeLoadBalancers for version {named}");
        assert_eq!(ask_elbv2(&format!("Action=DescribeLoadBalancers{version}")), Err(expected));
    }
}

#[test]
fn ec2_answers_without_a_wrapper() {
    let output = ec2::DescribeVpcsResult {
        vpcs: vec![ec2::Vpc {
            vpc_id: Some("vpc-1".into()),
            is_default: Some(false),
            tags: vec![ec2::Tag { key: Some("a<b".into()), value: Some(String::new()) }],
            ..Default::default()
        }],
        next_token: None,
    };
    assert_eq!(
        answer(ec2::PROTOCOL, "DescribeVpcs", &output),
        "<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>id</requestId>\
         <vpcSet><item><cidrBlockAssociationSet/><ipv6CidrBlockAssociationSet/><isDefault>false</isDefault>\
         <tagSet><item><key>a&lt;b</key><value/></item></tagSet><vpcId>vpc-1</vpcId></item></vpcSet>\
         </DescribeVpcsResponse>"
    );
    assert_eq!(
        answer(ec2::PROTOCOL, "DeleteVpc", &()),
        "<DeleteVpcResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>id</requestId>\
         <return>true</return></DeleteVpcResponse>"
    );
}

#[test]
fn query_services_wrap_their_result() {
    let output =
        sts::GetCallerIdentityResponse { account: Some("123456789012".into()), ..Default::default() };
    assert_eq!(
        answer(sts::PROTOCOL, "GetCallerIdentity", &output),
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>id</RequestId>\
         </ResponseMetadata></GetCallerIdentityResponse>"
    );
    assert_eq!(
        answer(elbv2::PROTOCOL, "DeleteListener", &elbv2::DeleteListenerOutput {}),
        "<DeleteListenerResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
         <DeleteListenerResult/><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DeleteListenerResponse>"
    );
}

#[test]
fn times_have_three_digits_of_milliseconds() {
    let created = |time: &str| {
        let balancer =
            elbv2::LoadBalancer { created_time: Some(time.parse().unwrap()), ..Default::default() };
        answer(elbv2::PROTOCOL, "X", &balancer)
    };
    assert!(created("2026-05-01T12:00:00Z").contains("<CreatedTime>2026-05-01T12:00:00.000Z</CreatedTime>"));
    assert!(
        created("2026-05-01T12:00:00.123456789Z")
            .contains("<CreatedTime>2026-05-01T12:00:00.123Z</CreatedTime>")
    );
}

#[test]
fn errors_are_spelled_as_the_service_does() {
    let error = ApiError::new("InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist");
    assert!(ec2::PROTOCOL.error(&error, "id").ends_with(
        "\n<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>The vpc ID 'vpc-1' does not exist\
         </Message></Error></Errors><RequestID>id</RequestID></Response>"
    ));
    assert!(elbv2::PROTOCOL.error(&ApiError::internal(), "id").ends_with(
        "\n<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><Error><Type>Receiver\
         </Type><Code>InternalError</Code><Message>An internal error has occurred</Message></Error>\
         <RequestId>id</RequestId></ErrorResponse>"
    ));
}
