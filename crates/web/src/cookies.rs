//! Our two cookies: the session's, and the one that ties a sign-in under way to the browser that began it.

use axum::http::{HeaderMap, HeaderValue, header};

/// Which cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Who is signed in.
    Session,
    /// Who began to sign in.
    SignIn,
}

impl Cookie {
    /// Behind https a browser takes a `__Host-` name only from the host itself, over https, for all of its paths: no
    /// sibling under the same domain can plant one.
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-egret",
            (Self::Session, false) => "egret",
            (Self::SignIn, true) => "__Host-egret-sign-in",
            (Self::SignIn, false) => "egret-sign-in",
        }
    }

    /// What the browser sent. Two of one name are none: one of them was planted.
    pub(crate) fn read(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        let name = self.name(secure);
        let mut values = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter_map(|(key, value)| (key == name).then_some(value));
        values.next().filter(|_| values.next().is_none())
    }

    /// `Set-Cookie`. Lax, since a browser comes back from its server by a link; scripts never see it.
    pub(crate) fn set(self, value: &str, seconds: i64, secure: bool) -> Option<HeaderValue> {
        let name = self.name(secure);
        let secure = if secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// `Set-Cookie` that takes it away.
    pub(crate) fn clear(self, secure: bool) -> Option<HeaderValue> {
        self.set("", 0, secure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str], secure: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, line.parse().unwrap());
        }
        Cookie::Session.read(&headers, secure).map(str::to_owned)
    }

    #[test]
    fn one_cookie_of_the_name_is_read() {
        assert_eq!(read(&["a=b; egret=x ;c=d"], false).as_deref(), Some("x"));
        assert_eq!(read(&["egret=x"], true), None);
        assert_eq!(read(&["__Host-egret=y; egret=x"], true).as_deref(), Some("y"));
        assert_eq!(read(&["egret=x; egret=y"], false), None);
        assert_eq!(read(&["egret=x", "egret=x"], false), None);
        assert_eq!(read(&["egrets=x; xegret=y; egret"], false), None);
    }

    #[test]
    fn cookies_keep_to_themselves() {
        let set = Cookie::Session.set("v", 60, true).unwrap();
        assert_eq!(
            set,
            "__Host-egret=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(!format!("{set:?}").contains("egret"));
        assert_eq!(
            Cookie::SignIn.clear(false).unwrap(),
            "egret-sign-in=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }
}
