//! AWS's own signing test suite, as the crate `aws-sigv4` ships it. That crate is a dependency of no build: it is
//! only downloaded, and its directory asked of cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use serde_json::Value;

use super::canonical::{PathRules, path};
use super::{Request, Secret, verify_path};

/// A request of the suite: a request line, headers (folded ones too), an empty line, the body.
struct Example {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Example {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let line = lines.next().unwrap();
        let (method, target) = line.strip_suffix(" HTTP/1.1").unwrap_or(line).split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            match (line.starts_with(' '), line.split_once(':')) {
                (false, Some((name, value))) => headers.push((name.to_owned(), value.to_owned())),
                _ => headers.last_mut().unwrap().1.push_str(line),
            }
        }
        let [method, path, query, body] = [method, path, query, body].map(str::to_owned);
        Self { method, path, query, headers, body }
    }

    fn verify(&self, context: &Value) -> Result<super::Verified, super::SignatureError> {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: self.body.as_bytes(),
        };
        let now: Timestamp = context["timestamp"].as_str().unwrap().parse().unwrap();
        let credentials = &context["credentials"];
        let secret = Secret {
            secret_access_key: credentials["secret_access_key"].as_str().unwrap().to_owned(),
            session_token: credentials["token"].as_str().map(str::to_owned),
            expires: None,
        };
        let rules = PathRules { normalize: context["normalize"].as_bool().unwrap(), encode_twice: true };
        verify_path(&request, now, |id| (id == credentials["access_key_id"]).then_some(secret), |_| rules)
    }
}

fn suite() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "aws-sigv4").unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    manifest.with_file_name("aws-signing-test-suite").join("v4")
}

#[test]
fn aws_signing_test_suite() {
    let (mut signatures, mut paths) = (0, 0);
    for case in fs::read_dir(suite()).unwrap() {
        let case = case.unwrap().path();
        let Ok(context) = fs::read_to_string(case.join("context.json")) else {
            // Two cases come without a secret, so that only the path's canonical spelling can be compared.
            let canonical = fs::read_to_string(case.join("header-canonical-request.txt")).unwrap();
            let request = Example::read(&case.join("request.txt"));
            let rules = PathRules::of_service("service");
            assert_eq!(canonical.lines().nth(1), Some(&*path(&request.path, rules)), "{}", case.display());
            paths += 1;
            continue;
        };
        let context: Value = serde_json::from_str(&context).unwrap();
        for form in ["header", "query"] {
            let example = Example::read(&case.join(format!("{form}-signed-request.txt")));
            let verified =
                example.verify(&context).unwrap_or_else(|error| panic!("{} {form}: {error}", case.display()));
            assert_eq!(Some(verified.region.as_str()), context["region"].as_str());
            assert_eq!(Some(verified.service.as_str()), context["service"].as_str());
            assert_eq!(verified.session_token.as_deref(), context["credentials"]["token"].as_str());

            let altered = Example { method: "PUT".to_owned(), ..example };
            assert_eq!(altered.verify(&context), Err(super::SignatureError::DoesNotMatch));
            signatures += 1;
        }
    }
    assert!(signatures >= 76 && paths == 2, "{signatures} signatures and {paths} paths: is the suite whole?");
}
