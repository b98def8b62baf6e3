//! What kind of thing an address names, by its shape: a table, one row per shape.

use model::Uri;
use percent_encoding::percent_decode_str;

/// What an address looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A status: the id to use in the origin's API.
    Status {
        /// The id on its server.
        id: String,
    },
    /// A status whose API id only a redirect tells on Pleroma (`/objects/UUID`), while on Mitra this is the id.
    Redirecting {
        /// The id in the address.
        id: String,
    },
    /// A copy of another server's post (`/@user@other/1`): ask for its uri.
    Copy,
    /// A post of software whose API is not spoken yet; `kind` is its name for it.
    Foreign {
        /// `note`, `post`, `comment`, `video`, `display`, …
        kind: &'static str,
        /// The id on its server.
        id: String,
    },
    /// An account.
    Profile {
        /// Name on its server.
        name: String,
    },
    /// Anything else.
    Unknown,
}

/// What a row makes of the last id in its pattern.
enum Kind {
    Status,
    Redirecting,
    Copy,
    Foreign(&'static str),
    Profile,
}
use Kind::{Copy, Foreign, Profile, Redirecting, Status};

/// First match wins. `{num}`, `{ulid}`, `{uuid}` and `{id}` (letters, digits, `-`, `_`) are ids, `{user}` is a name,
/// `{acct}` is `name@server`, `{slug}` is anything, and a final `*` is the rest of the path.
const TABLE: &[(&str, Kind)] = &[
    // Mastodon and kin
    ("/@{acct}/{num}", Copy),
    ("/@{user}/{num}", Status),
    ("/web/@{acct}/{num}", Copy),
    ("/web/@{user}/{num}", Status),
    ("/deck/@{acct}/{num}", Copy),
    ("/deck/@{user}/{num}", Status),
    ("/web/statuses/{num}", Status),
    ("/users/{user}/statuses/{id}", Status),
    ("/ap/users/{num}/statuses/{num}", Status),
    // GoToSocial
    ("/@{user}/statuses/{ulid}", Status),
    // Hollo
    ("/@{user}/{uuid}", Status),
    // Takahē
    ("/@{user}/posts/{num}", Status),
    ("/@{acct}/posts/{num}", Status),
    // Pleroma, Akkoma, Mitra
    ("/notice/{id}", Status),
    ("/objects/{uuid}", Redirecting),
    ("/activities/{uuid}", Redirecting),
    ("/post/{uuid}", Status),
    // Pixelfed
    ("/p/{user}/{num}", Status),
    ("/i/web/post/{num}", Status),
    // Misskey and kin, Iceshrimp
    ("/notes/{id}", Foreign("note")),
    // Lemmy, PieFed, Mbin
    ("/post/{num}/{num}", Foreign("comment")),
    ("/post/{num}/comment/{num}", Foreign("comment")),
    ("/post/{num}", Foreign("post")),
    ("/comment/{num}", Foreign("comment")),
    ("/c/{acct}/p/{num}/{slug}", Foreign("post")),
    ("/c/{user}/p/{num}/{slug}", Foreign("post")),
    ("/c/{user}/p/{num}", Foreign("post")),
    ("/m/{user}/t/{num}/{slug}/comment/{num}", Foreign("entry comment")),
    ("/m/{user}/t/{num}/{slug}", Foreign("entry")),
    ("/m/{user}/t/{num}", Foreign("entry")),
    // PeerTube
    ("/videos/watch/{id}/comments/{num}", Foreign("comment")),
    ("/videos/watch/{id}", Foreign("video")),
    ("/w/{id}", Foreign("video")),
    // Friendica
    ("/display/{id}", Foreign("display")),
    ("/objects/{id}", Foreign("object")),
    // Bridgy Fed
    ("/convert/ap/*", Foreign("bridged")),
    ("/r/*", Foreign("bridged")),
    // Profiles
    ("/@{acct}", Profile),
    ("/@{user}", Profile),
    ("/ap/users/{num}", Profile),
    ("/users/{user}", Profile),
    ("/u/{user}", Profile),
    ("/c/{user}", Profile),
    ("/a/{user}", Profile),
    ("/accounts/{user}", Profile),
    ("/video-channels/{user}", Profile),
    ("/{user}", Profile),
];

/// Longer ids and names are nobody's.
const LONGEST: usize = 512;

/// Reads an address. Query and fragment are never part of an id.
pub fn read(uri: &Uri) -> Shape {
    let url = uri.url();
    let path = url.path();
    // WordPress keeps its id in the query.
    if path == "/"
        && let Some((_, id)) = url.query_pairs().find(|(key, _)| key == "p")
    {
        return match id.len() <= 20 && is_number(&id) {
            true => Shape::Foreign {
                kind: "p",
                id: id.into_owned(),
            },
            false => Shape::Unknown,
        };
    }
    TABLE
        .iter()
        .find_map(|(pattern, kind)| captured(pattern, path).map(|id| kind.shape(id)))
        .unwrap_or(Shape::Unknown)
}

impl Kind {
    fn shape(&self, id: String) -> Shape {
        match self {
            Status => Shape::Status { id },
            Redirecting => Shape::Redirecting { id },
            Copy => Shape::Copy,
            Foreign(kind) => Shape::Foreign { kind, id },
            Profile => Shape::Profile { name: id },
        }
    }
}

/// The last id (or name, where there is no id) that `pattern` finds in `path`.
fn captured(pattern: &str, path: &str) -> Option<String> {
    if let Some(prefix) = pattern.strip_suffix('*') {
        let rest = path.strip_prefix(prefix)?;
        return (!rest.is_empty() && rest.len() <= LONGEST).then(|| rest.to_owned());
    }
    let mut wanted = pattern.split('/').skip(1);
    let mut given = path.strip_suffix('/').unwrap_or(path).split('/').skip(1);
    let (mut id, mut name) = (None, None);
    loop {
        let (wanted, given) = match (wanted.next(), given.next()) {
            (Some(wanted), Some(given)) => (wanted, given),
            (None, None) => return id.or(name),
            _ => return None,
        };
        // PeerTube: `/w/<id>;threadId=7`.
        let given = given.split(';').next().unwrap_or_default();
        let given = percent_decode_str(given).decode_utf8().ok()?.into_owned();
        if given.is_empty() || given.len() > LONGEST {
            return None;
        }
        let Some((literal, hole)) = wanted.split_once('{') else {
            if wanted != given {
                return None;
            }
            continue;
        };
        let given = given.strip_prefix(literal)?;
        let fits = match hole {
            "num}" => is_number(given),
            "ulid}" => given.len() == 26 && given.bytes().all(|b| b.is_ascii_alphanumeric()),
            "uuid}" => is_uuid(given),
            "id}" => given.bytes().all(is_id_byte) && !given.is_empty(),
            "user}" => is_name(given),
            "acct}" => given
                .split_once('@')
                .is_some_and(|(user, server)| is_name(user) && !server.is_empty() && !server.contains('@')),
            _ => true,
        };
        if !fits {
            return None;
        }
        match hole {
            "user}" | "acct}" => name = Some(given.to_owned()),
            "slug}" => {}
            _ => id = Some(given.to_owned()),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_id_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_.~".contains(c))
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, b)| match place {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0190e2a4-7c1b-7c3e-9f0a-2b1c3d4e5f60";
    const ULID: &str = "01HZX3V9K2M4N6P8Q0R2S4T6V8";

    fn shape(path: &str) -> Shape {
        read(&Uri::parse(&format!("https://a.example{path}")).unwrap())
    }

    #[test]
    fn statuses_of_the_mastodon_api() {
        let rows = [
            ("/@u/109", "109"),
            ("/users/u/statuses/109", "109"),
            ("/ap/users/7/statuses/109", "109"),
            ("/notice/AbC9xYz", "AbC9xYz"),
            ("/p/u/109", "109"),
            ("/i/web/post/109", "109"),
            ("/@tina/posts/109/", "109"),
            ("/@tina@a.example/posts/109/", "109"),
            ("/@u/109?foo", "109"),
            ("/@u/109#c", "109"),
            ("/@u/109/", "109"),
            ("/@u.v/109", "109"),
        ];
        for (path, id) in rows {
            assert_eq!(shape(path), Shape::Status { id: id.into() }, "{path}");
        }
        for path in [&format!("/@u/statuses/{ULID}"), &format!("/users/u/statuses/{ULID}")] {
            assert_eq!(shape(path), Shape::Status { id: ULID.into() }, "{path}");
        }
        for path in [&format!("/@u/{UUID}"), &format!("/post/{UUID}")] {
            assert_eq!(shape(path), Shape::Status { id: UUID.into() }, "{path}");
        }
        for path in [&format!("/objects/{UUID}"), &format!("/activities/{UUID}?x=1")] {
            assert_eq!(shape(path), Shape::Redirecting { id: UUID.into() }, "{path}");
        }
        assert_eq!(shape("/@user@other.example/1"), Shape::Copy);
        assert_eq!(shape("/@user%40other.example/1"), Shape::Copy);
    }

    #[test]
    fn posts_of_other_software() {
        let rows = [
            ("/notes/9abcdef0", "note", "9abcdef0"),
            ("/post/77", "post", "77"),
            ("/comment/78", "comment", "78"),
            ("/c/x/p/79/a-slug", "post", "79"),
            ("/c/x@other.example/p/79/a-slug", "post", "79"),
            ("/videos/watch/9abc-d", "video", "9abc-d"),
            ("/w/9hRvMTnA", "video", "9hRvMTnA"),
            ("/w/9hRvMTnA;threadId=5", "video", "9hRvMTnA"),
            ("/videos/watch/9abc/comments/5", "comment", "5"),
            ("/display/735a20291062", "display", "735a20291062"),
            ("/objects/735a20291062", "object", "735a20291062"),
            ("/?p=1", "p", "1"),
            ("/?x=2&p=12#frag", "p", "12"),
            ("/r/https://b.example/x", "bridged", "https://b.example/x"),
            (
                "/convert/ap/at://did:plc:x/app.bsky.feed.post/3k",
                "bridged",
                "at://did:plc:x/app.bsky.feed.post/3k",
            ),
        ];
        for (path, kind, id) in rows {
            assert_eq!(shape(path), Shape::Foreign { kind, id: id.into() }, "{path}");
        }
    }

    #[test]
    fn profiles_and_everything_else() {
        let rows = [
            "/@u",
            "/users/u",
            "/u/u",
            "/c/u",
            "/a/u",
            "/accounts/u",
            "/video-channels/u",
            "/u",
        ];
        for path in rows {
            assert_eq!(shape(path), Shape::Profile { name: "u".into() }, "{path}");
        }
        for path in [
            "/",
            "/?q=1",
            "/?p=x",
            "/a/b/c/d",
            "/@u/x%2Fy",
            "/notes/9/x",
            "/@/1",
            "//",
        ] {
            assert_eq!(shape(path), Shape::Unknown, "{path}");
        }
    }
}
