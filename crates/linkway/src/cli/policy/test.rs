//! `linkway policy test`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use linkway_model::VpcEndpointId;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_policy::Explanation;
use serde_json::json;

use super::request::Written;
use super::{cases, compile, read};
use crate::admin::client::Client;
use crate::admin::protocol::FindEndpoint;
use crate::cli::output::{self, Format, Output};
use crate::state_dir::StateDir;

/// Try a policy.
#[derive(Debug, Args)]
#[command(after_help = "\
The exit status is 0 for an allowed request, 1 for a denied one.

A request has what it is given, and with --endpoint what the endpoint adds: aws:SourceVpc, aws:SourceVpcArn,
aws:SourceVpce, aws:VpceAccount, aws:RequestedRegion, aws:SecureTransport, aws:ViaAWSService, aws:CurrentTime and
aws:EpochTime. --principal brings aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType and aws:username.
--context replaces any of them, and `--context key=` leaves one out.

  linkway policy test --policy policy.json --request request.json
  linkway policy test --endpoint vpce-… --action rds:DescribeDBInstances --principal 123456789012
  linkway policy test --endpoint vpce-… --policy new.json --action s3:GetObject \\
      --resource arn:aws:s3:::bucket/key --context aws:VpcSourceIp=10.0.0.7")]
pub(crate) struct Test {
    /// The policy document, JSON. With --endpoint, in place of the endpoint's.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["cases", "endpoint"])]
    policy: Option<PathBuf>,
    /// Ask as through this endpoint, which the daemon knows: its policy, its keys.
    #[arg(long, value_name = "ID")]
    endpoint: Option<VpcEndpointId>,
    /// The request, JSON: `principal`, `action`, `resource`, `resource_account`, `context`.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["cases", "action"])]
    request: Option<PathBuf>,
    /// What is asked for: SERVICE:ACTION.
    #[arg(long, conflicts_with = "request")]
    action: Option<String>,
    /// The resource's ARN, or * for an action that is about none.
    #[arg(long, value_name = "ARN", default_value = "*", conflicts_with = "request")]
    resource: String,
    /// Who asks: an account's number, or the ARN of a user, a role or a session. Without it, somebody unknown.
    #[arg(long, value_name = "ARN", conflicts_with = "request")]
    principal: Option<String>,
    /// A condition key of the request; more than once for a key with several values.
    #[arg(long = "context", value_name = "KEY=VALUE")]
    context: Vec<String>,
    /// Cases, a JSON object a line: `id`, `policy`, `request`, `expected`, `decided_by`, `use`.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["policy", "request", "endpoint", "action", "resource", "principal", "context"]
    )]
    cases: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

impl Test {
    /// Carry it out. Returns the exit status.
    pub(crate) fn run(&self, state: &StateDir) -> Result<i32> {
        if let Some(path) = &self.cases {
            return cases::run(&read(path)?, self.output);
        }
        let endpoint = match &self.endpoint {
            Some(id) => Some(Client::new(state).call(&FindEndpoint { endpoint: id.clone() })?),
            None => None,
        };
        let policy = match (&self.policy, &endpoint) {
            (Some(path), _) => compile(&read(path)?, &path.display().to_string())?,
            (None, Some(endpoint)) => compile(&endpoint.policy, &format!("the policy of {}", endpoint.id))?,
            (None, None) => bail!("give --policy, --endpoint or --cases"),
        };
        let mut request = self.asked()?;
        if let Some(endpoint) = &endpoint {
            through(endpoint, &mut request);
        }
        request.set_all(&self.context)?;
        let explanation = request.with(|request| policy.explain(request))?;
        let sentence = explanation.decision.denial(request.action()).map(|why| {
            let (who, action, resource) = (request.caller(), request.action(), request.resource());
            format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}")
        });
        self.print(&explanation, sentence.as_deref(), endpoint.as_ref())?;
        Ok(i32::from(sentence.is_some()))
    }

    fn asked(&self) -> Result<Written> {
        match (&self.request, &self.action) {
            (Some(path), _) => serde_json::from_str(&read(path)?)
                .with_context(|| format!("{} is no request", path.display())),
            (None, Some(action)) => Written::new(self.principal.as_deref(), action, &self.resource),
            (None, None) => bail!("give --request or --action"),
        }
    }

    fn print(
        &self,
        explanation: &Explanation,
        sentence: Option<&str>,
        endpoint: Option<&VpcEndpoint>,
    ) -> Result<()> {
        let passes = sentence.is_some() && endpoint.is_some_and(VpcEndpoint::audit_mode);
        if self.output.output == Format::Json {
            let statements = explanation.statements.iter().map(|statement| {
                let mismatches = statement.mismatches.iter().map(|mismatch| {
                    json!({
                        "element": mismatch.element,
                        "line": mismatch.at.line,
                        "column": mismatch.at.column,
                        "why": mismatch.why,
                    })
                });
                json!({
                    "statement": statement.index,
                    "sid": statement.sid,
                    "mismatches": mismatches.collect::<Vec<_>>(),
                })
            });
            return output::json(&json!({
                "verdict": explanation.decision.verdict.to_string(),
                "statements": explanation.decision.statements.iter().collect::<Vec<_>>(),
                "explanation": statements.collect::<Vec<_>>(),
                "message": sentence,
                "passesInAuditMode": passes,
            }));
        }
        let mut text = format!("{explanation}\n");
        if let Some(sentence) = sentence {
            text += &format!("{sentence}\n");
        }
        if passes {
            text +=
                "the endpoint is in audit mode: the request passes all the same, and is recorded as denied\n";
        }
        output::text(&text)
    }
}

/// Give a request the keys that it has when it comes through an endpoint, but for its address in the VPC.
fn through(endpoint: &VpcEndpoint, request: &mut Written) {
    let VpcEndpoint { id, owner, region, vpc, .. } = endpoint;
    let now = linkway_model::Timestamp::now();
    for (key, value) in [
        ("aws:SourceVpc", vpc.to_string()),
        ("aws:SourceVpcArn", format!("arn:aws:ec2:{region}:{owner}:vpc/{vpc}")),
        ("aws:SourceVpce", id.to_string()),
        ("aws:VpceAccount", owner.to_string()),
        ("aws:RequestedRegion", region.clone()),
        ("aws:SecureTransport", "true".into()),
        ("aws:ViaAWSService", "false".into()),
        ("aws:CurrentTime", now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        ("aws:EpochTime", now.as_second().to_string()),
    ] {
        request.provide(key, value);
    }
}
