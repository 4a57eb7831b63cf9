//! Services that answer with samples, what a client does, and what is tested on them.

mod client;
mod element;
mod form;
mod protocol;
mod round_trip;
mod shape;

pub(crate) use element::Element;
pub(crate) use form::{Form, within};
pub(crate) use round_trip::{JsonRoundTrip, RoundTrip, json_round_trip, round_trip};
pub(crate) use shape::{Answered, Asked, Draw, Drawn, Sampler};
