//! Which members make an action's resource ARNs and condition keys.
//!
//! Names are compared without case and punctuation, then without what only says that they are names (`Id`,
//! `Identifier`, `Name`, `Arn`, a plural). What is not matched so is left out, and the library's rules by hand or
//! its `*` for the unknown take over.

use std::collections::BTreeMap;

use super::members::{Kind, Member};
use super::reference::{Action, Document};

/// Endings that name nothing, longest first.
const ENDINGS: [&str; 9] = ["identifiers", "identifier", "names", "name", "arns", "arn", "ids", "id", "s"];

/// Beginnings of operations that make what they name: the parts of its ARN that are not known yet are `*`.
const MAKING: [&str; 11] = [
    "Create",
    "Run",
    "Allocate",
    "Import",
    "Copy",
    "Register",
    "Request",
    "Purchase",
    "Restore",
    "Provision",
    "Start",
];

/// Members that carry a variable whose name they do not have: IAM prefix, variable, member.
const SYNONYMS: [(&str, &str, &str); 21] = [
    ("cloudwatch", "AlarmName", "AlarmNames"),
    ("ecs", "ServiceName", "service"),
    ("ecs", "ClusterName", "cluster"),
    ("ecs", "TaskId", "tasks"),
    ("kms", "KeyId", "TargetKeyId"),
    ("lambda", "LayerVersion", "VersionNumber"),
    ("rds", "ClusterParameterGroupName", "DBClusterParameterGroupName"),
    ("rds", "ClusterSnapshotName", "DBClusterSnapshotIdentifier"),
    ("rds", "DbClusterEndpoint", "DBClusterEndpointIdentifier"),
    ("rds", "DbClusterInstanceName", "DBClusterIdentifier"),
    ("rds", "DbInstanceName", "DBInstanceIdentifier"),
    ("rds", "GlobalCluster", "GlobalClusterIdentifier"),
    ("rds", "ParameterGroupName", "DBParameterGroupName"),
    ("rds", "ReservedDbInstanceName", "ReservedDBInstanceId"),
    ("rds", "SecurityGroupName", "DBSecurityGroupName"),
    ("rds", "SnapshotName", "DBSnapshotIdentifier"),
    ("rds", "SubnetGroupName", "DBSubnetGroupName"),
    ("redshift", "ClusterName", "ClusterIdentifier"),
    ("sqs", "QueueName", "QueueUrl"),
    ("ssm", "ParameterNameWithoutLeadingSlash", "Names"),
    ("ssm", "ParameterNameWithoutLeadingSlash", "Path"),
];

pub(crate) struct Binder<'a> {
    /// The IAM prefix.
    pub(crate) prefix: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) is_ec2: bool,
    pub(crate) members: &'a [Member],
}

