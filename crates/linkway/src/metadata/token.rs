//! Session tokens of IMDSv2: good for one instance, until they expire. Nothing of them is kept but the key that they
//! are made with, which ends with the daemon: SDKs ask for another one then.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit, Mac};
use linkway_model::InstanceId;
use sha2::Sha256;

/// Seconds that a token may be asked for.
pub(super) const SECONDS: std::ops::RangeInclusive<u32> = 1..=21600;

/// Makes tokens, and knows them again.
pub(super) struct Tokens(Hmac<Sha256>);

impl Default for Tokens {
    fn default() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("Linux has random numbers");
        Self(Hmac::new_from_slice(&key).expect("an HMAC takes keys of any length"))
    }
}

impl Tokens {
    /// A token of an instance's, good for `seconds`.
    pub(super) fn make(&self, instance: &InstanceId, seconds: u32) -> String {
        let expires = now() + u64::from(seconds);
        let mut token = expires.to_be_bytes().to_vec();
        token.extend_from_slice(&self.code(instance, expires).finalize().into_bytes());
        URL_SAFE.encode(token)
    }

    /// Seconds that a token is still good for, if it is the instance's and has not expired.
    pub(super) fn seconds_left(&self, instance: &InstanceId, token: &str) -> Option<u64> {
        let token = URL_SAFE.decode(token).ok()?;
        let (expires, code) = token.split_at_checked(8)?;
        let expires = u64::from_be_bytes(expires.try_into().ok()?);
        self.code(instance, expires).verify_slice(code).ok()?;
        expires.checked_sub(now()).filter(|left| *left > 0)
    }

    fn code(&self, instance: &InstanceId, expires: u64) -> Hmac<Sha256> {
        let mut code = self.0.clone();
        code.update(&expires.to_be_bytes());
        code.update(instance.as_str().as_bytes());
        code
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_instances_until_it_expires() {
        let tokens = Tokens::default();
        let (one, other) = (InstanceId::random(), InstanceId::random());
        let token = tokens.make(&one, 60);
        assert!((1..=60).contains(&tokens.seconds_left(&one, &token).unwrap()));
        assert_eq!(tokens.seconds_left(&other, &token), None);
        assert_eq!(Tokens::default().seconds_left(&one, &token), None, "another daemon's");
        assert_eq!(tokens.seconds_left(&one, &tokens.make(&one, 0)), None, "expired");
        let mut later = URL_SAFE.decode(&token).unwrap();
        later[7] ^= 1;
        for bad in ["", "no", "====", &URL_SAFE.encode(later)] {
            assert_eq!(tokens.seconds_left(&one, bad), None, "{bad:?}");
        }
    }
}
