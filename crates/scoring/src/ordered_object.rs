use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON object whose names keep the order of the text, as Python's dictionaries do. Of a name given twice the last value counts.
#[derive(Debug, Default)]
pub(crate) struct OrderedObject<'a> {
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
    places: BTreeMap<Cow<'a, str>, usize>,
}

impl<'a> OrderedObject<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.places.get(name).map(|&place| self.entries[place].1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.entries.iter().map(|(name, value)| (&**name, *value))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn insert(&mut self, name: Cow<'a, str>, value: &'a RawValue) {
        match self.places.get(&name) {
            Some(&place) => self.entries[place].1 = value,
            None => {
                self.places.insert(name.clone(), self.entries.len());
                self.entries.push((name, value));
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for OrderedObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = OrderedObject<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut object = OrderedObject::default();
                while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    object.insert(name.0, value);
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// A name that is borrowed unless it has escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}
