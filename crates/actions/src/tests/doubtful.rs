//! Requests that nobody's client library spells, or that are spelled so as to be mistaken.

use crate::{Need, Operation, Parameters, RequestHead, Scope, authorize, identify, wants_body};

const SCOPE: Scope<'_> = Scope { partition: "aws", region: "us-east-1", account: Some("111122223333") };

/// A request without headers of interest.
fn head<'a>(
    signing_name: &'a str,
    method: &'a str,
    host: &'a str,
    path: &'a str,
    query: &'a str,
) -> RequestHead<'a> {
    RequestHead { method, host, path, query, headers: &[], signing_name: Some(signing_name), body: Some(b"") }
}

/// A form sent to RDS.
fn form<'a>(query: &'a str, body: &'a str) -> RequestHead<'a> {
    RequestHead {
        body: Some(body.as_bytes()),
        ..head("rds", "POST", "rds.us-east-1.amazonaws.com", "/", query)
    }
}

fn name(head: &RequestHead<'_>) -> Option<String> {
    identify(head).map(|operation| format!("{operation:?}"))
}

fn needs(head: &RequestHead<'_>) -> Vec<Need> {
    let operation: Operation = identify(head).unwrap();
    authorize(&operation, &Parameters::read(&operation, head), &SCOPE)
}

/// The one resource of the one need.
fn resource(head: &RequestHead<'_>) -> String {
    let needs = needs(head);
    assert_eq!((needs.len(), needs[0].resources.len()), (1, 1), "{needs:?}");
    let resource = &needs[0].resources[0];
    if resource.unknown { "?".to_owned() } else { resource.arn.clone() }
}

#[test]
fn an_operation_may_be_named_in_the_url_or_the_body_but_not_differently() {
    let describe = "Action=DescribeDBInstances&Version=2014-10-31";
    let delete = "Action=DeleteDBInstance&Version=2014-10-31";
    assert_eq!(name(&form(describe, "")).as_deref(), Some("rds.DescribeDBInstances"));
    assert_eq!(name(&form("", describe)).as_deref(), Some("rds.DescribeDBInstances"));
    assert_eq!(name(&form(describe, describe)).as_deref(), Some("rds.DescribeDBInstances"));
    assert_eq!(name(&form(describe, delete)), None);
    assert_eq!(name(&form("", &format!("{describe}&{delete}"))), None);
    assert_eq!(name(&form("", "Action=NoSuchThing&Version=2014-10-31")), None);
    assert_eq!(name(&form("", "")), None);
}

#[test]
fn a_member_with_two_values_is_unknown() {
    let delete = "Action=DeleteDBInstance&Version=2014-10-31&DBInstanceIdentifier=a";
    assert_eq!(resource(&form("", delete)), "arn:aws:rds:us-east-1:111122223333:db:a");
    assert_eq!(resource(&form("DBInstanceIdentifier=b", delete)), "?");
    assert_eq!(resource(&form("", &format!("{delete}&DBInstanceIdentifier=b"))), "?");
}

#[test]
fn names_that_a_service_keeps_in_lower_case_are_the_same_in_any() {
    let delete = "Action=DeleteDBInstance&Version=2014-10-31&DBInstanceIdentifier";
    let arn = "arn:aws:rds:us-east-1:111122223333:db:prod";
    assert_eq!(resource(&form("", &format!("{delete}=PROD"))), arn);
    assert_eq!(resource(&form("", &format!("{delete}=arn:aws:rds:us-east-1:111122223333:db:Prod"))), arn);
}

