use std::fmt;

/// The kind of a step, as error messages and transform params name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepKind {
    /// [`PreprocessorBuilder::difference`](crate::PreprocessorBuilder::difference)
    Difference,
    /// [`PreprocessorBuilder::clip`](crate::PreprocessorBuilder::clip)
    Clip,
    /// [`PreprocessorBuilder::impute`](crate::PreprocessorBuilder::impute)
    Impute,
    /// [`PreprocessorBuilder::ordinal`](crate::PreprocessorBuilder::ordinal)
    Ordinal,
    /// [`PreprocessorBuilder::one_hot`](crate::PreprocessorBuilder::one_hot)
    OneHot,
    /// [`PreprocessorBuilder::standard_scale`](crate::PreprocessorBuilder::standard_scale)
    StandardScale,
    /// [`PreprocessorBuilder::min_max_scale`](crate::PreprocessorBuilder::min_max_scale)
    MinMaxScale,
    /// [`PreprocessorBuilder::passthrough`](crate::PreprocessorBuilder::passthrough)
    Passthrough,
    /// [`PreprocessorBuilder::drop`](crate::PreprocessorBuilder::drop)
    Drop,
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Difference => "difference",
            Self::Clip => "clip",
            Self::Impute => "impute",
            Self::Ordinal => "ordinal",
            Self::OneHot => "one_hot",
            Self::StandardScale => "standard_scale",
            Self::MinMaxScale => "min_max_scale",
            Self::Passthrough => "passthrough",
            Self::Drop => "drop",
        })
    }
}
