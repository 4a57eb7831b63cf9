//! Services that answer with samples, and what is tested on them.

mod client;
mod protocol;
mod sample;

pub(crate) use sample::{Sample, Sampler};
