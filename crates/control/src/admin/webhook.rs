//! Webhooks that stand for notification topics.

use linkway_model::notice::{Notice, Webhook};
use linkway_model::random_mixed;

use super::service::{authority, check_ca};
use crate::ec2::connection_notification::topic;
use crate::error::AdminError;
use crate::{Control, Error};

/// Bytes of a secret.
const SECRET: std::ops::RangeInclusive<usize> = 16..=256;

/// What an operator says about a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRequest {
    /// The topic's ARN.
    pub topic: String,
    /// `http://HOST[:PORT]/PATH` or `https://HOST[:PORT]/PATH`.
    pub url: String,
    /// Certificates that an HTTPS receiver's own must lead to, in PEM.
    pub ca: Option<String>,
    /// What messages are signed with; one at random if none is given.
    pub secret: Option<String>,
}

impl Control {
    /// Say where messages to a topic are sent. It replaces what was said before.
    pub fn set_webhook(&self, request: WebhookRequest) -> Result<Webhook, Error> {
        let topic = topic(&request.topic)?;
        let unusable = || Error::from(AdminError::UnusableWebhook(request.url.clone()));
        let (secure, rest) = match (request.url.strip_prefix("https://"), request.url.strip_prefix("http://"))
        {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(unusable()),
        };
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_sound = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        let authority =
            authority(host, if secure { 443 } else { 80 }).filter(|_| is_sound).ok_or_else(unusable)?;
        match &request.ca {
            Some(ca) if secure => check_ca(ca)?,
            Some(_) => return Err(AdminError::CaWithoutHttps.into()),
            None => {}
        }
        let secret = request.secret.unwrap_or_else(|| random_mixed(40));
        if !SECRET.contains(&secret.len()) {
            return Err(AdminError::UnusableSecret.into());
        }
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        let webhook = Webhook { topic, secure, authority, path, ca: request.ca, secret };
        self.write(None, |tx| {
            tx.put(webhook.clone());
            Ok(webhook)
        })
    }

    /// Forget where messages to a topic are sent. Those that wait are in the log only.
    pub fn unset_webhook(&self, topic: &str) -> Result<(), Error> {
        self.write(None, |tx| match tx.delete::<Webhook>(topic) {
            true => Ok(()),
            false => Err(AdminError::NoWebhook(topic.to_owned()).into()),
        })
    }

    /// The webhooks, by topic, and how many messages wait for each.
    pub fn webhooks(&self) -> Vec<(Webhook, usize)> {
        let state = self.store.snapshot();
        let waiting = |topic: &str| state.all::<Notice>().filter(|notice| notice.topic == topic).count();
        state.all::<Webhook>().map(|webhook| (Webhook::clone(webhook), waiting(&webhook.topic))).collect()
    }

    /// A message has been delivered, or given up.
    pub fn settle_notice(&self, id: &str) -> Result<(), Error> {
        self.write(None, |tx| {
            tx.delete::<Notice>(id);
            Ok(())
        })
    }
}
