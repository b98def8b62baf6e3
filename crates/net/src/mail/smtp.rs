//! The conversation with a mail server: a line said, a number answered.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};

use crate::Secret;

/// The longest answer that is listened to.
const LONGEST: u64 = 64 * 1024;

/// What can be talked over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Something else than what was hoped for.
#[derive(Debug)]
pub(super) enum Said {
    /// The server's answer to the letter.
    Code(u16),
    /// Nothing, nothing that a mail server says, or a refusal of us: whatever the letter, it may go once that is mended.
    Nothing(io::Error),
}

impl Said {
    /// Makes a refusal one of us, not of the letter. Of the server's words only the number is told.
    pub(super) fn about_us(what: &str) -> impl FnOnce(Self) -> Self {
        move |said| match said {
            Self::Code(code) => Self::Nothing(io::Error::other(format!("{what} ({code})"))),
            said => said,
        }
    }
}

impl From<io::Error> for Said {
    fn from(error: io::Error) -> Self {
        Self::Nothing(error)
    }
}

/// A conversation.
pub(super) struct Conversation<S>(BufReader<S>);

impl<S: Wire> Conversation<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// The wire, for going on encrypted. Anything the server said in advance was said by whoever sits on the wire.
    pub(super) fn into_inner(self) -> Result<S, Said> {
        if !self.0.buffer().is_empty() {
            return Err(io::Error::other("it speaks before it is asked").into());
        }
        Ok(self.0.into_inner())
    }

    /// Says a line and wants this number.
    pub(super) async fn say(&mut self, line: &str, code: u16) -> Result<(), Said> {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.0.flush().await?;
        self.expect(code).await
    }

    /// Signs in with name and password.
    pub(super) async fn sign_in(&mut self, username: &str, password: &Secret) -> Result<(), Said> {
        let plain = format!("\0{username}\0{}", password.expose_secret());
        let said = self.say(&format!("AUTH PLAIN {}", STANDARD.encode(plain)), 235).await;
        said.map_err(Said::about_us("it refuses our name and password"))
    }

    /// Waits for this number.
    pub(super) async fn expect(&mut self, code: u16) -> Result<(), Said> {
        let mut heard = (&mut self.0).take(LONGEST);
        loop {
            let mut line = Vec::new();
            heard.read_until(b'\n', &mut line).await?;
            if !line.ends_with(b"\n") {
                return Err(io::Error::other("it hangs up, or never comes to an end").into());
            }
            let number = line
                .get(..3)
                .and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u16>().ok());
            match (number, line.get(3)) {
                // More lines follow.
                (Some(_), Some(b'-')) => {}
                (Some(number), _) if number == code => return Ok(()),
                (Some(number), _) => return Err(Said::Code(number)),
                (None, _) => return Err(io::Error::other("it speaks no SMTP").into()),
            }
        }
    }
}
