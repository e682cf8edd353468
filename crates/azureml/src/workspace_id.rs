use std::{fmt, path::Path, str::FromStr};

use crate::{Error, NameRule, Result, config_file};

/// Which workspace: its subscription, its resource group and its name.
///
/// # Examples
///
/// ```
/// use spinney_azureml::WorkspaceId;
///
/// let workspace = WorkspaceId::new("00000000-0000-0000-0000-000000000000", "mlops-rg", "mlops-ws")?;
/// assert_eq!(
///     workspace.to_string(),
///     "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/mlops-rg/providers/\
///      Microsoft.MachineLearningServices/workspaces/mlops-ws",
/// );
/// assert_eq!(workspace.to_string().to_lowercase().parse::<WorkspaceId>()?.workspace_name(), "mlops-ws");
/// # Ok::<(), spinney_azureml::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkspaceId {
    subscription_id: String,
    resource_group: String,
    workspace_name: String,
}

/// The variables that Azure ML sets in jobs.
const VARIABLES: [&str; 3] =
    ["AZUREML_ARM_SUBSCRIPTION", "AZUREML_ARM_RESOURCEGROUP", "AZUREML_ARM_WORKSPACE_NAME"];

impl WorkspaceId {
    /// Takes the three names.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`] for one that Azure does not allow.
    pub fn new(
        subscription_id: impl Into<String>,
        resource_group: impl Into<String>,
        workspace_name: impl Into<String>,
    ) -> Result<Self> {
        let (subscription_id, resource_group) = (subscription_id.into(), resource_group.into());
        let workspace_name = workspace_name.into();
        check_subscription(&subscription_id)?;
        check_resource_group(&resource_group)?;
        NameRule::Workspace.check(&workspace_name)?;
        Ok(Self { subscription_id, resource_group, workspace_name })
    }

    /// Reads the variables that Azure ML sets in its jobs: `AZUREML_ARM_SUBSCRIPTION`, `AZUREML_ARM_RESOURCEGROUP` and
    /// `AZUREML_ARM_WORKSPACE_NAME`. `None` if none of them is set; an empty one counts as not set.
    ///
    /// # Errors
    ///
    /// [`Error::Environment`] if some are set and others are not, otherwise as for [`new`](Self::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_azureml::WorkspaceId;
    ///
    /// let error = WorkspaceId::from_environment(|name| name.ends_with("NAME").then(|| "ws".to_owned()));
    /// assert_eq!(
    ///     error.unwrap_err().to_string(),
    ///     "AZUREML_ARM_SUBSCRIPTION and AZUREML_ARM_RESOURCEGROUP is not set, but other variables of the workspace are",
    /// );
    /// ```
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        let values = VARIABLES.map(|name| variable(name).filter(|value| !value.is_empty()));
        match values {
            [None, None, None] => Ok(None),
            [Some(subscription), Some(group), Some(name)] => {
                Self::new(subscription, group, name).map(Some)
            }
            values => {
                let missing =
                    VARIABLES.into_iter().zip(values).filter(|(_, value)| value.is_none());
                Err(Error::Environment { missing: missing.map(|(name, _)| name).collect() })
            }
        }
    }

    /// Reads the file that the Azure portal offers for download, `config.json`, from a folder or those above it, as the
    /// Python SDK looks for it: up to 20 levels up for `.azureml/config.json`, then anew for `.azureml/project.json`,
    /// `aml_config/config.json`, `aml_config/project.json`, `config.json` and `project.json`. So one in `.azureml` further up is
    /// preferred to a `config.json` right here. A path to a file is read as it is.
    ///
    /// # Errors
    ///
    /// [`Error::NoConfigFile`], [`Error::ConfigFile`], [`Error::ConfigKey`] or [`Error::Io`], otherwise as for [`new`](Self::new).
    pub fn from_config(path: impl AsRef<Path>) -> Result<Self> {
        config_file::read(path.as_ref())
    }

    /// The path of its resource id.
    pub(crate) fn segments(&self) -> [&str; 8] {
        let Self { subscription_id, resource_group, workspace_name } = self;
        [
            "subscriptions",
            subscription_id,
            "resourceGroups",
            resource_group,
            "providers",
            "Microsoft.MachineLearningServices",
            "workspaces",
            workspace_name,
        ]
    }

    /// The subscription.
    #[must_use]
    pub fn subscription_id(&self) -> &str {
        &self.subscription_id
    }

    /// The resource group.
    #[must_use]
    pub fn resource_group(&self) -> &str {
        &self.resource_group
    }

    /// The name.
    #[must_use]
    pub fn workspace_name(&self) -> &str {
        &self.workspace_name
    }
}

/// The resource id, as Azure Resource Manager writes it.
impl fmt::Display for WorkspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subscription_id, resource_group, workspace_name } = self;
        write!(
            f,
            "/subscriptions/{subscription_id}/resourceGroups/{resource_group}/providers/\
             Microsoft.MachineLearningServices/workspaces/{workspace_name}"
        )
    }
}

/// Reads a resource id, whose fixed parts Azure compares without regard to case.
impl FromStr for WorkspaceId {
    type Err = Error;

    fn from_str(id: &str) -> Result<Self> {
        let parts: Vec<&str> = id.trim_end_matches('/').split('/').collect();
        let is = |part: &str, expected: &str| part.eq_ignore_ascii_case(expected);
        match parts[..] {
            [
                "",
                subscriptions,
                subscription,
                groups,
                group,
                providers,
                provider,
                workspaces,
                name,
            ] if is(subscriptions, "subscriptions")
                && is(groups, "resourceGroups")
                && is(providers, "providers")
                && is(provider, "Microsoft.MachineLearningServices")
                && is(workspaces, "workspaces") =>
            {
                Self::new(subscription, group, name)
            }
            _ => Err(Error::InvalidWorkspaceId { id: id.to_owned() }),
        }
    }
}

fn check_subscription(id: &str) -> Result<()> {
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    if groups == [8, 4, 4, 4, 12] && id.chars().all(|c| c == '-' || c.is_ascii_hexdigit()) {
        return Ok(());
    }
    let rule = "32 hex digits in groups of 8, 4, 4, 4 and 12";
    Err(Error::InvalidName { what: "subscription", name: id.to_owned(), rule })
}

fn check_resource_group(name: &str) -> Result<()> {
    let is_allowed = |c: char| c.is_alphanumeric() || "-_.()".contains(c);
    if (1..=90).contains(&name.chars().count())
        && name.chars().all(is_allowed)
        && !name.ends_with('.')
    {
        return Ok(());
    }
    let rule = "up to 90 letters, digits, hyphens, underscores, parentheses and full stops, no full stop last";
    Err(Error::InvalidName { what: "resource group", name: name.to_owned(), rule })
}