#[test]
fn what_ec2_is_asked_about_is_named_by_its_ids() {
    let ec2 = |query: &str| {
        let query = format!("Version=2016-11-15&Action={query}");
        let head = head("ec2", "GET", "ec2.us-east-1.amazonaws.com", "/", &query);
        needs(&head)
            .into_iter()
            .map(|need| {
                let arn = |resource: &crate::Resource| {
                    let known = resource.arn.strip_prefix("arn:aws:ec2:us-east-1:111122223333:");
                    if resource.unknown { "?" } else { known.unwrap_or(&resource.arn) }.to_owned()
                };
                (need.action, need.resources.iter().map(arn).collect::<Vec<_>>())
            })
            .collect::<Vec<_>>()
    };
    let one = |action: &str, arns: &[&str]| {
        vec![(format!("ec2:{action}"), arns.iter().map(|arn| (*arn).to_owned()).collect::<Vec<_>>())]
    };
    for action in ["DeleteSecurityGroup", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"] {
        assert_eq!(ec2(&format!("{action}&GroupId=sg-1")), one(action, &["security-group/sg-1"]));
        assert_eq!(ec2(&format!("{action}&GroupName=web")), one(action, &["?"]));
    }
    let made = "CreateVpcEndpoint&VpcId=vpc-1&SubnetId.1=subnet-1&SubnetId.2=subnet-2&SecurityGroupId.1=sg-1";
    let on = ["vpc/vpc-1", "subnet/subnet-1", "subnet/subnet-2", "security-group/sg-1", "vpc-endpoint/*"];
    assert_eq!(ec2(made), one("CreateVpcEndpoint", &on));
    let tags = "&TagSpecification.1.ResourceType=vpc-endpoint&TagSpecification.1.Tag.1.Key=a";
    assert_eq!(ec2(&format!("{made}{tags}"))[1..], one("CreateTags", &["vpc-endpoint/*"]));
    assert_eq!(
        ec2("ModifyVpcEndpoint&VpcEndpointId=vpce-1&AddSubnetId.1=subnet-1"),
        one("ModifyVpcEndpoint", &["vpc-endpoint/vpce-1", "subnet/subnet-1"])
    );
}

