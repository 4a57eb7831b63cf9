//! AWS's managed policies, as far as they are known here: data in `managed_policies.txt`, which names its sources.

use std::sync::LazyLock;

use crate::Timestamp;

/// A managed policy of AWS's. Whoever attaches it takes AWS's document as it was when the list was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsPolicy {
    /// `AdministratorAccess`.
    pub name: &'static str,
    /// `/`, or for example `/service-role/`.
    pub path: &'static str,
    /// `ANPA…`.
    pub id: &'static str,
    /// When this version was made.
    pub created: Timestamp,
    /// The version, as `v1`.
    pub version: &'static str,
    /// The document.
    pub document: &'static str,
}

static ALL: LazyLock<Vec<AwsPolicy>> = LazyLock::new(|| {
    include_str!("managed_policies.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(read)
        .collect()
});

fn read(line: &'static str) -> Option<AwsPolicy> {
    let mut columns = line.splitn(6, ' ');
    let mut column = || columns.next();
    let (name, path, id, day, version) = (column()?, column()?, column()?, column()?, column()?);
    let created = format!("{day}T00:00:00Z").parse().ok()?;
    Some(AwsPolicy { name, path, id, created, version, document: column()? })
}

impl AwsPolicy {
    /// All of them, by name.
    pub fn all() -> &'static [AwsPolicy] {
        &ALL
    }

    /// The one with this ARN.
    pub fn find(arn: &str) -> Option<&'static AwsPolicy> {
        let path = arn.strip_prefix("arn:aws:iam::aws:policy")?;
        ALL.iter().find(|policy| path.strip_prefix(policy.path) == Some(policy.name))
    }

    /// `arn:aws:iam::aws:policy/AdministratorAccess`.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::aws:policy{}{}", self.path, self.name)
    }
}

/// ARN of the policy that allows everything.
pub const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_policy_that_its_arn_finds() {
        let lines =
            include_str!("managed_policies.txt").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(AwsPolicy::all().len(), lines);
        for policy in AwsPolicy::all() {
            assert_eq!(AwsPolicy::find(&policy.arn()), Some(policy));
            assert!(policy.id.starts_with("ANPA") && policy.id.len() == 21, "{}", policy.id);
        }
        assert!(AwsPolicy::all().is_sorted_by_key(|policy| policy.name));
        assert!(AwsPolicy::find(ADMINISTRATOR_ACCESS).is_some());
        assert_eq!(AwsPolicy::find("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole"), None);
    }
}
