//! What is read of AWS's Service Authorization Reference, as the crate `cloudcover-aws` pins it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

const CRATE: &str = "cloudcover-aws";
const VERSION: &str = "0.2.3";

#[derive(Deserialize)]
struct Catalog {
    services: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    service: String,
    document: Document,
}

#[derive(Deserialize)]
struct Manifest {
    retrieved_at: String,
}

/// One service's page.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Document {
    pub(crate) actions: Vec<Action>,
    #[serde(default)]
    pub(crate) resources: Vec<Resource>,
    #[serde(default)]
    pub(crate) operations: Vec<Operation>,
    #[serde(default)]
    pub(crate) condition_keys: Vec<ConditionKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Action {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) resources: Vec<ActionResource>,
    #[serde(default)]
    pub(crate) action_condition_keys: Vec<String>,
    #[serde(default)]
    pub(crate) annotations: Annotations,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Annotations {
    #[serde(default)]
    pub(crate) properties: Properties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Properties {
    pub(crate) is_tagging_only: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ActionResource {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) condition_keys: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Resource {
    #[serde(rename = "Name")]
    pub(crate) name: String,
    #[serde(rename = "ARNFormats", default)]
    pub(crate) arn_formats: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Operation {
    #[serde(rename = "Name")]
    pub(crate) name: String,
    #[serde(rename = "AuthorizedActions", default)]
    pub(crate) authorized_actions: Vec<AuthorizedAction>,
    #[serde(rename = "SDK", default)]
    pub(crate) sdk: Vec<Sdk>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AuthorizedAction {
    pub(crate) name: String,
    pub(crate) service: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Sdk {
    pub(crate) name: String,
    pub(crate) package: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ConditionKey {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) types: Vec<String>,
}

/// The whole reference.
pub(crate) struct Reference {
    /// By IAM prefix.
    pub(crate) documents: BTreeMap<String, Document>,
    /// Where it is from.
    pub(crate) source: String,
    /// The prefix and the place of an operation, by botocore's service and the operation's name.
    operations: BTreeMap<(String, String), (String, usize)>,
}

impl Reference {
    /// Downloads the crate if cargo has not got it, and reads it. `scratch` is a directory to do that in.
    pub(crate) fn fetch(scratch: &Path) -> anyhow::Result<Self> {
        let data = fetch_crate(scratch)?.join("data/sar");
        let read = |name: &str| {
            let path = data.join(name);
            fs::read(&path).with_context(|| path.display().to_string())
        };
        let manifest: Manifest = serde_json::from_slice(&read("manifest.json")?)?;
        let catalog: Catalog = serde_json::from_slice(&read("catalog.json")?)?;
        let day = manifest.retrieved_at.split('T').next().unwrap_or_default();
        let source = format!("Service Authorization Reference of {day} ({CRATE} {VERSION})");
        let documents: BTreeMap<_, _> =
            catalog.services.into_iter().map(|entry| (entry.service, entry.document)).collect();
        let mut operations = BTreeMap::new();
        for (prefix, document) in &documents {
            for (at, operation) in document.operations.iter().enumerate() {
                for sdk in operation.sdk.iter().filter(|sdk| sdk.package == "Boto3") {
                    operations
                        .entry((sdk.name.clone(), operation.name.clone()))
                        .or_insert_with(|| (prefix.clone(), at));
                }
            }
        }
        Ok(Self { documents, source, operations })
    }

    /// What the reference says of an operation, and under which prefix.
    pub(crate) fn operation(&self, service: &str, name: &str) -> Option<(&str, &Operation)> {
        let (prefix, at) = self.operations.get(&(service.to_owned(), name.to_owned()))?;
        Some((prefix, &self.documents[prefix].operations[*at]))
    }

    pub(crate) fn action(&self, prefix: &str, name: &str) -> Option<&Action> {
        self.documents.get(prefix)?.actions.iter().find(|action| action.name == name)
    }

    /// The prefix under which most of a service's operations are authorized.
    pub(crate) fn prefix_of(&self, service: &str) -> Option<&str> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for ((named, operation), (prefix, at)) in &self.operations {
            if named == service {
                let actions = &self.documents[prefix].operations[*at].authorized_actions;
                let own = actions.iter().find(|action| action.name == *operation).or(actions.first());
                *counts.entry(own.map_or(prefix, |action| &action.service)).or_default() += 1;
            }
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(prefix, _)| prefix)
    }

    /// Every prefix that has actions.
    pub(crate) fn prefixes(&self) -> BTreeSet<&str> {
        self.documents.keys().map(String::as_str).collect()
    }
}

/// Has cargo fetch the crate, as a dependency of a package that is never built, and says where its source is.
fn fetch_crate(scratch: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(scratch.join("src"))?;
    fs::write(scratch.join("src/lib.rs"), "")?;
    let manifest = scratch.join("Cargo.toml");
    fs::write(
        &manifest,
        format!(
            "[package]\nname = \"scratch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{CRATE} = \"={VERSION}\"\n"
        ),
    )?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--manifest-path"])
        .arg(&manifest)
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "cannot download {CRATE} {VERSION}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("cargo lists packages")?;
    let package =
        packages.iter().find(|package| package["name"] == CRATE).context("cargo lists the crate")?;
    let manifest = package["manifest_path"].as_str().context("a package has a manifest")?;
    Ok(PathBuf::from(manifest).parent().context("a manifest is in a directory")?.to_owned())
}
