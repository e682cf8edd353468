use std::fmt::{self, Display, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// HTML that was made here.
#[derive(Debug, Clone, Default)]
pub(super) struct Html(String);

/// Writes HTML: the format is a literal and taken as it is, and every value in it is escaped.
macro_rules! html {
    ($out:expr, $format:literal $(, $value:expr)* $(,)?) => {
        $out.write(format_args!($format $(, $crate::page::html::Escaped(&$value))*))
    };
}
pub(super) use html;

impl Html {
    /// For [`html!`], whose values are escaped.
    pub(super) fn write(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a text does not fail.
        let _ = self.0.write_fmt(text);
    }

    /// Adds what was made already.
    pub(super) fn add(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// A value as text within HTML, in an element or in quotes.
pub(super) struct Escaped<'a, T: ?Sized>(pub(super) &'a T);

impl<T: Display + ?Sized> Display for Escaped<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(place) = rest.find(['&', '<', '>', '"', '\'', '\0']) {
            let (plain, special) = rest.split_at(place);
            self.0.write_str(plain)?;
            self.0.write_str(match special.as_bytes().first() {
                Some(b'&') => "&amp;",
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                Some(b'"') => "&quot;",
                Some(b'\'') => "&#39;",
                _ => "\u{fffd}",
            })?;
            rest = special.get(1..).unwrap_or_default();
        }
        self.0.write_str(rest)
    }
}

/// A name as one part of an address.
pub(super) fn segment(name: &str) -> String {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(name, PLAIN).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_value_says_it_stays_text() {
        let mut out = Html::default();
        let hostile = "</b><script>alert('x')</script>&\" onload=\"\0ä";
        html!(out, "<b title=\"{}\">{}</b>", hostile, hostile);
        let text = out.into_text();
        let escaped = "&lt;/b&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot; onload=&quot;\u{fffd}ä";
        assert_eq!(text, format!("<b title=\"{escaped}\">{escaped}</b>"));
        assert_eq!(segment("a/b c?&\"<>ä"), "a%2Fb%20c%3F%26%22%3C%3E%C3%A4");
    }
}
