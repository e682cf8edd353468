use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Prints each stage when it is done and keeps how long it took.
pub(crate) struct Stages {
    n_stages: usize,
    timings: BTreeMap<&'static str, Duration>,
}

/// How far what is said of a stage is from the margin.
const INDENT: usize = 17;

impl Stages {
    pub(crate) fn new(n_stages: usize) -> Self {
        Self { n_stages, timings: BTreeMap::new() }
    }

    /// Runs a stage. What it returns besides its result is printed behind its name.
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        stage: impl FnOnce() -> anyhow::Result<(T, String)>,
    ) -> anyhow::Result<T> {
        let begin = Instant::now();
        let (result, said) = stage()?;
        self.done(name, begin, &said);
        Ok(result)
    }

    /// Likewise, for a stage that others are waited for in.
    pub(crate) async fn run_long<T>(
        &mut self,
        name: &'static str,
        stage: impl Future<Output = anyhow::Result<(T, String)>>,
    ) -> anyhow::Result<T> {
        let begin = Instant::now();
        let (result, said) = stage.await?;
        self.done(name, begin, &said);
        Ok(result)
    }

    fn done(&mut self, name: &'static str, begin: Instant, said: &str) {
        self.timings.insert(name, begin.elapsed());
        let (at, n_stages) = (self.timings.len(), self.n_stages);
        let mut lines = said.lines();
        println!("[{at}/{n_stages}] {name:<10} {}", lines.next().unwrap_or(""));
        lines.for_each(say);
    }

    pub(crate) fn milliseconds(&self) -> BTreeMap<&'static str, f64> {
        self.timings.iter().map(|(name, time)| (*name, time.as_secs_f64() * 1e3)).collect()
    }
}

/// Prints a line below a stage's name, or before it: what happens meanwhile.
pub(crate) fn say(line: &str) {
    println!("{:INDENT$}{line}", "");
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
