//! Bytes as the body of a request: rows in some form or a refusal, and the quick way to a table gives what the long one gives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spinney_fuzz::BUNDLE;
use spinney_preprocess::Table;
use spinney_scoring::ScoreRequest;

fuzz_target!(|body: &[u8]| {
    let schema = BUNDLE.input_schema();
    for guesses in [false, true] {
        let request = ScoreRequest::from_body(body.to_vec()).guesses(guesses);
        let records = request.records();
        if let Some(quick) = request.quick_table(schema, |_| ()) {
            let records = records.expect("what makes a table has records");
            let long = Table::from_records(&records, schema).expect("and they make a table");
            let shown = |table: &Table| format!("{:?}", table.columns().collect::<Vec<_>>());
            assert_eq!((quick.n_rows(), shown(&quick)), (long.n_rows(), shown(&long)));
        }
    }
});
