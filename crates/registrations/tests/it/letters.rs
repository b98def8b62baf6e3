//! Letters to those who were turned away, and lists.

use std::sync::{Arc, Mutex};

use registrations::{Rule, Verdict};
use store::applicants::{self, State};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::house::House;

/// Takes letters and keeps what was said with each.
async fn mail_server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, letters) = (
        listener.local_addr().unwrap().port(),
        Arc::<Mutex<Vec<String>>>::default(),
    );
    let kept = Arc::clone(&letters);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let said = converse(socket).await;
            kept.lock().unwrap().push(said);
        }
    });
    (port, letters)
}

async fn converse(socket: TcpStream) -> String {
    let (read, mut write) = socket.into_split();
    let (mut lines, mut said, mut data) = (BufReader::new(read).lines(), String::new(), false);
    write.write_all(b"220 mail.test\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        said += &line;
        said.push('\n');
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            _ if data && line != "." => continue,
            "DATA" => {
                data = true;
                "354 go on\r\n"
            }
            "QUIT" => break,
            _ => {
                data = false;
                "250 ok\r\n"
            }
        };
        write.write_all(answer.as_bytes()).await.unwrap();
    }
    said
}

impl House {
    fn writes_letters(&mut self, port: u16) {
        self.config.mail.enabled = true;
        self.config.mail.host = "127.0.0.1".into();
        self.config.mail.port = port;
        self.config.mail.from = "Example <noreply@example.org>".into();
    }
}

/// Check 51, the part about the letter.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_turned_away_hears_why_once() {
    let mut house = House::build().await;
    let (port, letters) = mail_server().await;
    house.writes_letters(port);
    house.config.rules[1].mail = Some("Hello {username}, {server} takes no free mail.".into());
    house.config.veto = std::time::Duration::ZERO;
    house.config.record = registrations::Record::Hashed;
    let fan = house.apply("fan", "fan@gmail.com");
    house.tick().await;
    assert_eq!(house.state(&fan).await, State::Rejected);
    house.job("registrations.mail").run(&house.cx()).await.unwrap();
    let said = letters.lock().unwrap().concat();
    assert!(
        said.contains("RCPT TO:<fan@gmail.com>") && said.contains("SGVsbG8gZmFu"),
        "{said}"
    );
    let sent = applicants::mails(&house.store).await.unwrap();
    assert_eq!(sent, [(applicants::MailState::Sent, 1)]);
    house.later(60);
    let again = house.job("registrations.mail").run(&house.cx()).await.unwrap();
    assert_eq!(again.get("sent"), 0);
    assert_eq!(letters.lock().unwrap().len(), 1);
}

/// The digest reaches people: as a notice on the page, a line in the log, and a letter to whom the config names; once,
/// also when the mail server is away for a while.
#[tokio::test(flavor = "multi_thread")]
async fn the_digest_reaches_moderators_once() {
    let mut house = House::build().await;
    let (port, letters) = mail_server().await;
    house.writes_letters(port);
    house.config.mail.notify = vec!["ada@example.org".into(), "bo@example.org".into()];
    house.config.mail.port = 1;
    house.apply("mayor", "mayor@nyc.gov");
    house.tick().await;
    house.job("registrations.digest").run(&house.cx()).await.unwrap();
    let away = house.job("registrations.mail").run(&house.cx()).await.unwrap();
    assert_eq!((away.get("later"), away.get("notified")), (1, 0));
    house.config.mail.port = port;
    house.later(5);
    let paused = house.job("registrations.mail").run(&house.cx()).await.unwrap();
    assert_eq!(paused.get("notified"), 0, "not every minute");
    house.later(11);
    for notified in [1, 0] {
        let sent = house.job("registrations.mail").run(&house.cx()).await.unwrap();
        assert_eq!(sent.get("notified"), notified);
        house.later(20);
    }
    let letters = letters.lock().unwrap().clone();
    assert_eq!(letters.len(), 2);
    let id = |letter: &str| {
        letter
            .lines()
            .find(|line| line.starts_with("Message-ID"))
            .unwrap()
            .to_owned()
    };
    assert_eq!(id(&letters[0]), id(&letters[1]));
    assert!(letters[0].contains("RCPT TO:<ada@example.org>") && letters[1].contains("RCPT TO:<bo@example.org>"));
    let waits = store::notices::undelivered_of(&house.store, registrations::FEATURE, chrono::DateTime::UNIX_EPOCH, 9);
    assert_eq!(waits.await.unwrap(), []);
    let shown = house.notices("digest").await;
    assert!(
        shown[0].contains("1 let in"),
        "the Overview shows it all the same: {shown:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_from_a_file_turns_into_a_rule() {
    let mut house = House::build().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("free.txt");
    std::fs::write(&file, "# free mail\nmail.example\n").unwrap();
    house.config.rules.push(Rule {
        domain_lists: vec![file.display().to_string()],
        ..Rule::new("list", Verdict::Ignore)
    });
    let (listed, mayor) = (
        house.apply("a", "a@mail.example"),
        house.apply("mayor", "mayor@nyc.gov"),
    );
    house.tick().await;
    assert_eq!(
        house.state(&mayor).await,
        State::Hold,
        "nobody is let in by rules that cannot tell"
    );
    house.job("registrations.lists").run(&house.cx()).await.unwrap();
    house.tick().await;
    assert_eq!(
        (house.state(&listed).await, house.state(&mayor).await),
        (State::Ignored, State::Approved)
    );
    std::fs::remove_file(&file).unwrap();
    house.job("registrations.lists").run(&house.cx()).await.unwrap();
    house.tick().await;
    assert_eq!(
        house.state(&listed).await,
        State::Ignored,
        "its last good text goes on to count"
    );
    assert_eq!(house.notices("list").await.len(), 1);
}
