//! What the gateway is told by the daemon, and asks of it: one file a seam.
//!
//! | seam | file |
//! |---|---|
//! | the state as the gateway sees it | [`view`] |
//! | connections that it carries for balancers | [`relays`] |
//! | whose an access key is | [`keys`] |
//! | what a request asks for | [`decider`], [`own_decider`] |
//! | services that this daemon serves itself | [`local`] |
//! | the threads that serve | [`threads`] |

pub(crate) mod decider;
pub(crate) mod keys;
pub(crate) mod local;
pub(crate) mod own_decider;
pub(crate) mod relays;
pub(crate) mod threads;
pub(crate) mod view;
