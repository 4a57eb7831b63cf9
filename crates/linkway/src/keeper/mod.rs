//! The keeper: a process with the rights to start database servers and the API's instances, for a daemon that has let
//! go of them.
//!
//! `linkway up` starts it before it drops its own rights. It takes requests from the daemon, one JSON document a line
//! on its standard input, and from nobody else; nothing of what it reads came from a network as it is. For each it
//! starts a *worker*, a process that does one thing, so that several databases are worked on side by side and so that
//! namespaces can be entered, which takes a process without threads. The daemon names databases and their settings,
//! never a command, a path or a user: which those are is decided here, and servers never run as root. Of an instance it
//! passes on the user data, which only processes of the instance's own users get to see.
//!
//! It ends with the daemon, by the end of its input. What it has started lives on.

pub(crate) mod client;
pub(crate) mod machine;
pub(crate) mod protocol;
pub(crate) mod serve;
pub(crate) mod work;
