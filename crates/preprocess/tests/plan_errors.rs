//! Every way a plan can be wrong, with the message that says so.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use spinney_preprocess::{
    Drop, Error, Impute, InputSchema, InputSchemaBuilder, OneHot, Ordinal, Preprocessor,
    PreprocessorBuilder,
};

#[track_caller]
fn assert_schema_error(schema: InputSchemaBuilder, message: &str) {
    assert_eq!(schema.build().unwrap_err().to_string(), message);
}

#[test]
fn wrong_schemas_are_refused() {
    let schema = InputSchema::builder;
    assert_schema_error(schema(), "an input schema needs at least one column");
    assert_schema_error(schema().target("y"), "an input schema needs at least one column");
    assert_schema_error(schema().numeric(["a", ""]), "a column name is empty");
    assert_schema_error(schema().numeric(["a"]).target(""), "a column name is empty");
    assert_schema_error(schema().numeric(["a", "a"]), "column `a` is named twice");
    let both = schema().numeric(["a"]).categorical(["b", "a"]);
    assert_schema_error(both, "column `a` is named twice");
    let own = schema().numeric(["a"]).target("a");
    assert_schema_error(own, "column `a` is both target and feature");
}

/// A plan for numbers `n` and `m`, words `w` and `v`, target `y`.
fn plan() -> PreprocessorBuilder {
    let schema = InputSchema::builder()
        .numeric(["n", "m"])
        .categorical(["w", "v"])
        .target("y")
        .build()
        .unwrap();
    Preprocessor::builder(&schema)
}

#[track_caller]
fn assert_error(plan: PreprocessorBuilder, message: &str) {
    assert_eq!(plan.build().unwrap_err().to_string(), message);
}

#[test]
fn unknown_columns_are_named() {
    assert_error(plan().clip("x", 0..=1), "clip: no column `x`");
    assert_error(plan().impute("x", Impute::Mean), "impute: no column `x`");
    assert_error(plan().ordinal("x", Ordinal::levels(["a"])), "ordinal: no column `x`");
    assert_error(plan().one_hot(["w", "x"]), "one_hot: no column `x`");
    assert_error(plan().standard_scale("x"), "standard_scale: no column `x`");
    assert_error(plan().min_max_scale("x"), "min_max_scale: no column `x`");
    assert_error(plan().passthrough(["n", "x"]), "passthrough: no column `x`");
    assert_error(plan().drop(["n", "x"]), "drop: no column `x`");
    assert_error(plan().difference("d", "n", "x"), "difference: no column `x`");
    assert_error(plan().difference("d", "x", "n"), "difference: no column `x`");
    assert_error(plan().clip("y", 0..=1), "clip: no column `y`"); // the target is no feature
    let too_early = plan().clip("d", 0..=1).difference("d", "n", "m");
    assert_error(too_early, "clip: no column `d`");
}

#[test]
fn columns_of_the_wrong_kind_are_named() {
    assert_error(plan().clip("w", 0..=1), "clip: column `w` must be numeric");
    assert_error(plan().impute("w", Impute::Mean), "impute: column `w` must be numeric");
    assert_error(plan().impute("w", Impute::Median), "impute: column `w` must be numeric");
    assert_error(plan().difference("d", "w", "n"), "difference: column `w` must be numeric");
    assert_error(plan().standard_scale("w"), "standard_scale: column `w` must be numeric");
    assert_error(plan().min_max_scale("w"), "min_max_scale: column `w` must be numeric");
    assert_error(plan().passthrough(["w"]), "passthrough: column `w` must be numeric");
    assert_error(plan().one_hot(["n"]), "one_hot: column `n` must be categorical");
    let levels = Ordinal::levels(["a"]);
    assert_error(plan().ordinal("n", levels), "ordinal: column `n` must be categorical");
}

#[test]
fn columns_are_not_used_after_they_are_gone() {
    let encoded = || plan().one_hot(["w", "v"]);
    assert_error(encoded().one_hot(["w"]), "one_hot: column `w` was already taken by one_hot");
    let imputed = encoded().impute("w", Impute::MostFrequent);
    assert_error(imputed, "impute: column `w` was already taken by one_hot");
    assert_error(encoded().drop(["w"]), "drop: column `w` was already taken by one_hot");
    let dropped = plan().drop(["n"]).difference("d", "m", "n");
    assert_error(dropped, "difference: column `n` was already taken by drop");
    let ordinal = plan().ordinal("w", Ordinal::levels(["a"])).one_hot(["w"]);
    assert_error(ordinal, "one_hot: column `w` was already taken by ordinal");
    let kept = encoded().passthrough(["n"]).drop(["n"]);
    assert_error(kept, "passthrough: column `n` was already taken by drop");
}

