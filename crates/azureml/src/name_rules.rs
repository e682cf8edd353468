use crate::{Error, Result};

/// What Azure lets a resource be called, to be checked before a request that may take minutes to be refused.
///
/// The rules are those of Azure's resource provider specification (2025-12-01); for endpoints and deployments the service is
/// stricter than it, as its documentation says.
///
/// # Examples
///
/// ```
/// use spinney_azureml::NameRule;
///
/// assert!(NameRule::Compute.check("cpu-cluster").is_ok());
/// let error = NameRule::Compute.check("cluster-1").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "compute name `cluster-1` is not allowed: 3 to 24 letters, digits and hyphens, a letter first, and no hyphen \
///      with digits last",
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameRule {
    /// A workspace.
    Workspace,
    /// A compute instance or cluster.
    Compute,
    /// An online or batch endpoint; unique in its region, which only Azure knows.
    Endpoint,
    /// A deployment of an endpoint.
    Deployment,
    /// A model, data asset, environment, component or code.
    Asset,
    /// A job.
    Job,
}

impl NameRule {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`] with the rule.
    pub fn check(self, name: &str) -> Result<()> {
        let (what, rule, is_valid) = match self {
            Self::Workspace => (
                "workspace",
                "3 to 33 letters, digits, hyphens and underscores, a letter or digit first",
                is_of(name, 3..=33, "-_", char::is_alphanumeric),
            ),
            Self::Compute => (
                "compute",
                "3 to 24 letters, digits and hyphens, a letter first, and no hyphen with digits last",
                is_of(name, 3..=24, "-", char::is_alphabetic) && !ends_in_a_number(name),
            ),
            Self::Endpoint => (
                "endpoint",
                "3 to 32 letters, digits and hyphens, a letter first and no hyphen last",
                is_of(name, 3..=32, "-", char::is_alphabetic) && !name.ends_with('-'),
            ),
            Self::Deployment => (
                "deployment",
                "3 to 32 letters, digits and hyphens, a letter first and no hyphen last",
                is_of(name, 3..=32, "-", char::is_alphabetic) && !name.ends_with('-'),
            ),
            Self::Asset | Self::Job => (
                if self == Self::Job { "job" } else { "asset" },
                "up to 255 letters, digits, hyphens and underscores, a letter or digit first",
                is_of(name, 1..=255, "-_", char::is_alphanumeric),
            ),
        };
        if is_valid {
            return Ok(());
        }
        Err(Error::InvalidName { what, name: name.to_owned(), rule })
    }
}

/// ASCII letters, digits and the other characters, so many, and the first of a kind.
pub(crate) fn is_of(
    name: &str,
    length: std::ops::RangeInclusive<usize>,
    others: &str,
    first: impl Fn(char) -> bool,
) -> bool {
    length.contains(&name.len())
        && name.starts_with(first)
        && name.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

fn ends_in_a_number(name: &str) -> bool {
    name.rsplit_once('-')
        .is_some_and(|(_, end)| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit()))
}
