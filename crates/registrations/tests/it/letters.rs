//! Letters to those who were turned away, and lists.

use registrations::{Rule, Verdict};
use store::applicants::{self, State};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

use crate::house::House;

/// Takes one letter and gives what it was.
async fn mail_server() -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
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
    });
    (port, said)
}

/// Check 51, the part about the letter.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_turned_away_hears_why_once() {
    let mut house = House::build().await;
    let (port, said) = mail_server().await;
    house.config.mail.enabled = true;
    house.config.mail.host = "127.0.0.1".into();
    house.config.mail.port = port;
    house.config.mail.from = "Example <noreply@example.org>".into();
    house.config.rules[1].mail = Some("Hello {username}, {server} takes no free mail.".into());
    house.config.veto = std::time::Duration::ZERO;
    house.config.record = registrations::Record::Hashed;
    let fan = house.apply("fan", "fan@gmail.com");
    house.tick().await;
    assert_eq!(house.state(&fan).await, State::Rejected);
    house.job("registrations.mail").run(&house.cx()).await.unwrap();
    let said = said.await.unwrap();
    assert!(
        said.contains("RCPT TO:<fan@gmail.com>") && said.contains("SGVsbG8gZmFu"),
        "{said}"
    );
    let sent = applicants::mails(&house.store).await.unwrap();
    assert_eq!(sent, [(applicants::MailState::Sent, 1)]);
    house.later(60);
    let again = house.job("registrations.mail").run(&house.cx()).await.unwrap();
    assert_eq!(again.get("sent"), 0);
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
