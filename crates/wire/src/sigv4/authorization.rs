//! The parts of a signature, from the `Authorization` header or from a presigned URL.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::canonical::query_pairs;
use super::{CLOCK_SKEW, Request, Scope, SignatureError};

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A presigned URL's longest life: a week.
const MAX_EXPIRES: i64 = 7 * 24 * 60 * 60;

/// Where the signature was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Header,
    Query,
}

#[derive(Clone, Debug)]
pub(super) struct Authorization {
    pub(super) form: Form,
    pub(super) scope: Scope,
    /// In the client's order, which is the one that it signed.
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: Vec<u8>,
    /// As it is signed: `20150830T123600Z`.
    pub(super) amz_date: String,
    pub(super) signed_at: Timestamp,
    /// How long a presigned URL lives.
    expires: Option<SignedDuration>,
    pub(super) session_token: Option<String>,
}

impl Authorization {
    pub(super) fn read(request: &Request<'_>) -> Result<Self, SignatureError> {
        let has = |name: &str| request.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        match request.header("authorization") {
            // Whom a server takes the request to be from is then its secret.
            Some(_) if query_pairs(request.query).any(|(name, _)| name == b"X-Amz-Algorithm") => {
                Err(SignatureError::Incomplete("Only one auth mechanism allowed.".to_owned()))
            }
            Some(header) => Self::from_header(request, header),
            None if has("authorization") => {
                Err(SignatureError::Incomplete("The Authorization header is not text.".to_owned()))
            }
            None => Self::from_query(request),
        }
    }

    fn from_header(request: &Request<'_>, header: &str) -> Result<Self, SignatureError> {
        let (algorithm, fields) = header.split_once(' ').unwrap_or((header, ""));
        require_algorithm(algorithm)?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',').map(str::trim).filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').ok_or_else(|| {
                SignatureError::Incomplete(format!(
                    "'{field}' not a valid key=value pair (missing equal-sign) in Authorization header."
                ))
            })?;
            match name {
                "Credential" => credential = Some(value),
                "SignedHeaders" => signed_headers = Some(value),
                "Signature" => signature = Some(value),
                _ => {}
            }
        }
        let date = match request.header("x-amz-date") {
            Some(date) => Some(date.to_owned()),
            None => request.header("date").map(basic_date),
        };
        let missing: Vec<_> = [
            (credential.is_none(), "Authorization header requires 'Credential' parameter."),
            (signature.is_none(), "Authorization header requires 'Signature' parameter."),
            (signed_headers.is_none(), "Authorization header requires 'SignedHeaders' parameter."),
            (
                date.is_none(),
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            ),
        ]
        .into_iter()
        .filter_map(|(missing, message)| missing.then_some(message))
        .collect();
        let (Some(credential), Some(signed_headers), Some(signature), Some(date)) =
            (credential, signed_headers, signature, date)
        else {
            return Err(SignatureError::Incomplete(missing.join(" ")));
        };
        let token = request.header("x-amz-security-token").map(str::to_owned);
        Self::new(Form::Header, credential, signed_headers, signature, date, None, token)
    }

    fn from_query(request: &Request<'_>) -> Result<Self, SignatureError> {
        let pairs: Vec<_> = query_pairs(request.query).collect();
        let find = |name: &str| {
            let (_, value) = pairs.iter().find(|(found, _)| found == name.as_bytes())?;
            String::from_utf8(value.clone()).ok()
        };
        let require = |name: &str| {
            find(name).ok_or_else(|| {
                SignatureError::Incomplete(format!("AWS query-string parameters must include '{name}'."))
            })
        };
        let algorithm = find("X-Amz-Algorithm").ok_or(SignatureError::Missing)?;
        require_algorithm(&algorithm)?;
        let expires = find("X-Amz-Expires").map(|seconds| parse_expires(&seconds)).transpose()?;
        Self::new(
            Form::Query,
            &require("X-Amz-Credential")?,
            &require("X-Amz-SignedHeaders")?,
            &require("X-Amz-Signature")?,
            require("X-Amz-Date")?,
            expires,
            find("X-Amz-Security-Token"),
        )
    }

    fn new(
        form: Form,
        credential: &str,
        signed_headers: &str,
        signature: &str,
        amz_date: String,
        expires: Option<SignedDuration>,
        session_token: Option<String>,
    ) -> Result<Self, SignatureError> {
        let scope = parse_scope(credential)?;
        let signed_at = parse_time(&amz_date).ok_or_else(|| {
            SignatureError::Incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{amz_date}'. See http://en.wikipedia.org/wiki/ISO_8601"
            ))
        })?;
        let day = amz_date.split('T').next().unwrap_or_default();
        if scope.date != day {
            return Err(SignatureError::Misplaced(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{}' != '{day}', from '{amz_date}'.",
                scope.date
            )));
        }
        // To allocate first and decode then takes a fraction of what `hex::decode` does.
        let mut bytes = vec![0; signature.len() / 2];
        hex::decode_to_slice(signature, &mut bytes).map_err(|_| SignatureError::DoesNotMatch)?;
        Ok(Self {
            form,
            scope,
            signed_headers: signed_headers.split(';').map(str::to_ascii_lowercase).collect(),
            signature: bytes,
            amz_date,
            signed_at,
            expires,
            session_token,
        })
    }

    /// The host must be signed, so that a request is good for one server only, and so must be every header that
    /// AWS reads a meaning from. The session token is excepted: signers exist that add it last, and it proves
    /// itself.
    pub(super) fn require_signed_headers(&self, request: &Request<'_>) -> Result<(), SignatureError> {
        let names = request.headers.iter().map(|(name, _)| *name);
        let meaning = names.filter(|name| {
            name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
                && !name.eq_ignore_ascii_case("x-amz-security-token")
        });
        let signed = |name: &str| self.signed_headers.iter().any(|signed| signed.eq_ignore_ascii_case(name));
        match std::iter::once("host").chain(meaning).find(|name| !signed(name)) {
            Some(name) => Err(SignatureError::Misplaced(format!(
                "'{}' must be a 'SignedHeader' in the AWS Authorization.",
                if name == "host" { "Host' or ':authority".to_owned() } else { name.to_ascii_lowercase() }
            ))),
            None => Ok(()),
        }
    }

    /// Neither too old nor from the future.
    pub(super) fn require_fresh(&self, now: Timestamp) -> Result<(), SignatureError> {
        let life = self.expires.unwrap_or(CLOCK_SKEW);
        let age = now.duration_since(self.signed_at);
        if age > life {
            Err(SignatureError::Expired { signed_at: self.signed_at, now, life })
        } else if age < -CLOCK_SKEW {
            Err(SignatureError::NotYetCurrent { signed_at: self.signed_at, now })
        } else {
            Ok(())
        }
    }
}

