//! AWS's own client library: its signatures, and its readers of errors.

use std::path::{Path, PathBuf};
use std::process::Command;

use linkway_gateway::{Backend, Protocol};

use crate::backend::Server;
use crate::world::{Draft, KEY, SECRET, client_address, service};

/// The project's Python environment, or the machine's.
pub(crate) fn python() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    if own.exists() { own } else { "python3".into() }
}

/// Runs a call of botocore's, and returns what it printed.
async fn botocore(draft: Draft, host: &str, service: &str, operation: &str, arguments: &str) -> String {
    let world = draft.start().await;
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), &world.ca).unwrap();
    let mut command = Command::new(python());
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/client.py"))
        .args([service, operation, arguments, host])
        .arg(world.address(1).to_string())
        .arg(client_address(1).to_string())
        .env("AWS_CA_BUNDLE", ca.path())
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_DEFAULT_REGION", "us-east-1");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const NOTHING: &str =
    r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "x:*", "Resource": "*"}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn botocore_reads_denials_of_every_protocol() {
    for (name, protocol, operation, arguments, code) in [
        ("ec2", Protocol::Ec2, "DescribeVpcs", "{}", "UnauthorizedOperation"),
        ("rds", Protocol::Query, "DescribeDBInstances", "{}", "AccessDenied"),
        ("dynamodb", Protocol::Json10, "ListTables", "{}", "AccessDeniedException"),
        ("kms", Protocol::Json11, "ListKeys", "{}", "AccessDeniedException"),
        ("lambda", Protocol::RestJson, "ListFunctions", "{}", "AccessDeniedException"),
        ("s3", Protocol::S3, "PutObject", r#"{"Bucket": "b", "Key": "k", "Body": "text"}"#, "AccessDenied"),
        ("cloudwatch", Protocol::Cbor, "ListMetrics", "{}", "AccessDeniedException"),
    ] {
        let signing = if name == "cloudwatch" { "monitoring" } else { name };
        let host = format!("{signing}.us-east-1.amazonaws.com");
        let wildcard = format!("*.{host}");
        let service = service(signing, protocol, Backend::None);
        let draft = Draft::of(service, &[&host, &wildcard]).policy(NOTHING);
        let printed = botocore(draft, &host, name, operation, arguments).await;
        assert!(printed.starts_with(&format!("{code}: ")), "{name}: {printed}");
        assert!(
            printed.contains("arn:aws:iam::111122223333:user/alice is not authorized to perform: ")
                && printed.contains("because no VPC endpoint policy allows the "),
            "{name}: {printed}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn botocore_is_told_of_a_missing_backend() {
    let printed = botocore(
        Draft::s3(Backend::None),
        crate::world::S3,
        "s3",
        "GetObject",
        r#"{"Bucket": "b", "Key": "k"}"#,
    )
    .await;
    assert!(
        printed.starts_with("NotImplemented: Linkway has no backend for com.amazonaws.us-east-1.s3"),
        "{printed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn botocores_uploads_are_signed_as_they_should() {
    let server = Server::start().await;
    let arguments = r#"{"Bucket": "b", "Key": "a key/with ünusual+letters", "Body": "text"}"#;
    let printed = botocore(Draft::s3(server.backend()), crate::world::S3, "s3", "PutObject", arguments).await;
    assert_eq!(printed.trim(), "ok");
    assert_eq!(server.seen(), 1);
}
