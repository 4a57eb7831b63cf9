//! A control plane with two accounts and a clock, and short ways to make what tests need.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use linkway_actions::RequestHead;
use linkway_control::{Caller, Control, Settings, identity};
use linkway_model::{AccountId, Timestamp};
use linkway_store::Store;
use linkway_wire::iam::*;
use linkway_wire::sts::{AssumeRoleRequest, AssumeRoleResponse, Credentials, Sts};
use linkway_wire::{ApiError, Protocol, Service};

pub(crate) const ACCOUNT: &str = "111111111111";
pub(crate) const OTHER: &str = "222222222222";

/// Everything, of everything.
pub(crate) const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

pub(crate) struct World {
    pub(crate) control: Control,
    pub(crate) store: Arc<Store>,
    clock: Arc<AtomicI64>,
}

impl World {
    pub(crate) fn new() -> Self {
        let store = Arc::new(Store::ephemeral());
        let clock = Arc::new(AtomicI64::new(1_800_000_000));
        let now = Arc::clone(&clock);
        let clock_of = Arc::new(move || Timestamp::from_second(now.load(Ordering::Relaxed)).unwrap());
        let control = Control::new(Arc::clone(&store), Settings { clock: clock_of, ..Settings::default() });
        for account in [ACCOUNT, OTHER] {
            control.create_account(Some(id(account)), String::new(), None).unwrap();
        }
        Self { control, store, clock }
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    pub(crate) fn user(&self, name: &str) -> User {
        let input = CreateUserRequest { user_name: text(name), ..Default::default() };
        self.control.create_user(&root(), input).unwrap().user.unwrap()
    }

    /// One that signs with a new key of a new user's, who may do what the document says.
    pub(crate) fn caller(&self, name: &str, document: Option<&str>) -> Caller {
        self.user(name);
        if let Some(document) = document {
            self.put_user_policy(name, "p", document).unwrap();
        }
        let input = CreateAccessKeyRequest { user_name: text(name) };
        let key = self.control.create_access_key(&root(), input).unwrap().access_key.unwrap();
        self.signing(&key.access_key_id.unwrap())
    }

    pub(crate) fn put_user_policy(&self, user: &str, name: &str, document: &str) -> Result<(), ApiError> {
        let input = PutUserPolicyRequest {
            user_name: text(user),
            policy_name: text(name),
            policy_document: text(document),
        };
        self.control.put_user_policy(&root(), input)
    }

    /// Who signs with this key, as the daemon has it.
    pub(crate) fn signing(&self, key: &str) -> Caller {
        let (_, identity) = identity::of_key(&self.store.snapshot(), key).unwrap();
        Caller {
            account: identity.account,
            principal: identity.arn,
            user_id: identity.id,
            access_key_id: Some(key.to_owned()),
            ..root()
        }
    }

    pub(crate) fn with(&self, credentials: Option<Credentials>) -> Caller {
        self.signing(&credentials.unwrap().access_key_id.unwrap())
    }

    pub(crate) fn role(&self, name: &str, trust: &str) -> Role {
        self.create_role(name, trust).unwrap()
    }

    pub(crate) fn create_role(&self, name: &str, trust: &str) -> Result<Role, ApiError> {
        let input = CreateRoleRequest {
            role_name: text(name),
            assume_role_policy_document: text(trust),
            ..Default::default()
        };
        Ok(self.control.create_role(&root(), input)?.role.unwrap())
    }

    pub(crate) fn put_role_policy(&self, role: &str, document: &str) {
        let input = PutRolePolicyRequest {
            role_name: text(role),
            policy_name: text("p"),
            policy_document: text(document),
        };
        self.control.put_role_policy(&root(), input).unwrap();
    }

    pub(crate) fn policy(&self, name: &str, document: &str) -> Result<Policy, ApiError> {
        let input = CreatePolicyRequest {
            policy_name: text(name),
            policy_document: text(document),
            ..Default::default()
        };
        Ok(self.control.create_policy(&root(), input)?.policy.unwrap())
    }

    pub(crate) fn assume(&self, caller: &Caller, role: &str) -> Result<AssumeRoleResponse, ApiError> {
        self.assume_with(caller, role, AssumeRoleRequest::default())
    }

    pub(crate) fn assume_with(
        &self,
        caller: &Caller,
        role: &str,
        input: AssumeRoleRequest,
    ) -> Result<AssumeRoleResponse, ApiError> {
        let input = AssumeRoleRequest {
            role_arn: text(&format!("arn:aws:iam::{ACCOUNT}:role/{role}")),
            role_session_name: input.role_session_name.or(text("me-1")),
            ..input
        };
        self.control.assume_role(caller, input)
    }

    /// Whether a caller may send a form to a service.
    pub(crate) fn may(&self, caller: &Caller, service: Service, form: &str) -> Result<(), ApiError> {
        let Protocol::Form(protocol) = service.protocol() else { panic!("{service:?} takes no forms") };
        let body = format!("Version={}&{form}", protocol.version);
        let headers: [(&str, &[u8]); 1] = [("content-type", b"application/x-www-form-urlencoded")];
        let head = RequestHead {
            method: "POST",
            host: "127.0.0.1:4566",
            path: "/",
            query: "",
            headers: &headers,
            signing_name: Some(service.signing_name()),
            body: Some(body.as_bytes()),
        };
        Ok(self.control.authorize(caller, &head)?)
    }
}

fn id(account: &str) -> AccountId {
    account.parse().unwrap()
}

pub(crate) fn root() -> Caller {
    Caller::root(id(ACCOUNT), "us-east-1".to_owned())
}

pub(crate) fn stranger() -> Caller {
    Caller::root(id(OTHER), "us-east-1".to_owned())
}

pub(crate) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A document that lets these principals assume a role.
pub(crate) fn trust(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":["sts:AssumeRole","sts:TagSession"]}}]}}"#
    )
}

/// A document with one statement.
pub(crate) fn statement(effect: &str, action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"}}]}}"#
    )
}

/// Assert that an answer is a refusal with this code, and words that begin so.
#[track_caller]
pub(crate) fn refused<T: Debug>(answer: Result<T, ApiError>, code: &str, words: &str) {
    let error = answer.unwrap_err();
    assert_eq!(error.code, code, "{}", error.message);
    assert!(error.message.starts_with(words), "{}", error.message);
    let status = match code {
        "NoSuchEntity" => 404,
        "EntityAlreadyExists" | "DeleteConflict" | "LimitExceeded" => 409,
        "AccessDenied" | "UnauthorizedOperation" | "InvalidClientTokenId" => 403,
        _ => 400,
    };
    assert_eq!(error.status, status);
}