#[test]
fn rules_stand_under_their_bus() {
    let ask = |operation: &str, body: &str| {
        let target = format!("AWSEvents.{operation}");
        let headers = [("X-Amz-Target", target.as_bytes())];
        let request = RequestHead {
            headers: &headers,
            body: Some(body.as_bytes()),
            ..head("events", "POST", "events.us-east-1.amazonaws.com", "/", "")
        };
        let needs = needs(&request);
        let start = "arn:aws:events:us-east-1:111122223333:";
        let arn = |resource: &crate::Resource| resource.arn.strip_prefix(start).unwrap_or("?").to_owned();
        needs[0].resources.iter().map(arn).collect::<Vec<_>>()
    };
    assert_eq!(ask("PutRule", r#"{"Name": "r"}"#), ["rule/r"]);
    assert_eq!(ask("PutRule", r#"{"Name": "r", "EventBusName": "default"}"#), ["rule/r"]);
    assert_eq!(ask("PutTargets", r#"{"Rule": "r", "EventBusName": "b"}"#), ["rule/b/r"]);
    let bus = r#"{"Name": "r", "EventBusName": "arn:aws:events:us-east-1:111122223333:event-bus/b"}"#;
    assert_eq!(ask("DeleteRule", bus), ["rule/b/r"]);
    assert_eq!(ask("DeleteRule", "{}"), ["?"]);
    assert_eq!(ask("DescribeEventBus", r#"{"Name": "b"}"#), ["event-bus/b"]);
    let entries = r#"{"Entries": [{"Source": "s"}, {"EventBusName": "b"}]}"#;
    assert_eq!(ask("PutEvents", entries), ["event-bus/default", "event-bus/b"]);
    assert_eq!(ask("PutEvents", "{}"), ["?"]);
}

#[test]
fn a_body_that_is_needed_is_asked_for() {
    let unread = RequestHead { body: None, ..form("", "") };
    assert!(wants_body(&unread));
    assert_eq!(name(&unread), None);
    let object = head("s3", "PUT", "one.s3.us-east-1.amazonaws.com", "/a", "");
    assert!(!wants_body(&object));
    assert!(!identify(&object).unwrap().reads_body());
    let listed = head("s3", "POST", "one.s3.us-east-1.amazonaws.com", "/", "delete");
    assert!(identify(&listed).unwrap().reads_body());
    assert_eq!(resource(&RequestHead { body: None, ..listed }), "?");
    assert_eq!(resource(&RequestHead { body: Some(b"<Delete><Object><Key>a</Key>"), ..listed }), "?");
}

#[test]
fn json_that_only_looks_right_says_nothing() {
    let headers = [("X-Amz-Target", &b"TrentService.Decrypt"[..])];
    let decrypt = |body| RequestHead {
        headers: &headers,
        body: Some(body),
        ..head("kms", "POST", "kms.us-east-1.amazonaws.com", "/", "")
    };
    assert_eq!(resource(&decrypt(br#"{"KeyId": "k"}"#)), "arn:aws:kms:us-east-1:111122223333:key/k");
    for body in [
        &br#"{"a": {"KeyId": "k"}}"#[..],
        br#"{"KeyId": "k""#,
        br#"{"KeyId": "alias/a"}"#,
        br#"{"KeyId": "arn:aws:kms:us-east-1:111122223333:alias/a"}"#,
        br#"{"KeyId": "arn:aws:s3:::k"}"#,
        br#"{}"#,
    ] {
        assert_eq!(resource(&decrypt(body)), "?", "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn cbor_is_read() {
    let put = RequestHead {
        headers: &[("smithy-protocol", b"rpc-v2-cbor")],
        // {"AlarmName": "hot"} with a map and a text of no length, as Smithy's serializers write them.
        body: Some(b"\xbf\x69AlarmName\x7f\x62ho\x61t\xff\xff"),
        ..head(
            "monitoring",
            "POST",
            "monitoring.us-east-1.amazonaws.com",
            "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm",
            "",
        )
    };
    assert_eq!(name(&put).as_deref(), Some("cloudwatch.PutMetricAlarm"));
    assert_eq!(resource(&put), "arn:aws:cloudwatch:us-east-1:111122223333:alarm:hot");
    // One that breaks off may have held anything, tags too.
    let broken = needs(&RequestHead { body: Some(b"\xbf\x69Alarm"), ..put });
    let actions: Vec<_> = broken.iter().map(|need| need.action.as_str()).collect();
    assert_eq!(actions, ["cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"]);
    assert!(broken.iter().all(|need| need.resources[0].unknown), "{broken:?}");
}

#[test]
fn paths_that_leave_and_enter_are_no_operation() {
    let lambda = |path| name(&head("lambda", "GET", "lambda.us-east-1.amazonaws.com", path, ""));
    assert_eq!(lambda("/2015-03-31/functions/f").as_deref(), Some("lambda.GetFunction"));
    assert_eq!(lambda("/2015-03-31/functions/").as_deref(), Some("lambda.ListFunctions"));
    for path in
        ["/2015-03-31/functions/x/../f", "/2015-03-31/functions/%2e%2e", "//2015-03-31/functions/f", "", "/"]
    {
        assert_eq!(lambda(path), None, "{path}");
    }
}

#[test]
fn a_name_that_is_escaped_is_one_part() {
    let lambda = |path| head("lambda", "GET", "lambda.us-east-1.amazonaws.com", path, "");
    let whole = lambda("/2015-03-31/functions/a%2Fb/policy");
    assert_eq!(resource(&whole), "arn:aws:lambda:us-east-1:111122223333:function:a/b");
    let tags = lambda("/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A111122223333%3Afunction%3Aa%2Fb");
    assert_eq!(name(&tags).as_deref(), Some("lambda.ListTags"));
    // A server that resolves escapes first would take these for others.
    assert_eq!(name(&lambda("/2015-03-31/functions/a%2Fpolicy")), None);
    let s3 = |path| head("s3", "GET", "s3.us-east-1.amazonaws.com", path, "");
    assert_eq!(name(&s3("/one%2Fa")), None);
    assert_eq!(resource(&s3("/one/a%2Fb")), "arn:aws:s3:::one/a/b");
    let point = "point-111122223333.s3-accesspoint.us-east-1.amazonaws.com";
    let object = "arn:aws:s3:us-east-1:111122223333:accesspoint/point/object/a/b";
    assert_eq!(resource(&head("s3", "GET", point, "/a%2Fb", "")), object);
}

#[test]
fn what_one_server_reads_so_and_another_otherwise_is_unknown() {
    let delete = "Action=DeleteDBInstance&Version=2014-10-31";
    for members in [
        "DBInstanceIdentifier=a&DBInstanceIdentifier.x=b",
        "DBInstanceIdentifier=a&DBInstanceIdentifier.1=b",
        "DBInstanceIdentifier=a&Tags.1.Key=b&Tags.x.Key=c",
    ] {
        assert!(!is_complete(&form("", &format!("{delete}&{members}"))), "{members}");
    }
    let headers = [("X-Amz-Target", &b"TrentService.Decrypt"[..])];
    let decrypt = RequestHead {
        headers: &headers,
        body: Some(br#"{"KeyId": "k", "KeyId": "l"}"#),
        ..head("kms", "POST", "kms.us-east-1.amazonaws.com", "/", "")
    };
    assert!(!is_complete(&decrypt));
    assert_eq!(resource(&decrypt), "?");
    // {"AlarmName": "a", "AlarmName": "b"}
    assert!(!is_complete(&alarm(&[], b"\xa2\x69AlarmName\x61a\x69AlarmName\x61b")));
}

#[test]
fn a_body_that_is_packed_is_unpacked_unless_it_is_a_form() {
    let packed = [("content-encoding", &b"gzip"[..])];
    // {"AlarmName": "hot"}, stored.
    let content = b"\xa1\x69AlarmName\x63hot";
    let mut file = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x01\x0f\0\xf0\xff".to_vec();
    file.extend(content);
    file.extend(b"\0\0\0\0\x0f\0\0\0");
    assert_eq!(resource(&alarm(&packed, &file)), "arn:aws:cloudwatch:us-east-1:111122223333:alarm:hot");
    assert!(!is_complete(&alarm(&packed, content)));
    assert!(!is_complete(&alarm(&[("content-encoding", b"br")], content)));
    assert!(!is_complete(&alarm(&packed, &[&file[..], &file[..], b"x"].concat())));
    let body = "Action=DeleteDBInstance&Version=2014-10-31&DBInstanceIdentifier=a";
    let headers = [("Content-Encoding", &b"deflate"[..])];
    assert_eq!(name(&RequestHead { headers: &headers, ..form("", body) }), None);
    assert!(!is_complete(&RequestHead { headers: &headers, ..form(body, "") }));
}

/// A request for `PutMetricAlarm` in CBOR.
fn alarm<'a>(headers: &'a [(&'a str, &'a [u8])], body: &'a [u8]) -> RequestHead<'a> {
    let path = "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm";
    let body = Some(body);
    RequestHead {
        headers,
        body,
        ..head("monitoring", "POST", "monitoring.us-east-1.amazonaws.com", path, "")
    }
}

fn is_complete(head: &RequestHead<'_>) -> bool {
    Parameters::read(&identify(head).unwrap(), head).is_complete()
}

#[test]
fn buckets_stand_in_the_path_or_the_host() {
    for (host, path) in [
        ("s3.us-east-1.amazonaws.com", "/one/a"),
        ("one.s3.us-east-1.amazonaws.com", "/a"),
        ("bucket.vpce-0a.s3.us-east-1.vpce.amazonaws.com", "/one/a"),
        ("one.bucket.vpce-0a.s3.us-east-1.vpce.amazonaws.com", "/a"),
        ("10.0.0.1:9000", "/one/a"),
    ] {
        assert_eq!(resource(&head("s3", "GET", host, path, "")), "arn:aws:s3:::one/a", "{host}{path}");
    }
    let directory = "b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com";
    let needs = needs(&head("s3express", "GET", directory, "/a", ""));
    assert_eq!(needs[0].action, "s3express:CreateSession");
    assert!(needs[0].resources[0].arn.ends_with(":bucket/b--use1-az4--x-s3"), "{needs:?}");
}

#[test]
fn headers_of_a_url_that_was_signed_in_advance_stand_in_its_query() {
    let put = head("s3", "PUT", "one.s3.amazonaws.com", "/a", "x-amz-acl=public-read&X-Amz-Signature=0");
    let needs = needs(&put);
    let actions: Vec<_> = needs.iter().map(|need| need.action.as_str()).collect();
    assert_eq!(actions, ["s3:PutObject", "s3:PutObjectAcl"]);
    assert_eq!(needs[0].context["s3:x-amz-acl"], ["public-read"]);
    assert_eq!(needs[0].context["s3:authType"], ["REST-QUERY-STRING"]);
}

#[test]
fn two_things_asked_of_one_object_are_none() {
    let both = head("s3", "GET", "one.s3.amazonaws.com", "/a", "acl&tagging");
    assert_eq!(name(&both), None);
    let other = head("s3", "GET", "one.s3.amazonaws.com", "/a", "unheard-of");
    assert_eq!(name(&other).as_deref(), Some("s3.GetObject"));
}

#[test]
fn hosts_tell_services_that_sign_alike() {
    let sagemaker = |host| name(&head("sagemaker", "POST", host, "/endpoints/e/invocations", ""));
    assert_eq!(
        sagemaker("runtime.sagemaker.us-east-1.amazonaws.com").as_deref(),
        Some("sagemaker-runtime.InvokeEndpoint")
    );
    // Of the classic and the newer load balancers the version tells.
    let elb = |version: &str| {
        let query = format!("Action=DescribeLoadBalancers&Version={version}");
        name(&head(
            "elasticloadbalancing",
            "GET",
            "elasticloadbalancing.us-east-1.amazonaws.com",
            "/",
            &query,
        ))
    };
    assert_eq!(elb("2012-06-01").as_deref(), Some("elb.DescribeLoadBalancers"));
    assert_eq!(elb("2015-12-01").as_deref(), Some("elbv2.DescribeLoadBalancers"));
}

#[test]
fn an_older_version_of_an_api_has_the_same_names() {
    let query = "Action=DescribeInstances&Version=2014-10-01";
    let ec2 = head("ec2", "GET", "ec2.us-east-1.amazonaws.com", "/", query);
    assert_eq!(name(&ec2).as_deref(), Some("ec2.DescribeInstances"));
}

#[test]
fn requests_without_a_signature_are_told_by_their_host() {
    let query =
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/r";
    let sts =
        RequestHead { signing_name: None, ..head("", "GET", "sts.us-east-1.amazonaws.com", "/", query) };
    assert_eq!(name(&sts).as_deref(), Some("sts.AssumeRoleWithWebIdentity"));
    assert_eq!(resource(&sts), "arn:aws:iam::111122223333:role/r");
    assert_eq!(name(&RequestHead { host: "example.com", ..sts }), None);
}

#[test]
fn calls_of_an_api_behind_api_gateway() {
    let call = |host, path| head("execute-api", "GET", host, path, "");
    let private = call("a1b2-vpce-0a.execute-api.us-east-1.amazonaws.com", "/prod/pets/1");
    assert_eq!(needs(&private)[0].action, "execute-api:Invoke");
    let arn = "arn:aws:execute-api:us-east-1:111122223333:a1b2/prod/GET/pets/1";
    assert_eq!(resource(&private), arn);
    let headers = [("x-apigw-api-id", &b"a1b2"[..])];
    let endpoint = call("vpce-0a-x.execute-api.us-east-1.vpce.amazonaws.com", "/prod/pets/1");
    assert_eq!(resource(&RequestHead { headers: &headers, ..endpoint }), arn);
    assert_eq!(resource(&endpoint), "?");
    let own = call("a1b2.execute-api.us-east-1.amazonaws.com", "/prod/@connections/c");
    assert_eq!(name(&own).as_deref(), Some("apigatewaymanagementapi.GetConnection"));
}

#[test]
fn without_an_account_a_resource_is_unknown() {
    let head = form("", "Action=DeleteDBInstance&Version=2014-10-31&DBInstanceIdentifier=a");
    let operation = identify(&head).unwrap();
    let scope = Scope { account: None, ..SCOPE };
    let needs = authorize(&operation, &Parameters::read(&operation, &head), &scope);
    assert!(needs[0].resources[0].unknown, "{needs:?}");
}
