//! Names that mean something else than they say, by service.

use super::Asked;

/// What a name stands for.
pub(crate) enum Spelled {
    /// What goes into the ARN.
    Name(String),
    /// All of the ARN.
    Arn(String),
    /// Something that only the service can tell.
    Unknown,
}

/// Reads a name for a resource type.
pub(crate) fn name(asked: &Asked<'_>, kind: &str, name: &str) -> Spelled {
    let same = || Spelled::Name(name.to_owned());
    match (asked.operation.prefix, kind) {
        // An alias is authorized as the key that it leads to.
        ("kms", "key") if name.starts_with("alias/") => Spelled::Unknown,
        ("kms", "alias") => Spelled::Name(name.strip_prefix("alias/").unwrap_or(name).to_owned()),
        // AWS adds six letters to a secret's name.
        ("secretsmanager", _) => Spelled::Unknown,
        ("ssm", "parameter") => {
            // A version or label is chosen behind a colon.
            let name = name.strip_prefix('/').unwrap_or(name);
            Spelled::Name(name.split(':').next().unwrap_or(name).to_owned())
        }
        ("sqs", "queue") if name.contains('/') => queue(asked, name),
        ("lambda", _) if name.contains(':') => function(asked, name),
        // Names of the cluster, or of what is in it.
        ("ecs", _) if name.contains('/') => Spelled::Unknown,
        _ => same(),
    }
}

/// Whether an ARN is that of the resource itself, and not of something that leads to it.
pub(crate) fn is_plain(asked: &Asked<'_>, kind: &str, arn: &str) -> bool {
    match (asked.operation.iam_prefix(), kind) {
        ("kms", "key") => !arn.contains(":alias/"),
        // Without AWS's six letters it is a name that is spelled as an ARN.
        ("secretsmanager", _) => {
            let ending = arn.rsplit('-').next().unwrap_or_default();
            ending.len() == 6 && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }
        _ => true,
    }
}

/// A queue's URL: the account and the name are its path.
fn queue(asked: &Asked<'_>, url: &str) -> Spelled {
    let mut parts = url.rsplit('/');
    let (Some(name), Some(account)) = (parts.next(), parts.next()) else { return Spelled::Unknown };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let own = asked.scope.account.filter(|_| !is_account);
    match if is_account { Some(account) } else { own } {
        Some(account) if !name.is_empty() => {
            let (partition, region) = (asked.scope.partition, asked.scope.region);
            Spelled::Arn(format!("arn:{partition}:sqs:{region}:{account}:{name}"))
        }
        _ => Spelled::Unknown,
    }
}

/// `account:function:name`, `name:qualifier`, `account:name`… as Lambda takes them.
fn function(asked: &Asked<'_>, name: &str) -> Spelled {
    let (partition, region) = (asked.scope.partition, asked.scope.region);
    let parts: Vec<_> = name.split(':').collect();
    let is_account = parts[0].len() == 12 && parts[0].bytes().all(|byte| byte.is_ascii_digit());
    match parts[..] {
        [account, "function", function, ..] if is_account && parts.len() <= 4 => {
            let qualifier = parts.get(3).map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
            Spelled::Arn(format!("arn:{partition}:lambda:{region}:{account}:function:{function}{qualifier}"))
        }
        [_, _] if !is_account => Spelled::Name(name.to_owned()),
        _ => Spelled::Unknown,
    }
}

/// Whose resource it is: the caller's, unless the request names another account.
pub(crate) fn account<'a>(asked: &'a Asked<'_>) -> Option<&'a str> {
    let member = match asked.operation.prefix {
        "ecr" => Some("b.registryId"),
        "glue" | "athena" => Some("b.CatalogId"),
        "s3" => Some("h.x-amz-account-id"),
        _ => None,
    };
    let named = member.and_then(|member| asked.parameters.value(member)).filter(|value| !value.is_empty());
    named.or(asked.scope.account)
}

/// What AWS puts behind an ARN that it checks, though not into its format.
pub(crate) fn ending(asked: &Asked<'_>, kind: &str) -> &'static str {
    let tags = asked.name().contains("Tag");
    match (asked.operation.prefix, kind) {
        // "… on resource: arn:aws:logs:us-east-1:…:log-group:NAME:log-stream:", so that `NAME:*` matches.
        ("logs", "log-group") if !tags => ":log-stream:",
        _ => "",
    }
}
