//! The model compiled into kernel tables; interfaces, namespaces, BPF programs and maps.
//!
//! [`compile::compile`] says what the tables shall hold; everything else brings the machine there.

pub mod compile;
pub mod layout;
pub mod programs;
pub mod ranges;
pub mod tables;
