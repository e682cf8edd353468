/// What can go wrong when drawing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// [`RandomState::randint`](crate::RandomState::randint) was asked for a number from an empty range.
    #[error("empty range: low {low} must be below high {high}")]
    EmptyRange {
        /// The inclusive lower end.
        low: i64,
        /// The exclusive upper end.
        high: i64,
    },
}
