//! Calls that change one attribute each.

use crate::Error;

/// Check that a request has exactly one of these attributes: their names, and whether they are there.
pub(crate) fn one_attribute(attributes: &[(&str, bool)]) -> Result<(), Error> {
    let given: Vec<&str> = attributes.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    match given.as_slice() {
        [_] => Ok(()),
        [] => Err(Error::InvalidParameterCombination("No attributes specified.".into())),
        many => Err(Error::InvalidParameterCombination(format!(
            "Fields for multiple attribute types specified: {}",
            many.join(", ")
        ))),
    }
}
