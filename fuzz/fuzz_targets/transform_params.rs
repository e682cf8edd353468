//! Text as transform params: whatever is read round-trips and transforms.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spinney_preprocess::{FittedPreprocessor, Table, TransformParams};

fuzz_target!(|text: &str| {
    let Ok(params) = TransformParams::from_json(text) else { return };
    assert_eq!(TransformParams::from_json(&params.to_json()).expect("its own JSON"), params);
    let fitted = FittedPreprocessor::from_params(params).expect("params that were checked");
    let none = Table::from_records(&[], fitted.input_schema()).expect("no rows");
    let features = fitted.transform(&none).expect("no rows");
    assert_eq!(features.n_features(), fitted.feature_schema().len());
});
