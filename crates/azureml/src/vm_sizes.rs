use serde::{Deserialize, Serialize};

use crate::{MlClient, Pages, Result};

/// A size of machine that Azure ML offers in a region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct VmSize {
    /// Its name: `Standard_DS3_v2`.
    pub name: String,
    /// What quotas are counted by.
    pub family: String,
    /// How many cores.
    #[serde(rename = "vCPUs")]
    pub v_cpus: u32,
    /// How much memory, in GB.
    #[serde(rename = "memoryGB")]
    pub memory_gb: f64,
    /// Azure's list prices, as far as it tells them.
    #[serde(rename = "estimatedVMPrices", skip_serializing_if = "Option::is_none")]
    pub estimated_prices: Option<EstimatedPrices>,
}

/// What machines of a size cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EstimatedPrices {
    /// `USD`.
    pub billing_currency: String,
    /// `OneHour`.
    pub unit_of_measure: String,
    /// The price for each system and tier.
    pub values: Vec<EstimatedPrice>,
}

/// What a machine of a system and tier costs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EstimatedPrice {
    /// For one unit of time.
    pub retail_price: f64,
    /// `Linux` or `Windows`.
    pub os_type: String,
    /// `Standard`, `LowPriority` or `Spot`.
    pub vm_tier: String,
}

impl VmSize {
    /// What an hour of a Linux machine costs that Azure does not take back, and the currency.
    ///
    /// # Examples
    ///
    /// ```
    /// # use spinney_azureml::VmSize;
    /// let size: VmSize = serde_json::from_str(
    ///     r#"{"name": "Standard_DS3_v2", "estimatedVMPrices": {"billingCurrency": "USD", "unitOfMeasure": "OneHour",
    ///         "values": [{"retailPrice": 0.27, "osType": "Linux", "vmTier": "Standard"}]}}"#,
    /// )?;
    /// assert_eq!(size.hourly_price(), Some((0.27, "USD")));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn hourly_price(&self) -> Option<(f64, &str)> {
        let prices =
            self.estimated_prices.as_ref().filter(|prices| prices.unit_of_measure == "OneHour")?;
        let is_ours =
            |price: &&EstimatedPrice| price.os_type == "Linux" && price.vm_tier == "Standard";
        let price = prices.values.iter().find(is_ours)?;
        Some((price.retail_price, &prices.billing_currency))
    }
}

/// How much of a quota is used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Usage {
    /// What is counted: a family of machines.
    pub name: UsageName,
    /// How much is used.
    pub current_value: i64,
    /// How much may be; -1 for no limit.
    pub limit: i64,
}

/// What a quota counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct UsageName {
    /// Its name, such as the family `standardDSv2Family`.
    pub value: String,
    /// Its name for people.
    pub localized_value: String,
}

/// Machines and quotas of a region: [`MlClient::vm_sizes`].
#[derive(Debug, Clone, Copy)]
pub struct VmSizes<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// Machines and quotas of a region.
    #[must_use]
    pub fn vm_sizes(&self) -> VmSizes<'_> {
        VmSizes { client: self }
    }
}

impl VmSizes<'_> {
    fn url(self, location: &str, what: &str) -> url::Url {
        let path = [
            "subscriptions",
            self.client.workspace_id().subscription_id(),
            "providers",
            "Microsoft.MachineLearningServices",
            "locations",
            location,
            what,
        ];
        self.client.provider_url(&path, self.client.api_version())
    }

    /// The sizes of machines in a region.
    ///
    /// # Errors
    ///
    /// What a request may fail with.
    pub async fn list(self, location: &str) -> Result<Vec<VmSize>> {
        self.client.pages(self.url(location, "vmSizes")).collect().await
    }

    /// How much of its quotas the subscription uses in a region.
    pub fn usages(self, location: &str) -> Pages<Usage> {
        self.client.pages(self.url(location, "usages"))
    }
}
