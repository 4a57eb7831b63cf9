//! Which operation a request is.

mod rest;

use std::cmp::Reverse;

use crate::host::{self, Labels, S3Host};
use crate::parameters::is_packed;
use crate::request::{RequestHead, form_values};
use crate::tables::{Index, Row, Section, Service};

/// How a request spells its operation and its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// `Action=` in a form or the query string.
    Form,
    /// `X-Amz-Target`, and a body of JSON.
    Json,
    /// The method and the path; what is in the body is JSON.
    RestJson,
    /// The same with XML.
    RestXml,
    /// A path with the operation's name, and a body of CBOR.
    Cbor,
    /// A call of an API behind API Gateway: none of AWS's own operations.
    Invoke,
}

/// An operation of a service, and what the path told of it.
#[derive(Clone)]
pub struct Operation {
    /// `None` for a call of an API behind API Gateway.
    pub(crate) row: Option<&'static Row>,
    pub(crate) service: &'static str,
    pub(crate) prefix: &'static str,
    /// What there is under the prefix.
    pub(crate) section: Option<&'static Section>,
    pub(crate) spelling: Spelling,
    /// The parts of the path that the pattern names, decoded.
    pub(crate) labels: Vec<(&'static str, String)>,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.service, self.name())
    }
}

impl Operation {
    /// The service, by botocore's name: `elbv2`.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// The prefix of the service's IAM actions: `elasticloadbalancing`.
    pub fn iam_prefix(&self) -> &'static str {
        self.prefix
    }

    /// The operation's name: `DescribeLoadBalancers`; `Invoke` for a call of an API behind API Gateway.
    pub fn name(&self) -> &'static str {
        self.row.map_or("Invoke", |row| row.name)
    }

    /// Whether the body holds members that decide what is needed, so that it must be read before
    /// [`crate::Parameters::read`]. If not, it is data that can be passed on as it comes.
    pub fn reads_body(&self) -> bool {
        self.row.is_some_and(|row| {
            let named = row.actions.iter().any(|action| {
                action.resources.contains("b.") || action.conditions.contains("b.") || action.with_tags
            });
            !row.is_data
                && (named
                    || row.actions.is_empty()
                    || self.spelling == Spelling::Form
                    || matches!(self.prefix, "dynamodb" | "events")
                    || self.service == "s3" && row.name == "DeleteObjects")
        })
    }

    fn new(service: &'static Service, row: &'static Row, spelling: Spelling) -> Self {
        Self {
            row: Some(row),
            service: service.name,
            prefix: service.prefix,
            section: Some(Index::get().section_of(service)),
            spelling,
            labels: Vec::new(),
        }
    }

    /// Whether two need the same, apart from what tags add: RDS's operations are Neptune's too.
    fn is_same(&self, other: &Self) -> bool {
        self.actions().eq(other.actions())
    }

    fn actions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let actions = self.row.into_iter().flat_map(|row| &row.actions).filter(|action| !action.with_tags);
        actions.map(|action| (action.prefix.unwrap_or(self.prefix), action.name))
    }
}

/// Names under which some of a service's requests are signed, beside the one in its model.
const SIGNED_AS: [(&str, &str); 3] = [("s3express", "s3"), ("s3-outposts", "s3"), ("s3-object-lambda", "s3")];

/// Whether [`identify`] needs the body: the service has operations that are named in it.
pub fn wants_body(head: &RequestHead<'_>) -> bool {
    head.method.eq_ignore_ascii_case("POST")
        && head.header("x-amz-target").is_none()
        && candidates(head).iter().any(|service| service.protocols.contains(['q', 'e']))
}

/// Which operation a request is; `None` if it is none that is known, or if it may be several with different
/// actions.
pub fn identify(head: &RequestHead<'_>) -> Option<Operation> {
    if is_invocation(head) {
        return invocation(head);
    }
    let alias = SIGNED_AS.iter().find(|(alias, _)| Some(*alias) == head.signing_name);
    let aliased = alias.map(|(_, name)| RequestHead { signing_name: Some(name), ..*head });
    among(head).or_else(|| among(&aliased?))
}

