use std::time::Duration;

/// A duration as ISO 8601 has it and Azure ML reads it: `PT2M`, `PT90S`, `PT0.5S`.
pub(crate) fn iso8601(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds, duration.subsec_millis()) {
        (0, 0) => "PT0S".to_owned(),
        (seconds, 0) if seconds % 60 == 0 => format!("PT{}M", seconds / 60),
        (seconds, 0) => format!("PT{seconds}S"),
        (seconds, milliseconds) => {
            let text = format!("{seconds}.{milliseconds:03}");
            format!("PT{}S", text.trim_end_matches('0'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_the_sdk_writes_them() {
        for (milliseconds, text) in [
            (0, "PT0S"),
            (120_000, "PT2M"),
            (90_000, "PT90S"),
            (500, "PT0.5S"),
            (3_600_000, "PT60M"),
        ] {
            assert_eq!(iso8601(Duration::from_millis(milliseconds)), text);
        }
    }
}
