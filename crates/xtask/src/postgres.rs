//! A Postgres that exists for one test run.
//!
//! Found or installed, started on a socket in a temporary folder, as somebody who is not root (Postgres refuses to be
//! root), with everything off that keeps data safe: this data is meant to be lost.

use std::{
    ffi::OsStr,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::apt::{self, in_path, is_root, quietly};

/// The longest folder name that leaves room for `/s/.s.PGSQL.5432`: a socket's path ends at 107 bytes on Linux and at
/// 103 on macOS.
const LONGEST_FOLDER: usize = 80;

/// A running cluster. Dropping it stops the server and removes the folder.
pub(crate) struct Cluster {
    bin: PathBuf,
    user: Option<User>,
    folder: TempDir,
}

impl Cluster {
    /// Starts one for tests, which forgets what it was told when the power goes: installs Postgres first where that is
    /// possible and allowed.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::with("-c fsync=off -c full_page_writes=off -c synchronous_commit=off")
    }

    /// Starts one that waits for the disk, as Postgres does by itself: for measuring.
    pub(crate) fn durable() -> anyhow::Result<Self> {
        Self::with("")
    }

    fn with(options: &str) -> anyhow::Result<Self> {
        let bin = match find() {
            Some(bin) => bin,
            None => {
                install()?;
                find().context("Postgres was installed, but its initdb is nowhere to be found")?
            }
        };
        let user = if is_root()? { Some(User::unprivileged()?) } else { None };
        let folder = folder(user.is_some())?;
        let cluster = Self { bin, user, folder };
        cluster.init(options).context("cannot start a private Postgres")?;
        Ok(cluster)
    }

    /// What to connect to.
    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://postgres@localhost/postgres?host={}",
            self.folder.path().join("s").display()
        )
    }

    /// The server's version, for the reader of a log.
    pub(crate) fn version(&self) -> String {
        let out = self.command("postgres").arg("--version").output();
        out.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
            .unwrap_or_default()
    }

    fn init(&self, options: &str) -> anyhow::Result<()> {
        let folder = self.folder.path();
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
        std::fs::create_dir(folder.join("s"))?;
        if let Some(user) = &self.user {
            chown(folder, Some(user.uid), Some(user.gid))?;
            chown(folder.join("s"), Some(user.uid), Some(user.gid))?;
        }
        quietly(
            self.command("initdb")
                .args(["-D", "d", "-A", "trust", "-U", "postgres", "-E", "UTF8"])
                .args(["--locale=C", "--no-sync", "--no-instructions"]),
        )?;
        let options = format!(
            "-k {}/s -c listen_addresses= -c max_connections=300 {options}",
            folder.display()
        );
        quietly(
            self.command("pg_ctl")
                .args(["-D", "d", "-l", "log", "-w", "-t", "60", "-o", &options, "start"]),
        )
        .with_context(|| std::fs::read_to_string(folder.join("log")).unwrap_or_default())
    }

    /// One of Postgres' programs, as the right user, in the cluster's folder.
    fn command(&self, program: &str) -> Command {
        let path = self.bin.join(program);
        let mut command = match &self.user {
            Some(user) => user.command(&path),
            None => Command::new(path),
        };
        command
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env_remove("PGDATA");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = quietly(
            self.command("pg_ctl")
                .args(["-D", "d", "-m", "immediate", "-w", "stop"]),
        );
        if let (Err(error), true) = (stopped, self.folder.path().join("d/postmaster.pid").exists()) {
            eprintln!(
                "xtask: the private Postgres in {} did not stop: {error:#}",
                self.folder.path().display()
            );
        }
    }
}

/// Somebody without rights to be when we are root.
struct User {
    name: String,
    uid: u32,
    gid: u32,
}

