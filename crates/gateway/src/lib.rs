//! The userspace end of interface endpoints to AWS services.
//!
//! The packet path delivers a consumer's connection to an address that stands for the endpoint's network
//! interface, from one that stands for the client's. So one listening socket serves every endpoint and always
//! knows who is calling. A connection travels through here in this order:
//!
//! | step | file |
//! |---|---|
//! | which endpoint, which client, is there room | `connection`, `places` |
//! | TLS for one of the endpoint's names | `tls`, `authority` |
//! | HTTP/1.1 or HTTP/2, request by request | `connection`, `exchange` |
//! | is the message sound and its Host the service's | `head` |
//! | who signed it | `identity` |
//! | what it asks for, by a [`Decider`] that is given | `decider` |
//! | may it, by the endpoint's policy | `authorize` |
//! | to the backend, the body checked on its way | `backend`, `upload`, `download`, `upgrade` |
//! | a record of it | `audit`, `event`, `json` |
//!
//! Two kinds of connections are only carried, by `splice`: those to services whose own servers hold the certificates
//! (`passthrough`, which reads no more than the `client_hello`), and those to endpoint services and balancers that the
//! packet path cannot bring to their targets (`relay`, with a `proxy_header` where one is asked for, and `listener_tls`
//! where TLS ends at the balancer).
//!
//! Whatever is refused becomes a `Refusal`, which the service's own [`Protocol`] spells.
#![forbid(unsafe_code)]

mod activity;
mod audit;
mod authority;
mod authorize;
mod aws_chunked;
mod backend;
mod body;
mod client_hello;
mod connection;
mod decider;
mod dial;
mod download;
mod event;
mod exchange;
mod forward;
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod head;
mod identity;
mod json;
mod link;
mod listener_tls;
mod local;
mod names;
mod passthrough;
mod places;
mod pool;
mod post;
mod protocol;
mod proxy_header;
mod pulse;
mod refusal;
mod relay;
mod settings;
mod splice;
mod target_tls;
mod tls;
mod upgrade;
mod upload;
mod view;

pub use audit::{AuditSink, Record};
pub use authority::{Authority, AuthorityError};
pub use body::{Body, BodyError, full};
pub use decider::{Asked, Call, Decider, Need, RequestHead, Resource};
pub use gateway::{Gateway, Worker};
pub use identity::{Identity, Key, Keys, Principal};
pub use listener_tls::{ListenerTls, ListenerTlsError, ListenerTlsSettings, ServerCertificate};
pub use local::{Local, LocalCall};
pub use names::Names;
pub use post::{Post, PostError, post};
pub use protocol::Protocol;
pub use relay::{Relay, RelayTarget};
pub use settings::{Limits, Ranges, Settings, Timeouts};
pub use target_tls::target_tls;
pub use view::{Addresses, Backend, Endpoint, Service, Tls, UnknownKeys, View};
