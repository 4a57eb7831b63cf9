//! What a client sends is what an operation is asked, and what it answers is what the client reads: for every
//! operation, and so for every shape.

use proptest::prelude::*;

use super::element::Element;
use super::form::Form;
use super::shape::{Answered, Asked, Draw};
use crate::decode::Decode;
use crate::encode::Output;
use crate::{Call, Dialect, Params, Protocol, ec2, elbv2, iam, rds, sts};

/// Sends an operation's input and reads its output.
pub(crate) type RoundTrip = fn(Protocol, &'static str, Draw, Draw);

pub(crate) fn round_trip<I, O>(protocol: Protocol, action: &'static str, mut input: Draw, mut output: Draw)
where
    I: Asked + Decode + PartialEq + std::fmt::Debug,
    O: Answered + Output + Clone + PartialEq + std::fmt::Debug,
{
    let sent = I::draw(&mut input, true);
    let mut form = Form::new(protocol.dialect);
    form.add("Action", action);
    form.add("Version", protocol.version);
    sent.spell("", &mut form);

    let params = Params::parse(form.text().as_bytes()).unwrap();
    let call = Call::new(protocol, params, "id").unwrap();
    let answered = O::draw(&mut output);
    let answer = call.answer(|received: I| {
        assert_eq!(received, sent, "{action}: {}", form.text());
        Ok(answered.clone())
    });

    let answer = answer.unwrap_or_else(|error| panic!("{action}: {error}: {}", form.text()));
    let document = Element::parse(&answer);
    let result = match protocol.dialect {
        Dialect::Ec2 => Some(&document),
        Dialect::Query => document.child(&format!("{action}Result")),
    };
    assert_eq!(O::read(result), answered, "{action}: {answer}");
}

const SERVICES: [(Protocol, &[(&str, RoundTrip)]); 5] = [
    (ec2::PROTOCOL, ec2::ROUND_TRIPS),
    (elbv2::PROTOCOL, elbv2::ROUND_TRIPS),
    (iam::PROTOCOL, iam::ROUND_TRIPS),
    (rds::PROTOCOL, rds::ROUND_TRIPS),
    (sts::PROTOCOL, sts::ROUND_TRIPS),
];

fn every_operation(input: impl Fn() -> Draw, output: impl Fn() -> Draw) {
    for (protocol, operations) in SERVICES {
        for (action, round_trip) in operations {
            round_trip(protocol, action, input(), output());
        }
    }
}

#[test]
fn nothing_is_lost_where_nothing_is_absent() {
    every_operation(|| Draw::Sample, || Draw::Sample);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_ends_mean_the_same(
        input in prop::collection::vec(any::<u8>(), 0..400),
        output in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        every_operation(|| Draw::from_bytes(&input), || Draw::from_bytes(&output));
    }
}
