use std::{fmt, str::FromStr, time::Duration};

use super::about::{About, What};
use crate::{Error, Result};

/// A fault on demand, for the test of a client: what goes wrong, with which requests, and how often.
///
/// It is written `KIND[=VALUE]:WHAT[:METHOD][:HOW_OFTEN]`:
///
/// - KIND is `throttle` (429 with `Retry-After`; `throttle=SECONDS`, 1 if none is said), `status=NUMBER` (from 400 to 599), `slow=MILLISECONDS`,
///   `reset-connection` (the connection ends without an answer), `lro-failure` (what begins a long-running operation is accepted, and the
///   operation fails; `lro-failure=CODE`) or `quota` (likewise, with the error of a quota that is reached).
/// - WHAT is `any`; a service: `arm`, `blob`, `token`, `scoring` or `history`; a kind of resource such as `models` or `computes`;
///   `operations`, which clients poll; or a path, in which `*` stands for anything but a slash, and `**` for anything.
/// - METHOD is `GET`, `PUT` and so on: any, if none is said.
/// - `HOW_OFTEN` is a number of requests, or a share such as `10%`: all, if none is said.
///
/// # Examples
///
/// ```
/// use spinney_azureml_emulator::Fault;
///
/// // The first three times that a model is registered.
/// let fault: Fault = "throttle:models:PUT:3".parse()?;
/// assert_eq!(fault.to_string(), "throttle=1:models:PUT:3");
/// "status=503:blob:20%".parse::<Fault>()?;
/// assert!("thrrottle:models".parse::<Fault>().is_err());
/// # Ok::<(), spinney_azureml_emulator::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub(super) kind: Kind,
    what: What,
    /// In capitals.
    method: Option<String>,
    often: Often,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Slow(Duration),
    Ends(Ending),
    /// The request is answered as ever, and the operation that it begins fails.
    Operation(Failing),
}

/// How a request ends that does not get to where it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Throttled { seconds: u32 },
    Refused { status: u16 },
    Reset,
}

/// Why an operation fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failing {
    Code(String),
    Quota,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Often {
    Always,
    First(u64),
    /// Hundredths of a percent.
    Share(u64),
}

/// All requests, in the units of a share.
const ALL: u64 = 10_000;

/// The code of an operation's error, if none is said.
const CODE: &str = "InternalServerError";

const FORM: &str = "KIND[=VALUE]:WHAT[:METHOD][:HOW_OFTEN], such as throttle:models:PUT:3";
const KINDS: &str = "one of throttle, throttle=SECONDS (up to 3600), status=NUMBER (400 to 599), slow=MILLISECONDS (up to 600000), \
    reset-connection, lro-failure, lro-failure=CODE, quota in front of its first colon";
const METHODS: &str = "GET, HEAD, PUT, POST, PATCH, DELETE, a number of requests from 1 on, or a share from 0.01% to 100% behind its second \
    colon; the method, if there is one, comes first";

impl Fault {
    pub(super) fn is_about(&self, request: &About) -> bool {
        let is_method = self.method.as_deref().is_none_or(|method| method == request.method);
        is_method && self.what.includes(request)
    }

    /// Whether it befalls a request before which it has been asked so often, and has befallen so many.
    ///
    /// A share is drawn as by chance, the same way each time: what was seen once can be seen again.
    pub(super) fn befalls(&self, n_asked: u64, n_befallen: u64) -> bool {
        match self.often {
            Often::Always => true,
            Often::First(limit) => n_befallen < limit,
            Often::Share(share) => spread(n_asked) % ALL < share,
        }
    }
}

/// A number that looks as if drawn (SplitMix64).
fn spread(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = |rule| Error::InvalidOption { name: "fault", value: text.to_owned(), rule };
        let mut parts = text.split(':');
        let kind = parts.next().and_then(Kind::parse).ok_or_else(|| invalid(KINDS))?;
        let what = parts.next().filter(|what| !what.is_empty()).ok_or_else(|| invalid(FORM))?;
        let what = What::parse(what).ok_or_else(|| invalid(What::RULE))?;
        let rest: Vec<&str> = parts.collect();
        let (method, often) = match rest.as_slice() {
            [] => (None, Some(Often::Always)),
            [one] => match method(one) {
                Some(method) => (Some(method), Some(Often::Always)),
                None => (None, Often::parse(one)),
            },
            [first, second] => match method(first) {
                Some(method) => (Some(method), Often::parse(second)),
                None => (None, None),
            },
            _ => return Err(invalid(FORM)),
        };
        let often = often.ok_or_else(|| invalid(METHODS))?;
        Ok(Self { kind, what, method, often })
    }
}

fn method(text: &str) -> Option<String> {
    let method = text.to_uppercase();
    matches!(method.as_str(), "GET" | "HEAD" | "PUT" | "POST" | "PATCH" | "DELETE")
        .then_some(method)
}

