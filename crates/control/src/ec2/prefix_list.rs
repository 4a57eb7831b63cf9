//! Prefix lists: there are none, and clients ask for them. Whoever names one by id is told so.

use linkway_wire::ec2::{DescribePrefixListsRequest, DescribePrefixListsResult};

use crate::filter::{Field, Filters, fields, none};
use crate::{Caller, Control, Error};

const FILTERS: &[Field<()>] = fields! {
    "prefix-list-id" => none;
    "prefix-list-name" => none;
};

pub(crate) fn describe(
    control: &Control,
    _: &Caller,
    input: DescribePrefixListsRequest,
) -> Result<DescribePrefixListsResult, Error> {
    control.read(input.dry_run)?;
    if let Some(id) = input.prefix_list_ids.first() {
        return Err(Error::DescribedPrefixListNotFound(id.clone()));
    }
    Filters::new(FILTERS, &input.filters)?;
    Ok(DescribePrefixListsResult::default())
}
