//! What a runtime calls the plugin with: CNI's variables.

use std::path::PathBuf;

use linkway_model::network_interface::{Container, ContainerDevice};

use crate::cli::attach::device_name;
use crate::cni::error::CniError;

/// What begins the keys of `CNI_ARGS` that are ours.
const OURS: &str = "LINKWAY_";

/// The variables of a call.
pub(crate) struct Call<F: Fn(&str) -> Option<String>>(
    /// Where a variable's value comes from.
    pub(crate) F,
);

impl<F: Fn(&str) -> Option<String>> Call<F> {
    /// What is to be done.
    pub(crate) fn command(&self) -> Result<String, CniError> {
        self.required("CNI_COMMAND")
    }

    /// The interface, in a network of this name.
    pub(crate) fn device(&self, network: &str) -> Result<ContainerDevice, CniError> {
        let id = self.required("CNI_CONTAINERID")?;
        if !is_name(&id) {
            return Err(CniError::Environment(format!(
                "CNI_CONTAINERID is {id:?}, which is no container's id"
            )));
        }
        let device = self.required("CNI_IFNAME")?;
        let device = device_name(&device)
            .map_err(|why| CniError::Environment(format!("CNI_IFNAME is {device:?}: {why}")))?;
        Ok(ContainerDevice { container: Container { network: network.to_owned(), id }, device })
    }

    /// The container's network namespace, as the runtime wrote it.
    pub(crate) fn namespace(&self) -> Result<PathBuf, CniError> {
        let path = PathBuf::from(self.required("CNI_NETNS")?);
        if path.is_absolute() {
            return Ok(path);
        }
        Err(CniError::Environment(format!("CNI_NETNS is {}, which is no absolute path", path.display())))
    }

    /// `CNI_ARGS`: keys and values. Those that are not ours are left to others.
    pub(crate) fn arguments(&self) -> Result<Arguments, CniError> {
        let mut arguments = Arguments::default();
        let text = (self.0)("CNI_ARGS").unwrap_or_default();
        for pair in text.split(';').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                CniError::Environment(format!("CNI_ARGS has {pair:?}, which is no KEY=VALUE"))
            })?;
            let value = Some(value.to_owned()).filter(|value| !value.is_empty());
            match key {
                "LINKWAY_SUBNET" => arguments.subnet = value,
                "LINKWAY_GROUPS" => arguments.groups = value,
                "IP" => arguments.ip = value,
                "MAC" => arguments.mac = value,
                "K8S_POD_NAME" => arguments.name = value,
                key if key.starts_with(OURS) => {
                    return Err(CniError::Environment(format!(
                        "CNI_ARGS has {key}, which is unknown; there are LINKWAY_SUBNET and LINKWAY_GROUPS"
                    )));
                }
                _ => {}
            }
        }
        Ok(arguments)
    }

    fn required(&self, variable: &str) -> Result<String, CniError> {
        (self.0)(variable).filter(|value| !value.is_empty()).ok_or_else(|| {
            CniError::Environment(format!("{variable} is not set; container runtimes call this plugin"))
        })
    }
}

/// What `CNI_ARGS` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The subnet.
    pub(crate) subnet: Option<String>,
    /// Security groups, with commas between them.
    pub(crate) groups: Option<String>,
    /// The address.
    pub(crate) ip: Option<String>,
    /// The MAC address.
    pub(crate) mac: Option<String>,
    /// The container's or the pod's name.
    pub(crate) name: Option<String>,
}

/// Whether it is a name that CNI has for containers and networks.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(variables: &'static [(&str, &str)]) -> Call<impl Fn(&str) -> Option<String>> {
        Call(|name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn environment<T: std::fmt::Debug>(refused: Result<T, CniError>, variable: &str) {
        match refused {
            Err(CniError::Environment(text)) => assert!(text.contains(variable), "{text}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_variable_that_is_missing_or_wrong_is_named() {
        environment(call(&[]).command(), "CNI_COMMAND");
        environment(call(&[("CNI_COMMAND", "")]).command(), "CNI_COMMAND");
        environment(call(&[("CNI_IFNAME", "eth0")]).device("net"), "CNI_CONTAINERID");
        environment(
            call(&[("CNI_CONTAINERID", "-a"), ("CNI_IFNAME", "eth0")]).device("net"),
            "CNI_CONTAINERID",
        );
        environment(call(&[("CNI_CONTAINERID", "a"), ("CNI_IFNAME", "a/b")]).device("net"), "CNI_IFNAME");
        environment(call(&[("CNI_NETNS", "run/netns/a")]).namespace(), "CNI_NETNS");
        environment(call(&[("CNI_ARGS", "LINKWAY_SUBNET")]).arguments(), "CNI_ARGS");
        environment(call(&[("CNI_ARGS", "LINKWAY_GROUP=sg-1")]).arguments(), "LINKWAY_GROUP");
    }

    #[test]
    fn arguments_of_others_are_left_alone() {
        let call =
            call(&[("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAME=web;LINKWAY_GROUPS=sg-1,sg-2;IP=;X=a=b;")]);
        let expected =
            Arguments { groups: Some("sg-1,sg-2".into()), name: Some("web".into()), ..Arguments::default() };
        assert_eq!(call.arguments().unwrap(), expected);
    }
}
