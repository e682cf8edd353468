use std::fmt;

/// What a machine of a size costs in an hour, in US dollars; nothing if that is not known here.
///
/// List prices of virtual machines with Linux, pay as you go. What Azure asks today, in another region or under a contract, is another matter:
/// this is to tell cents from dollars.
pub(super) fn per_hour(size: &str) -> Option<f64> {
    PRICES.iter().find(|(name, _)| name.eq_ignore_ascii_case(size)).map(|(_, price)| *price)
}

/// Of which region the prices are.
pub(super) const FROM: &str = "approximate list prices in US dollars for the region East US, Linux, pay as you go, without discs and traffic; Azure's own of today may be others";

const PRICES: [(&str, f64); 17] = [
    ("Standard_DS1_v2", 0.073),
    ("Standard_DS2_v2", 0.146),
    ("Standard_DS3_v2", 0.293),
    ("Standard_DS4_v2", 0.585),
    ("Standard_DS11_v2", 0.185),
    ("Standard_DS12_v2", 0.371),
    ("Standard_DS13_v2", 0.741),
    ("Standard_D2as_v4", 0.096),
    ("Standard_D4as_v4", 0.192),
    ("Standard_D2s_v3", 0.096),
    ("Standard_D4s_v3", 0.192),
    ("Standard_D8s_v3", 0.384),
    ("Standard_E2s_v3", 0.126),
    ("Standard_E4s_v3", 0.252),
    ("Standard_F2s_v2", 0.085),
    ("Standard_F4s_v2", 0.169),
    ("Standard_F8s_v2", 0.338),
];

/// What several machines cost together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    dollars: f64,
    n_unknown: u64,
}

impl Cost {
    pub(super) fn add(&mut self, size: &str, n_machines: u64) {
        match per_hour(size) {
            // No number of machines here is beyond what a float holds.
            Some(price) => self.dollars += price * n_machines as f64,
            None => self.n_unknown += n_machines,
        }
    }

    pub(super) fn of(size: &str, n_machines: u64) -> Self {
        let mut cost = Self::default();
        cost.add(size, n_machines);
        cost
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { n_unknown: 0, dollars } => write!(f, "{dollars:.2} USD an hour"),
            Self { n_unknown, dollars } if *dollars > 0.0 => {
                write!(f, "{dollars:.2} USD an hour and {n_unknown} machines of unknown price")
            }
            Self { n_unknown, .. } => write!(f, "unknown for {n_unknown} machines"),
        }
    }
}
