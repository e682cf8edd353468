use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Prints each stage when it is done and keeps how long it took.
#[derive(Default)]
pub(crate) struct Stages {
    timings: BTreeMap<&'static str, Duration>,
}

const N_STAGES: usize = 7;

impl Stages {
    /// Runs a stage. What it returns besides its result is printed behind its name.
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        stage: impl FnOnce() -> anyhow::Result<(T, String)>,
    ) -> anyhow::Result<T> {
        let begin = Instant::now();
        let (result, said) = stage()?;
        self.timings.insert(name, begin.elapsed());
        let mut lines = said.lines();
        println!("[{}/{N_STAGES}] {name:<10} {}", self.timings.len(), lines.next().unwrap_or(""));
        lines.for_each(|line| println!("{:17}{line}", ""));
        Ok(result)
    }

    pub(crate) fn milliseconds(&self) -> BTreeMap<&'static str, f64> {
        self.timings.iter().map(|(name, time)| (*name, time.as_secs_f64() * 1e3)).collect()
    }
}

/// A number with commas between thousands, as people write it.
pub(crate) fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
