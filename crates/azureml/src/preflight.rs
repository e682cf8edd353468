use std::fmt;

use serde::Deserialize;

use crate::{MlClient, Pages, Result, Usage};

/// What is going to be made, so that what would fail after minutes is found before.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: spinney_azureml::MlClient) -> spinney_azureml::Result<()> {
/// use spinney_azureml::Preflight;
///
/// let plan = Preflight::new().online_endpoint().machines("Standard_D2as_v4", 2);
/// for finding in client.preflight(&plan).await? {
///     eprintln!("{finding}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Preflight {
    online_endpoint: bool,
    computes: bool,
    machines: Vec<(String, u32)>,
}

impl Preflight {
    /// Nothing: the workspace is looked at, and what everything needs.
    pub fn new() -> Self {
        Self::default()
    }

    /// An online endpoint with deployments.
    pub fn online_endpoint(self) -> Self {
        Self { online_endpoint: true, ..self }
    }

    /// Compute instances or clusters.
    pub fn computes(self) -> Self {
        Self { computes: true, ..self }
    }

    /// So many machines of a size, beside those that are there.
    pub fn machines(mut self, vm_size: impl Into<String>, count: u32) -> Self {
        self.machines.push((vm_size.into(), count));
        self
    }
}

/// Something that would fail, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.problem, self.fix)
    }
}

/// What a workspace with computes and assets uses.
const PROVIDERS: [&str; 6] = [
    "Microsoft.MachineLearningServices",
    "Microsoft.Storage",
    "Microsoft.KeyVault",
    "Microsoft.Insights",
    "Microsoft.ContainerRegistry",
    "Microsoft.Compute",
];

/// What online endpoints use beside. A missing one is the error that names no provider and no subscription: "[N/A]".
const ENDPOINT_PROVIDERS: [&str; 2] = ["Microsoft.PolicyInsights", "Microsoft.Cdn"];

/// What one has to be allowed to, to make endpoints and deployments, and who is.
const ENDPOINT_ACTION: (&str, &str) = (
    "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write",
    "AzureML Data Scientist",
);

const COMPUTE_ACTION: (&str, &str) =
    ("Microsoft.MachineLearningServices/workspaces/computes/write", "AzureML Compute Operator");

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Permission {
    #[serde(default)]
    actions: Vec<String>,
    #[serde(default)]
    not_actions: Vec<String>,
}

impl MlClient {
    /// Looks whether what is going to be made can be made: resource providers, roles, sizes and quotas. Nothing is changed. What it finds is
    /// listed with what helps; an empty list is good.
    ///
    /// What may not be looked at is no finding: who deploys need not be allowed to list providers.
    ///
    /// # Errors
    ///
    /// What a request may fail with, among it that the workspace does not exist.
    pub async fn preflight(&self, plan: &Preflight) -> Result<Vec<Finding>> {
        let location = self.location().await?;
        let mut findings = Vec::new();
        self.check_providers(plan, &mut findings).await?;
        self.check_roles(plan, &mut findings).await?;
        self.check_machines(plan, &location, &mut findings).await?;
        Ok(findings)
    }

    async fn check_providers(&self, plan: &Preflight, findings: &mut Vec<Finding>) -> Result<()> {
        let more: &[&str] = if plan.online_endpoint { &ENDPOINT_PROVIDERS } else { &[] };
        for namespace in PROVIDERS.iter().chain(more) {
            let Some(provider) = visible(self.resource_providers().get(namespace).await)? else {
                continue;
            };
            if !provider.is_registered() {
                findings.push(Finding {
                    problem: format!(
                        "the resource provider {namespace} is not registered with subscription {} ({})",
                        self.workspace_id().subscription_id(),
                        provider.registration_state
                    ),
                    fix: format!("az provider register --namespace {namespace} --wait"),
                });
            }
        }
        Ok(())
    }

