//! Pages for a browser that need no server and ask no other host: a page for every hundred statuses of a month, an index,
//! and a search that runs in the browser.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, BufWriter, Write as _},
    path::Path,
};

use serde_json::Value;
use store::{
    Db,
    archive::{self, Activity, Kept, Version, files},
};

use super::{
    Reader, Wish, Written,
    out::{create, place},
    render::{Files, article, text},
};
use crate::{Blobs, addresses, found, names::ending};

/// Statuses on one page.
const PAGE: usize = 100;
/// Statuses whose words are in one file of the search.
const CHUNK: usize = 2000;
/// Nothing of another host, nothing inline. `file:` is what `self` is not where pages are opened from a disk.
const CSP: &str = "default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src 'self' file:; \
                   media-src 'self' file:; form-action 'none'; base-uri 'none'";

/// Writes the site.
pub(super) async fn site(db: &Db, blobs: &Blobs, wish: Wish<'_>) -> anyhow::Result<Written> {
    let mut site = Site {
        folder: wish.folder,
        months: BTreeMap::new(),
        page: None,
        words: None,
        chunks: 0,
        written: Written::default(),
        names: Vec::new(),
        pages: HashMap::new(),
    };
    site.asset("style.css", include_str!("assets/site.css"))?;
    site.asset("search.js", include_str!("assets/site.js"))?;
    let mut reader = Reader::of(db, wish.login);
    while let Some((page, activities)) = reader.next().await? {
        let shown: Vec<Kept> = page
            .into_iter()
            .filter(|kept| wish.private || matches!(kept.visibility.as_str(), "public" | "unlisted"))
            .collect();
        let mut versions: HashMap<i64, Vec<Version>> = HashMap::new();
        for kept in shown.iter().filter(|kept| kept.version_at > kept.created_at) {
            let mut before = archive::versions(db, kept.id).await?;
            before.retain(|version| version.version_at < kept.version_at);
            versions.insert(kept.id, before);
        }
        let files = site.files(db, blobs, &shown, &versions).await?;
        for kept in shown {
            let before = versions.remove(&kept.id).unwrap_or_default();
            let mine: Vec<&Activity> = activities.iter().filter(|one| one.status == kept.id).collect();
            site.add(kept, &mine, &before, &files)?;
        }
    }
    site.end(wish)
}

struct Site<'a> {
    folder: &'a Path,
    /// Statuses of each month.
    months: BTreeMap<String, usize>,
    /// The open page and its name.
    page: Option<(String, BufWriter<File>)>,
    /// The open file of words and how many are in it.
    words: Option<(BufWriter<File>, usize)>,
    chunks: usize,
    written: Written,
    /// Pages by number.
    names: Vec<String>,
    /// On which page a status is, and its id, by a hash of server and id there: an answer links to what it answers.
    /// Parents are older, so they are there first.
    pages: HashMap<u64, (usize, i64)>,
}

