//! The DNS names that an endpoint answers for.

use std::collections::HashSet;

/// A set of names and wildcards, such as `*.s3.us-east-1.amazonaws.com`. The same in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    exact: HashSet<String>,
    /// Without the asterisk: `.s3.us-east-1.amazonaws.com`.
    suffixes: Vec<String>,
}

impl Names {
    /// Whether the name is one of them. A wildcard stands for one or more labels, as a bucket's name may have
    /// dots.
    pub fn contains(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.exact.contains(&name) || self.suffix(&name).is_some()
    }

    /// The name that a certificate for `name` carries: the wildcard where it covers the name by TLS's rules, which
    /// let it stand for one label, else the name itself. `None` if the name is not of the set.
    pub(crate) fn certified(&self, name: &str) -> Option<String> {
        let name = name.to_ascii_lowercase();
        if self.exact.contains(&name) {
            return Some(name);
        }
        let suffix = self.suffix(&name)?;
        let label = &name[..name.len() - suffix.len()];
        if label.contains('.') { Some(name) } else { Some(format!("*{suffix}")) }
    }

    /// Whether this is one of the names or wildcards as they were given, in lower case.
    pub(crate) fn is_listed(&self, name: &str) -> bool {
        match name.strip_prefix('*') {
            Some(suffix) => self.suffixes.iter().any(|known| known == suffix),
            None => self.exact.contains(name),
        }
    }

    /// The longest wildcard that covers a name in lower case.
    fn suffix(&self, name: &str) -> Option<&str> {
        let covers = |suffix: &&String| name.strip_suffix(suffix.as_str()).is_some_and(is_labels);
        self.suffixes.iter().filter(covers).max_by_key(|suffix| suffix.len()).map(String::as_str)
    }
}

fn is_labels(text: &str) -> bool {
    text.split('.').all(|label| !label.is_empty() && label != "*")
}

impl<S: AsRef<str>> FromIterator<S> for Names {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut set = Self::default();
        for name in names {
            let name = name.as_ref().to_ascii_lowercase();
            match name.strip_prefix('*') {
                Some(suffix) if suffix.starts_with('.') => set.suffixes.push(suffix.to_owned()),
                _ => {
                    set.exact.insert(name);
                }
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_labels() {
        let names: Names =
            ["s3.us-east-1.amazonaws.com", "*.s3.us-east-1.amazonaws.com"].into_iter().collect();
        assert_eq!(names.certified("S3.us-east-1.amazonaws.com").unwrap(), "s3.us-east-1.amazonaws.com");
        assert_eq!(names.certified("b.s3.us-east-1.amazonaws.com").unwrap(), "*.s3.us-east-1.amazonaws.com");
        assert_eq!(
            names.certified("a.b.s3.us-east-1.amazonaws.com").unwrap(),
            "a.b.s3.us-east-1.amazonaws.com"
        );
        for other in
            ["rds.us-east-1.amazonaws.com", ".s3.us-east-1.amazonaws.com", "xs3.us-east-1.amazonaws.com"]
        {
            assert_eq!(names.certified(other), None, "{other}");
            assert!(!names.contains(other));
        }
    }
}
