use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Error, Identity, MlClient, NameRule, Pages, Poller, Resource, Result, duration::iso8601,
    http::Call,
};

/// A compute: an instance for one person, a cluster for jobs, or another kind.
pub type Compute = Resource<ComputeProperties>;

/// What is particular to a compute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ComputeProperties {
    /// `ComputeInstance`, `AmlCompute` for a cluster, and others.
    pub compute_type: String,
    /// `Succeeded` when it can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<String>,
    /// What is particular to its type: `vmSize`, `state` of an instance, `scaleSettings` and `currentNodeCount` of a cluster.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub properties: Map<String, Value>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ComputeProperties {
    /// The size of its machines.
    #[must_use]
    pub fn vm_size(&self) -> Option<&str> {
        self.properties.get("vmSize").and_then(Value::as_str)
    }

    /// What an instance does: `Running`, `Stopped`, `Starting`, `CreateFailed`, ... `None` for a cluster.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.properties.get("state").and_then(Value::as_str)
    }

    /// How many nodes a cluster has now. `None` for an instance.
    #[must_use]
    pub fn current_node_count(&self) -> Option<u64> {
        self.properties.get("currentNodeCount").and_then(Value::as_u64)
    }
}

/// A compute instance to be made: a machine for one person, who pays for it until it is stopped.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use spinney_azureml::ComputeInstance;
///
/// let instance = ComputeInstance::new("Standard_DS11_v2").idle_shutdown(Duration::from_secs(3600));
/// # let _ = instance;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ComputeInstance {
    vm_size: String,
    idle_shutdown: Option<Duration>,
    public_ip: bool,
}

/// A compute cluster to be made: machines for jobs, which come and go with them.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use spinney_azureml::{ComputeCluster, Identity};
///
/// let cluster = ComputeCluster::new("Standard_DS3_v2", 1)
///     .idle_time(Duration::from_secs(120))
///     .identity(Identity::user_assigned(["/subscriptions/../userAssignedIdentities/mlops"]));
/// # let _ = cluster;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct ComputeCluster {
    vm_size: String,
    vm_priority: VmPriority,
    min_nodes: u32,
    max_nodes: u32,
    idle_time: Duration,
    public_ip: bool,
    identity: Option<Identity>,
}

/// Whether Azure may take machines back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub enum VmPriority {
    /// It may not.
    #[default]
    Dedicated,
    /// It may at any time; they cost a fraction.
    LowPriority,
}

impl ComputeInstance {
    /// The size of the machine, such as `Standard_DS11_v2`.
    pub fn new(vm_size: impl Into<String>) -> Self {
        Self { vm_size: vm_size.into(), idle_shutdown: None, public_ip: true }
    }

    /// Stops it when it has been idle for so long: 15 minutes to 3 days, in whole minutes. Without it, it runs until it is stopped.
    pub fn idle_shutdown(self, idle: Duration) -> Self {
        Self { idle_shutdown: Some(idle), ..self }
    }

    /// Whether it has an address in the internet: yes, unless said otherwise.
    pub fn public_ip(self, public_ip: bool) -> Self {
        Self { public_ip, ..self }
    }

    fn properties(&self) -> Result<Value> {
        let mut properties = json!({
            "vmSize": self.vm_size,
            "enableNodePublicIp": self.public_ip,
            "applicationSharingPolicy": "Shared",
            "computeInstanceAuthorizationType": "personal",
        });
        if let Some(idle) = self.idle_shutdown {
            let seconds = idle.as_secs();
            if !(900..=259_200).contains(&seconds) || seconds % 60 != 0 || idle.subsec_nanos() != 0
            {
                return Err(Error::InvalidArgument {
                    what: "the idle time before a compute instance's shutdown",
                    value: format!("{idle:?}"),
                    rule: "15 minutes to 3 days, in whole minutes",
                });
            }
            properties["idleTimeBeforeShutdown"] = json!(format!("PT{}M", seconds / 60));
        }
        Ok(properties)
    }
}

impl ComputeCluster {
    /// The size of the machines and how many there may be, 1 at least. There are none while there are no jobs, and each stays for two idle minutes.
    pub fn new(vm_size: impl Into<String>, max_nodes: u32) -> Self {
        Self {
            vm_size: vm_size.into(),
            vm_priority: VmPriority::Dedicated,
            min_nodes: 0,
            max_nodes,
            idle_time: Duration::from_secs(120),
            public_ip: true,
            identity: None,
        }
    }

