//! Queries by UDP.

use std::sync::Arc;

use tokio::net::UdpSocket;

use crate::request::Transport;
use crate::{Resolver, Step};

/// Answer every query that comes to `socket`, for ever.
pub(crate) async fn serve(resolver: Resolver, socket: UdpSocket) {
    let socket = Arc::new(socket);
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let (length, client) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                tracing::warn!(%error, "receiving a DNS query failed");
                tokio::task::yield_now().await;
                continue;
            }
        };
        match resolver.consider(&buffer[..length], client.ip(), Transport::Udp) {
            Step::Ignore => {}
            Step::Reply(reply) => send(&socket, &reply, client).await,
            Step::Forward(request, number) => {
                let (resolver, socket) = (resolver.clone(), Arc::clone(&socket));
                tokio::spawn(async move {
                    send(&socket, &resolver.forward(*request, number).await, client).await;
                });
            }
        }
    }
}

/// A reply that cannot be sent is lost, as any datagram may be: the client asks again.
async fn send(socket: &UdpSocket, reply: &[u8], client: std::net::SocketAddr) {
    if let Err(error) = socket.send_to(reply, client).await {
        tracing::debug!(%client, %error, "a DNS answer could not be sent");
    }
}
