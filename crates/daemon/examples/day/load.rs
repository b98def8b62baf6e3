//! What people do in a day, and what the daemon is told of it before.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

use chrono::TimeDelta;
use fake_fediverse::{Fediverse, Person};
use model::{Clock as _, SystemClock};
use store::{
    Db,
    metered_accounts::{self, New},
    rulesets,
};

/// Told apart by one word.
const RULES: &str =
    "[[rules]]\nid = \"casino\"\nname = \"Casino spam\"\nwhen = { keywords = [\"casino\"], in = [\"content\"] }\n";

/// What people do in a day, by how many they are.
pub(super) struct Load {
    /// Local statuses, one in `BAD` of which is to be reported.
    pub(super) statuses: usize,
    pub(super) signups: usize,
    /// Logins whose replies are fetched.
    readers: usize,
    /// Of these, archived ones.
    pub(super) archived: usize,
    /// New threads in their timeline.
    pub(super) threads: usize,
    metered: usize,
    /// Domains on the list.
    blocked: usize,
}

/// One status in so many is bad.
pub(super) const BAD: usize = 1000;
/// Replies of a thread.
pub(super) const REPLIES: usize = 12;

impl Load {
    pub(super) fn of(people: usize, hours: usize) -> Self {
        Self {
            statuses: people * 12 / 10 * hours / 24,
            signups: people / 100 * hours / 24,
            readers: people / 100,
            archived: (people / 2500).max(1),
            threads: people * 29 / 1000 * hours / 24,
            metered: people * 2,
            blocked: 2000,
        }
    }

    /// Accounts to measure, and a rule.
    pub(super) async fn prepare(&self, db: &Db, fediverse: &Fediverse) -> Result<(), Box<dyn Error>> {
        store::migrate(db).await?;
        let server = fediverse.home().trim_start_matches("http://").to_owned();
        for n in 0..self.metered {
            let name = format!("measured{n}");
            let new = New {
                uri: format!("{}/users/{name}", fediverse.home()),
                url: String::new(),
                name: String::new(),
                groups: Vec::new(),
                acct: format!("{name}@{server}"),
                host: server.clone(),
                remote_id: Some(fediverse.joins(None, &name)),
                source: "import".to_owned(),
            };
            metered_accounts::add(db, &new, SystemClock.now()).await?;
        }
        let edit = moderation::Edit {
            name: "casino.toml".into(),
            text: Some(RULES.into()),
            note: String::new(),
            by: "day".into(),
            after: rulesets::stamp(db).await?.0,
        };
        let now = SystemClock.now();
        moderation::edit(db, edit, now).await?;
        let next = now + TimeDelta::milliseconds(1);
        moderation::stand(db, true, "casino", rules::State::Live, "day", "to be measured", next).await?;
        Ok(())
    }

    /// Writes the daemon's config and what it names into this folder; gives the config's path.
    pub(super) fn configure(
        &self,
        folder: &Path,
        fediverse: &Fediverse,
        listen: &str,
        store: &str,
    ) -> Result<PathBuf, Box<dyn Error>> {
        let mut logins = String::new();
        let mut add = |name: &str, token: String| -> io::Result<()> {
            std::fs::write(folder.join(name), token)?;
            logins += &format!("[[servers.logins]]\nname = \"{name}\"\ntoken_file = \"{name}\"\n");
            Ok(())
        };
        add("admin", fediverse.admin_token())?;
        for n in 0..self.readers {
            let name = format!("reader{n}");
            fediverse.add_person(&Person {
                name: &name,
                password: "",
                role: "",
                permissions: 0,
            });
            add(&name, fediverse.token_of_with(&name, &["read"]))?;
        }
        std::fs::write(folder.join("secret"), super::SECRET)?;
        let list: String = (0..self.blocked)
            .map(|n| format!("noise{n}.example,silence\n"))
            .collect();
        std::fs::write(folder.join("list.csv"), format!("#domain,#severity\n{list}"))?;
        let archived: Vec<String> = (0..self.archived).map(|n| format!("\"reader{n}\"")).collect();
        let archive: String = [
            "statuses",
            "favourites",
            "bookmarks",
            "mentions",
            "polls",
            "conversations",
            "context",
            "lists",
            "media",
            "recheck",
            "audit",
        ]
        .map(|noun| format!("[archive.{noun}]\nlogins = [{}]\n", archived.join(", ")))
        .concat();
        let text = format!(
            "[store]\nurl = \"{store}\"\n[web]\nlisten = \"{listen}\"\n[log]\nlevel = \"error\"\n\
             [run]\nlease = \"3h\"\n\
             [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 1000000\norigin_concurrency = 4\n\
             token_per_five_minutes = 1000000\npaging_per_fifteen_minutes = 1000000\n\
             [replies]\nper_run = 100000\n{archive}\
             [moderation]\nmode = \"act\"\nquota = 1000000\nreports_per_hour = 1000000\n[moderation.inbox]\nenabled = true\n\
             [registrations]\nmode = \"act\"\nveto = \"0s\"\nquota = 100000\napprovals_per_hour = 100000\n\
             [registrations.pending]\nenabled = true\n\
             [[registrations.rules]]\nname = \"government\"\nverdict = \"approve\"\ndomains = [\".gov\"]\n\
             [[registrations.rules]]\nname = \"free mail\"\nverdict = \"reject\"\ndomains = [\"=gmail.com\"]\n\
             [blocklists]\nmode = \"act\"\n[[blocklists.sources]]\nname = \"list\"\nfile = \"list.csv\"\n\
             [[blocklists.policies]]\nname = \"default\"\n\
             [[servers]]\nurl = \"{}\"\nwebhook_secret_files = [\"secret\"]\n{logins}",
            fediverse.home()
        );
        let file = folder.join("egret.toml");
        std::fs::write(&file, text)?;
        Ok(file)
    }
}
