//! Which IAM actions an operation needs.

use super::reference::Reference;

/// An action, and when it is needed.
pub(crate) struct Needed {
    pub(crate) prefix: String,
    pub(crate) name: String,
    /// Only if the request carries tags.
    pub(crate) with_tags: bool,
}

/// Operations for which the reference names several actions and none that is called as they are. Those that
/// depend on what is in the request are decided when it is there: `ReEncrypt`, PartiQL, S3's copies.
const BY_HAND: [(&str, &str, &[&str]); 30] = [
    ("bedrock-runtime", "Converse", &["bedrock:InvokeModel"]),
    ("bedrock-runtime", "ConverseStream", &["bedrock:InvokeModelWithResponseStream"]),
    ("bedrock-runtime", "StartAsyncInvoke", &["bedrock:InvokeModel"]),
    (
        "cloudfront",
        "CreateDistributionWithTags",
        &["cloudfront:CreateDistribution", "cloudfront:TagResource"],
    ),
    ("cloudfront", "UpdateDistributionWithStagingConfig", &["cloudfront:UpdateDistribution"]),
    ("dynamodb", "TransactWriteItems", &[]),
    ("dynamodb", "TransactGetItems", &["dynamodb:GetItem"]),
    ("dynamodb", "BatchExecuteStatement", &[]),
    ("dynamodb", "ExecuteStatement", &[]),
    ("dynamodb", "ExecuteTransaction", &[]),
    ("dynamodb", "RestoreTableToPointInTime", &["dynamodb:RestoreTableToPointInTime"]),
    ("ecr", "ListImageReferrers", &["ecr:BatchGetImage"]),
    ("lex-models", "CreateResourcePolicyStatement", &["lex:CreateResourcePolicy"]),
    ("s3", "CopyObject", &["s3:PutObject"]),
    ("s3", "CreateMultipartUpload", &["s3:PutObject"]),
    ("s3", "CreateSession", &["s3express:CreateSession"]),
    ("s3", "DeleteObjects", &["s3:DeleteObject"]),
    ("s3", "GetObjectAttributes", &["s3:GetObject", "s3:GetObjectAttributes"]),
    ("s3", "GetBucketLifecycle", &["s3:GetLifecycleConfiguration"]),
    ("s3", "HeadObject", &["s3:GetObject"]),
    ("s3", "ListDirectoryBuckets", &["s3express:ListAllMyDirectoryBuckets"]),
    ("s3", "ListObjects", &["s3:ListBucket"]),
    ("s3", "ListObjectsV2", &["s3:ListBucket"]),
    ("s3", "PutBucketNotification", &["s3:PutBucketNotification"]),
    ("s3", "RenameObject", &["s3express:RenameObject"]),
    ("s3", "UploadPartCopy", &["s3:PutObject"]),
    ("s3", "WriteGetObjectResponse", &["s3-object-lambda:WriteGetObjectResponse"]),
    ("sagemaker-runtime", "InvokeEndpointWithResponseStream", &["sagemaker:InvokeEndpoint"]),
    ("support", "CompleteAttachmentUpload", &["support:UploadAttachment"]),
    ("timestream-query", "Query", &["timestream:Select"]),
];

/// The actions of an operation. `main` is the IAM prefix that most of its service's operations have.
pub(crate) fn actions(reference: &Reference, service: &str, operation: &str, main: &str) -> Vec<Needed> {
    let always = |prefix: &str, name: &str| Needed {
        prefix: prefix.to_owned(),
        name: name.to_owned(),
        with_tags: false,
    };
    if let Some((_, _, actions)) = BY_HAND.iter().find(|(s, o, _)| (*s, *o) == (service, operation)) {
        return actions
            .iter()
            .filter_map(|action| action.split_once(':'))
            .map(|(p, n)| always(p, n))
            .collect();
    }
    let Some((prefix, known)) = reference.operation(service, operation) else {
        return vec![unlisted(reference, operation, main)];
    };
    let listed: Vec<_> =
        known.authorized_actions.iter().map(|action| (&*action.service, &*action.name)).collect();
    let tags = |(prefix, name): &(&str, &str)| {
        reference.action(prefix, name).is_some_and(|action| action.annotations.properties.is_tagging_only)
    };
    let like_named = |own: &str| {
        listed.iter().find(|(prefix, name)| *prefix == own && name.eq_ignore_ascii_case(operation))
    };
    let primary = like_named(main)
        .or_else(|| like_named(prefix))
        .or_else(|| listed.iter().find(|(_, name)| name.eq_ignore_ascii_case(operation)));
    let mut needed: Vec<_> = match primary {
        Some((prefix, name)) => vec![always(prefix, name)],
        None => {
            // Several, none of them like-named: what the service itself authorizes, all of it.
            let own = |action: &&(&str, &str)| action.0 == main || action.0 == prefix;
            let bearer = |name: &str| name == "CallWithBearerToken";
            listed
                .iter()
                .filter(own)
                .filter(|action| !tags(action) && !bearer(action.1))
                .map(|(prefix, name)| always(prefix, name))
                .collect()
        }
    };
    if needed.is_empty() {
        needed = match listed[..] {
            [(prefix, name)] => vec![always(prefix, name)],
            _ => vec![unlisted(reference, operation, main)],
        };
    }
    let own = needed[0].prefix.clone();
    for action in listed.iter().filter(|action| action.0 == own && tags(action)) {
        if !needed.iter().any(|known| known.name == action.1) {
            needed.push(Needed { with_tags: true, ..always(action.0, action.1) });
        }
    }
    needed
}

/// An operation that the reference does not know, or without actions there: the action of its name.
fn unlisted(reference: &Reference, operation: &str, main: &str) -> Needed {
    let document = reference.documents.get(main);
    let known = document.and_then(|document| {
        document.actions.iter().find(|action| action.name.eq_ignore_ascii_case(operation))
    });
    let name = known.map_or(operation, |action| &action.name).to_owned();
    Needed { prefix: main.to_owned(), name, with_tags: false }
}
