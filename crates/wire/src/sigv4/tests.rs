//! Requests that must be refused, and those that must not be.

use jiff::{SignedDuration, Timestamp};

use super::authorization::Authorization;
use super::canonical::{self, PathRules};
use super::{
    Request, Secret, SignatureError, Verified, hmac, payload_hash, signing_key, string_to_sign, verify,
};
use crate::Dialect;
use hmac::Mac as _;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "a secret of forty characters, or nearly";
const TIME: &str = "20260501T120000Z";
const SIGNED_AT: &str = "2026-05-01T12:00:00Z";
const BODY: &str = "Action=DescribeVpcs&Version=2016-11-15";

/// A request that tests alter before or after signing.
#[derive(Clone)]
struct Draft {
    method: &'static str,
    path: String,
    query: String,
    headers: Vec<(&'static str, String)>,
    body: &'static str,
}

impl Draft {
    fn with_request<T>(&self, run: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        run(&Request {
            method: self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: self.body.as_bytes(),
        })
    }

    /// What the signature has to be, of the request as it stands.
    fn signature(&self) -> String {
        self.with_request(|request| {
            let authorization = Authorization::read(request).unwrap();
            let rules = PathRules::of_service(&authorization.scope.service);
            let payload = payload_hash(request, &authorization).unwrap();
            let canonical = canonical::request(request, &authorization, rules, false, &payload);
            let mut mac = hmac(&signing_key(SECRET, &authorization.scope));
            mac.update(string_to_sign(&authorization, &[&canonical]).as_bytes());
            hex::encode(mac.finalize().into_bytes())
        })
    }

    fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.headers.retain(|(header, _)| *header != name);
        self.headers.push((name, value.into()));
    }

    /// Signs with a header, the given headers named.
    fn sign(mut self, signed_headers: &str) -> Self {
        let field = |signature: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential={KEY}/20260501/eu-west-1/ec2/aws4_request, \
                 SignedHeaders={signed_headers}, Signature={signature}"
            )
        };
        self.set("Authorization", field("00"));
        let signature = self.signature();
        self.set("Authorization", field(&signature));
        self
    }

    /// Signs in the URL.
    fn presign(mut self, expires: &str) -> Self {
        self.query = format!(
            "{}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={KEY}%2F20260501%2Feu-west-1%2Fec2%2Faws4_request\
             &X-Amz-Date={TIME}&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host&X-Amz-Signature=",
            self.query
        );
        let unsigned = self.query.clone();
        self.query.push_str("00");
        self.query = unsigned + &self.signature();
        self
    }

    fn verify(&self) -> Result<Verified, SignatureError> {
        self.verify_after(SignedDuration::ZERO)
    }

    fn verify_after(&self, age: SignedDuration) -> Result<Verified, SignatureError> {
        self.verify_with(
            age,
            Secret { secret_access_key: SECRET.to_owned(), session_token: None, expires: None },
        )
    }

    fn verify_with(&self, age: SignedDuration, secret: Secret) -> Result<Verified, SignatureError> {
        let now = SIGNED_AT.parse::<Timestamp>().unwrap() + age;
        self.with_request(|request| verify(request, now, |id| (id == KEY).then_some(secret)))
    }
}

fn post() -> Draft {
    let headers = vec![("Host", "127.0.0.1:4820".to_owned()), ("X-Amz-Date", TIME.to_owned())];
    Draft { method: "POST", path: "/".to_owned(), query: String::new(), headers, body: BODY }
}

fn get() -> Draft {
    let headers = vec![("host", "127.0.0.1:4820".to_owned())];
    Draft { method: "GET", path: "/".to_owned(), query: BODY.to_owned(), headers, body: "" }
}

const SIGNED: &str = "host;x-amz-date";

#[test]
fn a_signed_request_tells_who_signed_it() {
    let verified = post().sign(SIGNED).verify().unwrap();
    assert_eq!(verified.access_key_id, KEY);
    assert_eq!(verified.region, "eu-west-1");
    assert_eq!(verified.service, "ec2");
    assert_eq!(verified.signed_at, SIGNED_AT.parse().unwrap());
    assert_eq!(verified.session_token, None);
}

#[test]
fn the_same_signature_may_come_twice() {
    let request = post().sign(SIGNED);
    assert_eq!(request.verify(), request.verify());
    assert!(request.verify().is_ok());
}

