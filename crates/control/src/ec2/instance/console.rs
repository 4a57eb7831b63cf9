//! What an instance has written to its console.

use linkway_model::instance::Instance;
use linkway_wire::Blob;
use linkway_wire::ec2::{
    GetConsoleOutputRequest, GetConsoleOutputResult, GetPasswordDataRequest, GetPasswordDataResult,
};

use crate::lookup::named;
use crate::{Caller, Control, Error};

/// `GetConsoleOutput`. It is always the latest: nothing keeps an earlier one.
pub(crate) fn console_output(
    control: &Control,
    caller: &Caller,
    input: GetConsoleOutputRequest,
) -> Result<GetConsoleOutputResult, Error> {
    let state = control.read(input.dry_run)?;
    let instance = named::<Instance>(&state, caller, input.instance_id.as_deref(), "InstanceId")?;
    let console = (control.settings.console)(&instance.id);
    Ok(GetConsoleOutputResult {
        instance_id: Some(instance.id.to_string()),
        timestamp: Some(console.as_ref().map_or_else(|| control.now(), |console| console.written)),
        output: console.map(|console| Blob(console.output).to_base64()),
    })
}

/// `GetPasswordData`: the password of a Windows instance, of which there are none. AWS answers so for Linux, too.
pub(crate) fn password_data(
    control: &Control,
    caller: &Caller,
    input: GetPasswordDataRequest,
) -> Result<GetPasswordDataResult, Error> {
    let state = control.read(input.dry_run)?;
    let instance = named::<Instance>(&state, caller, input.instance_id.as_deref(), "InstanceId")?;
    Ok(GetPasswordDataResult {
        instance_id: Some(instance.id.to_string()),
        password_data: Some(String::new()),
        timestamp: Some(control.now()),
    })
}
