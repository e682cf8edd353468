//! Bytes as a CSV: whatever is read can be fitted on and transformed, or is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spinney_fuzz::{BUNDLE, SCHEMA};
use spinney_preprocess::{Impute, Preprocessor, Table};

fuzz_target!(|bytes: &[u8]| {
    let Ok(table) = Table::from_csv_reader(bytes, &SCHEMA) else { return };
    if let Ok(features) = BUNDLE.transform(&table) {
        assert_eq!(features.n_rows(), table.n_rows());
    }
    let plan =
        Preprocessor::builder(&SCHEMA).impute("a", Impute::Median).one_hot(["c", "d"]).build();
    let _ = plan.expect("a valid plan").fit_transform(&table);
    let _ = table.drop_missing_target();
});
