//! S3: which of the actions an operation may need it does need, and buckets, keys and access points as ARNs.
//!
//! Rules from the Service Authorization Reference and from "Required permissions for Amazon S3 API operations" in
//! S3's user guide.

use std::collections::BTreeMap;

use super::{Asked, Need, Resource, conditions};
use crate::parameters::Value;
use crate::request::{decode, pairs};

/// An action on an object, and the one for a version of it.
const VERSIONED: [(&str, &str); 9] = [
    ("GetObject", "GetObjectVersion"),
    ("GetObjectAcl", "GetObjectVersionAcl"),
    ("GetObjectAttributes", "GetObjectVersionAttributes"),
    ("GetObjectTagging", "GetObjectVersionTagging"),
    ("GetObjectTorrent", "GetObjectVersionTorrent"),
    ("PutObjectAcl", "PutObjectVersionAcl"),
    ("PutObjectTagging", "PutObjectVersionTagging"),
    ("DeleteObject", "DeleteObjectVersion"),
    ("DeleteObjectTagging", "DeleteObjectVersionTagging"),
];

/// Headers that ask for one more action, of operations that write an object.
const WRITING: [(&str, &str); 6] = [
    ("x-amz-acl", "s3:PutObjectAcl"),
    ("x-amz-grant-", "s3:PutObjectAcl"),
    ("x-amz-tagging", "s3:PutObjectTagging"),
    ("x-amz-object-lock-mode", "s3:PutObjectRetention"),
    ("x-amz-object-lock-retain-until-date", "s3:PutObjectRetention"),
    ("x-amz-object-lock-legal-hold", "s3:PutObjectLegalHold"),
];

/// The same of `CreateBucket`.
const MAKING: [(&str, &str); 5] = [
    ("x-amz-acl", "s3:PutBucketAcl"),
    ("x-amz-grant-", "s3:PutBucketAcl"),
    ("x-amz-bucket-object-lock-enabled", "s3:PutBucketObjectLockConfiguration"),
    ("x-amz-bucket-object-lock-enabled", "s3:PutBucketVersioning"),
    ("x-amz-object-ownership", "s3:PutBucketOwnershipControls"),
];

/// Operations on a directory bucket itself; those on its objects are allowed by its session.
const DIRECTORY: [&str; 12] = [
    "CreateBucket",
    "DeleteBucket",
    "DeleteBucketPolicy",
    "GetBucketPolicy",
    "PutBucketPolicy",
    "GetBucketEncryption",
    "PutBucketEncryption",
    "DeleteBucketEncryption",
    "GetBucketLifecycleConfiguration",
    "PutBucketLifecycleConfiguration",
    "DeleteBucketLifecycle",
    "ListDirectoryBuckets",
];

pub(crate) fn needs(asked: &Asked<'_>) -> Vec<Need> {
    let parameters = asked.parameters;
    let bucket = parameters.value("l.Bucket");
    if let Some(bucket) = bucket.filter(|bucket| bucket.ends_with("--x-s3")) {
        return directory(asked, bucket);
    }
    let name = asked.name();
    let context = context(asked);
    let need = |action: &str, resource: Resource| Need {
        action: action.to_owned(),
        resources: vec![resource],
        context: context.clone(),
    };
    if name == "DeleteObjects" {
        return delete_objects(asked, bucket.unwrap_or_default(), &context);
    }
    let resource = match (bucket, parameters.value("l.Key")) {
        (Some(bucket), Some(key)) => object(bucket, key, asked.scope.partition),
        (Some(bucket), None) => self::bucket(bucket, asked.scope.partition),
        _ => Resource::known("*"),
    };
    let version = parameters.query_values("versionId").next();
    let mut actions: Vec<String> = asked
        .rows()
        .iter()
        .filter(|row| !row.with_tags)
        .map(|row| versioned(&asked.action(row), version))
        .collect();
    let more: &[(&str, &str)] = match name {
        "PutObject" | "CopyObject" | "CreateMultipartUpload" => &WRITING,
        "CreateBucket" => &MAKING,
        _ => &[],
    };
    actions.extend(more.iter().filter(|(h, _)| parameters.has_header_like(h)).map(|(_, a)| (*a).to_owned()));
    if bypasses(asked) {
        actions.push("s3:BypassGovernanceRetention".to_owned());
    }
    actions.dedup();
    let mut needs: Vec<_> = actions.iter().map(|action| need(action, resource.clone())).collect();
    if let Some(source) = parameters.header("x-amz-copy-source").filter(|_| name.contains("Copy")) {
        let (resource, version) = copy_source(source, asked.scope.partition);
        needs.push(need(&versioned("s3:GetObject", version.as_deref()), resource));
    }
    needs
}

/// The action for a version, if one is named.
fn versioned(action: &str, version: Option<&str>) -> String {
    let name = action.strip_prefix("s3:").filter(|_| version.is_some());
    let found = VERSIONED.iter().find(|(plain, _)| Some(*plain) == name);
    found.map_or_else(|| action.to_owned(), |(_, versioned)| format!("s3:{versioned}"))
}

fn bypasses(asked: &Asked<'_>) -> bool {
    let header = asked.parameters.header("x-amz-bypass-governance-retention");
    header.is_some_and(|value| !value.eq_ignore_ascii_case("false"))
}

