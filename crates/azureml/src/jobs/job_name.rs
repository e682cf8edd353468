//! Names for jobs that were given none, of the same form as the SDK's: `brave_willow_7k2m9qx4tz`.

const ADJECTIVES: [&str; 24] = [
    "amber", "brave", "brisk", "calm", "clever", "cosy", "eager", "fair", "gentle", "glad",
    "green", "hardy", "keen", "lively", "mellow", "nimble", "patient", "quiet", "rustic", "silver",
    "steady", "sunny", "tall", "wise",
];

const NOUNS: [&str; 24] = [
    "alder", "ash", "aspen", "beech", "birch", "bramble", "cedar", "copse", "elm", "fern", "fir",
    "grove", "hazel", "holly", "larch", "linden", "maple", "oak", "pine", "poplar", "rowan",
    "thicket", "willow", "yew",
];

/// Without vowels, so that no words come out.
const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxyz0123456789";

/// A new name: 31^10 endings, so that nobody meets an old one.
pub(super) fn job_name() -> String {
    let adjective = ADJECTIVES[fastrand::usize(..ADJECTIVES.len())];
    let noun = NOUNS[fastrand::usize(..NOUNS.len())];
    let suffix: String =
        (0..10).map(|_| char::from(SUFFIX[fastrand::usize(..SUFFIX.len())])).collect();
    format!("{adjective}_{noun}_{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NameRule;

    #[test]
    fn made_up_names_are_allowed_and_differ() {
        let names: std::collections::BTreeSet<String> = (0..500).map(|_| job_name()).collect();
        assert_eq!(names.len(), 500);
        assert!(names.iter().all(|name| NameRule::Job.check(name).is_ok()));
    }
}
