//! The list of operations: `[model directory]`, then one operation a line; `#` starts a comment.

use anyhow::{Context as _, bail};

/// One service and what is spoken of it.
pub(crate) struct Service {
    /// Directory of the model under botocore's `data`, as `ec2/2016-11-15`.
    pub(crate) model: String,
    /// Operation names, sorted.
    pub(crate) operations: Vec<String>,
}

impl Service {
    /// The Rust module's name.
    pub(crate) fn module(&self) -> &str {
        self.model.split('/').next().unwrap_or(&self.model)
    }
}

pub(crate) fn parse(list: &str) -> anyhow::Result<Vec<Service>> {
    let mut services: Vec<Service> = Vec::new();
    for line in list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(model) = line.strip_prefix('[') {
            let model = model.strip_suffix(']').with_context(|| format!("no closing bracket: {line}"))?;
            services.push(Service { model: model.to_owned(), operations: Vec::new() });
            continue;
        }
        let service = services.last_mut().with_context(|| format!("{line} stands before any service"))?;
        if service.operations.iter().any(|known| known == line) {
            bail!("{line} is listed twice");
        }
        service.operations.push(line.to_owned());
    }
    for service in &mut services {
        service.operations.sort();
    }
    Ok(services)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_belong_to_the_service_above_them() {
        let services =
            parse("# note\n[ec2/2016-11-15]\nDeleteVpc\nCreateVpc\n\n[sts/2011-06-15]\nX\n").unwrap();
        assert_eq!(services.len(), 2);
        assert_eq!(services[0].module(), "ec2");
        assert_eq!(services[0].operations, ["CreateVpc", "DeleteVpc"]);
        assert_eq!(services[1].model, "sts/2011-06-15");
    }

    #[test]
    fn a_list_that_cannot_be_meant_is_refused() {
        assert!(parse("CreateVpc\n").is_err());
        assert!(parse("[ec2/2016-11-15\n").is_err());
        assert!(parse("[ec2/2016-11-15]\nCreateVpc\nCreateVpc\n").is_err());
    }
}
