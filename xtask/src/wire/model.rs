//! What is read of a botocore service model (`service-2.json`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

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
    /// `ec2`, `query` or `json`.
    pub(crate) protocol: String,
    /// Of what answers in XML.
    #[serde(default)]
    pub(crate) xml_namespace: String,
    /// Of JSON: what names of operations have before them.
    #[serde(default)]
    pub(crate) target_prefix: String,
    /// Of JSON.
    #[serde(default)]
    pub(crate) json_version: String,
}

#[derive(Deserialize)]
pub(crate) struct Operation {
    pub(crate) input: Option<Reference>,
    pub(crate) output: Option<Reference>,
}

/// A use of a shape: by an operation, a structure, a list or a map.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reference {
    pub(crate) shape: String,
    pub(crate) location_name: Option<String>,
    pub(crate) query_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Shape {
    String,
    Boolean,
    Integer,
    Long,
    Float,
    Double,
    Timestamp,
    Blob,
    Structure {
        #[serde(default)]
        members: BTreeMap<String, Reference>,
        #[serde(default)]
        required: Vec<String>,
    },
    List {
        member: Reference,
        #[serde(default)]
        flattened: bool,
    },
    Map {
        key: Reference,
        value: Reference,
    },
}

impl Model {
    /// Reads the model in a directory, compressed as released or not.
    pub(crate) fn read(directory: &Path) -> anyhow::Result<Self> {
        let plain = directory.join("service-2.json");
        let json = if plain.exists() {
            fs::read(&plain).with_context(|| plain.display().to_string())?
        } else {
            let packed = directory.join("service-2.json.gz");
            let output = Command::new("gzip").arg("-dc").arg(&packed).output().context("cannot run gzip")?;
            ensure!(output.status.success(), "no model in {}", directory.display());
            output.stdout
        };
        serde_json::from_slice(&json).with_context(|| format!("the model in {}", directory.display()))
    }

    pub(crate) fn shape(&self, name: &str) -> anyhow::Result<&Shape> {
        self.shapes.get(name).with_context(|| format!("the model has no shape {name}"))
    }

    /// A member's type: lists and maps are empty where absent, everything else is optional.
    pub(crate) fn member_type(&self, reference: &Reference) -> anyhow::Result<String> {
        let inner = self.type_of(&reference.shape)?;
        Ok(match self.shape(&reference.shape)? {
            Shape::List { .. } | Shape::Map { .. } => inner,
            _ => format!("Option<{inner}>"),
        })
    }

    fn type_of(&self, name: &str) -> anyhow::Result<String> {
        Ok(match self.shape(name)? {
            Shape::String => "String".to_owned(),
            Shape::Boolean => "bool".to_owned(),
            Shape::Integer => "i32".to_owned(),
            Shape::Long => "i64".to_owned(),
            Shape::Float | Shape::Double => "f64".to_owned(),
            Shape::Timestamp => "Timestamp".to_owned(),
            Shape::Blob => "Blob".to_owned(),
            Shape::Structure { .. } => name.to_owned(),
            Shape::List { member, .. } => {
                format!("Vec<{}>", self.type_of(&member.shape)?)
            }
            Shape::Map { key, value } => {
                format!("BTreeMap<{}, {}>", self.type_of(&key.shape)?, self.type_of(&value.shape)?)
            }
        })
    }
}
