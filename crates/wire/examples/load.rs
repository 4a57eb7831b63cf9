//! A load of signed calls on an API, for `bench/api.py`: `load ADDRESS REGION CONNECTIONS SECONDS|once < FORMS`.
//!
//! A line of standard input is the form of one EC2 call. All are signed before the clock starts, with the key in
//! `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. Each connection takes the next call, and reads its answer before it
//! takes another; it is opened anew where the server has closed it. All of them share one thread. `once`: each call is
//! sent once, or as many as fit into `LOAD_LIMIT` seconds; a number: calls go round for that many seconds.
//!
//! Prints one line of JSON: `answers`, `failures`, `seconds`, `bytes`, `p50`, `p99` and `most` in milliseconds, the
//! first failure's text, and the client's own CPU time.

use std::cell::Cell;
use std::io::{BufRead as _, Error};
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer may take this long.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is read at once, at least.
const PIECE: usize = 64 << 10;

/// What is to be done.
struct Load {
    address: String,
    calls: Vec<Vec<u8>>,
    /// How often each call is sent: once, or until time is up.
    once: bool,
    until: Instant,
    next: Cell<usize>,
}

/// What a connection has seen.
#[derive(Default)]
struct Seen {
    latencies: Vec<Duration>,
    bytes: usize,
    failures: usize,
    failure: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, region, connections, length] = &arguments[..] else { panic!("arguments: see the source") };
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let (key, secret) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let forms = std::io::stdin().lock().lines().map(|line| line.expect("standard input is text"));
    let calls: Vec<_> = forms.map(|form| signed(address, region, &key, &secret, &now, &form)).collect();
    assert!(!calls.is_empty(), "no calls");

    let once = length == "once";
    let limit = if once { variable("LOAD_LIMIT") } else { length.clone() };
    let limit = Duration::from_secs_f64(limit.parse().expect("seconds"));
    let load =
        Load { address: address.clone(), calls, once, until: Instant::now() + limit, next: Cell::new(0) };
    let start = Instant::now();
    let connections: usize = connections.parse().expect("a number of connections");
    let connections: FuturesUnordered<_> = (0..connections).map(|_| connection(&load)).collect();
    let seen: Vec<Seen> = connections.collect().await;
    report(&seen, start.elapsed());
}

fn report(seen: &[Seen], took: Duration) {
    let mut latencies: Vec<_> = seen.iter().flat_map(|seen| &seen.latencies).collect();
    latencies.sort();
    let at = |share: f64| {
        let index = ((latencies.len() as f64 * share) as usize).min(latencies.len().saturating_sub(1));
        latencies.get(index).map(|latency| latency.as_secs_f64() * 1e3)
    };
    let report = json!({
        "answers": latencies.len(),
        "failures": seen.iter().map(|seen| seen.failures).sum::<usize>(),
        "failure": seen.iter().find_map(|seen| seen.failure.as_ref()),
        "seconds": took.as_secs_f64(),
        "bytes": seen.iter().map(|seen| seen.bytes).sum::<usize>(),
        "p50": at(0.5), "p99": at(0.99), "most": at(1.0),
    });
    println!("{report}");
}

/// One connection's calls, one after another.
async fn connection(load: &Load) -> Seen {
    let mut seen = Seen::default();
    let mut stream = None;
    let mut buffer = Vec::new();
    loop {
        let number = load.next.replace(load.next.get() + 1);
        if (load.once && number >= load.calls.len()) || Instant::now() >= load.until {
            return seen;
        }
        let call = &load.calls[number % load.calls.len()];
        let start = Instant::now();
        let answered = timeout(PATIENCE, exchange(&load.address, &mut stream, call, &mut buffer)).await;
        match answered.unwrap_or_else(|late| Err(late.into())) {
            Ok(()) if buffer.starts_with(b"HTTP/1.1 200 ") || buffer.starts_with(b"HTTP/1.0 200 ") => {
                seen.latencies.push(start.elapsed());
                seen.bytes += buffer.len();
            }
            outcome => {
                seen.failures += 1;
                let text = || String::from_utf8_lossy(&buffer[..buffer.len().min(600)]).into_owned();
                seen.failure
                    .get_or_insert_with(|| outcome.map_or_else(|error| error.to_string(), |()| text()));
                stream = None;
            }
        }
    }
}

/// Send a call and read its answer whole into `buffer`. `stream` is `None` afterwards if the server closes it.
async fn exchange(
    address: &str,
    stream: &mut Option<TcpStream>,
    call: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<(), Error> {
    buffer.clear();
    let connection = match stream {
        Some(connection) => connection,
        None => {
            let connection = TcpStream::connect(address).await?;
            connection.set_nodelay(true)?;
            stream.insert(connection)
        }
    };
    connection.write_all(call).await?;
    let (mut end, mut close) = (None, false);
    while end.is_none_or(|end| buffer.len() < end) {
        buffer.reserve(PIECE);
        if connection.read_buf(buffer).await? == 0 {
            return Err(Error::other("the connection ended before the answer did"));
        }
        if end.is_none()
            && let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n")
        {
            let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length
                .and_then(|length| length.trim().parse().ok())
                .ok_or_else(|| Error::other("an answer without a length"))?;
            close = text.starts_with("http/1.0") || text.contains("\r\nconnection: close");
            end = Some(head + 4 + length);
        }
    }
    if close {
        *stream = None;
    }
    Ok(())
}

/// A call as it is sent, signed.
fn signed(host: &str, region: &str, key: &str, secret: &str, now: &str, form: &str) -> Vec<u8> {
    let (kind, day) = ("application/x-www-form-urlencoded; charset=utf-8", &now[..8]);
    let hash = |text: &str| hex::encode(Sha256::digest(text));
    let names = "content-type;host;x-amz-date";
    let canonical =
        format!("POST\n/\n\ncontent-type:{kind}\nhost:{host}\nx-amz-date:{now}\n\n{names}\n{}", hash(form));
    let scope = format!("{day}/{region}/ec2/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{now}\n{scope}\n{}", hash(&canonical));
    let parts = [day, region, "ec2", "aws4_request"];
    let signing_key = parts.iter().fold(format!("AWS4{secret}").into_bytes(), |key, part| mac(&key, part));
    let signature = hex::encode(mac(&signing_key, &to_sign));
    format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nX-Amz-Date: {now}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
