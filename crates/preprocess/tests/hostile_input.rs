//! Bad rows and bad params: an error that says where, and never a panic.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::error::Error as _;
use std::io::{self, Read};
use std::path::Path;

use proptest::prelude::*;
use spinney_preprocess::{
    Error, FittedPreprocessor, Impute, InputSchema, OneHot, Ordinal, Preprocessor, Record,
    SchemaHash, Table, TestSize, TrainSize, TransformParams, Value, train_test_split,
};

/// Numbers `n`, words `w`, target `y`.
fn schema() -> InputSchema {
    InputSchema::builder().numeric(["n"]).categorical(["w"]).target("y").build().unwrap()
}

fn read(csv: impl AsRef<[u8]>) -> Result<Table, Error> {
    Table::from_csv_reader(csv.as_ref(), &schema())
}

fn parse(json: &str) -> Result<Table, Error> {
    Table::from_records(&serde_json::from_str::<Vec<Record>>(json).unwrap(), &schema())
}

#[track_caller]
fn assert_error<T: std::fmt::Debug>(result: Result<T, Error>, message: &str) {
    assert_eq!(result.unwrap_err().to_string(), message);
}

#[test]
fn wrong_headers_are_refused() {
    assert_error(read(""), "no header line");
    assert_error(read("\n\r\n"), "no header line");
    assert_error(read("\u{feff}"), "no header line");
    assert_error(read("w,y\na,1\n"), "column `n` is not in the header");
    assert_error(read("N, w\n1,a\n"), "column `n` is not in the header");
    let message = "column `w` is in the header twice: field 2 and field 4";
    assert_error(read("n,w,x,w\n"), message);
    assert_error(read("y,n,w,y\n"), "column `y` is in the header twice: field 1 and field 4");
    assert!(read("x,n,x,w,,\n").is_ok()); // only columns of the schema are looked at
}

#[test]
fn ragged_rows_are_refused() {
    assert_error(read("n,w\n1\n"), "line 2, row 0: expected 2 fields, found 1");
    assert_error(read("n,w\n1,a\n1,a,\n"), "line 3, row 1: expected 2 fields, found 3");
    assert_error(read("n,w\n\"1,a\n2,b\n"), "line 2, row 0: expected 2 fields, found 1");
}