fn require_algorithm(algorithm: &str) -> Result<(), SignatureError> {
    if algorithm == ALGORITHM {
        Ok(())
    } else {
        Err(SignatureError::Incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")))
    }
}

fn parse_scope(credential: &str) -> Result<Scope, SignatureError> {
    let parts: Vec<_> = credential.split('/').collect();
    let [access_key_id, date, region, service, term] = parts[..] else {
        return Err(SignatureError::Incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, \
             got '{credential}'."
        )));
    };
    if term != "aws4_request" {
        return Err(SignatureError::Misplaced(format!(
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{term}'."
        )));
    }
    let [access_key_id, date, region, service] = [access_key_id, date, region, service].map(str::to_owned);
    Ok(Scope { access_key_id, date, region, service })
}

/// Reads `20150830T123600Z`, and nothing that is spelled in another way.
fn parse_time(text: &str) -> Option<Timestamp> {
    let &[y1, y2, y3, y4, m1, m2, d1, d2, b'T', h1, h2, n1, n2, s1, s2, b'Z'] = text.as_bytes() else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_i16, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i16::from(digit - b'0'))
        })
    };
    let two = |digits: [u8; 2]| number(&digits).and_then(|number| i8::try_from(number).ok());
    let year = number(&[y1, y2, y3, y4])?;
    let (month, day) = (two([m1, m2])?, two([d1, d2])?);
    let (hour, minute, second) = (two([h1, h2])?, two([n1, n2])?, two([s1, s2])?);
    let date = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn parse_expires(seconds: &str) -> Result<SignedDuration, SignatureError> {
    match seconds.parse() {
        Ok(seconds @ 0..=MAX_EXPIRES) => Ok(SignedDuration::from_secs(seconds)),
        _ => Err(SignatureError::BadExpires),
    }
}

/// A `Date` header as it is signed. One that is no HTTP date stays, to be named in the error.
fn basic_date(date: &str) -> String {
    match jiff::fmt::rfc2822::parse(date) {
        Ok(zoned) => zoned.timestamp().strftime("%Y%m%dT%H%M%SZ").to_string(),
        Err(_) => date.to_owned(),
    }
}
