use std::time::Duration;

use reqwest::StatusCode;

/// When a request is sent again.
///
/// Azure's rules: statuses 408, 429, 500, 502, 503 and 504 and broken connections pass; what may be repeated is repeated, after the
/// time that `Retry-After` asks for, or else after delays that double. A random part of a delay keeps many clients from
/// coming back together. What must not happen twice (a key made anew, a row scored) is sent again only if there was no
/// connection, or if Azure refused it with 429 or 503 and said when to come back.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use spinney_azureml::RetryOptions;
///
/// let patient = RetryOptions { max_retries: 8, ..RetryOptions::default() };
/// assert_eq!(patient.max_delay, Duration::from_secs(120));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryOptions {
    /// How often at most, beside the first time: 5; 0 for never.
    pub max_retries: u32,
    /// The first delay without `Retry-After`, which doubles from then on: 0.8 s.
    pub initial_delay: Duration,
    /// The longest delay, of `Retry-After` too: 120 s. A reply that asks for more is the last.
    pub max_delay: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            max_retries: 5,
            initial_delay: Duration::from_millis(800),
            max_delay: Duration::from_secs(120),
        }
    }
}

impl RetryOptions {
    /// The delay before another attempt after a reply, if there should be one.
    pub(crate) fn after_reply(
        &self,
        attempts: u32,
        status: StatusCode,
        retry_after: Option<Duration>,
        is_idempotent: bool,
    ) -> Option<Duration> {
        let passes = matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504);
        let is_put_off = matches!(status.as_u16(), 429 | 503) && retry_after.is_some();
        if attempts > self.max_retries || !passes || !(is_idempotent || is_put_off) {
            return None;
        }
        match retry_after {
            Some(delay) if delay > self.max_delay => None,
            // Never earlier than asked for.
            Some(delay) => Some(delay + delay.mul_f64(fastrand::f64() * 0.1)),
            None => Some(self.backoff(attempts)),
        }
    }

    /// The delay before another attempt after none got through.
    pub(crate) fn after_failure(&self, attempts: u32, may_repeat: bool) -> Option<Duration> {
        (may_repeat && attempts <= self.max_retries).then(|| self.backoff(attempts))
    }

    /// Between half and all of what doubles.
    fn backoff(&self, attempts: u32) -> Duration {
        let doubled = self.initial_delay.saturating_mul(1 << (attempts - 1).min(20));
        doubled.min(self.max_delay).mul_f64(0.5 + 0.5 * fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(status: u16, retry_after: Option<u64>, is_idempotent: bool) -> Option<Duration> {
        let status = StatusCode::from_u16(status).ok()?;
        let retry_after = retry_after.map(Duration::from_secs);
        RetryOptions::default().after_reply(1, status, retry_after, is_idempotent)
    }

    #[test]
    fn what_must_not_happen_twice_is_repeated_only_when_it_was_put_off() {
        for status in [408, 500, 502, 504] {
            assert!(after(status, None, true).is_some());
            assert!(after(status, Some(1), false).is_none());
        }
        for status in [429, 503] {
            assert!(after(status, None, false).is_none());
            assert!(after(status, Some(1), false).is_some());
        }
        for status in [400, 401, 403, 404, 409, 412, 501] {
            assert!(after(status, Some(1), true).is_none());
        }
    }

    #[test]
    fn delays_are_never_shorter_than_asked_for_and_never_longer_than_allowed() {
        for _ in 0..1000 {
            let delay = after(429, Some(10), true).unwrap_or_default();
            assert!((Duration::from_secs(10)..=Duration::from_secs(11)).contains(&delay));
        }
        assert_eq!(after(429, Some(121), true), None);
        let options = RetryOptions { max_retries: 40, ..RetryOptions::default() };
        for attempts in 1..=40 {
            let delay = options.after_failure(attempts, true).unwrap_or_default();
            assert!(delay >= Duration::from_millis(400) && delay <= options.max_delay);
        }
        assert_eq!(options.after_failure(41, true), None);
        assert_eq!(options.after_failure(1, false), None);
    }

    #[test]
    fn clients_do_not_come_back_together() {
        let delays: Vec<Duration> = (0..100).filter_map(|_| after(503, None, true)).collect();
        let (first, last) = (delays.iter().min(), delays.iter().max());
        assert!(
            last.zip(first)
                .is_some_and(|(last, first)| *last - *first > Duration::from_millis(200))
        );
    }
}
