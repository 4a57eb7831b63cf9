//! Policies in layers, compiled once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use linkway_model::Snapshot;
use linkway_model::iam::Permissions;
use linkway_policy::{Policy, PolicyType, Request, Verdict};

use super::{Actor, layers};
use crate::iam::managed_document;

/// Compiled policies that are remembered; then all are forgotten and compiled again when they are asked next.
const REMEMBERED: usize = 1024;

/// Policies by their documents, compiled once.
#[derive(Default)]
pub(crate) struct Compiled(Mutex<HashMap<String, Arc<Policy>>>);

impl Compiled {
    /// A document that was checked when it was stored; one that cannot be read allows nothing.
    fn of(&self, document: &str) -> Option<Arc<Policy>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = known.get(document) {
            return Some(Arc::clone(policy));
        }
        let policy = Policy::parse_identity(document)
            .inspect_err(|error| tracing::error!(%error, "a stored policy cannot be read"))
            .ok()?;
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let policy = Arc::new(policy);
        known.insert(document.to_owned(), Arc::clone(&policy));
        Some(policy)
    }
}

/// Policies of one type, of which one must allow.
pub(super) struct Layer {
    pub(super) policy: PolicyType,
    pub(super) documents: Vec<String>,
}

impl Layer {
    pub(super) fn new(policy: PolicyType) -> Self {
        Self { policy, documents: Vec::new() }
    }

    /// The same, with the policies of an identity.
    pub(super) fn with(mut self, state: &Snapshot, permissions: &Permissions) -> Self {
        self.documents.extend(permissions.inline.values().cloned());
        let attached = permissions.attached.iter().filter_map(|arn| managed_document(state, arn));
        self.documents.extend(attached.map(str::to_owned));
        self
    }

    /// The layers of an identity: its policies, and its boundary. A boundary that is no more allows nothing.
    pub(super) fn of(state: &Snapshot, permissions: &Permissions, identity: Self) -> Vec<Self> {
        let boundary = permissions.boundary.as_ref().map(|arn| Self {
            policy: PolicyType::Boundary,
            documents: managed_document(state, arn).map(str::to_owned).into_iter().collect(),
        });
        std::iter::once(identity).chain(boundary).collect()
    }
}

/// The layers about a caller, compiled.
pub(super) struct Documents(Vec<(PolicyType, Vec<Arc<Policy>>)>);

impl Documents {
    pub(super) fn of(compiled: &Compiled, state: &Snapshot, actor: &Actor) -> Self {
        let compile = |layer: Layer| {
            let policies = layer.documents.iter().filter_map(|document| compiled.of(document)).collect();
            (layer.policy, policies)
        };
        Self(layers(state, actor).into_iter().map(compile).collect())
    }

    /// What they say together, and of which type the policy is that decided.
    pub(super) fn decide(&self, request: &Request<'_>, unknown: bool) -> (Verdict, PolicyType) {
        let ask = |policy: &Arc<Policy>| match unknown {
            true => policy.evaluate_unknown_resource(request).verdict,
            false => policy.evaluate(request).verdict,
        };
        let mut lacking = None;
        for (kind, policies) in &self.0 {
            let verdicts: Vec<Verdict> = policies.iter().map(ask).collect();
            if verdicts.contains(&Verdict::ExplicitDeny) {
                return (Verdict::ExplicitDeny, *kind);
            }
            if !verdicts.contains(&Verdict::Allow) {
                lacking = lacking.or(Some(*kind));
            }
        }
        match lacking {
            Some(kind) => (Verdict::ImplicitDeny, kind),
            None => (Verdict::Allow, PolicyType::Identity),
        }
    }
}
