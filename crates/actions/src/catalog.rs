//! The IAM actions and services that exist, for those who check or complete what people write.

use crate::tables::{Index, Section};

/// A service and its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceName {
    /// botocore's: `elbv2`.
    pub name: &'static str,
    /// That of its IAM actions: `elasticloadbalancing`.
    pub iam_prefix: &'static str,
    /// That in a signature's scope: `elasticloadbalancing`.
    pub signing_name: &'static str,
}

/// What the tables were made from, with versions.
pub fn sources() -> &'static str {
    Index::get().sources
}

/// Every service that has operations.
pub fn services() -> impl Iterator<Item = ServiceName> {
    Index::get().services.iter().map(|service| ServiceName {
        name: service.name,
        iam_prefix: service.prefix,
        signing_name: service.signing_name,
    })
}

/// Whether there is such an action, `rds:DescribeDBInstances`, in any case. No wildcards.
pub fn known_action(action: &str) -> bool {
    let Some((prefix, name)) = action.split_once(':') else { return false };
    let Some(section) = Index::get().section(&prefix.to_ascii_lowercase()) else { return false };
    section.actions.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The actions that a pattern matches, `rds:Describe*`, sorted. Without wildcards: those that begin so, `rds:Desc`
/// or `rd`. What is before the colon may have wildcards too; `*` alone is every action there is.
pub fn complete(pattern: &str) -> Vec<String> {
    let pattern = match pattern.contains(['*', '?']) {
        true => pattern.to_owned(),
        false => format!("{pattern}*"),
    };
    let (prefix, name) = pattern.split_once(':').unwrap_or((&pattern, "*"));
    let index = Index::get();
    let mut found = Vec::new();
    for known in index.prefixes().filter(|known| matches(prefix.as_bytes(), known.as_bytes())) {
        let actions = index.section(known).into_iter().flat_map(|section| &section.actions);
        let matching = actions.filter(|action| matches(name.as_bytes(), action.as_bytes()));
        found.extend(matching.map(|action| format!("{known}:{action}")));
    }
    found
}

/// Whether some action that a pattern matches can be about a resource with this ARN, which may have wildcards and
/// variables, too. `*` is anything.
pub fn is_about(pattern: &str, resource: &str) -> bool {
    let (prefix, name) = pattern.split_once(':').unwrap_or((pattern, "*"));
    if prefix.contains(['*', '?']) || resource.bytes().all(|byte| byte == b'*') {
        return true;
    }
    let index = Index::get();
    let Some(section) = index.section(&prefix.to_ascii_lowercase()) else { return true };
    let mut asked = section.actions.iter().filter(|action| matches(name.as_bytes(), action.as_bytes()));
    asked.any(|action| section.is_about(action, resource))
}

impl Section {
    /// Whether an action, as it is spelled here, can be about a resource: `true` also where nobody knows.
    fn is_about(&self, action: &str, resource: &str) -> bool {
        let rows =
            self.operations.iter().flat_map(|(_, operations)| &operations.rows).flat_map(|row| &row.actions);
        let mut rows = rows.filter(|needed| needed.prefix.is_none() && needed.name == action).peekable();
        // One that has rows but no way to a resource has none. The ways that are known need not be all: any of the
        // service's types will do.
        let takes_some = rows.peek().is_none() || rows.any(|needed| !needed.resources.is_empty());
        takes_some && (self.resources.is_empty() || self.has_type_of(resource))
    }

    /// Whether a type of resource here has this ARN's service.
    fn has_type_of(&self, resource: &str) -> bool {
        // Shorter than an ARN, as `arn:*`: may be anything.
        let Some(written) = resource.split(':').nth(2) else { return true };
        let mut known = self.resources.iter().filter_map(|(_, format)| format.split(':').nth(2));
        written.contains('$')
            || known.any(|known| known.contains('$') || matches(written.as_bytes(), known.as_bytes()))
    }
}

/// The IAM prefixes of the services that sign with a name.
pub fn prefixes_of(signing_name: &str) -> Vec<&'static str> {
    let mut prefixes: Vec<_> = Index::get().signing(signing_name).map(|service| service.prefix).collect();
    prefixes.dedup();
    prefixes
}

