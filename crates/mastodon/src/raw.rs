//! JSON as it came: pieces of an answer by their place in it, so that an archive keeps the server's own bytes and not
//! our spelling of them.

use serde::de::IgnoredAny;

/// The items of a JSON list, each as it stands there. `None` when it is no list.
pub fn items(body: &str) -> Option<Vec<&str>> {
    let mut rest = body.trim_start().strip_prefix('[')?.trim_start();
    let mut found = Vec::new();
    if rest.starts_with(']') {
        return Some(found);
    }
    loop {
        let item = first_value(rest)?;
        found.push(item);
        rest = rest[item.len()..].trim_start();
        match rest.as_bytes().first()? {
            b',' => rest = rest[1..].trim_start(),
            b']' => return Some(found),
            _ => return None,
        }
    }
}

/// A field of a JSON object, as it stands there; `null` is none.
pub fn field<'b>(object: &'b str, name: &str) -> Option<&'b str> {
    let mut rest = object.trim_start().strip_prefix('{')?.trim_start();
    let mut found = None;
    while !rest.starts_with('}') {
        let key = first_value(rest)?;
        rest = rest[key.len()..].trim_start().strip_prefix(':')?.trim_start();
        let value = first_value(rest)?;
        if key.len() == name.len() + 2 && key[1..].starts_with(name) {
            found = Some(value);
        }
        rest = rest[value.len()..].trim_start();
        rest = match rest.strip_prefix(',') {
            Some(rest) => rest.trim_start(),
            None => break,
        };
    }
    found.filter(|value| *value != "null")
}

/// The value that a text begins with.
fn first_value(text: &str) -> Option<&str> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    text.get(..values.byte_offset()).map(str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_as_they_came() {
        let body = " [ {\"b\": 1,  \"a\" : \"x]\\\"\"} , [1, 2],3 , null ] ";
        assert_eq!(
            items(body).unwrap(),
            ["{\"b\": 1,  \"a\" : \"x]\\\"\"}", "[1, 2]", "3", "null"]
        );
        assert_eq!(items("[]").unwrap(), [""; 0]);
        for odd in ["", "{}", "[1", "[1 2]", "[}"] {
            assert_eq!(items(odd), None, "{odd}");
        }
    }

    #[test]
    fn fields_are_as_they_came() {
        let object = r#"{"ab": {"x":  1}, "a": {"y" :2 }, "n": null, "s": "a"}"#;
        assert_eq!(field(object, "a"), Some(r#"{"y" :2 }"#));
        assert_eq!(field(object, "ab"), Some(r#"{"x":  1}"#));
        assert_eq!((field(object, "n"), field(object, "x")), (None, None));
        assert_eq!(
            (field("[]", "a"), field("{}", "a"), field("{\"a\"", "a")),
            (None, None, None)
        );
    }
}
