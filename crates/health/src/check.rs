//! One check.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use linkway_model::load_balancer::{HealthReason, Protocol};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::matcher;
use crate::plan::Spec;

/// The longest status line that is read.
const STATUS_LINE: usize = 1024;

/// PROXY protocol's header of a connection that nobody but the sender has made (command LOCAL), which AWS's checks
/// begin with, too. Source: "The PROXY protocol", 2.2.
const LOCAL_HEADER: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

/// Check a target once, at this address. UDP targets are checked by TCP, HTTP or HTTPS too: AWS has no others.
pub(crate) async fn check(address: SocketAddr, spec: Spec, tls: TlsConnector) -> Result<(), HealthReason> {
    let limit = Duration::from_secs(spec.check.timeout_seconds.into());
    let attempt = async {
        let mut stream = connect(address).await?;
        if spec.proxy_protocol {
            stream.write_all(LOCAL_HEADER).await?;
        }
        match spec.check.protocol {
            Protocol::Http => status(&mut stream, &spec.check.path, spec.host).await.map(Some),
            Protocol::Https => {
                let mut stream = tls.connect(address.ip().into(), stream).await?;
                status(&mut stream, &spec.check.path, spec.host).await.map(Some)
            }
            Protocol::Tcp | Protocol::Tls | Protocol::Udp | Protocol::TcpUdp => Ok(None),
        }
    };
    match timeout(limit, attempt).await {
        Err(_) => Err(HealthReason::Timeout),
        // The kernel gave up before our own time was over.
        Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => Err(HealthReason::Timeout),
        Ok(Err(_)) => Err(HealthReason::FailedHealthChecks),
        Ok(Ok(Some(status))) if !matcher::matches(&spec.check.matcher, status) => {
            Err(HealthReason::ResponseCodeMismatch)
        }
        Ok(Ok(_)) => Ok(()),
    }
}

/// The port that the connection gets may be one that another program of the namespace wants to listen on: it could
/// not without the option.
async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.connect(address).await
}

/// Ask for `path`, and return the answer's status. What follows the status line is not read.
async fn status(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    path: &str,
    host: SocketAddr,
) -> io::Result<u16> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: ELB-HealthChecker/2.0\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut line = Vec::new();
    while !line.contains(&b'\n') {
        if line.len() >= STATUS_LINE || stream.read_buf(&mut line).await? == 0 {
            return Err(malformed());
        }
    }
    read_status(&line).ok_or_else(malformed)
}

/// The status in `HTTP/1.1 200 OK`.
fn read_status(line: &[u8]) -> Option<u16> {
    let line = line.split(|byte| *byte == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split_whitespace();
    if !words.next()?.starts_with("HTTP/1.") {
        return None;
    }
    words.next().filter(|word| word.len() == 3)?.parse().ok()
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not an HTTP response")
}

#[cfg(test)]
mod tests {
    use super::read_status;

    #[test]
    fn the_status_is_the_second_word_of_the_first_line() {
        assert_eq!(read_status(b"HTTP/1.1 200 OK\r\nServer: x\r\n"), Some(200));
        assert_eq!(read_status(b"HTTP/1.0 503\r\n"), Some(503));
        assert_eq!(read_status(b"SSH-2.0-OpenSSH 200\r\n"), None);
        assert_eq!(read_status(b"HTTP/1.1 2000 OK\r\n"), None);
        assert_eq!(read_status(b"\n\xff"), None);
    }
}
