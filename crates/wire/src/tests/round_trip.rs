//! What a client sends is what an operation is asked, and what it answers is what the client reads: for every
//! operation, and so for every shape.

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::element::Element;
use super::form::Form;
use super::shape::{Answered, Asked, Draw, Drawn};
use crate::decode::Decode;
use crate::encode::Output;
use crate::json::{Input, JsonCall};
use crate::{Call, Dialect, FormProtocol, Params, acm, ec2, elbv2, iam, rds, sts};

/// Sends an operation's input and reads its output.
pub(crate) type RoundTrip = fn(FormProtocol, &'static str, Draw, Draw);

pub(crate) fn round_trip<I, O>(
    protocol: FormProtocol,
    action: &'static str,
    mut input: Draw,
    mut output: Draw,
) where
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
    let answered = <O as Drawn>::draw(&mut output);
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

/// The same, of a service that speaks JSON.
pub(crate) type JsonRoundTrip = fn(&'static str, Draw, Draw);

pub(crate) fn json_round_trip<I, O>(action: &'static str, mut input: Draw, mut output: Draw)
where
    I: Drawn + Input + Serialize + PartialEq + std::fmt::Debug,
    O: Drawn + Serialize + DeserializeOwned + Clone + PartialEq + std::fmt::Debug,
{
    let sent = I::draw(&mut input);
    let body = serde_json::to_vec(&sent).unwrap();
    let target = format!("{}.{action}", acm::PROTOCOL.target);
    let call = JsonCall::new(acm::PROTOCOL, Some(&target), &body).unwrap();
    let answered = O::draw(&mut output);
    let answer = call.answer(|received: I| {
        assert_eq!(received, sent, "{action}");
        Ok(answered.clone())
    });
    if sent.required().iter().any(|(_, absent)| *absent) {
        assert_eq!(answer.unwrap_err().code, "ValidationException", "{action}");
        return;
    }
    let answer = answer.unwrap();
    // An operation without output answers with nothing.
    let text = if answer.is_empty() { "null" } else { &answer };
    assert_eq!(serde_json::from_str::<O>(text).unwrap(), answered, "{action}: {answer}");
}

const SERVICES: [(FormProtocol, &[(&str, RoundTrip)]); 5] = [
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
    for (action, round_trip) in acm::ROUND_TRIPS {
        round_trip(action, input(), output());
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
        every_operation(|| Draw::from_bytes(input.clone()), || Draw::from_bytes(output.clone()));
    }
}