#[test]
fn lines_are_counted_through_quotes_carriage_returns_and_blank_lines() {
    let line = |csv: &str| match read(csv) {
        Err(Error::NotANumber { position, .. }) => (position.line().unwrap(), position.row()),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(line("n,w\nx,a\n"), (2, 0));
    assert_eq!(line("n,w\r\n1,a\r\nx,a\r\n"), (3, 1));
    assert_eq!(line("\n\nn,w\n\n1,a\n\n\nx,a"), (8, 1));
    assert_eq!(line("\r\nn,w\r\n\r\nx,a\r\n"), (4, 0));
    assert_eq!(line("n,w\n1,\"a\r\nb\n\"\nx,a\n"), (5, 1));
    assert_eq!(line("\u{feff}n,w\nx,a\n"), (2, 0));
    let long = format!("n,w\n{}x,a\n", "1,abcdefgh\r\n\r\n".repeat(40_000));
    assert_eq!(line(&long), (80_002, 40_000));
}

#[test]
fn fields_that_are_no_numbers_are_refused() {
    let column = |text: &str| read(format!("n,w\n{text},a\n"));
    for text in ["abc", "True", "1_000", "0x10", "1e", "--1", "NAN", "N A", "٣"] {
        let message = format!("line 2, row 0: column `n` is numeric, found {text:?}");
        assert_error(column(text), &message);
    }
    for text in ["inf", "-Infinity", "1e400", "-1e400"] {
        assert_error(column(text), "line 2, row 0: column `n` has an infinite number");
    }
    let message = "line 2, row 0: column `n` is numeric, found \"1,5\"";
    assert_error(column("\"1,5\""), message);
    let message = "line 2, row 0: column `n` is numeric, found \"a\\n\\u{1b}[31m\"";
    assert_error(column("\"a\n\u{1b}[31m\""), message);
    let shown = "ä".repeat(40);
    let message = format!("line 2, row 0: column `n` is numeric, found \"{shown}…\"");
    assert_error(column(&"ä".repeat(41)), &message);
    assert_error(read("n,w,y\n1,a,b\n"), "line 2, row 0: column `y` is numeric, found \"b\"");
}

#[test]
fn numbers_are_read_as_rust_reads_them() {
    let read = |text: &str| match read(format!("n,w\n{text},a\n")).unwrap().column("n") {
        Some(column) => column.as_numeric().unwrap()[0],
        None => unreachable!("the schema has it"),
    };
    for (text, value) in [
        (" 1.5\t", 1.5_f64),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("1E3", 1e3),
        ("-0", -0.0),
        ("9007199254740993", 9_007_199_254_740_992.0),
        ("2.2250738585072011e-308", 2.225_073_858_507_201e-308),
        ("1e-400", 0.0),
    ] {
        assert_eq!(read(text).to_bits(), value.to_bits(), "{text}");
    }
    for missing in ["", " ", "NA", " NA ", "-NaN", "null"] {
        assert!(read(missing).is_nan(), "{missing:?}");
    }
}

#[test]
fn only_missing_tokens_are_missing() {
    let schema = InputSchema::builder().numeric(["n"]).missing_tokens(["?"]).build().unwrap();
    let read = |text: &str| Table::from_csv_reader(format!("n\n{text}\n").as_bytes(), &schema);
    assert_eq!(read("?").unwrap().column("n").unwrap().n_missing(), 1);
    for text in ["nan", "NaN", "NA"] {
        let message = format!("line 2, row 0: column `n` is numeric, found {text:?}");
        assert_error(read(text), &message);
    }
}

#[test]
fn bad_utf8_is_refused_where_it_matters() {
    let message = "line 3, row 1: column `w` is not UTF-8 from byte 2 on";
    assert_error(read(b"n,w\n1,a\n1,ab\xe9\n"), message);
    assert!(read(b"n,w,comment\xe9\n1,a,caf\xe9\n").is_ok());
}

#[test]
fn files_are_named() {
    let message = "no/such.csv: cannot read the CSV";
    let error = Table::from_csv_path("no/such.csv", &schema()).unwrap_err();
    assert_eq!(error.to_string(), message);
    let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.kind(), io::ErrorKind::NotFound);

    let ames = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/AmesHousing.csv");
    let error = Table::from_csv_path(&ames, &schema()).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: column `n` is not in the header", ames.display()));
    let words = InputSchema::builder().numeric(["Neighborhood"]).build().unwrap();
    let error = Table::from_csv_path(&ames, &words).unwrap_err();
    let message = "line 2, row 0: column `Neighborhood` is numeric, found \"NAmes\"";
    assert_eq!(error.to_string(), format!("{}: {message}", ames.display()));
}

#[test]
fn a_reader_that_fails_is_an_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("unplugged"))
        }
    }
    let input = "n,w\n1,a\n".as_bytes().chain(Broken);
    let error = Table::from_csv_reader(input, &schema()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the CSV");
    assert!(format!("{:?}", error.source()).contains("unplugged"));
}

