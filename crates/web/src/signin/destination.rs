//! Where somebody wanted to go before they had to sign in: a path of ours and nothing else.

use net::Url;

/// The longest path that is remembered.
const LONGEST: usize = 2048;

/// The page where people sign in, and come back from to `back`.
pub(crate) fn login_path(back: Option<&str>) -> String {
    match back.filter(|back| *back != "/" && back.len() <= LONGEST) {
        Some(back) => {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("to", back)
                .finish();
            format!("/login?{query}")
        }
        None => "/login".to_owned(),
    }
}

/// A path of ours, with its query, from what a browser brought; the first page for all else.
pub(super) fn destination(base: &Url, wanted: Option<&str>) -> String {
    wanted
        .and_then(|wanted| own_path(base, wanted))
        .unwrap_or_else(|| "/".to_owned())
}

/// Read as browsers read it: `//elsewhere`, `/\elsewhere` and `/<tab>/elsewhere` all leave, and `/.//elsewhere` is a
/// path of ours that leaves when it is followed.
fn own_path(base: &Url, wanted: &str) -> Option<String> {
    if wanted.len() > LONGEST || !wanted.starts_with('/') {
        return None;
    }
    let url = base.join(wanted).ok()?;
    let path = url.path();
    let is_ours = url.origin() == base.origin() && !path.starts_with("//");
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    // Nobody wants to be signed out by having signed in.
    if !is_ours || matches!(first, "login" | "logout") {
        return None;
    }
    Some(match url.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check 38.
    #[test]
    fn only_paths_of_ours_are_gone_to() {
        let base: Url = "https://egret.example".parse().unwrap();
        let to = |wanted: &str| destination(&base, Some(wanted));
        assert_eq!(to("/jobs?before=a%20b&x=1#part"), "/jobs?before=a%20b&x=1");
        assert_eq!(to("/jobs/../effects"), "/effects");
        for bad in [
            "",
            "jobs",
            "https://evil.example/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n//evil.example",
            "/.//evil.example",
            "/x/..//evil.example",
            "/%2e//evil.example",
            "javascript:alert(1)",
            "//egret.example@evil.example/",
            "/login?to=/login",
            "/logout",
            &"/a".repeat(2000),
        ] {
            assert_eq!(to(bad), "/", "{bad:?}");
        }
        assert!(!to("/x\r\nset-cookie: a=b").contains(['\r', '\n']));
        assert_eq!(destination(&base, None), "/");
    }

    #[test]
    fn the_way_back_is_encoded() {
        assert_eq!(login_path(None), "/login");
        assert_eq!(login_path(Some("/")), "/login");
        assert_eq!(login_path(Some("/jobs?a=1&b=2")), "/login?to=%2Fjobs%3Fa%3D1%26b%3D2");
    }
}
