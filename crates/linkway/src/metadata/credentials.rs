//! Credentials of instances' roles: made when they are first read, and anew before they end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use linkway_control::{Control, InstanceCredentials};
use linkway_model::iam::Role;
use linkway_model::session::{Session, SessionOf};
use linkway_model::{InstanceId, Timestamp};
use serde_json::json;
use tokio::sync::Mutex;

/// How long before they expire others take their place: AWS has new ones at least five minutes before.
const BEFORE: Duration = Duration::from_secs(3600);

/// Those that were made.
pub(super) struct Roles {
    control: Arc<Control>,
    made: Mutex<HashMap<InstanceId, Session>>,
}

impl Roles {
    /// None yet.
    pub(super) fn of(control: Arc<Control>) -> Self {
        Self { control, made: Mutex::default() }
    }

    /// What an instance reads of this role, which is its own.
    pub(super) async fn read(&self, instance: &InstanceId, role: &Role) -> Result<String> {
        // One at a time: whoever asks a moment later finds what the first one made.
        let mut made = self.made.lock().await;
        if let Some(session) = made.get(instance).filter(|session| is_good(session, role)) {
            return Ok(document(session));
        }
        let (control, id) = (Arc::clone(&self.control), instance.clone());
        let answer = tokio::task::spawn_blocking(move || control.instance_credentials(&id))
            .await
            .context("the daemon failed")??;
        match answer {
            InstanceCredentials::Made(session) => {
                let now = Timestamp::now();
                made.retain(|_, session| session.expires > now);
                let document = document(&session);
                made.insert(instance.clone(), *session);
                Ok(document)
            }
            InstanceCredentials::Untrusted => Ok(refusal(
                "AssumeRoleUnauthorizedAccess",
                &format!(
                    "EC2 cannot assume the role {}. Please see documentation at \
                     https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html.",
                    role.named.name
                ),
            )),
            InstanceCredentials::NoRole => {
                Ok(refusal("InstanceProfileNotFound", "The instance profile has no role."))
            }
        }
    }
}

fn is_good(session: &Session, role: &Role) -> bool {
    let own = matches!(&session.of, SessionOf::Role { id, .. } if *id == role.named.id);
    own && Timestamp::now().checked_add(BEFORE).is_ok_and(|soon| session.expires > soon)
}

fn document(session: &Session) -> String {
    pretty(&json!({
        "Code": "Success",
        "LastUpdated": seconds(session.created),
        "Type": "AWS-HMAC",
        "AccessKeyId": session.id,
        "SecretAccessKey": session.secret,
        "Token": session.token,
        "Expiration": seconds(session.expires),
    }))
}

fn refusal(code: &str, message: &str) -> String {
    pretty(&json!({ "Code": code, "Message": message, "LastUpdated": seconds(Timestamp::now()) }))
}

/// A document as metadata has it.
pub(super) fn pretty(document: &serde_json::Value) -> String {
    serde_json::to_string_pretty(document).expect("a document is plain data")
}

/// A time in whole seconds, as metadata has it.
pub(super) fn seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