#[test]
fn whatever_is_altered_is_noticed() {
    let alterations: [fn(&mut Draft); 6] = [
        |draft| draft.method = "PUT",
        |draft| draft.path = "/other".to_owned(),
        |draft| draft.query = "Action=DeleteVpc".to_owned(),
        |draft| draft.set("Host", "elsewhere"),
        |draft| draft.set("X-Amz-Date", "20260501T120001Z"),
        |draft| draft.body = "Action=DeleteVpc&Version=2016-11-15",
    ];
    for (number, alter) in alterations.into_iter().enumerate() {
        let mut request = post().sign(SIGNED);
        alter(&mut request);
        assert_eq!(request.verify(), Err(SignatureError::DoesNotMatch), "alteration {number}");
    }
}

#[test]
fn another_secret_or_an_unknown_key_is_refused() {
    let request = post().sign(SIGNED);
    let other = Secret { secret_access_key: "another".to_owned(), session_token: None, expires: None };
    assert_eq!(request.verify_with(SignedDuration::ZERO, other), Err(SignatureError::DoesNotMatch));

    let mut request = request;
    let header = request.headers.pop().unwrap().1.replace(KEY, "AKIAUNKNOWN");
    request.set("Authorization", header);
    assert_eq!(request.verify(), Err(SignatureError::UnknownKey));
}

#[test]
fn clocks_may_differ_by_five_minutes() {
    let request = post().sign(SIGNED);
    for seconds in [-300, 0, 300] {
        assert!(request.verify_after(SignedDuration::from_secs(seconds)).is_ok(), "{seconds}");
    }
    let old = request.verify_after(SignedDuration::from_secs(301)).unwrap_err().into_error(Dialect::Query);
    assert_eq!(
        old.to_string(),
        "SignatureDoesNotMatch: Signature expired: 20260501T120000Z is now earlier than 20260501T120001Z \
         (20260501T120501Z - 5 min.)"
    );
    let early = request.verify_after(SignedDuration::from_secs(-301)).unwrap_err().into_error(Dialect::Query);
    assert_eq!(
        early.to_string(),
        "SignatureDoesNotMatch: Signature not yet current: 20260501T120000Z is still later than \
         20260501T115959Z (20260501T115459Z + 5 min.)"
    );
}

#[test]
fn a_date_header_will_do() {
    let mut request = post();
    request.headers.pop();
    request.set("Date", "Fri, 01 May 2026 12:00:00 GMT");
    assert!(request.sign("date;host").verify().is_ok());
}

#[test]
fn the_scope_is_for_the_day_of_the_date() {
    let mut request = post().sign(SIGNED);
    request.set("X-Amz-Date", "20260502T120000Z");
    let error = request.verify_after(SignedDuration::from_hours(24)).unwrap_err();
    assert!(
        matches!(&error, SignatureError::Misplaced(text) if text.contains("'20260501' != '20260502'")),
        "{error}"
    );
}

#[test]
fn host_and_headers_with_a_meaning_must_be_signed() {
    let error = post().sign("x-amz-date").verify().unwrap_err();
    assert_eq!(
        error.to_string(),
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    );

    let mut request = post().sign(SIGNED);
    request.headers.push(("x-amz-target", "Other".to_owned()));
    let error = request.verify().unwrap_err();
    assert_eq!(error.to_string(), "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.");
}

#[test]
fn a_claimed_body_hash_must_be_the_bodys() {
    const SIGNED: &str = "host;x-amz-content-sha256;x-amz-date";
    let mut request = post();
    request.set("X-Amz-Content-Sha256", hex::encode(<sha2::Sha256 as sha2::Digest>::digest(BODY)));
    let mut request = request.sign(SIGNED);
    assert!(request.verify().is_ok());
    request.body = "altered";
    assert_eq!(request.verify(), Err(SignatureError::DoesNotMatch));

    let mut request = post();
    request.set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
    let mut request = request.sign(SIGNED);
    request.body = "another body";
    assert!(request.verify().is_ok(), "the client chose not to sign the body");
}

fn temporary(token: &str) -> Secret {
    Secret { secret_access_key: SECRET.to_owned(), session_token: Some(token.to_owned()), expires: None }
}

#[test]
fn a_session_token_must_be_the_keys() {
    let mut with_token = post();
    with_token.set("X-Amz-Security-Token", "token");
    let with_token = with_token.sign("host;x-amz-date;x-amz-security-token");
    let verified = with_token.verify_with(SignedDuration::ZERO, temporary("token")).unwrap();
    assert_eq!(verified.session_token.as_deref(), Some("token"));

    let wrong = Err(SignatureError::WrongSessionToken);
    assert_eq!(with_token.verify_with(SignedDuration::ZERO, temporary("other")), wrong);
    assert_eq!(with_token.verify(), wrong, "a lasting key has none");
    assert_eq!(post().sign(SIGNED).verify_with(SignedDuration::ZERO, temporary("token")), wrong);
}

