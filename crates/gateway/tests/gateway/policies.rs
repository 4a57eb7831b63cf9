//! What policies say, and what is written down of it.

use std::sync::Arc;

use hyper::Request;
use linkway_gateway::{Backend, Protocol};
use linkway_policy::Policy;
use serde_json::json;

use crate::client::{Answer, ask, form};
use crate::signer::Signer;
use crate::world::{ACCOUNT, Draft, FOREIGN_KEY, RDS, World};

const DESCRIBE_ONLY: &str = r#"{"Statement": [
    {"Sid": "Read", "Effect": "Allow", "Principal": "*", "Action": "rds:Describe*", "Resource": "*",
     "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-0123456789abcdef0"},
                   "IpAddress": {"aws:VpcSourceIp": "10.0.1.1"}, "Null": {"aws:SourceIp": "true"},
                   "Bool": {"aws:SecureTransport": "true"}}},
    {"Sid": "Never", "Effect": "Deny", "Principal": "*", "Action": "rds:DescribeEvents", "Resource": "*"}]}"#;

fn draft(policy: &str) -> Draft {
    Draft::rds(Backend::Local("rds".to_owned())).policy(policy)
}

async fn call(world: &World, action: &str) -> Answer {
    call_as(world, action, Signer::of("rds")).await
}