#[test]
fn words_must_become_numbers() {
    let message = "categorical column `v` is neither encoded nor dropped";
    assert_error(plan().one_hot(["w"]), message);
    assert_error(plan().one_hot(["w"]).impute("v", Impute::MostFrequent), message);
    assert_error(plan().drop(["n", "m", "w", "v"]), "no feature is left");
    assert!(plan().drop(["n", "m", "v"]).one_hot(["w"]).build().is_ok());
}

#[test]
fn derived_columns_need_a_new_name() {
    let message = "difference: there is already a column `w`";
    assert_error(plan().difference("w", "n", "m"), message);
    let twice = plan().difference("d", "n", "m").difference("d", "m", "n");
    assert_error(twice, "difference: there is already a column `d`");
    let target = plan().difference("y", "n", "m");
    assert_error(target, "difference: there is already a column `y`");
    assert_error(plan().difference("", "n", "m"), "a column name is empty");
}

#[test]
fn ranges_have_ends_in_order() {
    let range =
        |min, max| format!("clip: column `n` needs a range with min <= max, found {min} to {max}");
    let (low, high) = (1, 2);
    assert_error(plan().clip("n", high..=low), &range("2", "1"));
    assert_error(plan().clip("n", f64::NAN..=1.0), &range("NaN", "1"));
    assert_error(plan().clip("n", 0.0..=f64::NAN), &range("0", "NaN"));
    assert_error(plan().clip::<f64>("n", ..), &range("-inf", "inf"));
    assert_error(plan().clip("n", f64::INFINITY..), &range("inf", "inf"));
    let message = "clip: the range of column `n` must include its ends: write `a..=b`";
    assert_error(plan().clip("n", 1..10), message);
    assert_error(plan().clip("n", ..10.0), message);
    for open in [plan().clip("n", 1..), plan().clip("n", ..=0.5_f32), plan().clip("n", 1.0..=1.0)] {
        assert!(open.drop(["w", "v"]).build().is_ok());
    }
}

#[test]
fn fills_are_of_the_kind_of_the_column() {
    let message = "impute: column `n` is numeric, the value is not";
    assert_error(plan().impute("n", Impute::constant("none")), message);
    let message = "impute: column `w` is categorical, the value is not";
    assert_error(plan().impute("w", Impute::constant(0.0)), message);
    let message = "impute: value of column `n` cannot be NaN";
    assert_error(plan().impute("n", Impute::constant(f64::NAN)), message);
    let message = "impute: value of column `n` cannot be -inf";
    assert_error(plan().impute("n", Impute::constant(f64::NEG_INFINITY)), message);
}

#[test]
fn ordinal_levels_are_finite_and_distinct() {
    let ordinal = |ordinal| plan().ordinal("w", ordinal);
    let none: [&str; 0] = [];
    assert_error(ordinal(Ordinal::levels(none)), "ordinal: column `w` has no categories");
    let message = "ordinal: category \"b\" of column `w` is there twice";
    assert_error(ordinal(Ordinal::levels(["a", "b", "b"])), message);
    let message = "ordinal: value of column `w` cannot be inf";
    assert_error(ordinal(Ordinal::mapping([("a", f64::INFINITY)])), message);
    let message = "ordinal: missing of column `w` cannot be NaN";
    assert_error(ordinal(Ordinal::levels(["a"]).missing_value(f64::NAN)), message);
    let message = "ordinal: column `w` has no category \"c\" for missing values";
    assert_error(ordinal(Ordinal::levels(["a", "b"]).missing("c")), message);
}

#[test]
fn one_hot_limits_are_at_least_one() {
    let message = "one_hot: min_frequency of column `w` must be at least 1";
    assert_error(plan().one_hot_with("w", OneHot::new().min_frequency(0)), message);
    let message = "one_hot: max_categories of column `w` must be at least 1";
    let limit = OneHot::new().max_categories(0).drop(Drop::First);
    assert_error(plan().one_hot_with("w", limit), message);
}

#[test]
fn an_ordinal_column_is_numeric_from_then_on() {
    let plan = plan()
        .ordinal("w", Ordinal::levels(["a", "b"]))
        .impute("w", Impute::Median)
        .difference("d", "n", "w")
        .standard_scale("w")
        .passthrough(["w"])
        .drop(["v"]);
    assert!(plan.build().is_ok());
}

#[test]
fn errors_are_small_and_have_no_cause_in_a_plan() {
    assert!(size_of::<Error>() <= 128);
    let error = plan().one_hot(["x"]).build().unwrap_err();
    assert!(std::error::Error::source(&error).is_none());
}