/// The operation among those of the services that sign so.
fn among(head: &RequestHead<'_>) -> Option<Operation> {
    let labels = Labels::of(head.host);
    let action = Action::read(head);
    let mut found: Vec<(usize, Operation)> = Vec::new();
    for service in candidates(head) {
        let fits = labels.fit(&service.hosts);
        for operation in of_service(head, service, &action)? {
            found.push((fits, operation));
        }
    }
    // The host name decides between services that sign with the same name; where it says nothing (an emulator's
    // address), only operations that need the same are the same.
    let best = found.iter().map(|(fits, _)| *fits).max()?;
    let mut found: Vec<_> = found.into_iter().filter(|(fits, _)| *fits == best).map(|(_, o)| o).collect();
    let own = found.iter().position(|operation| Some(operation.service) == head.signing_name).unwrap_or(0);
    let chosen = found.swap_remove(own);
    found.iter().all(|other| other.is_same(&chosen)).then_some(chosen)
}

/// The services that a request may be for: those that sign so; if it is not signed, those of its host name.
fn candidates(head: &RequestHead<'_>) -> Vec<&'static Service> {
    let index = Index::get();
    match head.signing_name {
        Some(name) => index.signing(name).collect(),
        None => {
            let labels = Labels::of(head.host);
            index.services.iter().filter(|service| labels.fit(&service.hosts) > 0).collect()
        }
    }
}

/// The operations of a service that a request may be, one for each way of spelling; `None` if it spells several.
fn of_service(head: &RequestHead<'_>, service: &'static Service, action: &Action) -> Option<Vec<Operation>> {
    let operations = Index::get().operations(service);
    let mut found: Vec<Operation> = Vec::new();
    let named =
        |name: &str, spelling| operations.named(name).map(|row| Operation::new(service, row, spelling));
    for protocol in service.protocols.chars() {
        let operation = match protocol {
            'j' => target(head, service).and_then(|name| named(name, Spelling::Json)),
            'c' => cbor(head, service).and_then(|name| named(name, Spelling::Cbor)),
            'q' | 'e' => match action {
                Action::None => None,
                Action::Many => return None,
                Action::One { name, version } => {
                    // Of a version that no service here has the names are still the same.
                    let other = version.as_ref().is_some_and(|version| version != service.version);
                    let known = other
                        && Index::get()
                            .signing(service.signing_name)
                            .any(|service| Some(service.version) == version.as_deref());
                    if known { None } else { named(name, Spelling::Form) }
                }
            },
            'r' => rest(head, service, Spelling::RestJson)?,
            'x' => rest(head, service, Spelling::RestXml)?,
            _ => None,
        };
        if let Some(operation) = operation {
            if found.iter().any(|other| !other.is_same(&operation)) {
                return None;
            }
            found.push(operation);
        }
    }
    Some(found)
}

/// An operation by method and path. Outer `None`: several fit equally well.
#[expect(clippy::option_option, reason = "no operation and several are different")]
fn rest(head: &RequestHead<'_>, service: &'static Service, spelling: Spelling) -> Option<Option<Operation>> {
    let Some(mut fitting) = rest_fits(head, service) else { return Some(None) };
    // A server may take an escaped slash for one between parts: what it then finds must be the same.
    let resolved = head.path.replace("%2f", "/").replace("%2F", "/");
    if resolved != head.path {
        let other = rest_fits(&RequestHead { path: &resolved, ..*head }, service);
        let is_known = |(row, labels): &rest::Fit| {
            fitting.iter().any(|(known, found)| known.name == row.name && found == labels)
        };
        if !other.iter().flatten().all(is_known) {
            return None;
        }
    }
    // `GET /` lists buckets of one kind or the other.
    if fitting.len() > 1 && service.name == "s3" {
        let directory = head.host.starts_with("s3express");
        fitting.retain(|(row, _)| row.name.contains("Directory") == directory);
    }
    // Of operations that were made anew under a longer name the new one is meant.
    fitting.sort_by_key(|(row, _)| Reverse(row.name.len()));
    let operation = |(row, labels)| Operation { labels, ..Operation::new(service, row, spelling) };
    let mut fitting = fitting.into_iter().map(operation);
    let first = fitting.next();
    match first.as_ref().is_some_and(|first| fitting.any(|other| !other.is_same(first))) {
        true => None,
        false => Some(first),
    }
}

/// The operations that fit best; `None` if the request is for another part of the service.
fn rest_fits(head: &RequestHead<'_>, service: &'static Service) -> Option<Vec<rest::Fit>> {
    let path = match service.name {
        "s3" => s3_path(head)?,
        "s3control" if !is_s3_control(head) => return None,
        _ => head.path.to_owned(),
    };
    Some(rest::best(head, &path, &Index::get().operations(service).rows, service.name == "s3"))
}

/// The path with the bucket first, wherever the request has it; `None` if it is for S3's control plane.
fn s3_path(head: &RequestHead<'_>) -> Option<String> {
    if head.path.starts_with("/v20180820/") && head.header("x-amz-account-id").is_some() {
        return None;
    }
    let path = head.path;
    match host::s3(&head.host.to_ascii_lowercase()) {
        S3Host::Path => Some(path.to_owned()),
        // What a function sends back for an object: its host name is the route that was asked.
        S3Host::Bucket(_)
            if path == "/WriteGetObjectResponse" && head.host.contains(".s3-object-lambda.") =>
        {
            Some(path.to_owned())
        }
        S3Host::Bucket(bucket) => Some(format!("/{bucket}{path}")),
        S3Host::AccessPoint { name, account, region } => {
            Some(format!("/arn%3Aaws%3As3%3A{region}%3A{account}%3Aaccesspoint%2F{name}{path}"))
        }
        S3Host::Control => None,
    }
}

fn is_s3_control(head: &RequestHead<'_>) -> bool {
    host::s3(&head.host.to_ascii_lowercase()) == S3Host::Control || head.header("x-amz-account-id").is_some()
}

/// The operation in `X-Amz-Target`.
fn target<'a>(head: &RequestHead<'a>, service: &Service) -> Option<&'a str> {
    head.header("x-amz-target")?.strip_prefix(service.target_prefix)?.strip_prefix('.')
}

