use std::{collections::BTreeMap, fmt};

use crate::{Compute, MlClient, OnlineDeployment, Result, VmSize};

/// What an hour of a machine costs: a size and a region in, a price out.
///
/// [`MlClient::list_prices`] is Azure's own; a function will do as well, for prices of a contract.
pub trait PriceSource {
    /// The price of an hour and its currency, if it is known.
    fn hourly(&self, vm_size: &str, location: &str) -> Option<(f64, String)>;
}

impl<F: Fn(&str, &str) -> Option<(f64, String)>> PriceSource for F {
    fn hourly(&self, vm_size: &str, location: &str) -> Option<(f64, String)> {
        self(vm_size, location)
    }
}

/// Azure's list prices of a region, for machines with Linux.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPrices {
    location: String,
    prices: BTreeMap<String, (f64, String)>,
}

impl ListPrices {
    fn new(location: String, sizes: &[VmSize]) -> Self {
        let priced = |size: &VmSize| {
            let (price, currency) = size.hourly_price()?;
            Some((size.name.to_lowercase(), (price, currency.to_owned())))
        };
        Self { location, prices: sizes.iter().filter_map(priced).collect() }
    }
}

impl PriceSource for ListPrices {
    fn hourly(&self, vm_size: &str, location: &str) -> Option<(f64, String)> {
        if !location.eq_ignore_ascii_case(&self.location) {
            return None;
        }
        self.prices.get(&vm_size.to_lowercase()).cloned()
    }
}

/// No prices: what costs is listed without them.
impl PriceSource for () {
    fn hourly(&self, _vm_size: &str, _location: &str) -> Option<(f64, String)> {
        None
    }
}

/// Something that costs money now.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Billable {
    /// What it is.
    pub kind: BillableKind,
    /// Its name; of a deployment, behind that of its endpoint and a slash.
    pub name: String,
    /// The size of its machines.
    pub vm_size: String,
    /// How many there are.
    pub machines: u64,
    /// What it does, in Azure's word.
    pub state: String,
    /// What all of them cost in an hour and the currency, if a price source knew it.
    pub hourly: Option<(f64, String)>,
}

/// What costs money in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BillableKind {
    /// A compute instance that is not stopped.
    ComputeInstance,
    /// A cluster that has nodes, or keeps some without jobs.
    ComputeCluster,
    /// A deployment of an online endpoint, with traffic or without.
    OnlineDeployment,
}

impl fmt::Display for Billable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            BillableKind::ComputeInstance => "compute instance",
            BillableKind::ComputeCluster => "compute cluster",
            BillableKind::OnlineDeployment => "online deployment",
        };
        write!(f, "{kind} {}: {} x {}, {}", self.name, self.machines, self.vm_size, self.state)?;
        match &self.hourly {
            Some((price, currency)) => write!(f, ", {price:.2} {currency} an hour"),
            None => Ok(()),
        }
    }
}

impl MlClient {
    /// Lists what costs money in the workspace at this moment: instances that are not stopped, clusters with nodes, deployments. Storage, the
    /// registry and the key vault cost as well, by what is in them, and are not listed.
    ///
    /// # Errors
    ///
    /// What a request may fail with.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: spinney_azureml::MlClient) -> spinney_azureml::Result<()> {
    /// let prices = client.list_prices().await?;
    /// for item in client.billable(&prices).await? {
    ///     println!("{item}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn billable(&self, prices: &(impl PriceSource + ?Sized)) -> Result<Vec<Billable>> {
        let mut found = Vec::new();
        for compute in self.computes().list().collect().await? {
            found.extend(of_compute(&compute));
        }
        for endpoint in self.online_endpoints().list().collect().await? {
            let deployments = self.online_deployments(&endpoint.name).list().collect().await?;
            found.extend(
                deployments.iter().map(|deployment| of_deployment(&endpoint.name, deployment)),
            );
        }
        if !found.is_empty() {
            let location = self.location().await?;
            for item in &mut found {
                #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 machines")]
                let machines = item.machines as f64;
                item.hourly = prices
                    .hourly(&item.vm_size, &location)
                    .map(|(price, currency)| (price * machines, currency));
            }
        }
        Ok(found)
    }

    /// Azure's list prices in the workspace's region.
    ///
    /// # Errors
    ///
    /// What a request may fail with.
    pub async fn list_prices(&self) -> Result<ListPrices> {
        let location = self.location().await?;
        let sizes = self.vm_sizes().list(&location).await?;
        Ok(ListPrices::new(location, &sizes))
    }
}

fn of_compute(compute: &Compute) -> Option<Billable> {
    let properties = &compute.properties;
    let vm_size = properties.vm_size().unwrap_or("unknown size").to_owned();
    let name = compute.name.clone();
    match properties.compute_type.as_str() {
        "ComputeInstance" => {
            // What is in doubt costs: only these are known not to run.
            let state = properties.state().unwrap_or("Unknown");
            let rests = ["Stopped", "CreateFailed", "SetupFailed", "UserSetupFailed"];
            (!rests.contains(&state)).then(|| Billable {
                kind: BillableKind::ComputeInstance,
                name,
                vm_size,
                machines: 1,
                state: state.to_owned(),
                hourly: None,
            })
        }
        "AmlCompute" => {
            let nodes = properties.current_node_count().unwrap_or(0);
            let kept = properties
                .properties
                .get("scaleSettings")
                .and_then(|settings| settings.get("minNodeCount")?.as_u64())
                .unwrap_or(0);
            let machines = nodes.max(kept);
            (machines > 0).then(|| Billable {
                kind: BillableKind::ComputeCluster,
                name,
                vm_size,
                machines,
                state: format!("{nodes} nodes, at least {kept}"),
                hourly: None,
            })
        }
        _ => None,
    }
}

fn of_deployment(endpoint: &str, deployment: &OnlineDeployment) -> Billable {
    let capacity = deployment.sku.as_ref().and_then(|sku| sku.capacity).unwrap_or(1);
    let properties = &deployment.properties;
    Billable {
        kind: BillableKind::OnlineDeployment,
        name: format!("{endpoint}/{}", deployment.name),
        vm_size: properties.instance_type.clone().unwrap_or_else(|| "unknown size".to_owned()),
        machines: u64::from(capacity),
        state: properties.provisioning_state.clone().unwrap_or_else(|| "Unknown".to_owned()),
        hourly: None,
    }
}