/// Each object that the body lists, by itself.
fn delete_objects(asked: &Asked<'_>, bucket: &str, context: &BTreeMap<String, Vec<String>>) -> Vec<Need> {
    let mut by_action: BTreeMap<String, Vec<Resource>> = BTreeMap::new();
    for entry in asked.parameters.nodes("b.Object") {
        let text = |name: &str| entry.members().and_then(|members| members.get(name)).and_then(Value::text);
        let version = text("VersionId").filter(|version| !version.is_empty());
        let resource = match text("Key") {
            Some(key) => object(bucket, key, asked.scope.partition),
            None => Resource::unknown(),
        };
        by_action.entry(versioned("s3:DeleteObject", version)).or_default().push(resource);
    }
    if by_action.is_empty() {
        by_action.insert("s3:DeleteObject".to_owned(), vec![Resource::unknown()]);
    }
    if bypasses(asked) {
        let all = by_action.values().flatten().cloned().collect();
        by_action.insert("s3:BypassGovernanceRetention".to_owned(), all);
    }
    let need = |(action, resources)| Need { action, resources, context: context.clone() };
    by_action.into_iter().map(need).collect()
}

/// A directory bucket: its objects take one action, for the session in which they are reached.
fn directory(asked: &Asked<'_>, bucket: &str) -> Vec<Need> {
    let name = if DIRECTORY.contains(&asked.name()) { asked.name() } else { "CreateSession" };
    let resource = match asked.scope.account {
        Some(account) => {
            let (partition, region) = (asked.scope.partition, asked.scope.region);
            Resource::known(format!("arn:{partition}:s3express:{region}:{account}:bucket/{bucket}"))
        }
        None => Resource::unknown(),
    };
    // Of these the actions are called otherwise.
    let name = match name {
        "GetBucketEncryption" => "GetEncryptionConfiguration",
        "PutBucketEncryption" | "DeleteBucketEncryption" => "PutEncryptionConfiguration",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => "PutLifecycleConfiguration",
        "ListDirectoryBuckets" => "ListAllMyDirectoryBuckets",
        name => name,
    };
    vec![Need { action: format!("s3express:{name}"), resources: vec![resource], context: context(asked) }]
}

/// `arn:aws:s3:::bucket`; an access point's ARN stays.
fn bucket(bucket: &str, partition: &str) -> Resource {
    match bucket.starts_with("arn:") {
        true => Resource::known(bucket),
        false => Resource::known(format!("arn:{partition}:s3:::{bucket}")),
    }
}

fn object(bucket: &str, key: &str, partition: &str) -> Resource {
    match bucket.starts_with("arn:") {
        true => Resource::known(format!("{bucket}/object/{key}")),
        false => Resource::known(format!("arn:{partition}:s3:::{bucket}/{key}")),
    }
}

/// `x-amz-copy-source`: `/bucket/key` or an access point's `ARN/object/key`, escaped, with `?versionId=`.
fn copy_source(source: &str, partition: &str) -> (Resource, Option<String>) {
    let (path, query) = source.split_once('?').unwrap_or((source, ""));
    let version = pairs(query.as_bytes()).into_iter().find(|(name, _)| name == "versionId").map(|(_, v)| v);
    let path = decode(path.as_bytes(), false);
    let path = path.strip_prefix('/').unwrap_or(&path);
    let resource = match path.split_once('/') {
        _ if path.starts_with("arn:") => Resource::known(path),
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => object(bucket, key, partition),
        _ => Resource::unknown(),
    };
    (resource, version)
}

/// What the tables say, and what only S3 has.
fn context(asked: &Asked<'_>) -> BTreeMap<String, Vec<String>> {
    let parameters = asked.parameters;
    let mut context = BTreeMap::new();
    for row in asked.rows() {
        for (key, values) in conditions::read(asked, row.conditions) {
            conditions::add(&mut context, &key, values.iter().map(String::as_str).collect());
        }
    }
    let mut tags = parameters.header("x-amz-tagging").map(|tags| pairs(tags.as_bytes())).unwrap_or_default();
    if asked.name() == "PutObjectTagging" {
        let given = context.iter().filter_map(|(key, values)| {
            Some((key.strip_prefix("aws:RequestTag/")?.to_owned(), values.first()?.clone()))
        });
        tags.extend(given.collect::<Vec<_>>());
    }
    for (key, value) in &tags {
        conditions::add(&mut context, "s3:RequestObjectTagKeys", vec![key]);
        conditions::add(&mut context, &format!("s3:RequestObjectTag/{key}"), vec![value]);
    }
    let by_url = parameters.query_values("X-Amz-Signature").next().is_some();
    if by_url || parameters.header("authorization").is_some() {
        let kind = if by_url { "REST-QUERY-STRING" } else { "REST-HEADER" };
        conditions::add(&mut context, "s3:authType", vec![kind]);
        conditions::add(&mut context, "s3:signatureversion", vec!["AWS4-HMAC-SHA256"]);
    }
    if let Some(version) = parameters.query_values("versionId").next() {
        conditions::add(&mut context, "s3:VersionId", vec![version]);
    }
    if let Some(digest) = parameters.header("x-amz-content-sha256") {
        conditions::add(&mut context, "s3:x-amz-content-sha256", vec![digest]);
    }
    context
}