#[test]
fn a_session_is_good_until_it_expires() {
    let until = |expires: Timestamp| Secret { expires: Some(expires), ..temporary("token") };
    let mut request = post();
    request.set("X-Amz-Security-Token", "token");
    let request = request.sign("host;x-amz-date;x-amz-security-token");
    let now = SIGNED_AT.parse::<Timestamp>().unwrap();
    assert!(request.verify_with(SignedDuration::ZERO, until(now + SignedDuration::from_secs(1))).is_ok());
    let error = request.verify_with(SignedDuration::ZERO, until(now)).unwrap_err();
    assert_eq!(error, SignatureError::ExpiredToken);
    assert_eq!(error.clone().into_error(Dialect::Query).code, "ExpiredToken");
    assert_eq!(error.into_error(Dialect::Ec2).code, "RequestExpired");
    // Who does not have the token learns nothing of it.
    let other = Secret { session_token: Some("other".to_owned()), ..until(now) };
    assert_eq!(request.verify_with(SignedDuration::ZERO, other), Err(SignatureError::WrongSessionToken));
}

#[test]
fn a_presigned_url_lives_as_long_as_it_says() {
    let request = get().presign("3600");
    assert_eq!(request.verify().unwrap().access_key_id, KEY);
    assert!(request.verify_after(SignedDuration::from_secs(3600)).is_ok());
    let error = request.verify_after(SignedDuration::from_secs(3601)).unwrap_err();
    assert_eq!(error.clone().into_error(Dialect::Ec2).to_string(), "RequestExpired: Request has expired.");
    assert!(error.into_error(Dialect::Query).message.ends_with("(20260501T130001Z - 60 min.)"));

    let mut altered = request;
    altered.query = altered.query.replace("DescribeVpcs", "DeleteVpc");
    assert_eq!(altered.verify(), Err(SignatureError::DoesNotMatch));
    altered.query = altered.query.replace("Expires=3600", "Expires=604800");
    assert_eq!(altered.verify(), Err(SignatureError::DoesNotMatch));
}

#[test]
fn a_presigned_url_lives_for_a_week_at_most() {
    assert!(get().presign("604800").verify_after(SignedDuration::from_hours(7 * 24)).is_ok());
    let mut request = get().presign("604800");
    for expires in ["604801", "-1", "soon", ""] {
        request.query = request.query.replace("604800", expires);
        assert_eq!(request.verify(), Err(SignatureError::BadExpires), "{expires}");
        request = get().presign("604800");
    }
}

#[test]
fn what_is_missing_is_named() {
    let unsigned = post().verify().unwrap_err();
    assert_eq!(unsigned, SignatureError::Missing);
    let error = unsigned.into_error(Dialect::Query);
    assert_eq!((error.code.as_str(), error.status), ("MissingAuthenticationToken", 403));

    for (header, expected) in [
        ("AWS4-HMAC-SHA256 Credential", "'Credential' not a valid key=value pair"),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request",
            "'Signature' parameter. Authorization header requires 'SignedHeaders'",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=00",
            "exactly 5 slash-delimited elements",
        ),
        ("Basic abc", "'Basic'"),
    ] {
        let mut request = post();
        request.set("Authorization", header);
        let error = request.verify().unwrap_err();
        assert!(error.to_string().contains(expected), "{header}: {error}");
        assert_eq!(error.into_error(Dialect::Query).code, "IncompleteSignature");
    }
}

#[test]
fn who_signs_must_be_told_in_one_way() {
    let mut both = get().presign("3600");
    both.set("Authorization", "Basic abc");
    let error = both.verify().unwrap_err();
    assert!(error.to_string().contains("Only one auth mechanism"), "{error}");
    let headers = [("Authorization", &b"AWS4-HMAC-SHA256 \xff"[..])];
    let text = Request { method: "GET", path: "/", query: "", headers: &headers, body: b"" };
    let begun = crate::sigv4::SigningKeys::default().begin(&text, Timestamp::now(), |_| None);
    assert!(matches!(begun, Err(SignatureError::Incomplete(_))));
}

#[test]
fn ec2_has_its_own_word_for_a_key_it_does_not_know() {
    let error = SignatureError::UnknownKey.into_error(Dialect::Ec2);
    assert_eq!((error.code.as_str(), error.status), ("AuthFailure", 401));
    let error = SignatureError::UnknownKey.into_error(Dialect::Query);
    assert_eq!((error.code.as_str(), error.status), ("InvalidClientTokenId", 403));
}

#[test]
fn s3_takes_paths_as_they_are() {
    let path = |path: &str, service| canonical::path(path, PathRules::of_service(service));
    assert_eq!(path("/a//b/../c%20d", "s3"), "/a//b/../c%20d");
    assert_eq!(path("/a//b/../c%20d/", "ec2"), "/a/c%2520d/");
    assert_eq!(path("", "ec2"), "/");
}
