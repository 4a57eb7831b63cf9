//! The actions that AWS has, for checking policies.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use linkway_model::aws_service::AwsService;
use linkway_policy::{Actions, action_matches};

/// All of AWS's actions.
pub(super) struct Known;

impl Actions for Known {
    fn exists(&self, pattern: &str) -> bool {
        if pattern.contains(['*', '?']) {
            !linkway_actions::complete(pattern).is_empty()
        } else {
            linkway_actions::known_action(pattern)
        }
    }

    fn matching(&self, pattern: &str) -> Vec<String> {
        let mut found = linkway_actions::complete(pattern);
        // Without wildcards, those that begin so are completed, too.
        found.retain(|action| action_matches(pattern, action));
        found
    }

    fn is_about(&self, pattern: &str, resource: &str) -> bool {
        linkway_actions::is_about(pattern, resource)
    }
}

/// An AWS service, for checking that a policy is about it.
#[derive(Debug)]
pub(crate) struct Service {
    /// As it was given.
    pub(super) name: String,
    /// The prefixes of its actions.
    pub(super) prefixes: BTreeSet<&'static str>,
    /// Whether its endpoints take a policy other than full access.
    pub(super) policies: bool,
}

impl Service {
    /// A service by its endpoints' name, `com.amazonaws.us-east-1.rds`, or the end of that, `rds`.
    pub(crate) fn find(name: &str) -> Result<Self> {
        let short = |service: &&AwsService| service.name("").trim_start_matches("com.amazonaws..") == name;
        let found = match AwsService::find(name) {
            Some((service, _)) => Some(service),
            None => AwsService::all().iter().find(short),
        };
        let Some(service) = found else {
            bail!(
                "there is no AWS service {name:?} with endpoints; `aws ec2 describe-vpc-endpoint-services` lists them"
            );
        };
        let prefixes =
            service.signing_names.iter().flat_map(|name| linkway_actions::prefixes_of(name)).collect();
        Ok(Self { name: name.to_owned(), prefixes, policies: service.policies })
    }

    /// Whether an action, wildcards and all, can be one of the service's. `true` where its actions are not known.
    pub(super) fn has(&self, action: &str) -> bool {
        let prefix = action.split_once(':').map_or(action, |(prefix, _)| prefix);
        self.prefixes.is_empty() || self.prefixes.iter().any(|known| action_matches(prefix, known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_found_by_either_name() {
        for name in ["com.amazonaws.eu-west-1.rds", "rds"] {
            let service = Service::find(name).unwrap();
            assert!(service.has("rds:Describe*") && service.has("*") && service.has("RDS:x"), "{service:?}");
            assert!(!service.has("s3:GetObject"), "{service:?}");
        }
        // Not all are named as their actions are.
        assert!(Service::find("monitoring").unwrap().has("cloudwatch:PutMetricData"));
        assert!(Service::find("ecr.api").unwrap().has("ecr:GetAuthorizationToken"));
        let error = Service::find("nothing").unwrap_err().to_string();
        assert!(error.contains("describe-vpc-endpoint-services"), "{error}");
    }

    #[test]
    fn every_service_that_signs_has_actions() {
        for service in AwsService::all() {
            for name in &service.signing_names {
                // MLflow's tracking servers sign with a name of their own, and have no model.
                let known = !linkway_actions::prefixes_of(name).is_empty() || *name == "sagemaker-mlflow";
                assert!(known, "{}: {name}", service.pattern);
            }
        }
    }

    #[test]
    fn what_matches_a_whole_name_is_that_action() {
        assert_eq!(Known.matching("sts:AssumeRole"), ["sts:AssumeRole"]);
        assert_eq!(Known.matching("*:DescribeDBInstances").first().unwrap(), "rds:DescribeDBInstances");
    }
}
