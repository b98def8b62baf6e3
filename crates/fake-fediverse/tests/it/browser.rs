//! A browser without JavaScript: it keeps cookies, and submits the forms it is shown.

use std::collections::BTreeMap;

use crate::client::{Answer, Ask};

#[derive(Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, String>,
}

/// A form on a page.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Form {
    pub(crate) fn fill(mut self, name: &str, value: &str) -> Self {
        let field = self.fields.iter_mut().find(|(field, _)| field == name);
        value.clone_into(&mut field.unwrap_or_else(|| panic!("no field {name}")).1);
        self
    }
}

impl Browser {
    pub(crate) async fn open(&mut self, url: &str) -> Answer {
        self.ask(Ask::new("GET", url, None).header("accept", "text/html")).await
    }

    /// Opens a page and goes where it sends one, as long as that is on this server.
    pub(crate) async fn follow(&mut self, base: &str, url: &str) -> Answer {
        let mut answer = self.open(url).await;
        while let Some(to) = answer.header("location").filter(|to| to.starts_with('/')) {
            let to = format!("{base}{to}");
            answer = self.open(&to).await;
        }
        answer
    }

    pub(crate) async fn submit(&mut self, base: &str, form: &Form) -> Answer {
        let fields: Vec<_> = form.fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let url = format!("{base}{}", form.action);
        self.ask(Ask::new("POST", &url, None).form(&fields)).await
    }

    async fn ask(&mut self, ask: Ask) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let answer = ask.header("cookie", &cookies.join("; ")).send().await;
        for cookie in answer.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

/// The forms of a page, in order.
pub(crate) fn forms(html: &str) -> Vec<Form> {
    let attribute = |tag: &str, name: &str| {
        let from = tag.find(&format!(" {name}=\""))? + name.len() + 3;
        let text = tag[from..].split('"').next()?;
        let text = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
        Some(text.replace("&amp;", "&"))
    };
    html.split("<form")
        .skip(1)
        .map(|part| part.split("</form>").next().unwrap())
        .map(|form| Form {
            action: attribute(form, "action").unwrap(),
            fields: form
                .split("<input")
                .skip(1)
                .map(|input| input.split('>').next().unwrap())
                .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default())))
                .collect(),
        })
        .collect()
}