impl Site<'_> {
    fn asset(&mut self, name: &str, body: &str) -> io::Result<()> {
        let mut file = self.create(name)?;
        file.write_all(body.as_bytes())?;
        file.flush()
    }

    fn create(&mut self, name: &str) -> io::Result<BufWriter<File>> {
        let path = self.folder.join(name);
        let file = create(&path)?;
        self.written.files.push(path);
        Ok(file)
    }

    /// Copies the files that statuses show, and says where they are.
    async fn files(
        &mut self,
        db: &Db,
        blobs: &Blobs,
        page: &[Kept],
        versions: &HashMap<i64, Vec<Version>>,
    ) -> anyhow::Result<Files> {
        let bodies = page.iter().map(|kept| &kept.body);
        let older = versions.values().flatten().map(|version| &version.body);
        let mut urls: Vec<String> = bodies
            .chain(older)
            .flat_map(|body| addresses(&serde_json::from_str(body).unwrap_or_default()))
            .collect();
        urls.sort_unstable();
        urls.dedup();
        let mut files = Files::new();
        for (url, blob, kind) in files::kept(db, &urls).await? {
            let Some(from) = blobs.path(&blob).filter(|path| path.is_file()) else {
                continue;
            };
            let name = format!("media/{blob}.{}", ending(&kind));
            let to = self.folder.join(&name);
            if !to.exists() {
                place(&from, &to)?;
                self.written.media += 1;
            }
            files.insert(url, (name, kind));
        }
        Ok(files)
    }

    fn add(&mut self, kept: Kept, activities: &[&Activity], versions: &[Version], files: &Files) -> anyhow::Result<()> {
        let month = kept.created_at.format("%Y-%m").to_string();
        let count = self.months.entry(month.clone()).or_insert(0);
        let name = page_name(&month, *count / PAGE);
        let begins = (*count).is_multiple_of(PAGE);
        *count += 1;
        if begins {
            self.close_page(Some(&name))?;
            let mut file = self.create(&name)?;
            let before = self.names.last().cloned();
            self.names.push(name.clone());
            file.write_all(head(&month).as_bytes())?;
            write!(file, "<nav><a href=\"index.html\">All months and search</a>")?;
            if let Some(before) = before {
                write!(file, "<a rel=\"prev\" href=\"{before}\">Earlier</a>")?;
            }
            writeln!(file, "</nav>\n<h1>{month}</h1>")?;
            self.page = Some((name.clone(), file));
        }
        let parent = kept
            .in_reply_to
            .as_ref()
            .and_then(|to| self.pages.get(&hash(&kept.server, to)));
        let parent = parent.map(|(page, id)| format!("{}#s{id}", self.names[*page]));
        self.pages
            .insert(hash(&kept.server, &kept.server_id), (self.names.len() - 1, kept.id));
        if let Some((_, file)) = &mut self.page {
            file.write_all(article(&kept, activities, versions, files, parent.as_deref()).as_bytes())?;
        }
        self.word(kept, &name)?;
        self.written.statuses += 1;
        Ok(())
    }

    /// Notes a status's words for the search.
    fn word(&mut self, kept: Kept, page: &str) -> anyhow::Result<()> {
        let (id, at) = (kept.id, kept.created_at.format("%Y-%m-%d %H:%M").to_string());
        let status: Value = serde_json::from_str(&kept.body).unwrap_or_default();
        let options: Vec<&str> = crate::item::list(&status["poll"]["options"])
            .filter_map(|option| option["title"].as_str())
            .collect();
        let shown = found(kept, &[], &[], None);
        let media = shown.media.iter().map(|medium| medium.description.as_str());
        let all: Vec<&str> = [shown.spoiler.as_str(), shown.text.as_str()]
            .into_iter()
            .chain(media)
            .chain(options)
            .filter(|part| !part.is_empty())
            .collect();
        let who = format!("{} @{}", shown.author_name, shown.author);
        // Numbers of ours are longer than JavaScript counts, so they are texts.
        let row = serde_json::json!([page, id.to_string(), at, who, all.join(" · ").replace('\n', " ")]);
        // Whatever reads this as HTML after all must not find an end of a script.
        let row = row
            .to_string()
            .replace('<', "\\u003c")
            .replace('\u{2028}', "\\u2028")
            .replace('\u{2029}', "\\u2029");
        if self.words.as_ref().is_none_or(|(_, count)| *count >= CHUNK) {
            self.close_words()?;
            let mut file = self.create(&format!("words/{}.js", self.chunks))?;
            file.write_all(b"words([\n")?;
            self.chunks += 1;
            self.words = Some((file, 0));
        }
        if let Some((file, count)) = &mut self.words {
            writeln!(file, "{row},")?;
            *count += 1;
        }
        Ok(())
    }

    fn close_words(&mut self) -> io::Result<()> {
        match self.words.take() {
            Some((mut file, _)) => {
                file.write_all(b"]);\n")?;
                file.flush()
            }
            None => Ok(()),
        }
    }

    fn close_page(&mut self, next: Option<&str>) -> io::Result<()> {
        let Some((_, mut file)) = self.page.take() else {
            return Ok(());
        };
        write!(file, "<nav><a href=\"index.html\">All months and search</a>")?;
        if let Some(next) = next {
            write!(file, "<a rel=\"next\" href=\"{next}\">Later</a>")?;
        }
        writeln!(file, "</nav>\n</body>\n</html>")?;
        file.flush()
    }

    fn end(mut self, wish: Wish<'_>) -> anyhow::Result<Written> {
        self.close_page(None)?;
        self.close_words()?;
        let whose = wish.login.unwrap_or("all logins");
        let mut out = head(&format!("Archive of {whose}"));
        out += &format!(
            "<h1>Archive of {}</h1>\n<p class=\"quiet\">{} statuses",
            text(whose),
            self.written.statuses
        );
        out += if wish.private {
            ", followers-only and direct ones among them: show it to nobody else.</p>\n"
        } else {
            ". Followers-only and direct ones are not among them.</p>\n"
        };
        out += "<form role=\"search\"><input type=\"search\" name=\"q\" aria-label=\"Look for\" \
                placeholder=\"words &quot;in a row&quot; -without\"><button>Search</button></form>\n\
                <noscript><p class=\"quiet\">The search needs JavaScript; the pages do not.</p></noscript>\n\
                <p id=\"said\" role=\"status\" class=\"quiet\"></p>\n<ol class=\"found\"></ol>\n<h2>Months</h2>\n<ul class=\"months\">\n";
        for (month, count) in self.months.iter().rev() {
            out += &format!(
                "<li><a href=\"{}\">{month}</a> <span class=\"quiet\">{count}</span></li>\n",
                page_name(month, 0)
            );
        }
        out += &format!(
            "</ul>\n<script id=\"search\" src=\"search.js\" data-chunks=\"{}\"></script>\n</body>\n</html>\n",
            self.chunks
        );
        self.asset("index.html", &out)?;
        Ok(self.written)
    }
}

fn hash(server: &str, id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (server, id).hash(&mut hasher);
    hasher.finish()
}

fn page_name(month: &str, page: usize) -> String {
    if page == 0 {
        format!("{month}.html")
    } else {
        format!("{month}-{}.html", page + 1)
    }
}

fn head(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{CSP}\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>{}</title>\n<link rel=\"stylesheet\" href=\"style.css\">\n</head>\n<body>\n",
        text(title)
    )
}