async fn call_as(world: &World, action: &str, signer: Signer) -> Answer {
    let body = format!("Action={action}&Version=2014-10-31");
    let mut request = form(RDS, &body);
    signer.sign(&mut request, body.as_bytes());
    ask(world, RDS, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_passes() {
    let world = draft(DESCRIBE_ONLY).start().await;
    let answer = call(&world, "DescribeDBInstances").await;
    assert_eq!(answer.body, format!("rds arn:aws:iam::{ACCOUNT}:user/alice 10.0.1.1 /"));
    let record = world.records.only().await;
    for (key, value) in [
        ("eventCategory", "NetworkActivity"),
        ("eventType", "AwsVpceEvent"),
        ("eventSource", "rds.amazonaws.com"),
        ("eventName", "DescribeDBInstances"),
        ("sourceIPAddress", "10.0.1.1"),
        ("vpcEndpointId", "vpce-0123456789abcdef0"),
        ("vpcEndpointAccountId", ACCOUNT),
    ] {
        assert_eq!(record[key], value, "{record}");
    }
    assert_eq!(record.get("errorCode"), None);
    assert_eq!(record["userIdentity"]["type"], "IAMUser");
    assert_eq!(record["userIdentity"]["userName"], "alice");
    let added = &record["additionalEventData"];
    assert_eq!(added["statements"], json!([{"index": 0, "sid": "Read"}]));
    assert_eq!(added["actions"], json!(["rds:DescribeDBInstances"]));
    assert_eq!(added["needs"], json!([{"action": "rds:DescribeDBInstances", "resources": ["*"]}]));
    assert_eq!(added["httpStatusCode"], 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_statement_allows_is_denied() {
    let world = draft(DESCRIBE_ONLY).start().await;
    let answer = call(&world, "DeleteDBInstance").await;
    assert_eq!(answer.status, 403);
    let sentence = format!(
        "<Message>User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: rds:DeleteDBInstance on \
         resource: * because no VPC endpoint policy allows the rds:DeleteDBInstance action</Message>"
    );
    assert!(
        answer.body.contains("<Code>AccessDenied</Code>") && answer.body.contains(&sentence),
        "{}",
        answer.body
    );
    let record = world.records.only().await;
    assert_eq!(record["errorCode"], "VpceAccessDenied");
    assert_eq!(record["errorMessage"], "The request was denied due to a VPC endpoint policy");
    assert_eq!(record["additionalEventData"]["policyDecision"], "ImplicitDeny");
    assert_eq!(record["requestID"], answer.headers["x-amzn-requestid"].to_str().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_statement_denies_is_denied() {
    let world = draft(DESCRIBE_ONLY).start().await;
    let answer = call(&world, "DescribeEvents").await;
    assert!(
        answer.body.contains("with an explicit deny in a VPC endpoint policy</Message>"),
        "{}",
        answer.body
    );
    let record = world.records.only().await;
    assert_eq!(record["additionalEventData"]["statements"], json!([{"index": 1, "sid": "Never"}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_policy_counts_for_open_connections() {
    let world = draft(DESCRIBE_ONLY).start().await;
    assert_eq!(call(&world, "DescribeDBInstances").await.status, 200);
    world.change(|endpoint| {
        let nothing =
            r#"{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}"#;
        endpoint.policy = Arc::new(Policy::parse(nothing).unwrap());
    });
    assert_eq!(call(&world, "DescribeDBInstances").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_mode_lets_pass_and_tells() {
    let mut draft = draft(DESCRIBE_ONLY);
    draft.endpoint().audit_mode = true;
    let world = draft.start().await;
    assert_eq!(call(&world, "DeleteDBInstance").await.status, 200);
    let record = world.records.only().await;
    assert_eq!(record.get("errorCode"), None);
    let added = &record["additionalEventData"];
    assert_eq!(added["policyMode"], "audit");
    assert_eq!(added["policyDecision"], "ImplicitDeny");
    assert_eq!(added["denied"]["action"], "rds:DeleteDBInstance");
    assert_eq!(added["denied"]["passed"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_of_other_accounts_show_their_account_only() {
    let own = format!(
        r#"{{"Statement": {{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": {{"StringEquals": {{"aws:PrincipalAccount": "{ACCOUNT}", "aws:PrincipalTag/team": "data"}}}}}}}}"#
    );
    let world = draft(&own).start().await;
    assert_eq!(call(&world, "DescribeDBInstances").await.status, 200);
    let signer = Signer { key: FOREIGN_KEY, ..Signer::of("rds") };
    assert_eq!(call_as(&world, "DescribeDBInstances", signer).await.status, 403);
    let records = world.records.wait(2).await;
    assert_eq!(
        records[1]["userIdentity"],
        json!({"type": "AWSAccount", "principalId": FOREIGN_KEY, "accountId": "444455556666"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_no_secure_transport() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let secure = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "true"}}}}"#;
    let world = draft(secure).unsigned().start().await;
    assert_eq!(ask(&world, RDS, form(RDS, "Action=DescribeEvents")).await.status, 200);
    let mut stream = crate::client::connect_plain(&world, 1, 1).await;
    let request = format!("GET /?Action=DescribeEvents HTTP/1.1\r\nhost: {RDS}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("User: anonymous is not"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_needs_full_access() {
    let unknown = || Request::post("/").header("host", RDS).body("What=ever".to_owned()).unwrap();
    let world = draft(DESCRIBE_ONLY).unsigned().start().await;
    assert_eq!(ask(&world, RDS, unknown()).await.status, 403);
    let record = world.records.only().await;
    assert_eq!((&record["eventName"], &record["errorCode"]), (&json!("Unknown"), &json!("VpceAccessDenied")));
    let world = Draft::rds(Backend::Local("rds".to_owned())).unsigned().start().await;
    assert_eq!(ask(&world, RDS, unknown()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_nobody_knows_is_taken_for_the_worst() {
    let all = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#;
    let but =
        r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "NotResource": "arn:aws:rds:*:*:db:x"}"#;
    let not = r#"{"Effect": "Deny", "Principal": "*", "Action": "rds:Delete*", "Resource": "arn:aws:rds:*:*:db:x"}"#;
    for (statements, action, status) in [
        (all.to_owned(), "DeleteDBInstance", 200),
        (but.to_owned(), "DeleteDBInstance", 403),
        (format!("{all}, {not}"), "DeleteDBInstance", 403),
        (format!("{all}, {not}"), "DescribeDBInstances", 200),
    ] {
        let world = draft(&format!(r#"{{"Statement": [{statements}]}}"#)).unsigned().start().await;
        let mut request = form(RDS, &format!("Action={action}"));
        *request.uri_mut() = "/?unknown".parse().unwrap();
        assert_eq!(ask(&world, RDS, request).await.status, status, "{statements} {action}");
        assert_eq!(world.records.only().await["additionalEventData"]["unknownResources"], true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_protocol_spells_a_denial_in_its_way() {
    const NOTHING: &str =
        r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "x:*", "Resource": "*"}}"#;
    for (protocol, status, content_type, code) in [
        (Protocol::Ec2, 403, "text/xml;charset=UTF-8", "<Errors><Error><Code>UnauthorizedOperation</Code>"),
        (
            Protocol::Query,
            403,
            "text/xml",
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>",
        ),
        (Protocol::Json10, 400, "application/x-amz-json-1.0", r#""__type":"AccessDeniedException""#),
        (Protocol::Json11, 400, "application/x-amz-json-1.1", r#""__type":"AccessDeniedException""#),
        (Protocol::RestJson, 403, "application/json", r#"{"message":"User: anonymous is not"#),
        (
            Protocol::RestXml,
            403,
            "text/xml",
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>",
        ),
        (Protocol::S3, 403, "application/xml", "<Error><Code>AccessDenied</Code><Message>User: anonymous"),
        (Protocol::Cbor, 400, "application/cbor", "AccessDeniedException"),
    ] {
        let mut draft = draft(NOTHING).unsigned();
        draft.service().protocol = protocol;
        let world = draft.start().await;
        let request = Request::get("/x?Action=A").header("host", RDS).body(String::new()).unwrap();
        let answer = ask(&world, RDS, request).await;
        assert_eq!(answer.status, status, "{protocol:?}");
        assert_eq!(answer.headers["content-type"], content_type);
        assert!(answer.body.contains(code), "{protocol:?}: {}", answer.body);
        assert!(answer.body.contains("because no VPC endpoint policy allows the rds:"), "{}", answer.body);
    }
}
