//! The condition keys that a resource has by itself: its tags, and its properties.
//!
//! Source: the resource types of AWS's Service Authorization Reference, which names the keys of each. Keys of what is
//! not kept here, as placement groups and product codes, are on no resource.

mod ec2;

use linkway_model::certificate::Certificate;
use linkway_model::database::{DbInstance, DbParameterGroup, DbSubnetGroup};
use linkway_model::iam::{InstanceProfile, ManagedPolicy, Named, Role, User};
use linkway_model::load_balancer::{Listener, LoadBalancer, TargetGroup};
use linkway_model::{Resource, Snapshot, Tags};
use linkway_policy::Context;
use serde_json::Value;

/// Keys and their values, such as `ec2:ResourceTag/env` and `dev`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceKeys(Vec<(String, String)>);

impl ResourceKeys {
    /// The keys of the resource of this ARN, as the state has it. None for what is not there, or is of no service here.
    pub fn of(state: &Snapshot, arn: &str) -> Self {
        let mut keys = Self::default();
        if let [_, _, service, region, account, name] = arn.splitn(6, ':').collect::<Vec<_>>()[..] {
            match service {
                "ec2" => ec2::add(&mut keys, &ec2::Place { state, region, account }, name),
                "elasticloadbalancing" => keys.add_balancing(state, arn),
                "rds" => keys.add_database(state, arn),
                "iam" => keys.add_identity(state, arn, name),
                "acm" => keys.add_tags(None, state.get::<Certificate>(arn).map(|found| &found.tags)),
                _ => {}
            }
        }
        keys
    }

    /// Keys and values, each key once.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Put them in a request's context.
    pub(crate) fn put_in<'a>(&'a self, context: &mut Context<'a>) {
        for (key, value) in self.iter() {
            context.insert(key, value);
        }
    }

    /// Add a key that is not there yet.
    pub(crate) fn add(&mut self, key: &str, value: impl ToString) {
        self.0.push((key.to_owned(), value.to_string()));
    }

    /// `aws:ResourceTag/…`, and the same under the service's own key, if it has one.
    fn add_tags(&mut self, own: Option<&str>, tags: Option<&Tags>) {
        for (key, value) in tags.into_iter().flatten() {
            self.add(&format!("aws:ResourceTag/{key}"), value);
            if let Some(own) = own {
                self.add(&format!("{own}/{key}"), value);
            }
        }
    }

    fn add_balancing(&mut self, state: &Snapshot, arn: &str) {
        let tags = of(state, arn, |found: &LoadBalancer| &found.tags)
            .or_else(|| of(state, arn, |found: &Listener| &found.tags))
            .or_else(|| of(state, arn, |found: &TargetGroup| &found.tags));
        self.add_tags(Some("elasticloadbalancing:ResourceTag"), tags);
    }

    fn add_database(&mut self, state: &Snapshot, arn: &str) {
        if let Some(database) = state.get::<DbInstance>(arn) {
            self.add("rds:DatabaseClass", &database.class);
            self.add("rds:DatabaseEngine", database.engine.name());
            self.add("rds:Vpc", true);
            if let Some(name) = &database.database {
                self.add("rds:DatabaseName", name);
            }
            for (key, stored) in [
                ("rds:MultiAz", "MultiAZ"),
                ("rds:Piops", "Iops"),
                ("rds:StorageEncrypted", "StorageEncrypted"),
                ("rds:StorageSize", "AllocatedStorage"),
            ] {
                if let Some(value @ (Value::Bool(_) | Value::Number(_))) = database.stored.get(stored) {
                    self.add(key, value);
                }
            }
            self.add_tags(Some("rds:db-tag"), Some(&database.tags));
        }
        self.add_tags(Some("rds:subgrp-tag"), of(state, arn, |found: &DbSubnetGroup| &found.tags));
        self.add_tags(Some("rds:pg-tag"), of(state, arn, |found: &DbParameterGroup| &found.tags));
    }

    /// `name` is a type, a path and a name, such as `role/service/app`.
    fn add_identity(&mut self, state: &Snapshot, arn: &str, name: &str) {
        let account = arn.split(':').nth(4).and_then(|account| account.parse().ok());
        let (Some(account), Some((kind, path))) = (account, name.split_once('/')) else { return };
        let key = Named::key_of(&account, path.rsplit('/').next().unwrap_or(path));
        let own = Some("iam:ResourceTag");
        match kind {
            "user" => self.add_tags(own, of(state, &key, |found: &User| &found.tags)),
            "role" => self.add_tags(own, of(state, &key, |found: &Role| &found.tags)),
            "instance-profile" => self.add_tags(None, of(state, &key, |found: &InstanceProfile| &found.tags)),
            "policy" => self.add_tags(None, of(state, arn, |found: &ManagedPolicy| &found.tags)),
            _ => {}
        }
    }
}

/// The tags of a document of a kind.
fn of<'a, T: Resource>(state: &'a Snapshot, id: &str, tags: fn(&T) -> &Tags) -> Option<&'a Tags> {
    state.get::<T>(id).map(|found| tags(found))
}