    /// How many stay, and cost, without jobs: 0, unless said otherwise.
    pub fn min_nodes(self, min_nodes: u32) -> Self {
        Self { min_nodes, ..self }
    }

    /// How long a machine stays without a job: two minutes, unless said otherwise.
    pub fn idle_time(self, idle_time: Duration) -> Self {
        Self { idle_time, ..self }
    }

    /// Whether Azure may take machines back.
    pub fn vm_priority(self, vm_priority: VmPriority) -> Self {
        Self { vm_priority, ..self }
    }

    /// Whether machines have addresses in the internet: yes, unless said otherwise.
    pub fn public_ip(self, public_ip: bool) -> Self {
        Self { public_ip, ..self }
    }

    /// Whom jobs act as.
    pub fn identity(self, identity: Identity) -> Self {
        Self { identity: Some(identity), ..self }
    }

    fn properties(&self) -> Result<Value> {
        if self.max_nodes == 0 || self.min_nodes > self.max_nodes {
            return Err(Error::InvalidArgument {
                what: "the number of nodes of a compute cluster",
                value: format!("{} to {}", self.min_nodes, self.max_nodes),
                rule: "at most 1 or more, and at least no more than that",
            });
        }
        Ok(json!({
            "vmSize": self.vm_size,
            "vmPriority": self.vm_priority,
            "scaleSettings": {
                "minNodeCount": self.min_nodes,
                "maxNodeCount": self.max_nodes,
                "nodeIdleTimeBeforeScaleDown": iso8601(self.idle_time),
            },
            "remoteLoginPortPublicAccess": "NotSpecified",
            "enableNodePublicIp": self.public_ip,
            "osType": "Linux",
        }))
    }
}

/// The computes of the workspace: [`MlClient::computes`].
#[derive(Debug, Clone, Copy)]
pub struct Computes<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// Compute instances and clusters.
    #[must_use]
    pub fn computes(&self) -> Computes<'_> {
        Computes { client: self }
    }
}

impl Computes<'_> {
    /// One of them.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::is_not_found`] if there is none of this name.
    pub async fn get(self, name: &str) -> Result<Compute> {
        NameRule::Compute.check(name)?;
        self.client.get(self.client.url(&["computes", name])).await
    }

    /// All of them.
    pub fn list(self) -> Pages<Compute> {
        self.client.pages(self.client.url(&["computes"]))
    }

    /// Makes an instance, which takes some minutes and runs when it is there. What is out of range is an error when it is begun.
    pub fn create_instance(self, name: &str, instance: &ComputeInstance) -> Poller<Compute> {
        self.create(name, "ComputeInstance", instance.properties(), None)
    }

    /// Makes a cluster, or changes how it scales. What is out of range is an error when it is begun.
    pub fn create_cluster(self, name: &str, cluster: &ComputeCluster) -> Poller<Compute> {
        self.create(name, "AmlCompute", cluster.properties(), cluster.identity.clone())
    }

    fn create(
        self,
        name: &str,
        compute_type: &'static str,
        properties: Result<Value>,
        identity: Option<Identity>,
    ) -> Poller<Compute> {
        let checked = NameRule::Compute.check(name);
        let client = self.client.clone();
        self.client.put_long(self.client.url(&["computes", name]), async move {
            checked?;
            let mut body = json!({
                "properties": {
                    "computeType": compute_type,
                    "properties": properties?,
                    "disableLocalAuth": true,
                },
                "location": client.location().await?,
            });
            if let Some(identity) = identity {
                body["identity"] = json!(identity);
            }
            Ok(body)
        })
    }

    /// Starts an instance.
    pub fn start(self, name: &str) -> Poller<()> {
        self.act(name, "start")
    }

    /// Stops an instance; from then on it costs only its disk.
    pub fn stop(self, name: &str) -> Poller<()> {
        self.act(name, "stop")
    }

    fn act(self, name: &str, action: &str) -> Poller<()> {
        let url = self.client.url(&["computes", name, action]);
        self.client.post_long(Call::post(url).repeatable())
    }

    /// Deletes an instance or a cluster. That there is none is no error.
    pub fn delete(self, name: &str) -> Poller<()> {
        let mut url = self.client.url(&["computes", name]);
        url.query_pairs_mut().append_pair("underlyingResourceAction", "Delete");
        self.client.delete_long(url)
    }
}
