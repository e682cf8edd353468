//! What Python's `json` writes beyond JSON: a bare NaN is null, and nothing else changes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spinney_scoring::ScoreRequest;

fuzz_target!(|text: &str| {
    let plain = replaced(text);
    let records = |text: &str| ScoreRequest::from_body(text.to_owned()).records().map(|r| r.into_owned());
    let (found, expected) = (records(text), records(&plain));
    match (&found, &expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected),
        // Messages may name other columns of the text, codes may not differ.
        (Err(found), Err(expected)) => assert_eq!(found.code(), expected.code()),
        _ => panic!("{found:?} {expected:?}"),
    }
});

/// Replaces the word NaN outside of strings, one byte after the other.
fn replaced(text: &str) -> String {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
    let (mut out, mut bytes, mut in_string) = (Vec::new(), text.as_bytes(), false);
    let mut before = b' ';
    while let [first, rest @ ..] = bytes {
        let ends = !rest.get(2).is_some_and(|&byte| is_word(byte));
        if !in_string && bytes.starts_with(b"NaN") && ends && !is_word(before) {
            out.extend(b"null");
            before = b'l';
            bytes = &rest[2..];
            continue;
        }
        out.push(*first);
        bytes = rest;
        match (in_string, first) {
            (true, b'\\') => {
                if let [escaped, after @ ..] = bytes {
                    out.push(*escaped);
                    bytes = after;
                }
            }
            (_, b'"') => in_string = !in_string,
            _ => {}
        }
        before = *first;
    }
    String::from_utf8(out).expect("only ASCII was replaced by ASCII")
}
