//! What real requests need, for the services that are used most: `requests.txt`.

use std::collections::BTreeMap;
use std::path::Path;

use super::spell;
use crate::{Need, Scope};

/// `action resource…`, the resources sorted; `?` is unknown.
fn text(need: &Need) -> String {
    let mut resources: Vec<_> =
        need.resources.iter().map(|resource| if resource.unknown { "?" } else { &*resource.arn }).collect();
    resources.sort_unstable();
    format!("{} {}", need.action, resources.join(" "))
}

/// An expected need, and the keys that it must have among others.
fn expected(text: &str) -> (String, BTreeMap<String, Vec<String>>) {
    let (need, keys) = text.split_once(" | ").unwrap_or((text, ""));
    let mut words = need.split_whitespace();
    let action = words.next().unwrap();
    let mut resources: Vec<_> =
        words.map(|word| word.replace('^', "us-east-1:111122223333").replace("%20", " ")).collect();
    resources.sort_unstable();
    let keys = keys.split_whitespace().map(|pair| {
        let (key, values) = pair.split_once('=').unwrap();
        (key.to_owned(), values.split(',').map(str::to_owned).collect())
    });
    (format!("{action} {}", resources.join(" ")), keys.collect())
}

#[test]
fn real_requests_need_what_aws_checks() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/requests.txt");
    let list = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> =
        list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let requests = spell(Some(&path));
    assert_eq!(requests.len(), lines.len());
    let scope = Scope { partition: "aws", region: "us-east-1", account: Some("111122223333") };
    let mut wrong = Vec::new();
    for (line, request) in lines.iter().zip(&requests) {
        let (asked, wanted) = line.split_once(" => ").unwrap();
        let Some((operation, needs)) = request.needs(&scope) else {
            wrong.push(format!("{asked}\n  is nothing: {}", request.json));
            continue;
        };
        if format!("{operation:?}") != request.asked() {
            wrong.push(format!("{asked}\n  is {operation:?}"));
        }
        let mut found: Vec<_> = needs.iter().map(|need| (text(need), &need.context)).collect();
        let mut wanted: Vec<_> = wanted.split(" ; ").map(expected).collect();
        found.sort();
        wanted.sort();
        let same = found.len() == wanted.len()
            && found.iter().zip(&wanted).all(|((found, context), (wanted, keys))| {
                found == wanted && keys.iter().all(|(key, values)| context.get(key) == Some(values))
            });
        if !same {
            wrong.push(format!("{asked}\n  needs {found:#?}\n  not {wanted:?}\n  {}", request.json));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), lines.len(), wrong.join("\n"));
}
