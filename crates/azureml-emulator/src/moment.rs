use std::{fmt, time::Duration};

use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};
use time::{
    OffsetDateTime, PrimitiveDateTime,
    format_description::{BorrowedFormatItem, well_known::Rfc3339},
    macros::format_description,
};

/// A time of day in UTC, in milliseconds since 1970. Displayed as Azure Resource Manager writes times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(i64);

/// `2026-11-23T05:45:28.430Z`.
const ISO: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
/// `Mon, 23 Nov 2026 05:45:28 GMT`.
const HTTP: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);
/// A shorter form that a signature may carry.
const TO_THE_MINUTE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]Z");

impl Moment {
    /// The end of the times that can be written: what is due then waits for something else.
    pub(crate) const NEVER: Self = Self(253_402_300_799_000);

    pub(crate) fn from_milliseconds(milliseconds: i64) -> Self {
        // Between the years 1 and 9999, which is what can be written.
        Self(milliseconds.clamp(-62_135_596_800_000, Self::NEVER.0))
    }

    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    pub(crate) fn plus(self, duration: Duration) -> Self {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_milliseconds(self.0.saturating_add(milliseconds))
    }

    pub(crate) fn minus(self, duration: Duration) -> Self {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_milliseconds(self.0.saturating_sub(milliseconds))
    }

    pub(crate) fn is_after(self, other: Self) -> bool {
        self.0 > other.0
    }

    /// How much later this is than another; nothing if it is earlier.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    fn date(self) -> OffsetDateTime {
        let nanoseconds = i128::from(self.0) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    pub(crate) fn year(self) -> i32 {
        self.date().year()
    }

    /// As HTTP headers have it.
    pub(crate) fn http(self) -> String {
        self.date().format(HTTP).unwrap_or_default()
    }

    pub(crate) fn parse_http(text: &str) -> Option<Self> {
        PrimitiveDateTime::parse(text, HTTP).ok().map(|date| Self::of(date.assume_utc()))
    }

    /// Reads the forms of ISO 8601 that shared access signatures have.
    pub(crate) fn parse_iso(text: &str) -> Option<Self> {
        let full = OffsetDateTime::parse(text, &Rfc3339).ok();
        let minute = || {
            PrimitiveDateTime::parse(text, TO_THE_MINUTE).ok().map(PrimitiveDateTime::assume_utc)
        };
        let day = || OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339).ok();
        full.or_else(minute).or_else(day).map(Self::of)
    }

    fn of(date: OffsetDateTime) -> Self {
        Self::from_milliseconds(
            i64::try_from(date.unix_timestamp_nanos() / 1_000_000).unwrap_or_default(),
        )
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.date().format(ISO).map_err(|_| fmt::Error)?)
    }
}

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self::from_milliseconds)
    }
}
