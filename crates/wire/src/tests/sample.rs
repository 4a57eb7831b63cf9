//! A value for every member of every shape.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::Blob;

/// Implements every service: it writes down what it is asked and answers with samples.
pub(crate) struct Sampler;

/// A value in which nothing is absent.
pub(crate) trait Sample {
    fn sample() -> Self;
}

macro_rules! samples {
    ($($ty:ty: $sample:expr,)*) => {
        $(impl Sample for $ty {
            fn sample() -> Self {
                $sample
            }
        })*
    };
}

// `client.py` expects the same values.
samples! {
    (): (),
    String: " <sample> & é ".to_owned(),
    bool: true,
    i32: 7,
    i64: 7_000_000_000,
    f64: 1.5,
    Blob: Blob(vec![0, 254, 255]),
    Timestamp: "2026-05-01T12:00:00.5Z".parse().unwrap(),
}

impl<T: Sample> Sample for Option<T> {
    fn sample() -> Self {
        Some(T::sample())
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample() -> Self {
        vec![T::sample(), T::sample()]
    }
}

impl<T: Sample> Sample for BTreeMap<String, T> {
    fn sample() -> Self {
        [("key".to_owned(), T::sample())].into()
    }
}
