//! Every operation of botocore's, from its request back to itself.

use std::collections::BTreeMap;
use std::time::Instant;

use super::spell;
use crate::Scope;
use crate::tables::Index;

/// How many of botocore's operations must be told from their requests.
const TOLD: usize = 18_000;

/// How many needs must name what they are for, or take nothing: the rest is marked as unknown.
const NAMED: f64 = 0.7;

#[test]
fn operations_identify_back_to_themselves() {
    let scope = Scope { partition: "aws", region: "us-east-1", account: Some("111122223333") };
    let (mut told, mut same, mut none) = (0, 0, 0);
    let (mut needs, mut named, mut any) = (0, 0, 0);
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let requests = spell(None);
    let start = Instant::now();
    for request in &requests {
        let asked = request.asked();
        match request.needs(&scope) {
            Some((operation, asked_for)) => {
                let is = format!("{operation:?}");
                // Neptune and DocumentDB have RDS's operations, actions, version and host names.
                let prefix =
                    Index::get().services.iter().find(|service| service.name == request.text("service"));
                if is == asked {
                    told += 1;
                } else if operation.name() == request.text("operation")
                    && prefix.is_some_and(|service| service.prefix == operation.iam_prefix())
                {
                    same += 1;
                } else {
                    wrong
                        .entry(request.text("service").to_owned())
                        .or_default()
                        .push(format!("{asked} is {is}"));
                }
                for need in asked_for {
                    assert!(!need.resources.is_empty() && need.action.contains(':'), "{asked}: {need:?}");
                    needs += 1;
                    named += usize::from(
                        need.resources.iter().all(|resource| !resource.unknown && resource.arn != "*"),
                    );
                    any += usize::from(
                        need.resources.iter().all(|resource| !resource.unknown && resource.arn == "*"),
                    );
                }
            }
            None => {
                none += 1;
                wrong
                    .entry(request.text("service").to_owned())
                    .or_default()
                    .push(format!("{asked} is nothing"));
            }
        }
    }
    for list in wrong.values() {
        println!("{}: {:?}", list.len(), &list[..list.len().min(6)]);
    }
    println!("{:?} for all, the tables' unpacking included", start.elapsed());
    println!(
        "{told} of {} are themselves, {same} the same of another service, {none} nothing",
        requests.len()
    );
    println!("{needs} needs: {named} name a resource, {any} take none");
    assert!(told + same >= TOLD, "{told} + {same}");
    assert!((named + any) as f64 / needs as f64 >= NAMED, "{named} + {any} of {needs}");
}
