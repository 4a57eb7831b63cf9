//! The model compiled into kernel tables; interfaces, namespaces, BPF programs and maps.
pub mod programs;
