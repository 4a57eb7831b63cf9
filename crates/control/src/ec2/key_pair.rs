//! Key pairs. The private half of one that is made here is answered once and not kept.

mod material;

use std::sync::Arc;

use linkway_model::key_pair::{KeyKind, KeyPair};
use linkway_model::{KeyPairId, Snapshot};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateKeyPairRequest, DeleteKeyPairRequest, DeleteKeyPairResult, DescribeKeyPairsRequest,
    DescribeKeyPairsResult, ImportKeyPairRequest, ImportKeyPairResult, KeyPair as KeyPairShape, KeyPairInfo,
    TagSpecification,
};

use self::material::Public;
use crate::error::InstanceError;
use crate::filter::{Field, Filters, fields, one};
use crate::lookup::{Owned, own, required};
use crate::{Caller, Control, Error, tags};

/// Characters of a name.
const MAX_NAME: usize = 255;

const FILTERS: &[Field<KeyPair>] = fields! {
    "fingerprint" => |_, pair| one(&pair.fingerprint);
    "key-name" => |_, pair| one(&pair.name);
    "key-pair-id" => |_, pair| one(&pair.id);
};

/// The caller's key pair of this name.
pub(crate) fn by_name<'a>(
    state: &'a Snapshot,
    caller: &Caller,
    name: &str,
) -> Result<&'a Arc<KeyPair>, Error> {
    state
        .all::<KeyPair>()
        .find(|pair| pair.name == name && pair.belongs_to(caller))
        .ok_or_else(|| InstanceError::KeyPairNotFound(name.to_owned()).into())
}

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateKeyPairRequest,
) -> Result<KeyPairShape, Error> {
    let kind = match input.key_type.as_deref() {
        None | Some("rsa") => KeyKind::Rsa,
        Some("ed25519") => KeyKind::Ed25519,
        Some(other) => return Err(refuse("keyType", other)),
    };
    match input.key_format.as_deref() {
        None | Some("pem") => {}
        Some("ppk") => {
            return Err(Error::Unsupported(
                "Private keys are in PEM format; PuTTY's `puttygen` converts them.".into(),
            ));
        }
        Some(other) => return Err(refuse("keyFormat", other)),
    }
    let name = required(input.key_name, "KeyName")?;
    // What cannot be, before the work of making a key.
    check_free(&*control.read(None)?, caller, &name)?;
    let made = material::make(kind)?;
    let pair = control
        .write(input.dry_run, |tx| put(control, tx, caller, &name, made.public, &input.tag_specifications))?;
    Ok(KeyPairShape {
        key_fingerprint: Some(pair.fingerprint),
        key_material: Some(made.private),
        key_name: Some(pair.name),
        key_pair_id: Some(pair.id.to_string()),
        tags: tags::shape(&pair.tags),
    })
}

pub(crate) fn import(
    control: &Control,
    caller: &Caller,
    input: ImportKeyPairRequest,
) -> Result<ImportKeyPairResult, Error> {
    let name = required(input.key_name, "KeyName")?;
    let public = material::read(&required(input.public_key_material, "PublicKeyMaterial")?.0)?;
    let pair = control
        .write(input.dry_run, |tx| put(control, tx, caller, &name, public, &input.tag_specifications))?;
    Ok(ImportKeyPairResult {
        key_fingerprint: Some(pair.fingerprint),
        key_name: Some(pair.name),
        key_pair_id: Some(pair.id.to_string()),
        tags: tags::shape(&pair.tags),
    })
}

fn put(
    control: &Control,
    tx: &mut Transaction,
    caller: &Caller,
    name: &str,
    public: Public,
    specifications: &[TagSpecification],
) -> Result<KeyPair, Error> {
    check_free(tx, caller, name)?;
    let pair = KeyPair {
        id: KeyPairId::random(),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        name: name.to_owned(),
        kind: public.kind,
        fingerprint: public.fingerprint,
        public_key: format!("{} {name}", public.line),
        created: control.now(),
        tags: tags::specified(specifications, KeyPair::NOUN.resource_type)?,
    };
    tx.put(pair.clone());
    Ok(pair)
}

/// Whether a name can be a new key pair's.
fn check_free(state: &Snapshot, caller: &Caller, name: &str) -> Result<(), Error> {
    if name.is_empty()
        || name.chars().count() > MAX_NAME
        || !name.chars().all(|c| c.is_ascii_graphic() || c == ' ')
    {
        return Err(refuse("keyName", name));
    }
    match by_name(state, caller, name) {
        Ok(_) => Err(InstanceError::DuplicateKeyPair(name.to_owned()).into()),
        Err(_) => Ok(()),
    }
}

fn refuse(parameter: &str, value: &str) -> Error {
    Error::InvalidParameterValue(format!("Value ({value}) for parameter {parameter} is invalid."))
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeKeyPairsRequest,
) -> Result<DescribeKeyPairsResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(FILTERS, &input.filters)?;
    for name in &input.key_names {
        by_name(&state, caller, name)?;
    }
    for id in &input.key_pair_ids {
        own::<KeyPair>(&state, caller, id)?;
    }
    let named = |pair: &KeyPair| {
        (input.key_names.is_empty() || input.key_names.contains(&pair.name))
            && (input.key_pair_ids.is_empty() || input.key_pair_ids.iter().any(|id| id == pair.id.as_str()))
    };
    let mut pairs: Vec<_> = state
        .all::<KeyPair>()
        .filter(|pair| pair.belongs_to(caller) && named(pair) && filters.matches(&state, pair, &pair.tags))
        .collect();
    pairs.sort_by_key(|pair| &pair.name);
    let with_key = input.include_public_key == Some(true);
    Ok(DescribeKeyPairsResult { key_pairs: pairs.into_iter().map(|pair| shape(pair, with_key)).collect() })
}

fn shape(pair: &KeyPair, with_key: bool) -> KeyPairInfo {
    KeyPairInfo {
        create_time: Some(pair.created),
        key_fingerprint: Some(pair.fingerprint.clone()),
        key_name: Some(pair.name.clone()),
        key_pair_id: Some(pair.id.to_string()),
        key_type: Some(pair.kind.name().into()),
        public_key: with_key.then(|| pair.public_key.clone()),
        tags: tags::shape(&pair.tags),
    }
}

/// `DeleteKeyPair`, by name or id. That there is none of the name is no error, as on AWS.
pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteKeyPairRequest,
) -> Result<DeleteKeyPairResult, Error> {
    if input.key_name.is_none() && input.key_pair_id.is_none() {
        return Err(Error::MissingParameter("KeyName"));
    }
    control.write(input.dry_run, |tx| {
        let asked = |pair: &KeyPair| {
            input.key_name.as_ref().is_none_or(|name| *name == pair.name)
                && input.key_pair_id.as_ref().is_none_or(|id| id == pair.id.as_str())
        };
        let found = tx.all::<KeyPair>().find(|pair| pair.belongs_to(caller) && asked(pair));
        let id = found.map(|pair| pair.id.clone());
        if let Some(id) = &id {
            tx.delete::<KeyPair>(id);
        }
        Ok(DeleteKeyPairResult { key_pair_id: id.map(String::from), return_: Some(true) })
    })
}