/// The operation in `/service/NAME/operation/OPERATION`.
fn cbor<'a>(head: &RequestHead<'a>, service: &Service) -> Option<&'a str> {
    let rest = head.path.strip_prefix("/service/")?.strip_prefix(service.target_prefix)?;
    rest.strip_prefix("/operation/")
}

/// What the query protocols name.
enum Action {
    None,
    One {
        name: String,
        version: Option<String>,
    },
    /// Different ones, in the URL and the body or twice in one: which counts is the server's secret.
    Many,
}

impl Action {
    fn read(head: &RequestHead<'_>) -> Self {
        let is_read = head.header("x-amz-target").is_none() && !head.path.starts_with("/service/");
        let body = head.body.filter(|body| is_read && is_form(body) && !is_packed(head)).unwrap_or_default();
        let values = |wanted: &str| {
            let mut values = form_values(head.query.as_bytes(), wanted);
            values.extend(form_values(body, wanted));
            values.dedup();
            values
        };
        let (mut names, mut versions) = (values("Action"), values("Version"));
        match (names.len(), versions.len()) {
            (0, _) => Self::None,
            (1, 0 | 1) => Self::One { name: names.remove(0), version: versions.pop() },
            _ => Self::Many,
        }
    }
}

/// Whether a body can be a form: JSON and XML are not read as one.
fn is_form(body: &[u8]) -> bool {
    body.first().is_some_and(|first| first.is_ascii_alphanumeric() || matches!(first, b'&' | b'_' | b'%'))
}

/// Whether a request is for an API behind API Gateway: signed so, and not for one of AWS's own that sign alike.
fn is_invocation(head: &RequestHead<'_>) -> bool {
    match head.signing_name {
        Some("execute-api") => {
            let labels = Labels::of(head.host);
            let own = |service: &&Service| service.name != "apigatewaymanagementapi";
            !candidates(head).into_iter().filter(own).any(|service| labels.fit(&service.hosts) > 0)
        }
        Some(_) => false,
        None => Labels::of(head.host).fit(&["execute-api"]) > 0,
    }
}

/// `@connections` are API Gateway's own operations; all else is the API's.
fn invocation(head: &RequestHead<'_>) -> Option<Operation> {
    let service =
        Index::get().signing("execute-api").find(|service| service.name == "apigatewaymanagementapi")?;
    let own = head.path.find("/@connections/").and_then(|at| {
        let rows = &Index::get().operations(service).rows;
        let fitting = rest::best(head, &head.path[at..], rows, false);
        fitting.into_iter().next()
    });
    Some(match own {
        Some((row, labels)) => Operation { labels, ..Operation::new(service, row, Spelling::RestJson) },
        None => Operation {
            row: None,
            service: "execute-api",
            prefix: "execute-api",
            section: Index::get().section("execute-api"),
            spelling: Spelling::Invoke,
            labels: Vec::new(),
        },
    })
}
