use std::collections::BTreeMap;

use crate::{Error, NameRule, Result};

/// How requests are distributed over the deployments of an endpoint: whole per cents that make 100, or nothing at all.
///
/// # Examples
///
/// ```
/// use spinney_azureml::Traffic;
///
/// let canary = Traffic::new([("blue", 90), ("green", 10)])?;
/// let all_to_one = Traffic::to("green")?;
/// let error = Traffic::new([("blue", 90), ("green", 20)]).unwrap_err();
/// assert_eq!(error.to_string(), "the traffic of all deployments is 110 %: 100 %, or 0 % to stop");
/// # let _ = (canary, all_to_one);
/// # Ok::<(), spinney_azureml::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    shares: BTreeMap<String, u32>,
}

impl Traffic {
    /// Takes the share of each deployment.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] unless they make 100 or 0, [`Error::InvalidName`].
    pub fn new<N: Into<String>>(shares: impl IntoIterator<Item = (N, u32)>) -> Result<Self> {
        let mut own = BTreeMap::new();
        for (name, share) in shares {
            let name = name.into();
            NameRule::Deployment.check(&name)?;
            let sum: &mut u32 = own.entry(name).or_default();
            *sum = sum.saturating_add(share);
        }
        let all = own.values().fold(0, |all: u32, share| all.saturating_add(*share));
        if all != 100 && all != 0 {
            let (what, rule) = ("the traffic of all deployments", "100 %, or 0 % to stop");
            return Err(Error::InvalidArgument { what, value: format!("{all} %"), rule });
        }
        Ok(Self { shares: own })
    }

    /// All requests to one deployment.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`].
    pub fn to(deployment: &str) -> Result<Self> {
        Self::new([(deployment, 100)])
    }

    /// No requests to any deployment, before one is deleted.
    #[must_use]
    pub fn none() -> Self {
        Self { shares: BTreeMap::new() }
    }

    pub(crate) fn into_shares(self) -> BTreeMap<String, u32> {
        self.shares
    }
}
