//! The example of a chunked upload in Amazon S3's API reference, "Example calculations".

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{Payload, Request, Secret, SignatureError, SigningKeys, begin};

const FIRST: &str = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
const SECOND: &str = "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497";
const LAST: &str = "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9";

fn with_upload<T>(length: &[u8], run: impl FnOnce(&Request<'_>) -> T) -> T {
    let authorization =
        b"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
        SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;\
        x-amz-decoded-content-length;x-amz-storage-class,\
        Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    let headers: [(&str, &[u8]); 8] = [
        ("Host", b"s3.amazonaws.com"),
        ("x-amz-date", b"20130524T000000Z"),
        ("x-amz-storage-class", b"REDUCED_REDUNDANCY"),
        ("Authorization", authorization),
        ("x-amz-content-sha256", b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("Content-Encoding", b"aws-chunked"),
        ("x-amz-decoded-content-length", b"66560"),
        ("Content-Length", length),
    ];
    run(&Request {
        method: "PUT",
        path: "/examplebucket/chunkObject.txt",
        query: "",
        headers: &headers,
        body: b"",
    })
}

fn secret(_: &str) -> Option<Secret> {
    let secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned();
    Some(Secret { secret_access_key, session_token: None, expires: None })
}

fn now() -> Timestamp {
    "2013-05-24T00:00:30Z".parse().unwrap()
}

#[test]
fn chunks_are_checked_one_after_the_other() {
    let pending = with_upload(b"66824", |request| begin(request, now(), secret)).unwrap();
    assert_eq!(pending.payload(), &Payload::Chunks { trailer: false });
    pending.finish_head().unwrap();
    assert_eq!(pending.scope().service, "s3");

    let hash = |length: usize| -> [u8; 32] { Sha256::digest(vec![b'a'; length]).into() };
    let mut chunks = pending.chunks();
    assert_eq!(chunks.clone().chunk(&hash(1024), SECOND), Err(SignatureError::DoesNotMatch));
    chunks.chunk(&hash(65536), FIRST).unwrap();
    assert_eq!(chunks.clone().chunk(&hash(1023), SECOND), Err(SignatureError::DoesNotMatch));
    chunks.chunk(&hash(1024), SECOND).unwrap();
    chunks.chunk(&hash(0), LAST).unwrap();
}

#[test]
fn the_head_stands_for_itself() {
    let altered = with_upload(b"66825", |request| begin(request, now(), secret)).unwrap();
    assert_eq!(altered.finish_head(), Err(SignatureError::DoesNotMatch));
    let keys = SigningKeys::default();
    for _ in 0..2 {
        let begun = with_upload(b"66824", |request| keys.begin(request, now(), secret)).unwrap();
        begun.finish_head().unwrap();
    }
    let other =
        |_: &str| Some(Secret { secret_access_key: "other".to_owned(), session_token: None, expires: None });
    let begun = with_upload(b"66824", |request| keys.begin(request, now(), other)).unwrap();
    assert_eq!(begun.finish_head(), Err(SignatureError::DoesNotMatch));
    let unknown = with_upload(b"66824", |request| begin(request, now(), |_| None));
    assert_eq!(unknown.unwrap_err(), SignatureError::UnknownKey);
}