/// Whether a pattern with `*` and `?` matches all of a text, in any case.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on when what follows the last `*` does not fit: one letter later.
    let mut again = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                again = Some((p + 1, t));
                p += 1;
            }
            Some(letter) if *letter == b'?' || letter.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match again {
                Some((after, from)) => {
                    (p, t) = (after, from + 1);
                    again = Some((after, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_known_in_any_case_and_only_whole() {
        for action in ["rds:DescribeDBInstances", "RDS:describedbinstances", "s3:ListAllMyBuckets"] {
            assert!(known_action(action), "{action}");
        }
        for action in
            ["rds:Describe*", "rds:DescribeDBInstance", "DescribeDBInstances", "nothing:At", "*", ""]
        {
            assert!(!known_action(action), "{action}");
        }
    }

    #[test]
    fn patterns_are_completed() {
        let found = complete("rds:Describe*");
        assert!(found.contains(&"rds:DescribeDBInstances".to_owned()) && found.len() > 40, "{found:?}");
        assert!(found.iter().all(|action| action.starts_with("rds:Describe")), "{found:?}");
        assert_eq!(complete("sts:AssumeRoleW"), ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]);
        assert_eq!(complete("sts:*RoleWith?AML"), ["sts:AssumeRoleWithSAML"]);
        assert_eq!(complete("nothing:*"), Vec::<String>::new());
        assert!(complete("*").len() > 20_000);
    }

    #[test]
    fn actions_are_about_their_own_resources() {
        for (action, resource) in [
            ("s3:GetObject", "arn:aws:s3:::bucket/*"),
            ("S3:getobject", "*"),
            ("s3:GetObject", "arn:aws:*:::bucket/*"),
            ("s3:*", "arn:aws:s3:::bucket"),
            ("*", "arn:aws:s3:::bucket"),
            ("rds:DescribeDBInstances", "arn:aws:rds:us-east-1:111122223333:db:one"),
            ("ssm:StartSession", "arn:aws:ec2:us-east-1:111122223333:instance/i-1"),
            ("dynamodb:GetItem", "arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/team}"),
            ("s3:GetObject", "arn:aws*"),
            ("execute-api:Invoke", "arn:aws:execute-api:us-east-1:111122223333:api/*/GET/*"),
            (
                "autoscaling:SetDesiredCapacity",
                "arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/*",
            ),
            ("rds-db:connect", "arn:aws:rds-db:us-east-1:111122223333:dbuser:db-X/u"),
            ("s3express:CreateSession", "arn:aws:s3express:*:*:bucket/b"),
            ("iam:CreateUser", "arn:aws:iam::111122223333:user/*"),
            ("ec2:CreateTags", "arn:aws:ec2:*:*:instance/*"),
            ("ec2:CreateVpc", "arn:aws:ec2:*:*:vpc/*"),
        ] {
            assert!(is_about(action, resource), "{action} {resource}");
        }
        for (action, resource) in [
            ("s3:GetObject", "arn:aws:sqs:us-east-1:111122223333:queue"),
            ("rds:*", "arn:aws:s3:::bucket/*"),
            ("s3:ListAllMyBuckets", "arn:aws:s3:::bucket"),
            ("ec2:DescribeVpcs", "arn:aws:ec2:us-east-1:111122223333:vpc/vpc-1"),
        ] {
            assert!(!is_about(action, resource), "{action} {resource}");
        }
    }

    #[test]
    fn services_have_their_prefixes() {
        let prefix = |name: &str| services().find(|service| service.name == name).unwrap().iam_prefix;
        for (name, expected) in [
            ("cloudwatch", "cloudwatch"),
            ("elbv2", "elasticloadbalancing"),
            ("stepfunctions", "states"),
            ("rds", "rds"),
            ("apigatewayv2", "apigateway"),
            ("opensearch", "es"),
            ("ses", "ses"),
            ("s3control", "s3"),
        ] {
            assert_eq!(prefix(name), expected, "{name}");
        }
    }
}