    async fn check_roles(&self, plan: &Preflight, findings: &mut Vec<Finding>) -> Result<()> {
        let wanted = [(plan.online_endpoint, ENDPOINT_ACTION), (plan.computes, COMPUTE_ACTION)];
        let id = format!("{}/providers/Microsoft.Authorization/permissions", self.workspace_id());
        let pages: Pages<Permission> = self.pages(self.id_url(&id, "2022-04-01"));
        let Some(permissions) = visible(pages.collect().await)? else { return Ok(()) };
        for (_, (action, role)) in wanted.into_iter().filter(|(is_wanted, _)| *is_wanted) {
            if !permissions.iter().any(|permission| permission.allows(action)) {
                findings.push(Finding {
                    problem: format!("you may not {action} in {}", self.workspace_id().workspace_name()),
                    fix: format!(
                        "have an owner assign you the role {role}: az role assignment create --role \"{role}\" \
                         --assignee <you> --scope {}",
                        self.workspace_id()
                    ),
                });
            }
        }
        Ok(())
    }

    async fn check_machines(
        &self,
        plan: &Preflight,
        location: &str,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        if plan.machines.is_empty() {
            return Ok(());
        }
        let Some(sizes) = visible(self.vm_sizes().list(location).await)? else { return Ok(()) };
        let usages = visible(self.vm_sizes().usages(location).collect().await)?.unwrap_or_default();
        for (name, count) in &plan.machines {
            let Some(size) = sizes.iter().find(|size| size.name.eq_ignore_ascii_case(name)) else {
                findings.push(Finding {
                    problem: format!("there are no machines of the size {name} in {location}"),
                    fix: format!(
                        "take another size ({} are offered) or another region",
                        sizes.len()
                    ),
                });
                continue;
            };
            let is_ours = |usage: &&Usage| usage.name.value.eq_ignore_ascii_case(&size.family);
            let Some(usage) = usages.iter().find(is_ours).filter(|usage| usage.limit >= 0) else {
                continue;
            };
            let wanted = i64::from(size.v_cpus) * i64::from(*count);
            let free = usage.limit - usage.current_value;
            if wanted > free {
                findings.push(Finding {
                    problem: format!(
                        "{count} of {name} need {wanted} cores of {} in {location}, where {free} of {} are free",
                        size.family, usage.limit
                    ),
                    fix: "ask for more in the portal (Quotas), stop what is not used, or take another size".to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// What one may not see is left out.
fn visible<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.status(), Some(403 | 404)) => {
            tracing::debug!(%error, "not looked at");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl Permission {
    fn allows(&self, action: &str) -> bool {
        let matches = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, action));
        matches(&self.actions) && !matches(&self.not_actions)
    }
}

/// Whether a pattern of Azure's with `*` for anything covers an action, without regard to case.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_lowercase(), action.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| action.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_what_azure_means_by_them() {
        let action = "Microsoft.MachineLearningServices/workspaces/computes/write";
        for pattern in [
            "*",
            "*/write",
            "Microsoft.MachineLearningServices/*",
            "microsoft.machinelearningservices/workspaces/*/write",
            action,
        ] {
            assert!(matches(pattern, action), "{pattern}");
        }
        for pattern in [
            "",
            "*/read",
            "Microsoft.MachineLearningServices/workspaces/*/action",
            "Microsoft.Storage/*",
            "*/computes/*/write",
        ] {
            assert!(!matches(pattern, action), "{pattern}");
        }
        let permission = Permission {
            actions: vec!["Microsoft.MachineLearningServices/workspaces/*/write".to_owned()],
            not_actions: vec![
                "Microsoft.MachineLearningServices/workspaces/computes/*/write".to_owned(),
                "Microsoft.MachineLearningServices/workspaces/computes/write".to_owned(),
            ],
        };
        assert!(!permission.allows(action));
        assert!(permission.allows(ENDPOINT_ACTION.0));
    }
}
