//! Delivering connection notifications: each is a line in a log, and goes to its topic's webhook, if there is one.
//!
//! Messages wait in the state, so a daemon that is started again goes on where the last one ended; a receiver may get
//! one twice. Those of a topic are sent one after the other, in the order of what happened.

use std::collections::{HashMap, HashSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName, USER_AGENT};
use linkway_gateway::{Backend, Post, post};
use linkway_model::Timestamp;
use linkway_model::notice::{Notice, Webhook};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::daemon::Daemon;
use crate::stop::Stop;

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait after an attempt that failed: at first; then twice as long each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Attempts, after which a message is given up: about four minutes of them.
const ATTEMPTS: u32 = 9;

/// Topics that are told at a time.
const AT_A_TIME: usize = 32;

/// Bytes of the log before it is set aside, in place of the one that was set aside before.
const LOG: u64 = 8 << 20;

/// What a message has come to.
struct Outcome {
    notice: Arc<Notice>,
    delivered: Result<(), Failure>,
}

enum Failure {
    /// Another attempt may do better.
    ForNow(String),
    /// The receiver does not want it.
    ForGood(String),
}

/// What is known of messages that are not settled yet.
#[derive(Default)]
struct Progress {
    /// Topics with a message under way.
    running: HashSet<String>,
    /// Messages that wait: attempts so far, and when the next one is due.
    waits: HashMap<String, (u32, Instant)>,
    /// Messages that are in the log.
    logged: HashSet<String>,
}

/// Deliver what is due, until `stop` turns true.
pub(crate) async fn run(daemon: Arc<Daemon>, mut stop: Stop) {
    let mut snapshots = daemon.store.subscribe();
    let (mut progress, mut tasks) = (Progress::default(), JoinSet::new());
    loop {
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        progress.waits.retain(|id, _| snapshot.get::<Notice>(id).is_some());
        progress.logged.retain(|id| snapshot.get::<Notice>(id).is_some());
        let mut topics = HashSet::new();
        for notice in snapshot.all::<Notice>() {
            log_once(&daemon, &mut progress, notice).await;
            // The oldest of each topic only.
            let first = topics.insert(notice.topic.clone());
            let early = progress.waits.get(&notice.id).is_some_and(|(_, due)| *due > Instant::now());
            if !first
                || early
                || progress.running.len() >= AT_A_TIME
                || progress.running.contains(&notice.topic)
            {
                continue;
            }
            progress.running.insert(notice.topic.clone());
            let webhook = snapshot.get::<Webhook>(&notice.topic).filter(|_| notice.may_tell()).cloned();
            let notice = Arc::clone(notice);
            tasks.spawn(async move {
                let delivered = match &webhook {
                    Some(webhook) => send(&notice, webhook).await,
                    None => Ok(()),
                };
                Outcome { notice, delivered }
            });
        }
        let due = progress.waits.values().map(|(_, due)| *due).filter(|due| *due > Instant::now()).min();
        let sleep = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(ended) = tasks.join_next() => match ended {
                Ok(outcome) => settle(&daemon, &mut progress, outcome).await,
                Err(error) => {
                    tracing::error!(%error, "a notification failed");
                    tasks.abort_all();
                    progress.running.clear();
                }
            },
            () = sleep => {}
            Ok(()) = snapshots.changed() => {}
            () = stop.wait() => return,
        }
    }
}