impl User {
    fn unprivileged() -> anyhow::Result<Self> {
        let passwd = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Self::from_passwd(&passwd, name))
            .context("started as root, and there is neither a user `postgres` nor `nobody` to run Postgres as")
    }

    fn from_passwd(passwd: &str, name: &str) -> Option<Self> {
        let fields: Vec<&str> = passwd
            .lines()
            .map(|l| l.split(':').collect())
            .find(|f: &Vec<&str>| f[0] == name)?;
        Some(Self {
            name: name.into(),
            uid: fields.get(2)?.parse().ok()?,
            gid: fields.get(3)?.parse().ok()?,
        })
    }

    fn command(&self, program: &Path) -> Command {
        if in_path("setpriv").is_some() {
            let mut command = Command::new("setpriv");
            command.args([format!("--reuid={}", self.uid), format!("--regid={}", self.gid)]);
            command.arg("--clear-groups").arg(program);
            return command;
        }
        // `su` wants one line of shell; the arguments go around it as "$@", so nothing has to be quoted.
        let mut command = Command::new("su");
        command
            .args(["-s", "/bin/sh", &self.name, "-c", "exec \"$0\" \"$@\""])
            .arg(program);
        command
    }
}

/// The folder with the newest Postgres' server programs.
fn find() -> Option<PathBuf> {
    // What PATH offers may be a wrapper or a link; the programs beside the real file belong together.
    let from_path = in_path("initdb")
        .and_then(|p| p.canonicalize().ok())
        .and_then(|p| p.parent().map(PathBuf::from));
    let from_path = from_path.filter(|bin| bin.join("pg_ctl").exists() && bin.join("postgres").exists());
    from_path.or_else(|| {
        let mut found: Vec<(u32, PathBuf)> = Vec::new();
        for parent in [
            "/usr/lib/postgresql",
            "/usr/local/opt",
            "/opt/homebrew/opt",
            "/home/linuxbrew/.linuxbrew/opt",
        ] {
            for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
                let bin = entry.path().join("bin");
                if bin.join("initdb").exists() {
                    found.push((version(&entry.file_name()), bin));
                }
            }
        }
        // RPM distributions and Arch keep them where everything is, yet not always in a user's PATH.
        let plain = [PathBuf::from("/usr/bin"), PathBuf::from("/usr/local/pgsql/bin")];
        found.extend(
            plain
                .into_iter()
                .filter(|bin| bin.join("initdb").exists())
                .map(|bin| (0, bin)),
        );
        found.into_iter().max().map(|(_, bin)| bin)
    })
}

/// 15 of `15` and of `postgresql@15`.
fn version(name: &OsStr) -> u32 {
    let digits: String = name.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// Installs Postgres on Debian and its relatives, if we are root or may become root without a password.
fn install() -> anyhow::Result<()> {
    const HOW: &str = "install it (Debian and Ubuntu: `sudo apt-get install postgresql`; macOS: `brew install \
                       postgresql@17`), set TEST_DATABASE_URL to a Postgres of yours, or test on SQLite alone with \
                       `cargo xtask test --no-postgres`";
    // Debian would make a cluster and a service of its own; a configuration that is already there is the admin's.
    const SCRIPT: &str = "set -e
        mkdir -p /etc/postgresql-common
        [ -e /etc/postgresql-common/createcluster.conf ] ||
            echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold postgresql >/dev/null";
    apt::install("Postgres", SCRIPT, HOW)
}

/// A folder short enough for a socket, and open to another user if need be.
fn folder(for_another_user: bool) -> anyhow::Result<TempDir> {
    let usual = std::env::temp_dir();
    // root's TMPDIR may lie where nobody else can look.
    let candidates = if for_another_user {
        [PathBuf::from("/tmp"), usual]
    } else {
        [usual, PathBuf::from("/tmp")]
    };
    for parent in candidates {
        let made = tempfile::Builder::new().prefix("egret-pg-").tempdir_in(&parent);
        if let Ok(made) = made
            && made.path().as_os_str().len() <= LONGEST_FOLDER
        {
            return Ok(made);
        }
    }
    bail!("no temporary folder whose name is shorter than {LONGEST_FOLDER} bytes; set TMPDIR to one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_users_in_passwd() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nbroken\nnobody:x:65534:65533::/:/bin/false\n";
        let user = User::from_passwd(passwd, "nobody").unwrap();
        assert_eq!((user.uid, user.gid), (65534, 65533));
        assert!(User::from_passwd(passwd, "postgres").is_none());
        assert!(User::from_passwd(passwd, "broken").is_none());
    }

    #[test]
    fn newer_versions_win() {
        assert!(version(OsStr::new("17")) > version(OsStr::new("9")));
        assert_eq!(version(OsStr::new("postgresql@16")), 16);
        assert_eq!(version(OsStr::new("postgresql")), 0);
    }
}