impl Binder<'_> {
    /// The rules for an action's resources: none if it takes only `*`. A number is a resource type of the table
    /// with the path of each variable; `@` goes before the path of a whole ARN; `?` if nothing is known.
    pub(crate) fn resources(
        &self,
        action: &Action,
        document: &Document,
        number: &mut dyn FnMut(&str, &str) -> usize,
    ) -> String {
        let mut rules = Vec::new();
        let alone = action.resources.len() == 1;
        for resource in &action.resources {
            let Some(kind) = document.resources.iter().find(|kind| kind.name == resource.name) else {
                continue;
            };
            for format in &kind.arn_formats {
                let bound = self.bind(&kind.name, format, alone);
                if !bound.is_empty() {
                    let number = number(&kind.name, format);
                    rules.extend(bound.iter().map(|bound| format!("{number}{bound}")));
                    break;
                }
            }
        }
        if rules.is_empty() && !action.resources.is_empty() {
            match self.generic_arn() {
                Some(path) => rules.push(format!("@{path}")),
                None => rules.push("?".to_owned()),
            }
        }
        rules.join(";")
    }

    /// The ways in which a request carries what an ARN's format needs: `,=path` is a whole ARN, else there is a
    /// `,path` for each variable.
    fn bind(&self, kind: &str, format: &str, alone: bool) -> Vec<String> {
        let variables: Vec<_> = variables(format).collect();
        let arn = self.best(|member| arn_score(kind, &variables, member));
        let arn = arn.map(|member| format!(",={}", member.path));
        let parts = self.bind_variables(kind, &variables, alone);
        let same = |parts: &String| arn.as_ref().is_some_and(|arn| arn.get(2..) == parts.get(1..));
        let parts = parts.filter(|parts| !same(parts));
        arn.iter().cloned().chain(parts).collect()
    }

    fn bind_variables(&self, kind: &str, variables: &[&str], alone: bool) -> Option<String> {
        if variables.is_empty() {
            return alone.then(|| ",".to_owned());
        }
        let mut bound = String::new();
        let mut used = Vec::new();
        for (at, variable) in variables.iter().enumerate() {
            let last = at + 1 == variables.len();
            let unused = |member: &Member| !used.contains(&member.path);
            let score = |member: &Member| match unused(member) {
                true => self.score(kind, variable, variables.len(), alone, member),
                false => 0,
            };
            match self.best(score) {
                // What stands in a path cannot be told from the name alone.
                Some(_) if variable.ends_with("WithPath") => return None,
                Some(member) => {
                    bound.push_str(&format!(",{}", member.path));
                    used.push(member.path.clone());
                }
                None if last && self.makes(kind, variable) => bound.push_str(",*"),
                None => return None,
            }
        }
        Some(bound)
    }

    /// How well a member fits a variable; 0 is not at all.
    fn score(&self, kind: &str, variable: &str, of: usize, alone: bool, member: &Member) -> usize {
        if member.kind != Kind::Text || member.depth > if self.is_ec2 { 2 } else { 1 } {
            return 0;
        }
        let (v, m) = (normal(variable), normal(&member.name));
        if SYNONYMS.contains(&(self.prefix, variable, &member.name)) {
            return 400;
        }
        // An ARN is one part of a longer one only by chance.
        if of > 1 && (m.ends_with("arn") || m.ends_with("arns")) {
            return 0;
        }
        let score = if v == m {
            100
        } else if m == "name" && member.required && v.strip_suffix("name") == Some(&self.made()) {
            90
        } else if member.depth > 1 {
            0
        } else if !stem(&v).is_empty() && stem(&v) == stem(&m) {
            80
        } else if of == 1 && !stem(&m).is_empty() && stem(&normal(kind)) == stem(&m) {
            70
        } else if of == 1 && alone && member.required && stem(&m).is_empty() {
            50
        } else if of == 1
            && alone
            && member.required
            && stem(&m).len() >= 4
            && (stem(&v).ends_with(stem(&m)) || stem(&m).ends_with(stem(&v)))
        {
            40
        } else {
            0
        };
        if score == 0 { 0 } else { score * 2 + usize::from(member.required) - member.depth.min(1) }
    }

    fn best(&self, score: impl Fn(&Member) -> usize) -> Option<&Member> {
        let scored = self.members.iter().map(|member| (score(member), member));
        scored
            .filter(|(score, _)| *score > 0)
            .max_by_key(|(score, member)| (*score, -(member.depth as isize)))
            .map(|(_, member)| member)
    }

    /// A member that is any resource's ARN, as tagging operations have it.
    fn generic_arn(&self) -> Option<&str> {
        self.best(|member| {
            let name = normal(&member.name);
            let fits = matches!(
                name.as_str(),
                "resourcearn" | "arn" | "resourcearns" | "resource" | "resourceidentifier"
            ) || (member.required && name.ends_with("arn") && !name.contains("role"))
                || (member.required && matches!(name.as_str(), "resourcename" | "resourceid"));
            usize::from(fits && member.kind == Kind::Text && member.depth == 1)
                * (1 + usize::from(member.required) + 2 * usize::from(name.starts_with("resourcearn")))
        })
        .map(|member| member.path.as_str())
    }

    /// What the operation makes, `loadbalancer` of `CreateLoadBalancer`; empty if it makes nothing.
    fn made(&self) -> String {
        normal(MAKING.iter().find_map(|verb| self.operation.strip_prefix(verb)).unwrap_or_default())
    }

    /// Whether the operation makes a resource of the type.
    fn makes(&self, kind: &str, variable: &str) -> bool {
        let (made, kind, variable) = (self.made(), normal(kind), normal(variable));
        let named = |text: &str| !text.is_empty() && stem(&made).ends_with(text);
        named(stem(&kind)) || named(stem(&variable))
    }

    /// `key=path` for every condition key that a member carries. `#` stands for the tags and `~` for their keys
    /// alone; `@` before a path lets only ARNs through; a key that ends in `/` or `:` is one for each of a map.
    pub(crate) fn conditions(
        &self,
        action: &Action,
        types: &BTreeMap<&str, &[String]>,
        takes_tags: bool,
    ) -> String {
        let mut keys: Vec<&str> = action.action_condition_keys.iter().map(String::as_str).collect();
        keys.extend(
            action.resources.iter().flat_map(|resource| &resource.condition_keys).map(String::as_str),
        );
        keys.sort_unstable();
        keys.dedup();
        let mut bound = Vec::new();
        let requested = |key: &&str| key.starts_with("aws:RequestTag/") || **key == *"aws:TagKeys";
        if takes_tags || keys.iter().any(requested) {
            if let Some(path) = self.tags() {
                bound.push(format!("#={path}"));
            } else if let Some(member) = self.best(|member| {
                usize::from(
                    member.kind == Kind::Text
                        && matches!(&*normal(&member.name), "tagkeys" | "tagkeylist" | "tagskeys" | "keys"),
                )
            }) {
                bound.push(format!("~={}", member.path));
            }
        }
        for key in keys.iter().filter(|key| !key.starts_with("aws:")) {
            let Some((_, name)) = key.split_once(':') else { continue };
            let (base, is_map) = match name.find("${").or_else(|| name.find('<')) {
                Some(at) => (&name[..at], true),
                None => (name, false),
            };
            if is_map && !base.ends_with([':', '/']) {
                continue;
            }
            let wanted = normal(base);
            let member = self.best(|member| {
                let wire = member.path.rsplit('.').next().unwrap_or_default();
                let fits = (normal(&member.name) == wanted || normal(wire) == wanted)
                    && is_map == (member.kind == Kind::Map)
                    && matches!(member.kind, Kind::Text | Kind::Number | Kind::Map)
                    && member.depth <= 2;
                usize::from(fits)
            });
            let Some(member) = member else { continue };
            let kinds = types.get(key).copied().unwrap_or_default();
            let at = if kinds.iter().any(|kind| kind.contains("ARN")) { "@" } else { "" };
            let key = &key[..key.len() - name.len() + base.len()];
            bound.push(format!("{key}={at}{}", member.path));
        }
        bound.join(",")
    }

    /// The path of the tags that a request gives to what it makes or tags.
    pub(crate) fn tags(&self) -> Option<&str> {
        self.best(|member| {
            let name = normal(&member.name);
            let named = matches!(
                &*name,
                "tags" | "tag" | "tagset" | "taglist" | "tagsmodel" | "resourcetags" | "tagstoadd"
            );
            let depth_ok =
                member.depth == 1 || (self.is_ec2 && member.path.starts_with("b.TagSpecification."));
            usize::from(named && depth_ok && matches!(member.kind, Kind::Tags | Kind::Map))
                * (4 - member.depth)
        })
        .map(|member| member.path.as_str())
    }
}

/// An ARN's variables, without those that every one has.
fn variables(format: &str) -> impl Iterator<Item = &str> {
    format
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .filter(|variable| !matches!(*variable, "Partition" | "Region" | "Account"))
}

/// How well a member is the ARN of a resource type.
fn arn_score(kind: &str, variables: &[&str], member: &Member) -> usize {
    let name = normal(&member.name);
    if member.kind != Kind::Text || member.depth > 1 || !(name.ends_with("arn") || name.ends_with("arns")) {
        return 0;
    }
    let kind = normal(kind);
    let last = variables.last().map(|variable| normal(variable)).unwrap_or_default();
    let family: String = kind.chars().take_while(char::is_ascii_alphanumeric).collect();
    let same = stem(&name) == stem(&kind) || (!stem(&last).is_empty() && stem(&name) == stem(&last));
    let within =
        !stem(&name).is_empty() && family.starts_with(stem(&name)) && kind.len() <= stem(&name).len() + 3;
    usize::from(same || within)
}

fn normal(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn stem(normal: &str) -> &str {
    let mut stem = normal;
    while let Some(rest) = ENDINGS.iter().find_map(|ending| stem.strip_suffix(ending)) {
        stem = rest;
    }
    stem
}
