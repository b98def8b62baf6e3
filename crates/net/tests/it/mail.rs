//! Letters, through mail servers of our own, good ones and others.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use net::{
    Config,
    mail::{Letter, Mailer, Server, Tls, Trouble},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::tls::authority;

/// How a mail server answers; `None`: not at all.
#[derive(Clone, Copy)]
struct Manners {
    greeting: Option<&'static str>,
    starttls: &'static str,
    auth: &'static str,
    from: &'static str,
    recipient: &'static str,
    /// The answer to the letter itself.
    letter: Option<&'static str>,
}

const GOOD: Manners = Manners {
    greeting: Some("220 mail.test\r\n"),
    starttls: "220 go on\r\n",
    auth: "235 ok\r\n",
    from: "250 ok\r\n",
    recipient: "250 ok\r\n",
    letter: Some("250 taken\r\n"),
};

/// What was said to a server before TLS, and under it.
#[derive(Default, Clone)]
struct Heard {
    plain: Arc<Mutex<String>>,
    tls: Arc<Mutex<String>>,
}

impl Heard {
    fn plain(&self) -> String {
        self.plain.lock().unwrap().clone()
    }

    fn tls(&self) -> String {
        self.tls.lock().unwrap().clone()
    }
}

/// Talks until the other side has enough; gives the wire back where it is to change to TLS.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    manners: Manners,
    greets: bool,
    heard: &Mutex<String>,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    if greets {
        match manners.greeting {
            Some(greeting) => stream.write_all(greeting.as_bytes()).await.ok()?,
            None => std::future::pending().await,
        }
    }
    let (mut line, mut data) = (String::new(), false);
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        heard.lock().unwrap().push_str(&line);
        let line = line.trim_end();
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let answer = match verb.as_str() {
            _ if data && line == "." => match manners.letter {
                Some(answer) => {
                    data = false;
                    answer
                }
                None => std::future::pending().await,
            },
            _ if data => continue,
            "EHLO" => "250-mail.test\r\n250 8BITMIME\r\n",
            "STARTTLS" => manners.starttls,
            "AUTH" => manners.auth,
            "MAIL" => manners.from,
            "RCPT" => manners.recipient,
            "DATA" => {
                data = true;
                "354 go on\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "500 what\r\n",
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        if verb == "STARTTLS" && answer.starts_with("220") {
            return Some(stream.into_inner());
        }
    }
}

/// A mail server; with an acceptor it can do TLS, `from_the_start` or after a plain beginning.
async fn server(manners: Manners, acceptor: Option<TlsAcceptor>, from_the_start: bool) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Heard::default());
    let kept = heard.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, heard) = (acceptor.clone(), kept.clone());
            tokio::spawn(async move {
                let (socket, greets): (TcpStream, bool) = match from_the_start {
                    true => (socket, true),
                    false => (converse(socket, manners, true, &heard.plain).await?, false),
                };
                let stream = acceptor?.accept(socket).await.ok()?;
                converse(stream, manners, greets, &heard.tls).await
            });
        }
    });
    (port, heard)
}

/// Whoever is to send: with a name and a password, and a plain beginning without TLS where nothing else is said.
fn sender(port: u16) -> Server {
    Server {
        host: "127.0.0.1".into(),
        port,
        tls: Tls::Auto,
        username: "egret".into(),
        password: Some("hunter22".to_owned().into()),
        from: "Example <noreply@example.org>".into(),
        timeout: Duration::from_secs(5),
    }
}

