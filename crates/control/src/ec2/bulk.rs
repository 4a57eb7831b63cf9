//! Operations on many resources at once: each succeeds or fails alone, and the call itself succeeds.

use linkway_wire::ec2::{UnsuccessfulItem, UnsuccessfulItemError};

use crate::Error;

/// Do `one` for each id. What comes back are those that it refused. An error that is not about one resource
/// fails the whole call.
pub(crate) fn each<'a>(
    ids: impl IntoIterator<Item = &'a String>,
    mut one: impl FnMut(&str) -> Result<(), Error>,
) -> Result<Vec<UnsuccessfulItem>, Error> {
    let mut unsuccessful = Vec::new();
    for id in ids {
        match one(id) {
            Ok(()) => {}
            Err(error @ Error::Store(_)) => return Err(error),
            Err(error) => unsuccessful.push(UnsuccessfulItem {
                resource_id: Some(id.clone()),
                error: Some(UnsuccessfulItemError {
                    code: Some(error.code().to_owned()),
                    message: Some(error.to_string()),
                }),
            }),
        }
    }
    Ok(unsuccessful)
}
