//! AWS's global condition keys: what a checker of endpoint policies knows about them.

/// How many values a key has in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arity {
    One,
    Many,
}

/// What is known about a global key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GlobalKey {
    /// Without `aws:`; one that ends in `/` goes on with the name of a tag.
    pub(crate) name: &'static str,
    pub(crate) arity: Arity,
    /// Identifiers that AWS generates, in which a wildcard makes no sense.
    pub(crate) system_id: bool,
}

const fn one(name: &'static str) -> GlobalKey {
    GlobalKey { name, arity: Arity::One, system_id: false }
}

const fn many(name: &'static str) -> GlobalKey {
    GlobalKey { name, arity: Arity::Many, system_id: false }
}

const fn id(name: &'static str) -> GlobalKey {
    GlobalKey { name, arity: Arity::One, system_id: true }
}

/// IAM User Guide, "AWS global condition context keys".
const GLOBAL: [GlobalKey; 48] = [
    one("AssumedRoot"),
    many("CalledVia"),
    one("CalledViaFirst"),
    one("CalledViaLast"),
    one("ChatbotSourceArn"),
    one("CurrentTime"),
    one("Ec2InstanceSourcePrivateIPv4"),
    id("Ec2InstanceSourceVpc"),
    one("EpochTime"),
    one("FederatedProvider"),
    one("MultiFactorAuthAge"),
    one("MultiFactorAuthPresent"),
    id("PrincipalAccount"),
    one("PrincipalArn"),
    one("PrincipalIsAWSService"),
    id("PrincipalOrgID"),
    many("PrincipalOrgPaths"),
    one("PrincipalServiceName"),
    many("PrincipalServiceNamesList"),
    one("PrincipalTag/"),
    one("PrincipalType"),
    one("referer"),
    one("RequestedRegion"),
    one("RequestTag/"),
    id("ResourceAccount"),
    id("ResourceOrgID"),
    many("ResourceOrgPaths"),
    one("ResourceTag/"),
    one("SecureTransport"),
    id("SourceAccount"),
    one("SourceArn"),
    one("SourceIdentity"),
    one("SourceIp"),
    id("SourceOrgID"),
    many("SourceOrgPaths"),
    id("SourceVpc"),
    one("SourceVpcArn"),
    id("SourceVpce"),
    many("TagKeys"),
    one("TokenIssueTime"),
    one("UserAgent"),
    one("userid"),
    one("username"),
    one("ViaAWSService"),
    id("VpceAccount"),
    id("VpceOrgID"),
    many("VpceOrgPaths"),
    one("VpcSourceIp"),
];

/// What is known about a key; `None` for a service's own keys and for those that do not exist.
pub(crate) fn global(key: &str) -> Option<GlobalKey> {
    let rest = strip_aws(key)?;
    GLOBAL.into_iter().find(|known| match known.name.ends_with('/') {
        true => rest.len() > known.name.len() && starts_with_ignoring_case(rest, known.name),
        false => rest.eq_ignore_ascii_case(known.name),
    })
}

/// Whether the key is written as a global one.
pub(crate) fn is_global(key: &str) -> bool {
    strip_aws(key).is_some()
}

/// Whether no request through an endpoint has the key: the address that AWS sees is a private one, so it has
/// `aws:VpcSourceIp` in the place of `aws:SourceIp`.
pub(crate) fn is_absent_through_endpoint(key: &str) -> bool {
    key.eq_ignore_ascii_case("aws:SourceIp")
}

fn strip_aws(key: &str) -> Option<&str> {
    starts_with_ignoring_case(key, "aws:").then(|| &key[4..])
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}