fn mailer(server: Server, authority: Option<&tempfile::NamedTempFile>) -> Mailer {
    let config = Config {
        extra_ca_file: authority.map(|file| file.path().into()),
        ..Config::default()
    };
    Mailer::new(server, &config).unwrap()
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

/// What went wrong. It names nobody and tells no secret.
async fn trouble(mailer: &Mailer) -> Trouble {
    let trouble = mailer.send(&letter(), now()).await.unwrap_err();
    let told = format!("{trouble} {trouble:?} {mailer:?}");
    for secret in ["jane", "hunter22", &STANDARD.encode("\0egret\0hunter22")] {
        assert!(!told.contains(secret), "{told}");
    }
    trouble
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written() {
    let (port, heard) = server(GOOD, None, false).await;
    mailer(sender(port), None).send(&letter(), now()).await.unwrap();
    let said = heard.plain();
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
async fn a_refusal_of_the_letter_says_whether_to_come_again() {
    let recipient = |recipient| Manners { recipient, ..GOOD };
    let letter = |letter| Manners {
        letter: Some(letter),
        ..GOOD
    };
    for (manners, never) in [
        (recipient("550 jane@nyc.gov is nobody\r\n"), true),
        (recipient("451 not now, jane@nyc.gov\r\n"), false),
        (
            letter("554-hunter22\r\n554 jane@nyc.gov gets no such letters\r\n"),
            true,
        ),
        (letter("452 full\r\n"), false),
    ] {
        let (port, _) = server(manners, None, false).await;
        let trouble = trouble(&mailer(sender(port), None)).await;
        assert_eq!(matches!(trouble, Trouble::Never(_)), never, "{trouble}");
    }
    let odd = Letter {
        to: "jane@nyc.gov\r\nRCPT TO:<all@nyc.gov>".into(),
        ..self::letter()
    };
    let sent = mailer(sender(1), None).send(&odd, now()).await;
    assert!(matches!(sent, Err(Trouble::Never(_))), "{sent:?}");
}

/// What is wrong between us and the server is no fault of the letter, which goes once that is mended.
#[tokio::test]
async fn a_refusal_of_us_keeps_the_letter_and_says_what_to_mend() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = trouble(&mailer(sender(nobody.port()), None)).await;
    assert!(matches!(refused, Trouble::Later(_)), "{refused}");
    for (manners, told) in [
        (
            Manners {
                auth: "535 hunter22 is wrong\r\n",
                ..GOOD
            },
            "refuses our name and password (535)",
        ),
        (
            Manners {
                from: "550 who are you\r\n",
                ..GOOD
            },
            "takes no letters from us (550)",
        ),
        (
            Manners {
                greeting: Some("554 go away\r\n"),
                ..GOOD
            },
            "does not greet us (554)",
        ),
        (
            Manners {
                greeting: Some("SSH-2.0-x\r\n"),
                ..GOOD
            },
            "speaks no SMTP",
        ),
    ] {
        let (port, heard) = server(manners, None, false).await;
        let trouble = trouble(&mailer(sender(port), None)).await;
        assert!(
            matches!(&trouble, Trouble::Later(why) if why.contains(told)),
            "{trouble}"
        );
        assert!(!heard.plain().contains("RCPT"), "{}", heard.plain());
    }
}

#[tokio::test]
async fn under_tls_everything_that_matters_is_said_under_it() {
    let authority = authority("127.0.0.1");
    for (tls, beginning) in [(Tls::Always, ""), (Tls::Starttls, "EHLO example.org\r\nSTARTTLS\r\n")] {
        let (port, heard) = server(GOOD, Some(authority.acceptor.clone()), tls == Tls::Always).await;
        let mailer = mailer(Server { tls, ..sender(port) }, Some(&authority.file));
        mailer.send(&letter(), now()).await.unwrap();
        assert_eq!(heard.plain(), beginning, "{tls:?}");
        let said = heard.tls();
        let auth = format!("AUTH PLAIN {}", STANDARD.encode("\0egret\0hunter22"));
        assert!(
            said.starts_with("EHLO example.org\r\nAUTH") && said.contains(&auth) && said.contains("jane@nyc.gov"),
            "{tls:?}: {said}"
        );
    }
}

/// Neither the password nor the letter goes to somebody who only says that they are the mail server.
#[tokio::test]
async fn a_wrong_certificate_gets_no_word() {
    let (ours, other) = (authority("127.0.0.1"), authority("mail.example"));
    for tls in [Tls::Always, Tls::Starttls] {
        for (acceptor, believed) in [
            (&ours.acceptor, None),
            (&ours.acceptor, Some(&other.file)),
            (&other.acceptor, Some(&other.file)),
        ] {
            let (port, heard) = server(GOOD, Some(acceptor.clone()), tls == Tls::Always).await;
            let trouble = trouble(&mailer(Server { tls, ..sender(port) }, believed)).await;
            assert!(
                matches!(&trouble, Trouble::Later(why) if why.contains("no TLS with it") && why.contains("certificate")),
                "{trouble}"
            );
            assert_eq!(heard.tls(), "");
            assert!(!heard.plain().contains("AUTH") && !heard.plain().contains("jane"));
        }
    }
}

#[tokio::test]
async fn a_server_without_tls_gets_no_word() {
    let injected = "220 go on\r\n250 ok\r\n";
    for (starttls, told) in [
        ("502 not here\r\n", "offers no TLS"),
        ("454 not now\r\n", "offers no TLS"),
        (injected, "speaks before it is asked"),
    ] {
        let (port, heard) = server(Manners { starttls, ..GOOD }, None, false).await;
        let server = Server {
            tls: Tls::Starttls,
            ..sender(port)
        };
        let trouble = trouble(&mailer(server, None)).await;
        assert!(
            matches!(&trouble, Trouble::Later(why) if why.contains(told)),
            "{trouble}"
        );
        assert_eq!(heard.plain(), "EHLO example.org\r\nSTARTTLS\r\n");
    }
}

#[tokio::test]
async fn whoever_hangs_or_never_ends_is_left() {
    let endless: &'static str = "250-and\r\n".repeat(20_000).leak();
    for (manners, tls, told) in [
        (Manners { greeting: None, ..GOOD }, Tls::Auto, "does not answer in time"),
        (Manners { letter: None, ..GOOD }, Tls::Auto, "does not answer in time"),
        // It speaks SMTP where TLS is expected, and waits for an answer.
        (
            Manners { greeting: None, ..GOOD },
            Tls::Always,
            "does not answer in time",
        ),
        (Manners { from: endless, ..GOOD }, Tls::Auto, "never comes to an end"),
    ] {
        let (port, _) = server(manners, None, false).await;
        let server = Server {
            tls,
            timeout: Duration::from_millis(400),
            ..sender(port)
        };
        let trouble = trouble(&mailer(server, None)).await;
        assert!(
            matches!(&trouble, Trouble::Later(why) if why.contains(told)),
            "{trouble}"
        );
    }
}
