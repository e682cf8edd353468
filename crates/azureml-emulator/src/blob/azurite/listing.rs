use std::io;

use quick_xml::{Reader, events::Event};

/// The names of blobs in a list, and where the next begins.
pub(super) fn parse(xml: &str) -> io::Result<(Vec<String>, Option<String>)> {
    let invalid =
        |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("a list of blobs: {what}"));
    let mut reader = Reader::from_str(xml);
    let (mut names, mut marker) = (Vec::new(), None);
    let mut path: Vec<Vec<u8>> = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event().map_err(|error| invalid(&error.to_string()))? {
            Event::Start(start) => {
                path.push(start.name().as_ref().to_vec());
                text.clear();
            }
            Event::Text(part) => {
                text.push_str(&part.decode().map_err(|error| invalid(&error.to_string()))?);
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|error| invalid(&error.to_string()))?;
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    _ => quick_xml::escape::resolve_predefined_entity(&name)
                        .ok_or_else(|| invalid("an unknown entity"))?
                        .to_owned(),
                };
                text.push_str(&character);
            }
            Event::End(_) => {
                let is_name = path.ends_with(&[b"Blob".to_vec(), b"Name".to_vec()]);
                let is_marker = path.last().is_some_and(|name| name == b"NextMarker");
                path.pop();
                let text = std::mem::take(&mut text);
                if is_name {
                    names.push(text);
                } else if is_marker && !text.is_empty() {
                    marker = Some(text);
                }
            }
            Event::Eof if path.is_empty() => return Ok((names, marker)),
            Event::Eof => return Err(invalid("it breaks off")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_come_as_they_are_and_a_list_that_breaks_off_is_none() {
        let xml = r#"<?xml version="1.0"?><EnumerationResults ContainerName="c"><Prefix>p/</Prefix><Blobs>
            <Blob><Name>p/a &amp; &lt;b&gt;&#228;</Name><Properties><Etag>x</Etag></Properties></Blob>
            <Blob><Name>p/c</Name><Metadata><Name>no</Name></Metadata></Blob></Blobs><NextMarker>p/d</NextMarker></EnumerationResults>"#;
        let (names, marker) = parse(xml).unwrap();
        assert_eq!(names, ["p/a & <b>ä", "p/c"]);
        assert_eq!(marker.as_deref(), Some("p/d"));
        let last = xml.replace("<NextMarker>p/d</NextMarker>", "<NextMarker/>");
        assert_eq!(parse(&last).unwrap().1, None);
        assert!(parse(&xml[..200]).is_err());
        assert!(parse("<a>&unknown;</a>").is_err());
    }
}