#[test]
fn wrong_records_are_refused() {
    assert_error(parse(r#"[{"n": 1, "w": "a"}, {"n": 1}]"#), "row 1: column `w` is not there");
    assert_error(parse(r#"[{}]"#), "row 0: column `n` is not there");
    let numeric = |json: &str| parse(&format!(r#"[{{"n": {json}, "w": "a"}}]"#));
    for (json, kind) in
        [(r#""1500""#, "a string"), ("[1]", "an array"), (r#"{"a": {"b": []}}"#, "an object")]
    {
        assert_error(numeric(json), &format!("row 0: column `n` is numeric, found {kind}"));
    }
    let categorical = |json: &str| parse(&format!(r#"[{{"n": 1, "w": {json}}}]"#));
    for (json, kind) in [("1", "a number"), ("true", "a boolean"), ("[[]]", "an array")] {
        let message = format!("row 0: column `w` is categorical, found {kind}");
        assert_error(categorical(json), &message);
    }
    let infinite = Record::from([("n", f64::NEG_INFINITY.into()), ("w", Value::Null)]);
    let message = "row 0: column `n` has an infinite number";
    assert_error(Table::from_records(&[infinite], &schema()), message);
    let target = parse(r#"[{"n": 1, "w": "a", "y": "secret"}]"#);
    assert_error(target, "row 0: column `y` is numeric, found a string");
}

#[test]
fn errors_say_row_and_column() {
    let place = |error: Error| (error.row(), error.column().map(str::to_owned));
    let column = |name: &str| Some(name.to_owned());
    assert_eq!(place(parse("[{}]").unwrap_err()), (Some(0), column("n")));
    assert_eq!(place(read("n,w\n1,a\nx,a\n").unwrap_err()), (Some(1), column("n")));
    assert_eq!(place(read("n\n1\n").unwrap_err()), (None, column("w")));
    assert_eq!(place(read("n,w\n1\n").unwrap_err()), (Some(0), None));
    assert_eq!(place(plan().fit(&read("n,w\n").unwrap()).unwrap_err()), (None, None));
}

#[test]
fn records_hold_what_python_would_see() {
    let table =
        parse(r#"[{"n": 1, "n": true, "w": "None"}, {"n": null, "w": "", "y": 5}]"#).unwrap();
    let numbers = table.column("n").unwrap().as_numeric().unwrap();
    assert!(numbers[0].to_bits() == 1.0_f64.to_bits() && numbers[1].is_nan());
    let words = table.column("w").unwrap().as_categorical().unwrap();
    assert_eq!(words.iter().collect::<Vec<_>>(), [Some("None"), Some("")]);
    assert_error(table.target(), "row 0: target `y` is missing");
}

#[test]
fn targets_are_missed_where_they_are_needed() {
    let message = "the input has no target column `y`";
    assert_error(read("n,w\n1,a\n").unwrap().target(), message);
    assert_error(read("n,w\n1,a\n").unwrap().drop_missing_target(), message);
    let table = read("n,w,y\n1,a,1\n2,b,\n3,c,3\n").unwrap();
    assert_error(table.target(), "line 3, row 1: target `y` is missing");
    assert_error(table.take(&[2, 1]).unwrap().target(), "line 3, row 1: target `y` is missing");
    assert_error(table.take(&[1, 2]).unwrap().target(), "line 3, row 0: target `y` is missing");
    let (present, n_dropped) = table.drop_missing_target().unwrap();
    assert_eq!((present.target().unwrap(), n_dropped), (&[1.0, 3.0][..], 1));
    assert_eq!(present.position(1).to_string(), "line 4, row 1");
    let features = InputSchema::builder().numeric(["n"]).build().unwrap();
    let table = Table::from_csv_reader("n\n1\n".as_bytes(), &features).unwrap();
    assert_error(table.target(), "the input schema names no target");
    assert_error(table.take(&[0, 1]), "row 1 is not in a table of 1 row");
}

#[test]
fn splits_have_a_row_on_both_sides() {
    let split = |n, test: TestSize, train| train_test_split(n, test, train, 0);
    for share in [0.0, 1.0, -0.5, f64::NAN, f64::INFINITY] {
        let message = format!("test_size {share} must be above 0 and below 1");
        assert_error(split(10, share.into(), None), &message);
    }
    let message = "test_size 10 must be at least 1 and below the number of rows, 10";
    assert_error(split(10, 10_usize.into(), None), message);
    let message = "train_size 0 must be at least 1 and below the number of rows, 10";
    assert_error(split(10, 0.5.into(), Some(TrainSize::Count(0))), message);
    let message = "train_size 1 must be above 0 and below 1";
    assert_error(split(10, 0.5.into(), Some(TrainSize::Fraction(1.0))), message);
    let message = "5 train and 6 test rows are more than 10 rows";
    assert_error(split(10, 6_usize.into(), Some(TrainSize::Fraction(0.5))), message);
    let message = "no row is left to train on: 1 of 1 row held out";
    assert_error(split(1, 0.5.into(), None), message);
    let message = "no row is left to train on: 0 of 0 rows held out";
    assert_error(split(0, 0.5.into(), None), message);
}

fn plan() -> Preprocessor {
    Preprocessor::builder(&schema()).one_hot(["w"]).build().unwrap()
}

#[test]
fn there_must_be_something_to_learn_from() {
    assert_error(plan().fit(&read("n,w\n").unwrap()), "cannot fit on a table without rows");
    let missing = read("n,w\n1,\n2,NA\n").unwrap();
    assert_error(plan().fit(&missing), "column `w` is missing in all of 2 rows");
    let missing = read("n,w\n,a\n").unwrap();
    assert_error(plan().fit(&missing), "column `n` is missing in all of 1 row");
    let unlisted = Preprocessor::builder(&schema()).ordinal("w", Ordinal::levels(["b"]));
    let fitted = unlisted.build().unwrap().fit(&read("n,w\n1,a\n").unwrap());
    assert_error(fitted, "column `w` is missing in all of 1 row");
}

#[test]
fn no_rows_are_no_error_once_fitted() {
    let fitted = plan().fit(&read("n,w\n1,a\n").unwrap()).unwrap();
    let x = fitted.transform(&read("n,w\n").unwrap()).unwrap();
    assert_eq!((x.n_rows(), x.n_features()), (0, 2));
    let x = fitted.transform(&parse("[]").unwrap()).unwrap();
    assert_eq!(x.view().dim(), (0, 2));
}

#[test]
fn numbers_too_large_are_refused() {
    let huge = read("n,w\n1e308,a\n1e308,a\n-1e308,b\n").unwrap();
    let schema = schema();
    let learn = |plan: fn(spinney_preprocess::PreprocessorBuilder) -> _| {
        let builder: spinney_preprocess::PreprocessorBuilder =
            plan(Preprocessor::builder(&schema).one_hot(["w"]));
        builder.build().unwrap().fit_transform(&huge)
    };
    let message = "impute: the numbers in column `n` are too large";
    assert_error(learn(|plan| plan.impute("n", Impute::Mean)), message);
    let message = "standard_scale: the numbers in column `n` are too large";
    assert_error(learn(|plan| plan.standard_scale("n")), message);
    let message = "min_max_scale: the numbers in column `n` are too large";
    assert_error(learn(|plan| plan.min_max_scale("n")), message);

    let two = InputSchema::builder().numeric(["a", "b"]).build().unwrap();
    let plan = Preprocessor::builder(&two).difference("d", "a", "b").build().unwrap();
    let rows = Table::from_csv_reader("a,b\n1,2\n1e308,-1e308\n".as_bytes(), &two).unwrap();
    assert_error(plan.fit_transform(&rows), "line 3, row 1: difference makes column `d` infinite");
}

#[test]
fn tables_of_another_schema_are_refused() {
    let fitted = plan().fit(&read("n,w\n1,a\n").unwrap()).unwrap();
    let refused = |schema: InputSchema, csv: &str, expected: &str, found: &str| {
        let table = Table::from_csv_reader(csv.as_bytes(), &schema).unwrap();
        let message = format!(
            "the table was read with another input schema: expected {expected}, found {found}"
        );
        assert_error(fitted.transform(&table), &message);
        assert_error(plan().fit(&table), &message);
    };
    let build = InputSchema::builder;
    let swapped = build().categorical(["w"]).numeric(["n"]).target("y").build().unwrap();
    refused(swapped, "n,w\n1,a\n", "numeric column `n`", "categorical column `w`");
    let shorter = build().numeric(["n"]).target("y").build().unwrap();
    refused(shorter, "n\n1\n", "categorical column `w`", "no further column");
    let other = build().numeric(["n"]).categorical(["w"]).build().unwrap();
    refused(other, "n,w\n1,a\n", "target `y`", "no target");
    let same = build().numeric(["n"]).categorical(["w"]).target("y");
    let tokens = same.clone().missing_tokens(["?"]).build().unwrap();
    let table = Table::from_csv_reader("n,w\n1,a\n".as_bytes(), &tokens).unwrap();
    let message = fitted.transform(&table).unwrap_err().to_string();
    assert!(message.ends_with(r#"found missing tokens ["?"]"#), "{message}");
    let equal = Table::from_csv_reader("n,w\n1,a\n".as_bytes(), &same.build().unwrap()).unwrap();
    assert!(fitted.transform(&equal).is_ok()); // equal is enough
}

#[test]
fn feature_names_are_unique() {
    let schema = InputSchema::builder().categorical(["a", "a_b"]).build().unwrap();
    let plan = Preprocessor::builder(&schema).one_hot(["a", "a_b"]).build().unwrap();
    let rows = Table::from_csv_reader("a,a_b\nb_c,c\n".as_bytes(), &schema).unwrap();
    assert_error(plan.fit(&rows), "feature `a_b_c` is there twice");
}

/// Params with every kind of step.
fn params() -> TransformParams {
    let schema = InputSchema::builder()
        .numeric(["a", "b", "c"])
        .categorical(["v", "w", "x"])
        .target("y")
        .missing_tokens(["", "NA"])
        .build()
        .unwrap();
    let csv = "a,b,c,v,w,x,y\n1,2,3,lo,p,k,0\n,5,4,hi,q,k,1\n7,7,7,,p,l,1\n";
    Preprocessor::builder(&schema)
        .difference("d", "a", "b")
        .clip("c", ..=6.5)
        .impute("b", Impute::Median)
        .impute("v", Impute::constant("lo"))
        .ordinal("v", Ordinal::levels(["lo", "hi"]).missing("lo"))
        .one_hot_with("w", OneHot::new().min_frequency(2))
        .one_hot_with("x", OneHot::new().drop(spinney_preprocess::Drop::First))
        .standard_scale("b")
        .min_max_scale("c")
        .build()
        .unwrap()
        .fit(&Table::from_csv_reader(csv.as_bytes(), &schema).unwrap())
        .unwrap()
        .params()
        .clone()
}

#[test]
fn params_are_checked_when_read() {
    let json = serde_json::to_string(&params()).unwrap();
    assert_eq!(TransformParams::from_json(&json).unwrap(), params());
    let cases = [
        (
            r#""version":1"#,
            r#""version":2"#,
            "transform params have version 2, only version 1 is supported",
        ),
        (r#""name":"b""#, r#""name":"a""#, "column `a` is named twice"),
        (r#""target":"y""#, r#""target":"a""#, "column `a` is both target and feature"),
        (r#""subtrahend":"b""#, r#""subtrahend":"z""#, "difference: no column `z`"),
        (r#""output":"d""#, r#""output":"a""#, "difference: there is already a column `a`"),
        (r#","max":6.5"#, "", "clip: column `c` needs a range with min <= max, found -inf to inf"),
        (
            r#","max":6.5"#,
            r#","min":7.0,"max":6.5"#,
            "clip: column `c` needs a range with min <= max, found 7 to 6.5",
        ),
        (
            r#""strategy":"constant","value":"lo""#,
            r#""strategy":"constant","value":1.0"#,
            "impute: column `v` is categorical, the value is not",
        ),
        (
            r#""strategy":"constant","value":"lo""#,
            r#""strategy":"mean","value":"lo""#,
            "impute: column `v` must be numeric",
        ),
        (
            r#""category":"hi""#,
            r#""category":"lo""#,
            "ordinal: category \"lo\" of column `v` is there twice",
        ),
        (
            r#"[{"category":"lo","value":1.0},{"category":"hi","value":2.0}]"#,
            "[]",
            "ordinal: column `v` has no categories",
        ),
        (
            r#""categories":["p"],"infrequent":["q"]"#,
            r#""categories":["p"],"infrequent":["p"]"#,
            "one_hot: category \"p\" of column `w` is there twice",
        ),
        (
            r#""categories":["p"],"infrequent":["q"]"#,
            r#""categories":[]"#,
            "one_hot: column `w` has no categories",
        ),
        (
            r#""categories":["k","l"]"#,
            r#""categories":["l","k"]"#,
            "one_hot: categories of column `x` are not in code point order",
        ),
        (r#""mean":"#, r#""mean":1.0,"scale":0.0,"_":"#, "not the JSON of transform params"),
        (
            r#""features":["a","b""#,
            r#""features":["b","a""#,
            "the steps give other features than listed: at 0 `a`, not `b`",
        ),
        (r#","x_l"]"#, r#"]"#, "the steps give other features than listed: at 7 `x_l`, not none"),
        (
            r#","x_l"]"#,
            r#","x_l","z"]"#,
            "the steps give other features than listed: at 8 none, not `z`",
        ),
        (
            r#""trained_with_missing":["a","d"]"#,
            r#""trained_with_missing":["d","a"]"#,
            "`a` is not in its place among the features that may be missing",
        ),
        (
            r#""trained_with_missing":["a","d"]"#,
            r#""trained_with_missing":["x_l"]"#,
            "`x_l` is not in its place among the features that may be missing",
        ),
        (r#""version":1"#, r#""version":1,"more":0"#, "not the JSON of transform params"),
        (r#""step":"clip""#, r#""step":"clip","more":0"#, "not the JSON of transform params"),
        (r#""step":"clip""#, r#""step":"log""#, "not the JSON of transform params"),
        (r#""kind":"numeric""#, r#""kind":"text""#, "not the JSON of transform params"),
        (r#""version":1,"#, "", "not the JSON of transform params"),
        (r#""max":6.5"#, r#""max":1e400"#, "not the JSON of transform params"),
    ];
    for (from, to, message) in cases {
        assert!(json.contains(from), "{from} is not in {json}");
        let error = TransformParams::from_json(&json.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.to_string(), message, "{from} -> {to}");
        assert_eq!(error.source().is_some(), matches!(error, Error::Json { .. }));
    }
    let scale = |value: &str| {
        let mut json: serde_json::Value = serde_json::from_str(&json).unwrap();
        json["steps"][7]["scale"] = value.parse::<f64>().unwrap().into();
        TransformParams::from_json(&json.to_string())
    };
    assert_error(scale("0"), "standard_scale: scale of column `b` cannot be 0");
    assert_error(scale("-1"), "standard_scale: scale of column `b` cannot be -1");
    let later = TransformParams::from_json(r#"{"steps": {"new": "form"}, "version": 7}"#);
    assert_error(later, "transform params have version 7, only version 1 is supported");
    let other_way = serde_json::from_str::<TransformParams>(&json.replace("\"k\"", "\"z\""));
    assert!(other_way.unwrap_err().to_string().contains("not in code point order"));
}

#[test]
fn hashes_are_checked_when_parsed() {
    let hash = "0123456789abcdefABCDEF".repeat(2) + &"0".repeat(20);
    assert!(hash.parse::<SchemaHash>().is_ok());
    for text in ["", &hash[1..], &format!("{hash}0"), &hash.replacen('0', "g", 1), &"é".repeat(32)]
    {
        assert_error(text.parse::<SchemaHash>(), "a schema hash is 64 hexadecimal digits");
    }
    let hash: SchemaHash = hash.parse().unwrap();
    let json = serde_json::to_string(&hash).unwrap();
    assert_eq!(serde_json::from_str::<SchemaHash>(&json).unwrap(), hash);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
        let mut csv = b"n,w,y\n".to_vec();
        csv.extend(&bytes);
        let _ = read(&csv);
        let _ = TransformParams::from_json(&String::from_utf8_lossy(&bytes));
        let _ = serde_json::from_slice::<Vec<Record>>(&bytes);
        let _ = String::from_utf8_lossy(&bytes).parse::<SchemaHash>();
    }

    #[test]
    fn no_csv_text_panics(text in "[n\"w,y\r\n1.eNA\u{feff}é -]{0,80}") {
        if let Ok(table) = read(format!("n,w,y\n{text}")) {
            let _ = plan().fit_transform(&table);
        }
    }

    #[test]
    fn no_damaged_params_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut: bool) {
        let mut json = params().to_json().into_bytes();
        let at = at.index(json.len());
        if cut {
            json.remove(at);
        } else {
            json[at] = byte;
        }
        if let Ok(params) = TransformParams::from_json(&String::from_utf8_lossy(&json)) {
            let fitted = FittedPreprocessor::from_params(params).unwrap();
            let row = "a,b,c,v,w,x\n1,2,3,lo,p,k\n,,,,,\n";
            if let Ok(table) = Table::from_csv_reader(row.as_bytes(), fitted.input_schema()) {
                let _ = fitted.transform(&table);
            }
        }
    }
}
