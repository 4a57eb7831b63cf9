//! What is read of botocore: of each service the newest model, and its endpoints' host names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// One service as its client knows it.
pub(crate) struct Service {
    /// botocore's name: `elbv2`.
    pub(crate) name: String,
    pub(crate) model: Model,
    /// What stands before the region in its host names, without `-fips`: `api.ecr`.
    pub(crate) hosts: BTreeSet<String>,
}

#[derive(Deserialize)]
pub(crate) struct Model {
    pub(crate) metadata: Metadata,
    pub(crate) operations: BTreeMap<String, Operation>,
    pub(crate) shapes: BTreeMap<String, Shape>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) api_version: String,
    pub(crate) endpoint_prefix: String,
    pub(crate) signing_name: Option<String>,
    pub(crate) protocol: String,
    #[serde(default)]
    pub(crate) protocols: Vec<String>,
    pub(crate) target_prefix: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Operation {
    /// What is sent: CloudFront's have the version in it.
    pub(crate) name: String,
    pub(crate) http: Http,
    pub(crate) input: Option<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Http {
    pub(crate) method: String,
    pub(crate) request_uri: String,
}

/// A use of a shape.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reference {
    pub(crate) shape: String,
    /// `uri`, `querystring`, `header`, `headers`; else the body.
    pub(crate) location: Option<String>,
    pub(crate) location_name: Option<String>,
    pub(crate) query_name: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) members: BTreeMap<String, Reference>,
    #[serde(default)]
    pub(crate) required: Vec<String>,
    pub(crate) payload: Option<String>,
    pub(crate) member: Option<Reference>,
}

impl Metadata {
    pub(crate) fn signing_name(&self) -> &str {
        self.signing_name.as_deref().unwrap_or(&self.endpoint_prefix)
    }

    /// Every protocol that the service speaks.
    pub(crate) fn protocols(&self) -> BTreeSet<&str> {
        self.protocols.iter().map(String::as_str).chain([self.protocol.as_str()]).collect()
    }
}

impl Model {
    pub(crate) fn shape(&self, name: &str) -> anyhow::Result<&Shape> {
        self.shapes.get(name).with_context(|| format!("the model has no shape {name}"))
    }
}

/// Every service, by its name.
pub(crate) fn read(package: &Path) -> anyhow::Result<Vec<Service>> {
    let mut names: Vec<_> = fs::read_dir(package.join("data"))?.collect::<Result<_, _>>()?;
    names.sort_by_key(fs::DirEntry::file_name);
    let mut services = Vec::new();
    for entry in names.iter().filter(|entry| entry.path().is_dir()) {
        let mut versions: Vec<_> =
            fs::read_dir(entry.path())?.map(|version| Ok(version?.path())).collect::<anyhow::Result<_>>()?;
        versions.sort();
        let newest = versions.last().with_context(|| format!("{} is empty", entry.path().display()))?;
        let model: Model = read_json(newest, "service-2.json")?;
        let rules: serde_json::Value = read_json(newest, "endpoint-rule-set-1.json")?;
        let mut hosts = BTreeSet::from([model.metadata.endpoint_prefix.clone()]);
        collect_hosts(&rules, &mut hosts);
        services.push(Service { name: entry.file_name().to_string_lossy().into_owned(), model, hosts });
    }
    Ok(services)
}

/// Reads a file that is released compressed.
fn read_json<T: DeserializeOwned>(directory: &Path, name: &str) -> anyhow::Result<T> {
    let plain = directory.join(name);
    let json = if plain.exists() {
        fs::read(&plain).with_context(|| plain.display().to_string())?
    } else {
        let packed = directory.join(format!("{name}.gz"));
        gunzip(&fs::read(&packed).with_context(|| packed.display().to_string())?)
            .with_context(|| packed.display().to_string())?
    };
    serde_json::from_slice(&json).with_context(|| format!("{name} in {}", directory.display()))
}

/// RFC 1952, with the one optional field that Python writes.
fn gunzip(packed: &[u8]) -> anyhow::Result<Vec<u8>> {
    const NAME: u8 = 8;
    ensure!(packed.len() > 18 && packed.starts_with(&[0x1f, 0x8b, 8]), "not compressed with gzip");
    ensure!(packed[3] & !NAME == 0, "a gzip header with fields that are not supported");
    let name = match packed[3] & NAME {
        0 => 0,
        _ => packed[10..].iter().position(|byte| *byte == 0).context("a name without an end")? + 1,
    };
    miniz_oxide::inflate::decompress_to_vec(&packed[10 + name..])
        .map_err(|error| anyhow::anyhow!("not compressed properly: {error}"))
}

/// Finds every `url` in a rule set, and in it what stands before the region.
fn collect_hosts(rules: &serde_json::Value, hosts: &mut BTreeSet<String>) {
    match rules {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(url) if name == "url" => hosts.extend(stem(url)),
                    _ => collect_hosts(value, hosts),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_hosts(item, hosts)),
        _ => {}
    }
}

/// `https://{Bucket}.s3-fips.{Region}.…` is `s3`.
fn stem(url: &str) -> Option<String> {
    let host = url.strip_prefix("https://")?.split('/').next()?;
    let labels: Vec<_> = host
        .split('.')
        .skip_while(|label| label.contains('{'))
        .take_while(|label| !label.contains('{') && !is_end(label))
        .map(|label| label.strip_suffix("-fips").unwrap_or(label))
        .collect();
    (!labels.is_empty()).then(|| labels.join("."))
}

/// A label that follows a service's: a region or the beginning of a partition's domain.
fn is_end(label: &str) -> bool {
    let words: Vec<_> = label.split('-').collect();
    let region = words.len() >= 3
        && words[0].len() <= 4
        && words.last().is_some_and(|word| word.parse::<u8>().is_ok());
    region || matches!(label, "amazonaws" | "api" | "dualstack" | "global" | "us-gov" | "on")
}
