//! API Gateway: its management, where the action is the HTTP method and the resource the path; and the APIs
//! behind it.

use std::collections::BTreeMap;

use super::{Asked, Need, Resource, conditions};
use crate::host::labels;

/// `apigateway:GET` on `arn:aws:apigateway:us-east-1::/restapis/a1b2`.
pub(crate) fn management(asked: &Asked<'_>) -> Vec<Need> {
    let parameters = asked.parameters;
    let (partition, region) = (asked.scope.partition, asked.scope.region);
    // The second version's paths are what follows its `/v2`.
    let path = parameters.path.strip_prefix("/v2").unwrap_or(parameters.path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let resource = Resource::known(format!("arn:{partition}:apigateway:{region}::{path}"));
    let context = asked.rows().first().map(|row| conditions::read(asked, row.conditions)).unwrap_or_default();
    let action = |verb: &str| format!("apigateway:{verb}");
    let need = |verb: &str| Need {
        action: action(verb),
        resources: vec![resource.clone()],
        context: context.clone(),
    };
    let verb = match parameters.method {
        "HEAD" => "GET",
        method => method,
    };
    vec![need(verb)]
}

/// `execute-api:Invoke` on `arn:aws:execute-api:us-east-1:111122223333:a1b2/prod/GET/pets`.
pub(crate) fn invocation(asked: &Asked<'_>) -> Vec<Need> {
    let parameters = asked.parameters;
    let first = labels(&parameters.host).next().unwrap_or_default();
    // Of a private API the host name is `API-VPCE.execute-api…`, or the endpoint's with the API in a header.
    let api = parameters.header("x-apigw-api-id").or_else(|| {
        let api = first.split_once("-vpce-").map_or(first, |(api, _)| api);
        (!api.starts_with("vpce-") && api != "execute-api" && parameters.host.contains(".execute-api."))
            .then_some(api)
    });
    let resource = match (api, asked.scope.account) {
        (Some(api), Some(account)) => {
            let (partition, region) = (asked.scope.partition, asked.scope.region);
            let path = parameters.path.strip_prefix('/').unwrap_or(parameters.path);
            let (stage, path) = path.split_once('/').unwrap_or((path, ""));
            let method = parameters.method;
            Resource::known(format!(
                "arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/{method}/{path}"
            ))
        }
        _ => Resource::unknown(),
    };
    vec![Need {
        action: "execute-api:Invoke".to_owned(),
        resources: vec![resource],
        context: BTreeMap::new(),
    }]
}
