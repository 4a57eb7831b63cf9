//! The ARNs that a request names.

use super::spelled::{self, Spelled};
use super::{Asked, Resource};

/// Operations that only look, so that a name left out means all there are.
const LOOKING: [&str; 5] = ["Describe", "List", "Get", "Search", "BatchGet"];

/// Follows the rules of an action: `;` between the ways to a resource. `@path` is any resource's ARN; `N,=path`
/// one of type N; `N,path,…` the variables of type N's ARN, where the path `*` stands for itself; `?` is unknown.
pub(crate) fn read(asked: &Asked<'_>, rules: &str) -> Vec<Resource> {
    if rules.is_empty() {
        return vec![Resource::known("*")];
    }
    let mut found = Vec::new();
    for rule in rules.split(';') {
        if let Some(path) = rule.strip_prefix('@') {
            let values = values(asked, path);
            found.extend(values.iter().map(|value| any_arn(value)));
        } else if let Some((number, paths)) = rule.split_once(',') {
            found.extend(of_type(asked, number, paths));
        }
    }
    if found.is_empty() {
        found = open(asked, rules);
    }
    found.sort();
    found.dedup();
    found
}

/// A resource of a named type that a member names.
pub(crate) fn by_name(asked: &Asked<'_>, kind: &str, path: &str) -> Vec<Resource> {
    let section = asked.section();
    let at = section.and_then(|section| section.resources.iter().position(|(name, _)| *name == kind));
    let found = at.map(|at| of_type(asked, &at.to_string(), path)).unwrap_or_default();
    if found.is_empty() { vec![Resource::unknown()] } else { found }
}

fn of_type(asked: &Asked<'_>, number: &str, paths: &str) -> Vec<Resource> {
    let Some((kind, format)) = resource_type(asked, number) else { return vec![Resource::unknown()] };
    if let Some(path) = paths.strip_prefix('=') {
        return values(asked, path).iter().map(|value| whole_arn(asked, kind, value, format)).collect();
    }
    // All combinations, though hardly ever more than one variable has several values.
    let mut sets: Vec<Vec<&str>> = vec![Vec::new()];
    for path in paths.split(',').filter(|path| !path.is_empty()) {
        let values = if path == "*" { vec!["*"] } else { values(asked, path) };
        sets = sets
            .iter()
            .flat_map(|set| values.iter().map(|value| set.iter().copied().chain([*value]).collect()))
            .collect();
        if sets.len() > 10_000 {
            return vec![Resource::unknown()];
        }
    }
    sets.iter().map(|set| one(asked, kind, format, set)).collect()
}

fn one(asked: &Asked<'_>, kind: &str, format: &str, variables: &[&str]) -> Resource {
    if let Some(arn) = variables.iter().find(|value| value.starts_with("arn:")) {
        return if variables.len() == 1 { whole_arn(asked, kind, arn, format) } else { Resource::unknown() };
    }
    let mut filled = Vec::new();
    for variable in variables {
        match spelled::name(asked, kind, variable) {
            Spelled::Name(name) => filled.push(name),
            Spelled::Arn(arn) => return Resource::known(arn),
            Spelled::Unknown => return Resource::unknown(),
        }
    }
    fill(asked, kind, format, &filled)
}

/// Puts variables into a format.
fn fill(asked: &Asked<'_>, kind: &str, format: &str, variables: &[String]) -> Resource {
    let mut variables = variables.iter();
    let mut arn = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { return Resource::unknown() };
        arn.push_str(before);
        let value = match name {
            "Partition" => Some(asked.scope.partition),
            "Region" => Some(asked.scope.region),
            "Account" => spelled::account(asked),
            _ => variables.next().map(String::as_str),
        };
        let Some(value) = value else { return Resource::unknown() };
        arn.push_str(value);
        rest = after;
    }
    arn.push_str(rest);
    arn.push_str(spelled::ending(asked, kind));
    Resource::known(arn)
}

/// What a looking operation that names nothing is done to: all of the first type. Else it is unknown.
fn open(asked: &Asked<'_>, rules: &str) -> Vec<Resource> {
    let looks = LOOKING.iter().any(|verb| asked.name().starts_with(verb)) && asked.parameters.is_complete();
    let all = |rule: &str| {
        let (number, paths) = rule.split_once(',')?;
        let (kind, format) = resource_type(asked, number)?;
        // Another type's member may have been given in a way that is not understood.
        let named = paths.split(',').any(|path| !values(asked, path.trim_start_matches('=')).is_empty());
        if named {
            return None;
        }
        let count = format.matches("${").count();
        Some(fill(asked, kind, format, &vec!["*".to_owned(); count]))
    };
    let mut found: Vec<_> =
        rules.split(';').filter(|_| looks).filter_map(all).filter(|resource| !resource.unknown).collect();
    if found.is_empty() {
        found.push(Resource::unknown());
    }
    found
}

fn resource_type(asked: &Asked<'_>, number: &str) -> Option<(&'static str, &'static str)> {
    asked.section()?.resources.get(number.parse::<usize>().ok()?).copied()
}

/// A member's values that say something.
fn values<'a>(asked: &'a Asked<'_>, path: &str) -> Vec<&'a str> {
    let mut values = asked.parameters.values(path);
    values.retain(|value| !value.is_empty());
    values
}

/// An ARN of any service.
fn any_arn(value: &str) -> Resource {
    if is_arn(value) { Resource::known(value) } else { Resource::unknown() }
}

/// An ARN of the service that a format is of.
fn whole_arn(asked: &Asked<'_>, kind: &str, value: &str, format: &str) -> Resource {
    let service = |arn: &str| arn.split(':').nth(2).map(str::to_owned);
    let fits = is_arn(value) && service(value) == service(format) && spelled::is_plain(asked, kind, value);
    if fits { Resource::known(value) } else { Resource::unknown() }
}

fn is_arn(value: &str) -> bool {
    value.starts_with("arn:") && value.splitn(6, ':').filter(|part| !part.is_empty()).count() >= 4
}
