//! Whether a caller may hand a role over to a service, which acts in its name from then on.
//!
//! Source: "Grant a user permissions to pass a role to an AWS service" in AWS's IAM user guide.

use linkway_model::Snapshot;

use super::{Need, Resource};
use crate::{Caller, Control, Error};

impl Control {
    /// Ask whether `caller` may pass the role of this ARN to a service, such as `ec2.amazonaws.com`, in a request to the
    /// service with the signing name `asked`, in whose words a denial is. The role need not be there.
    ///
    /// # Errors
    ///
    /// AWS's denial of `iam:PassRole`.
    pub(crate) fn may_pass_role(
        &self,
        state: &Snapshot,
        caller: &Caller,
        role: &str,
        service: &str,
        asked: &str,
    ) -> Result<(), Error> {
        let context = [("iam:PassedToService".to_owned(), vec![service.to_owned()])];
        let need = || Need {
            action: "iam:PassRole".to_owned(),
            resources: vec![Resource::named(state, role.to_owned())],
            context: context.into(),
        };
        self.require(state, caller, asked, || vec![need()])
    }
}
