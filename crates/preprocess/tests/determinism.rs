//! The same rows and plan give the same params, features and hash: on every run, from every thread,
//! for good.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::thread;

use spinney_preprocess::{
    Error, FeatureMatrix, FittedPreprocessor, Impute, InputSchema, OneHot, Ordinal, Preprocessor,
    PreprocessorBuilder, Record, StepParams, Table, TransformParams,
};

fn schema() -> InputSchema {
    InputSchema::builder().numeric(["n"]).categorical(["w"]).build().unwrap()
}

fn table(csv: &str) -> Table {
    Table::from_csv_reader(csv.as_bytes(), &schema()).unwrap()
}

fn plan() -> PreprocessorBuilder {
    Preprocessor::builder(&schema())
}

fn hash(plan: PreprocessorBuilder, rows: &str) -> String {
    plan.build().unwrap().fit(&table(rows)).unwrap().feature_schema().hash().to_string()
}

const ROWS: &str = "n,w\n1,b\n,a\n3,b\n";

#[test]
fn public_types_cross_threads() {
    fn assert_send_sync<T: Send + Sync>() {}
    assert_send_sync::<(InputSchema, Table, Record, Error)>();
    assert_send_sync::<(Preprocessor, FittedPreprocessor, TransformParams, FeatureMatrix)>();
}

#[test]
fn threads_give_what_one_gives() {
    let fitted = plan().one_hot(["w"]).build().unwrap().fit(&table(ROWS)).unwrap();
    let x = || format!("{:?}", fitted.transform(&table(ROWS)).unwrap());
    let alone = x();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(x)).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), alone);
        }
    });
}

#[test]
fn the_layout_of_the_file_does_not_matter() {
    let expected = hash(plan().one_hot(["w"]), ROWS);
    for rows in [
        "w,n\nb,1\na,\nb,3\n",
        "id,n,w\n1,1.0,b\n2,NA,a\n3,3e0,b\n",
        "\u{feff}n,w\r\n1,b\r\n\r\n,\"a\"\r\n3,b",
        "n,w\n,a\n3,b\n1,b\n",
    ] {
        assert_eq!(hash(plan().one_hot(["w"]), rows), expected, "{rows}");
    }
}

#[test]
fn words_of_rows_left_out_are_not_learned() {
    let table = table("n,w\n1,z\n2,b\n3,a\n");
    let fitted = plan().one_hot(["w"]).build().unwrap().fit(&table.take(&[2, 1]).unwrap()).unwrap();
    assert_eq!(fitted.feature_schema().names(), ["n", "w_a", "w_b"]);
    let x = fitted.transform(&table).unwrap();
    assert_eq!(x.report().unseen_categories()[0].n_rows(), 1);
}

#[test]
fn the_hash_covers_all_that_is_learned() {
    let base = || plan().impute("n", Impute::Mean).one_hot(["w"]);
    let hashes = [
        hash(base(), ROWS),
        hash(base(), "n,w\n1,b\n,a\n4,b\n"),  // another mean
        hash(base(), "n,w\n1,b\n2,a\n3,c\n"), // another category
        hash(plan().impute("n", Impute::Median).one_hot(["w"]), ROWS), // the same value by another way
        hash(plan().impute("n", Impute::constant(-0.0)).one_hot(["w"]), ROWS),
        hash(plan().impute("n", Impute::constant(0.0)).one_hot(["w"]), ROWS),
        hash(plan().one_hot(["w"]), ROWS), // missing in training
        hash(plan().one_hot(["w"]), "n,w\n1,b\n2,a\n3,b\n"), // not missing in training
        hash(base().clip("n", 0..), ROWS),
        hash(plan().impute("n", Impute::Mean).ordinal("w", Ordinal::levels(["a", "b"])), ROWS),
        hash(
            plan().impute("n", Impute::Mean).one_hot_with("w", OneHot::new().min_frequency(2)),
            ROWS,
        ),
    ];
    for (i, hash) in hashes.iter().enumerate() {
        assert!(!hashes[..i].contains(hash), "{i}");
    }
    assert_eq!(hash(base().passthrough(["n"]), ROWS), hashes[0]); // states what is so anyway
}

/// Bundles store the hash and readers compute it again: it must not change with a JSON writer that
/// prints numbers another way.
#[test]
fn the_hash_of_odd_numbers_is_fixed() {
    let odd = [0.1, -0.0, 5e-324, f64::MAX, 1e16, 123_456_789_012_345_680.0, 1e21, 1e-7, 1.0 / 3.0];
    let levels = (0..).map(|i| format!("{i} \"\\\u{7f}\n/é\u{2028}")).zip(odd);
    let plan =
        plan().impute("n", Impute::Mean).ordinal("w", Ordinal::mapping(levels).missing_value(0.0));
    assert_eq!(
        hash(plan, ROWS),
        "9a248ec20008fbc002abe4e0af3f6c2176efc8cdc04f24b8c5937ab6829f2544"
    );
}

#[test]
fn params_are_written_as_documented() {
    let schema = InputSchema::builder()
        .numeric(["a"])
        .categorical(["w"])
        .target("y")
        .missing_tokens(["", "NA"])
        .build()
        .unwrap();
    let rows = "a,w\n1,p\n2,p\n3,q\nNA,r\n";
    let fitted = Preprocessor::builder(&schema)
        .clip("a", 1.5..)
        .impute("w", Impute::MostFrequent)
        .one_hot_with("w", OneHot::new().max_categories(2))
        .build()
        .unwrap()
        .fit(&Table::from_csv_reader(rows.as_bytes(), &schema).unwrap())
        .unwrap();
    let json = r#"{
  "version": 1,
  "input": {
    "columns": [
      {
        "name": "a",
        "kind": "numeric"
      },
      {
        "name": "w",
        "kind": "categorical"
      }
    ],
    "target": "y",
    "missing_tokens": [
      "",
      "NA"
    ]
  },
  "steps": [
    {
      "step": "clip",
      "column": "a",
      "min": 1.5
    },
    {
      "step": "impute",
      "column": "w",
      "strategy": "most_frequent",
      "value": "p"
    },
    {
      "step": "one_hot",
      "column": "w",
      "categories": [
        "p"
      ],
      "infrequent": [
        "q",
        "r"
      ],
      "unseen": "zero"
    }
  ],
  "features": [
    "a",
    "w_p",
    "w_infrequent_sklearn"
  ],
  "trained_with_missing": [
    "a"
  ]
}"#;
    assert_eq!(fitted.params().to_json(), json);
    assert!(matches!(fitted.params().steps()[0], StepParams::Clip { max: None, .. }));
}