impl Kind {
    fn parse(text: &str) -> Option<Self> {
        let (word, value) = match text.split_once('=') {
            Some((word, value)) => (word, Some(value)),
            None => (text, None),
        };
        Some(match (word, value) {
            ("throttle", None) => Self::Ends(Ending::Throttled { seconds: 1 }),
            ("throttle", Some(value)) => {
                let seconds = value.parse().ok().filter(|seconds| *seconds <= 3600)?;
                Self::Ends(Ending::Throttled { seconds })
            }
            ("status", Some(value)) => {
                let status = value.parse().ok().filter(|status| (400..600).contains(status))?;
                Self::Ends(Ending::Refused { status })
            }
            ("reset-connection", None) => Self::Ends(Ending::Reset),
            ("slow", Some(value)) => {
                let milliseconds = value.parse().ok().filter(|slow| *slow <= 600_000)?;
                Self::Slow(Duration::from_millis(milliseconds))
            }
            ("lro-failure", None) => Self::Operation(Failing::Code(CODE.to_owned())),
            ("lro-failure", Some(code))
                if !code.is_empty() && code.chars().all(|c| c.is_ascii_alphanumeric()) =>
            {
                Self::Operation(Failing::Code(code.to_owned()))
            }
            ("quota", None) => Self::Operation(Failing::Quota),
            _ => return None,
        })
    }
}

impl Often {
    fn parse(text: &str) -> Option<Self> {
        let Some(share) = text.strip_suffix('%') else {
            return text.parse().ok().filter(|n| *n > 0).map(Self::First);
        };
        let (whole, part) = share.split_once('.').unwrap_or((share, "0"));
        let is_number = |digits: &str| digits.chars().all(|c| c.is_ascii_digit());
        if !(1..=2).contains(&part.len()) || !is_number(part) || !is_number(whole) {
            return None;
        }
        let part = part.parse::<u64>().ok()? * if part.len() == 1 { 10 } else { 1 };
        let share = whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(part)?;
        (1..=ALL).contains(&share).then_some(Self::Share(share))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Slow(delay) => write!(f, "slow={}", delay.as_millis())?,
            Kind::Ends(Ending::Throttled { seconds }) => write!(f, "throttle={seconds}")?,
            Kind::Ends(Ending::Refused { status }) => write!(f, "status={status}")?,
            Kind::Ends(Ending::Reset) => f.write_str("reset-connection")?,
            Kind::Operation(Failing::Code(code)) => write!(f, "lro-failure={code}")?,
            Kind::Operation(Failing::Quota) => f.write_str("quota")?,
        }
        write!(f, ":{}", self.what)?;
        if let Some(method) = &self.method {
            write!(f, ":{method}")?;
        }
        match self.often {
            Often::Always => Ok(()),
            Often::First(n) => write!(f, ":{n}"),
            Often::Share(share) if share % 100 == 0 => write!(f, ":{}%", share / 100),
            Often::Share(share) => write!(f, ":{}.{:02}%", share / 100, share % 100),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn is_written_as_it_is_read() {
        for text in [
            "throttle=7:models:PUT:3",
            "status=503:blob:20%",
            "status=500:/subscriptions/**/models/*:PUT",
            "slow=250:token",
            "reset-connection:any:GET:0.50%",
            "lro-failure=BadArgument:deployments:PUT:1",
            "quota:computes",
        ] {
            let fault: Fault = text.parse().unwrap();
            assert_eq!(fault.to_string(), text);
            assert_eq!(fault.to_string().parse::<Fault>().unwrap(), fault);
        }
        assert_eq!(
            "throttle:onlineendpoints:put".parse::<Fault>().unwrap().to_string(),
            "throttle=1:onlineEndpoints:PUT"
        );
    }

    #[test]
    fn says_what_is_allowed() {
        for (text, hint) in [
            ("", "throttle=SECONDS"),
            ("throtle:models", "throttle=SECONDS"),
            ("throttle=x:models", "throttle=SECONDS"),
            ("status:models", "status=NUMBER"),
            ("status=200:models", "400 to 599"),
            ("slow=-1:arm", "slow=MILLISECONDS"),
            ("lro-failure=a b:arm", "lro-failure=CODE"),
            ("throttle", "KIND[=VALUE]:WHAT"),
            ("throttle:", "KIND[=VALUE]:WHAT"),
            ("throttle:model", "onlineEndpoints"),
            ("throttle:models:3:PUT", "the method, if there is one, comes first"),
            ("throttle:models:PUT:0", "from 1 on"),
            ("throttle:models:0%", "0.01%"),
            ("throttle:models:101%", "0.01%"),
            ("throttle:models:1.234%", "0.01%"),
            ("throttle:models:PUT:3:4", "KIND[=VALUE]:WHAT"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(hint) && error.contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn a_number_ends_and_a_share_is_about_right_and_the_same_each_time() {
        let three: Fault = "throttle:any:3".parse().unwrap();
        assert!(three.befalls(9, 2) && !three.befalls(9, 3));
        let some: Fault = "throttle:any:20%".parse().unwrap();
        let drawn: Vec<bool> = (0..1000).map(|n| some.befalls(n, 0)).collect();
        let n_befallen = drawn.iter().filter(|befalls| **befalls).count();
        assert!((150..250).contains(&n_befallen), "{n_befallen}");
        assert!((0..1000).all(|n| some.befalls(n, 500) == drawn[n as usize]));
        let all: Fault = "throttle:any:100%".parse().unwrap();
        assert!((0..1000).all(|n| all.befalls(n, n)));
    }
}
