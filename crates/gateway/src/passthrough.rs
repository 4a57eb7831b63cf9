//! Connections to services whose own servers hold the certificates: carried, with TLS as it is.

use std::io;
use std::sync::Arc;

use linkway_model::random_uuid;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::authorize::unknown;
use crate::backend;
use crate::client_hello::{self, Hello};
use crate::gateway::Shared;
use crate::places::Place;
use crate::refusal::Refusal;
use crate::settings::Ends;
use crate::splice::Carried;
use crate::tls::Alert;
use crate::{Backend, Endpoint, Identity, Record, dial};

/// Why a connection was not passed through, as far as nothing is recorded of it.
#[derive(Debug, thiserror::Error)]
enum Rejected {
    #[error(transparent)]
    NotTls(#[from] client_hello::NotTls),
    #[error("the client asked for {0:?}, which the endpoint does not answer for")]
    UnrecognizedName(Option<String>),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Carries a connection to the service, if the client asks for one of the endpoint's names.
pub(crate) async fn serve(
    shared: &Shared,
    mut stream: TcpStream,
    endpoint: Arc<Endpoint>,
    ends: Ends,
    _place: Place,
    stopping: watch::Receiver<bool>,
) {
    let client = ends.client;
    let source = shared.view.load().clients.get(&client).and_then(|its| its.of(ends.by_ipv6));
    let Some(source) = source else { return };
    let asked = tokio::time::timeout(shared.settings.timeouts.handshake, asked_name(&mut stream, &endpoint));
    let (name, hello) = match asked
        .await
        .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    {
        Ok(asked) => asked,
        Err(error) => {
            tracing::debug!(endpoint = %endpoint.id, client, %error, "a connection was not passed through");
            return;
        }
    };
    let now = (shared.settings.clock)();
    let mut record = Record::new(now, random_uuid(), Arc::clone(&endpoint), source, None);
    record.passed_through = Some(name);
    let connected = match admit(&endpoint, &mut record) {
        Ok(()) => connect(shared, &endpoint, &hello).await,
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = &connected {
        let error = refusal.spell(endpoint.service.protocol);
        record.refused = Some((error.code, error.message));
    }
    shared.settings.audit.write(record);
    match connected {
        Ok(server) => {
            let idle = shared.settings.timeouts.stall;
            let Carried { to_server, to_client, ended } =
                shared.pump.carry(stream, server, idle, stopping).await;
            tracing::debug!(endpoint = %endpoint.id, client, to_server, to_client, ?ended, "a connection was passed through");
        }
        Err(refusal) => {
            let denied = matches!(refusal, Refusal::Denied { .. });
            if !denied {
                tracing::warn!(endpoint = %endpoint.id, error = %refusal, "a connection cannot be passed through");
            }
            let alert = if denied { Alert::AccessDenied } else { Alert::InternalError };
            // A client that is gone needs no telling.
            let _ = alert.send(&mut stream).await;
        }
    }
}

/// Reads a client's first message: the name that it asks for, which is one of the endpoint's, and the bytes that were
/// read. Another client is told and sent away.
async fn asked_name(stream: &mut TcpStream, endpoint: &Endpoint) -> Result<(String, Vec<u8>), Rejected> {
    let mut bytes = Vec::with_capacity(1 << 10);
    let name = loop {
        let mut rest = (&mut *stream).take((client_hello::LONGEST - bytes.len()) as u64);
        if rest.read_buf(&mut bytes).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match client_hello::read(&bytes) {
            Ok(Hello::Incomplete) => {}
            Ok(Hello::Complete(name)) => break name,
            Err(error) => {
                Alert::DecodeError.send(stream).await?;
                return Err(error.into());
            }
        }
    };
    match name {
        Some(name) if endpoint.names.contains(&name) => Ok((name.to_ascii_lowercase(), bytes)),
        name => {
            Alert::UnrecognizedName.send(stream).await?;
            Err(Rejected::UnrecognizedName(name))
        }
    }
}

/// Only an endpoint that lets everything pass can let pass what it cannot see.
fn admit(endpoint: &Endpoint, record: &mut Record) -> Result<(), Refusal> {
    let finding = unknown(endpoint, &Identity::Anonymous);
    let denied = finding.as_ref().and_then(|finding| finding.denied.clone()).filter(|_| !endpoint.audit_mode);
    record.decided(finding);
    denied.map_or(Ok(()), |denied| Err(Refusal::Denied { sentence: denied.sentence }))
}

/// Connects to the service and tells it what the client said so far.
async fn connect(shared: &Shared, endpoint: &Endpoint, hello: &[u8]) -> Result<TcpStream, Refusal> {
    let service = || endpoint.service.name.clone();
    let Backend::Https { authority, .. } = &endpoint.service.backend else {
        return Err(Refusal::NoBackend { service: service() });
    };
    let unreachable = |reason: String| Refusal::Unreachable { service: service(), reason };
    let (_, address) = backend::address(authority, 443).map_err(|error| unreachable(error.to_string()))?;
    let (outbound, limit) = (&shared.settings.outbound, shared.settings.timeouts.connect);
    let connecting = async {
        let mut server = dial::from(outbound, limit, address).await?;
        server.write_all(hello).await?;
        Ok(server)
    };
    connecting.await.map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::TimedOut => {
            Refusal::BackendTooSlow { service: service(), step: "take the connection", limit }
        }
        _ => unreachable(error.to_string()),
    })
}
