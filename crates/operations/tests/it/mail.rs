//! Letters to people, through a mail server of our own.

use std::sync::{Arc, Mutex};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use job::News;
use operations::{apply::send, config::Channel};
use store::{deliveries, notices::Severity};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::house::House;

/// A mail server on this machine: what it was told, and how it answers a recipient.
#[derive(Clone)]
struct Post {
    port: u16,
    heard: Arc<Mutex<String>>,
    recipient: Arc<Mutex<&'static str>>,
}

impl Post {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let post = Self {
            port: listener.local_addr().unwrap().port(),
            heard: Arc::default(),
            recipient: Arc::new(Mutex::new("250 ok\r\n")),
        };
        let served = post.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let served = served.clone();
                tokio::spawn(async move { served.converse(stream).await });
            }
        });
        post
    }

    async fn converse(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 mail.test\r\n").await.ok()?;
        let (mut line, mut is_letter) = (String::new(), false);
        loop {
            line.clear();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            self.heard.lock().unwrap().push_str(&line);
            let verb = line
                .trim_end()
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_uppercase();
            let answer = match verb.as_str() {
                "." if is_letter => {
                    is_letter = false;
                    "250 taken\r\n"
                }
                _ if is_letter => continue,
                "EHLO" => "250-mail.test\r\n250 8BITMIME\r\n",
                "MAIL" => "250 ok\r\n",
                "RCPT" if line.contains("full@") => "552 the box is full\r\n",
                "RCPT" => *self.recipient.lock().unwrap(),
                "DATA" => {
                    is_letter = true;
                    "354 go on\r\n"
                }
                "QUIT" => "221 bye\r\n",
                _ => "500 what\r\n",
            };
            stream.write_all(answer.as_bytes()).await.ok()?;
            stream.flush().await.ok()?;
        }
    }

    fn heard(&self) -> String {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }

    /// What the letters say, one after another.
    fn read(heard: &str) -> String {
        let letters = heard
            .split("DATA\r\n")
            .skip(1)
            .map(|it| it.split("\r\n.\r\n").next().unwrap());
        let bodies = letters.map(|letter| letter.split_once("\r\n\r\n").unwrap().1.replace("\r\n", ""));
        let texts = bodies.map(|body| String::from_utf8(STANDARD.decode(body).unwrap()).unwrap());
        texts.collect::<Vec<_>>().join("\n")
    }

    /// A channel to two people.
    fn channel(&self) -> Channel {
        serde_json::from_value(serde_json::json!({
            "name": "letters", "kind": "mail", "severity": "info", "digest": true,
            "host": "127.0.0.1", "port": self.port, "from": "Egret <egret@mastodon.example>",
            "to": ["ada@mastodon.example", "bob@mastodon.example"],
        }))
        .unwrap()
    }
}

async fn say(house: &House, about: &str, text: &str) {
    let news = News {
        feature: "operations",
        kind: "dump",
        about,
        severity: Severity::Error,
        text,
    };
    assert!(job::tell(&house.store, &house.clock, news).await);
}

#[tokio::test]
async fn notices_go_out_as_one_letter_to_each_person() {
    let (mut house, post) = (House::empty().await, Post::open().await);
    house.config.notify.channels = vec![post.channel()];
    // The channel is there before anything happens.
    house.job("operations.notify").await.unwrap();
    say(
        &house,
        "mastodon",
        "no good dump of mastodon: the disk is full\r\nBcc: eve@evil.example",
    )
    .await;
    say(&house, "egret", "no good dump of egret").await;
    house.later(1);
    let summary = house.job("operations.notify").await.unwrap();
    assert_eq!((summary.get("sent"), summary.get("notices")), (1, 2));
    let heard = post.heard();
    for part in [
        "MAIL FROM:<egret@mastodon.example>",
        "RCPT TO:<ada@mastodon.example>",
        "RCPT TO:<bob@mastodon.example>",
    ] {
        assert!(heard.contains(part), "{part:?} is not in {heard}");
    }
    let read = Post::read(&heard);
    for part in ["no good dump of mastodon", "no good dump of egret"] {
        assert_eq!(read.matches(part).count(), 2, "once to each: {read}");
    }
    assert_eq!(heard.matches("RCPT TO").count(), 2, "one letter to each: {heard}");
    assert!(!heard.contains("Bcc") && !heard.contains("RCPT TO:<eve"), "{heard}");
    house.job("operations.notify").await.unwrap();
    assert_eq!(post.heard(), "", "and no second time");
}

#[tokio::test]
async fn a_letter_that_is_not_taken_is_tried_again_and_says_why_without_addresses() {
    let (mut house, post) = (House::empty().await, Post::open().await);
    house.config.notify.channels = vec![post.channel()];
    house.job("operations.notify").await.unwrap();
    *post.recipient.lock().unwrap() = "451 ada@mastodon.example is greylisted\r\n";
    say(&house, "mastodon", "no good dump of mastodon").await;
    house.later(1);
    let summary = house.job("operations.notify").await.unwrap();
    assert_eq!((summary.get("failed"), summary.get("sent")), (1, 0));
    let known = deliveries::channels(&house.store).await.unwrap();
    let error = known[0].error.as_deref().unwrap();
    assert!(error.contains("451") && !error.contains("ada"), "{error}");
    *post.recipient.lock().unwrap() = "250 ok\r\n";
    house.later(1);
    assert_eq!(house.job("operations.notify").await.unwrap().get("sent"), 1);
    assert!(Post::read(&post.heard()).contains("no good dump of mastodon"));
}

/// Somebody's full box is no reason to write to the others again and again.
#[tokio::test]
async fn one_bad_address_among_several_costs_nobody_else_a_second_letter() {
    let (mut house, post) = (House::empty().await, Post::open().await);
    let mut channel = post.channel();
    channel.to.insert(0, "full@mastodon.example".into());
    house.config.notify.channels = vec![channel];
    house.job("operations.notify").await.unwrap();
    say(&house, "mastodon", "no good dump of mastodon").await;
    house.later(1);
    assert_eq!(house.job("operations.notify").await.unwrap().get("sent"), 1);
    assert_eq!(Post::read(&post.heard()).matches("no good dump of mastodon").count(), 2);
    house.later(90);
    house.job("operations.notify").await.unwrap();
    assert_eq!(post.heard(), "");
}

#[tokio::test]
async fn the_week_goes_out_as_a_letter() {
    let (mut house, post) = (House::empty().await, Post::open().await);
    house.config.notify.channels = vec![post.channel()];
    assert_eq!(house.job("operations.digest").await.unwrap().get("sent"), 1);
    assert!(post.heard().contains("Subject: "));
}

/// A channel that leads nowhere is an error for `egret notify test`, and no endless wait.
#[tokio::test]
async fn a_mail_server_that_is_not_there_is_told() {
    let house = House::empty().await;
    let post = Post::open().await;
    let mut channel = post.channel();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    channel.port = free.local_addr().unwrap().port();
    drop(free);
    let message = operations::plan::message::Message {
        id: "m1".into(),
        title: "Egret: a test".into(),
        lines: vec!["a line".into()],
        severity: Severity::Info,
    };
    let said = send::send(&house.cx(), &channel, &message).await.unwrap_err();
    assert!(said.contains("127.0.0.1"), "{said}");
}