/// Send a message to a webhook, in the envelope that SNS has, and signed.
async fn send(notice: &Notice, webhook: &Webhook) -> Result<(), Failure> {
    let authority = webhook.authority.clone();
    let receiver = match webhook.secure {
        true => Backend::Https { authority, ca: webhook.ca.as_deref().map(Arc::from) },
        false => Backend::Http { authority },
    };
    let body = json!({
        "Type": "Notification",
        "MessageId": notice.message_id,
        "TopicArn": notice.topic,
        "Subject": notice.subject,
        "Message": notice.message,
        "Timestamp": format!("{:.3}", notice.created),
    });
    let body = body.to_string().into_bytes();
    let header = |name: &'static str, value: &str| (HeaderName::from_static(name), value.to_owned());
    let headers = vec![
        (CONTENT_TYPE, "application/json".to_owned()),
        (USER_AGENT, concat!("linkway/", env!("CARGO_PKG_VERSION")).to_owned()),
        header("x-amz-sns-message-type", "Notification"),
        header("x-amz-sns-message-id", &notice.message_id),
        header("x-amz-sns-topic-arn", &notice.topic),
        header("x-linkway-signature", &signature(&webhook.secret, &body)),
    ];
    let sent =
        post(Post { receiver, path: webhook.path.clone(), headers, body }, Handle::current(), PATIENCE).await;
    match sent {
        Ok(status) if status.is_success() => Ok(()),
        // As SNS does: what the receiver refuses, it would refuse again.
        Ok(status) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            Err(Failure::ForGood(format!("it answers {status}")))
        }
        Ok(status) => Err(Failure::ForNow(format!("it answers {status}"))),
        Err(error) => Err(Failure::ForNow(error.to_string())),
    }
}

/// `sha256=` and the HMAC of the body in hexadecimal digits.
fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of HMAC has any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Go on after an attempt: the message is done, waits, or is given up.
async fn settle(daemon: &Daemon, progress: &mut Progress, outcome: Outcome) {
    let Outcome { notice, delivered } = outcome;
    progress.running.remove(&notice.topic);
    let attempts = progress.waits.get(&notice.id).map_or(0, |(attempts, _)| *attempts) + 1;
    let given_up = match delivered {
        Ok(()) => None,
        Err(Failure::ForNow(why)) if attempts < ATTEMPTS => {
            tracing::warn!(topic = notice.topic, attempts, "a notification was not delivered yet: {why}");
            let wait = FIRST_WAIT * 2_u32.pow(attempts - 1);
            progress.waits.insert(notice.id.clone(), (attempts, Instant::now() + wait));
            return;
        }
        Err(Failure::ForNow(why) | Failure::ForGood(why)) => Some(why),
    };
    if let Some(why) = given_up {
        tracing::error!(topic = notice.topic, attempts, "a notification was not delivered: {why}");
        let line = json!({
            "time": Timestamp::now().to_string(), "messageId": notice.message_id, "topic": notice.topic,
            "undelivered": why, "attempts": attempts,
        });
        log(daemon, line).await;
    }
    let id = notice.id.clone();
    match daemon.control(move |control| control.settle_notice(&id)).await {
        Ok(Ok(())) => {}
        // It stays, and is delivered once more: rather twice than not at all.
        Ok(Err(error)) => {
            tracing::error!(%error, "a notification could not be settled");
            progress.waits.insert(notice.id.clone(), (attempts.min(ATTEMPTS - 1), Instant::now() + PATIENCE));
        }
        Err(error) => tracing::error!("{error:#}"),
    }
}

async fn log_once(daemon: &Daemon, progress: &mut Progress, notice: &Notice) {
    if !progress.logged.insert(notice.id.clone()) {
        return;
    }
    let message: Value = serde_json::from_str(&notice.message).unwrap_or_default();
    let line = json!({
        "time": notice.created.to_string(), "messageId": notice.message_id, "topic": notice.topic,
        "message": message,
    });
    log(daemon, line).await;
}

/// Write a line to the log. A disk that takes none keeps nothing from being delivered.
async fn log(daemon: &Daemon, line: Value) {
    let path = daemon.settings.state.notifications_log();
    let written = tokio::task::spawn_blocking(move || append(&path, &line)).await;
    match written {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the log of notifications cannot be written"),
        Err(error) => tracing::error!(%error, "the log of notifications failed"),
    }
}

fn append(path: &Path, line: &Value) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| found.len() >= LOG) {
        fs::rename(path, path.with_extension("jsonl.1"))?;
    }
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in "Test Cases" of RFC 4231, 4.3.
    #[test]
    fn bodies_are_signed_by_hmac() {
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_full_log_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notifications.jsonl");
        append(&path, &json!({"a": 1})).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(LOG).unwrap();
        append(&path, &json!({"b": 2})).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"b\":2}\n");
        assert_eq!(fs::metadata(directory.path().join("notifications.jsonl.1")).unwrap().len(), LOG);
    }
}
