//! Letters, through a mail server of our own.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use net::mail::{Letter, Mailer, Server, Trouble};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::JoinHandle,
};

/// Takes one letter, or refuses its recipient with this answer; gives everything that was said to it.
async fn server(to_recipient: &'static str) -> (u16, JoinHandle<String>) {
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
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            let answer = match verb.as_str() {
                _ if data && line == "." => {
                    data = false;
                    "250 taken\r\n"
                }
                _ if data => continue,
                "EHLO" => "250 mail.test\r\n",
                "MAIL" | "RSET" => "250 ok\r\n",
                "RCPT" => to_recipient,
                "DATA" => {
                    data = true;
                    "354 go on\r\n"
                }
                "QUIT" => {
                    let _ = write.write_all(b"221 bye\r\n").await;
                    break;
                }
                _ => "500 what\r\n",
            };
            if write.write_all(answer.as_bytes()).await.is_err() {
                break;
            }
        }
        said
    });
    (port, said)
}

fn mailer(port: u16) -> Mailer {
    Mailer::new(Server {
        host: "127.0.0.1".into(),
        port,
        username: String::new(),
        password: None,
        from: "Example <noreply@example.org>".into(),
        timeout: Duration::from_secs(5),
    })
    .unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn letter() -> Letter {
    Letter {
        id: "0192-x".into(),
        to: "jane@nyc.gov".into(),
        subject: "Your request\r\nBcc: everybody@example.org".into(),
        text: "Sorry, Jürgen.\n.\nNo free mail.\n".into(),
    }
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written() {
    let (port, said) = server("250 ok\r\n").await;
    mailer(port).send(&letter(), now()).await.unwrap();
    let said = said.await.unwrap();
    assert!(
        said.contains("RCPT TO:<jane@nyc.gov>") && said.contains("Message-ID: <0192-x@example.org>"),
        "{said}"
    );
    assert!(
        !said.lines().any(|line| line.starts_with("Bcc")),
        "a subject is one line: {said}"
    );
    assert!(
        said.contains(&STANDARD.encode("Sorry, J\u{fc}rgen.\r\n.\r\nNo free mail.\r\n")),
        "{said}"
    );
    assert!(!format!("{:?}", letter()).contains("jane"));
}

#[tokio::test]
async fn a_refusal_says_whether_to_come_again() {
    for (answer, never) in [
        ("550 jane@nyc.gov is nobody\r\n", true),
        ("451 not now, jane@nyc.gov\r\n", false),
    ] {
        let (port, _said) = server(answer).await;
        let trouble = mailer(port).send(&letter(), now()).await.unwrap_err();
        assert_eq!(matches!(trouble, Trouble::Never(_)), never, "{trouble}");
        assert!(!trouble.to_string().contains("jane"), "{trouble}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    assert!(matches!(
        mailer(nobody).send(&letter(), now()).await,
        Err(Trouble::Later(_))
    ));
    let odd = Letter {
        to: "jane@nyc.gov\r\nRCPT TO:<all@nyc.gov>".into(),
        ..letter()
    };
    assert!(matches!(mailer(nobody).send(&odd, now()).await, Err(Trouble::Never(_))));
}
