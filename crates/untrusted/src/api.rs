//! Calls of AWS's API: form, operation, answer.

use std::sync::Arc;

use linkway_actions::RequestHead;
use linkway_control::{Caller, Control, Settings};
use linkway_model::database::{DbEngine, InstalledEngine};
use linkway_model::{AccountId, Timestamp};
use linkway_store::Store;
use linkway_wire::json::JsonCall;
use linkway_wire::{ApiError, Call, Params, Protocol, Service, acm, ec2, elbv2, iam, rds, sts};
use quick_xml::Reader;
use quick_xml::events::Event;

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "111122223333";
/// Calls of one script that are made.
const CALLS: usize = 32;

/// Makes the calls of a script, a line each: a service's name in signatures, a space, a form; of a service that
/// speaks JSON the target, a space, the body. In a form
/// `{BEGINNING}` stands for the last value with this beginning that an answer had: `{vpc-}`, `{arn:aws:rds}`.
///
/// Every answer must be XML that can be read.
pub fn api(bytes: &[u8]) {
    World::new().run(bytes);
}

/// A control plane, and who calls it.
pub(crate) struct World {
    pub(crate) store: Arc<Store>,
    control: Control,
    caller: Caller,
}

impl World {
    pub(crate) fn new() -> Self {
        let store = Arc::new(Store::ephemeral());
        let engines = [(DbEngine::Postgres, "15.18"), (DbEngine::MariaDb, "10.11.14")];
        let engines =
            engines.map(|(engine, version)| InstalledEngine { engine, version: version.to_owned() });
        let settings = Settings {
            clock: Arc::new(|| Timestamp::UNIX_EPOCH),
            engines: Arc::new(move || engines.to_vec()),
            ..Settings::default()
        };
        let account: AccountId = ACCOUNT.parse().expect("twelve digits");
        let control = Control::new(Arc::clone(&store), settings);
        Self { control, store, caller: Caller::root(account, REGION.to_owned()) }
    }

    /// The same, after the calls of a script. None may be refused.
    pub(crate) fn with(script: &str) -> Self {
        let world = Self::new();
        for answer in world.run(script.as_bytes()) {
            assert!(!answer.contains("<Error>"), "{answer}");
        }
        world
    }

    /// Makes the calls of a script. Returns the answers' documents.
    pub(crate) fn run(&self, script: &[u8]) -> Vec<String> {
        let (mut answers, mut seen) = (Vec::new(), Vec::new());
        for line in script.split(|byte| *byte == b'\n').take(CALLS) {
            let space = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
            let (service, form) = (&line[..space], line.get(space + 1..).unwrap_or_default());
            let service = str::from_utf8(service).ok().and_then(Service::from_signing_name);
            let Some(service) = service else { continue };
            let answer = self.call(service, &filled(form, &seen));
            if let Protocol::Form(_) = service.protocol() {
                seen.extend(texts(&answer));
            }
            answers.push(answer);
        }
        answers
    }

    /// Makes a call, then has all life cycles go on. Returns the answer's document.
    pub(crate) fn call(&self, service: Service, form: &[u8]) -> String {
        let Self { control, caller, .. } = self;
        let permitted = || control.authorize(caller, &head(service, form)).map_err(ApiError::from);
        let called = match service.protocol() {
            Protocol::Form(protocol) => Params::parse(form)
                .map_err(ApiError::from)
                .and_then(|params| Call::new(protocol, params, "id"))
                .and_then(|call| permitted().and_then(|()| self.dispatch(service, call))),
            // The operation stands before the body.
            Protocol::Json(protocol) => {
                let space = form.iter().position(|byte| *byte == b' ').unwrap_or(form.len());
                let target = str::from_utf8(&form[..space]).ok();
                JsonCall::new(protocol, target, form.get(space + 1..).unwrap_or_default())
                    .and_then(|call| permitted().and_then(|()| acm::dispatch(control, caller, call)))
            }
        };
        control.advance(self.store.snapshot().revision, Timestamp::UNIX_EPOCH);
        called.unwrap_or_else(|error| service.protocol().error(&error, "id"))
    }

    fn dispatch(&self, service: Service, call: Call<'_>) -> Result<String, ApiError> {
        let Self { control, caller, .. } = self;
        match service {
            // It speaks JSON, and has no calls by forms.
            Service::Acm => Err(call.unknown_action()),
            Service::Ec2 => ec2::dispatch(control, caller, call),
            Service::Elbv2 => elbv2::dispatch(control, caller, call),
            Service::Iam => iam::dispatch(control, caller, call),
            Service::Rds => rds::dispatch(control, caller, call),
            Service::Sts => sts::dispatch(control, caller, call),
        }
    }
}

fn head(service: Service, form: &[u8]) -> RequestHead<'_> {
    RequestHead {
        method: "POST",
        host: "localhost",
        path: "/",
        query: "",
        headers: &[("content-type", b"application/x-www-form-urlencoded")],
        signing_name: Some(service.signing_name()),
        body: Some(form),
    }
}

/// A form with what answers had in the place of what stands for it.
fn filled(form: &[u8], seen: &[String]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(form.len());
    let mut rest = form;
    while let Some(open) = rest.iter().position(|byte| *byte == b'{') {
        filled.extend_from_slice(&rest[..open]);
        rest = &rest[open..];
        let value = rest.iter().position(|byte| *byte == b'}').and_then(|close| {
            let beginning = str::from_utf8(&rest[1..close]).ok()?;
            Some((close, seen.iter().rev().find(|value| value.starts_with(beginning))?))
        });
        let (used, value) = value.map_or((1, "{"), |(close, value)| (close + 1, value.as_str()));
        filled.extend_from_slice(value.as_bytes());
        rest = &rest[used..];
    }
    filled.extend_from_slice(rest);
    filled
}

/// The texts of a document's elements.
fn texts(document: &str) -> Vec<String> {
    let mut reader = Reader::from_str(document);
    let mut texts = Vec::new();
    loop {
        match reader.read_event().expect("an answer is XML") {
            Event::Text(text) => texts.push(text.decode().expect("an answer is UTF-8").into_owned()),
            Event::Eof => return texts,
            _ => {}
        }
    }
}
