//! Letters through the operator's own mail server. The server is named in the config by the operator, so no guard asks
//! whether its address is public; without TLS only this machine is spoken to.
//!
//! A library for it would bring eight crates, and switch features of the TLS beneath everything on. What is sent is one
//! plain letter to one address.

mod letter;
mod smtp;

use std::{fmt, io, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use crate::{Config, Net, Secret, roots};
use letter::Mailbox;
use smtp::{Conversation, Said};

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// On port 465 TLS from the start, on any other a plain beginning that changes to it; this machine without.
    #[default]
    Auto,
    /// TLS from the start.
    Always,
    /// A plain beginning that changes to TLS.
    Starttls,
}

/// A mail server and who we are to it.
#[derive(Debug, Clone)]
pub struct Server {
    /// `mail.example.org`.
    pub host: String,
    /// See [`Tls::Auto`].
    pub port: u16,
    /// How it is spoken to.
    pub tls: Tls,
    /// Empty: nobody.
    pub username: String,
    /// Goes with the name.
    pub password: Option<Secret>,
    /// Whom letters are from: `Example <noreply@example.org>`.
    pub from: String,
    /// For the whole conversation.
    pub timeout: Duration,
}

/// A letter. It prints neither whom it is for nor what it says.
#[derive(Clone)]
pub struct Letter {
    /// The same for the same letter: whoever gets it twice can tell.
    pub id: String,
    /// One address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a letter did not go. Never names whom it was for.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It never will.
    #[error("{0}")]
    Never(String),
    /// It may, later.
    #[error("{0}")]
    Later(String),
}

/// Sends letters.
#[derive(Clone)]
pub struct Mailer {
    server: Server,
    from: Mailbox,
    tls: TlsConnector,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Mailer {
    /// A sender through `server`, which must have a certificate of one of the authorities that `config` knows.
    ///
    /// # Errors
    /// One line that names the key.
    pub fn new(server: Server, config: &Config) -> Result<Self, String> {
        let from = Mailbox::parse(&server.from)
            .ok_or_else(|| format!("from: {:?} must be like \"Example <noreply@example.org>\"", server.from))?;
        let mut known = RootCertStore::empty();
        known.add_parsable_certificates(roots::roots(config).map_err(|error| error.to_string())?);
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be used: {error}"))?
            .with_root_certificates(known)
            .with_no_client_auth();
        Ok(Self {
            server,
            from,
            tls: TlsConnector::from(Arc::new(tls)),
        })
    }

    /// Sends one letter; `Ok` once the server took it.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn send(&self, letter: &Letter, now: DateTime<Utc>) -> Result<(), Trouble> {
        let to = Mailbox::parse(&letter.to)
            .ok_or_else(|| Trouble::Never("the address is none that mail can go to".to_owned()))?;
        let data = letter::written(letter, &self.from, &to, now);
        let host = &self.server.host;
        match timeout(self.server.timeout, self.deliver(&to, &data)).await {
            Err(_) => Err(Trouble::Later(format!("{host} does not answer in time"))),
            Ok(Ok(())) => Ok(()),
            // A server's own words may quote the address, so only its number is told.
            Ok(Err(Said::Code(code))) if (500..600).contains(&code) => {
                Err(Trouble::Never(format!("{host} refuses it ({code})")))
            }
            Ok(Err(Said::Code(code))) => Err(Trouble::Later(format!("{host} does not take it now ({code})"))),
            Ok(Err(Said::Nothing(error))) => Err(Trouble::Later(format!("{host} cannot be spoken to: {error}"))),
        }
    }

    async fn deliver(&self, to: &Mailbox, data: &str) -> Result<(), Said> {
        let Server { host, port, tls, .. } = &self.server;
        let here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        if *tls == Tls::Always || (*tls == Tls::Auto && *port == 465 && !here) {
            let mut talk = Conversation::new(self.encrypt(stream).await?);
            talk.expect(220).await.map_err(Said::about_us("it does not greet us"))?;
            return self.talk(&mut talk, to, data).await;
        }
        let mut talk = Conversation::new(stream);
        talk.expect(220).await.map_err(Said::about_us("it does not greet us"))?;
        if here && *tls == Tls::Auto {
            return self.talk(&mut talk, to, data).await;
        }
        self.greet(&mut talk).await?;
        let without = "it offers no TLS, and without nothing is sent";
        talk.say("STARTTLS", 220).await.map_err(Said::about_us(without))?;
        // Whatever was said before the lock clicked is forgotten with the plain conversation.
        let mut talk = Conversation::new(self.encrypt(talk.into_inner()?).await?);
        self.talk(&mut talk, to, data).await
    }

    async fn encrypt(&self, stream: TcpStream) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Said> {
        let name = ServerName::try_from(self.server.host.clone()).map_err(io::Error::other)?;
        let trusted = self.tls.connect(name, stream).await;
        Ok(trusted.map_err(|error| io::Error::other(format!("no TLS with it: {error}")))?)
    }

    async fn greet<S: smtp::Wire>(&self, talk: &mut Conversation<S>) -> Result<(), Said> {
        let hello = talk.say(&format!("EHLO {}", self.from.domain()), 250).await;
        hello.map_err(Said::about_us("it does not take our EHLO"))
    }

    async fn talk<S: smtp::Wire>(&self, talk: &mut Conversation<S>, to: &Mailbox, data: &str) -> Result<(), Said> {
        self.greet(talk).await?;
        if let Some(password) = self
            .server
            .password
            .as_ref()
            .filter(|_| !self.server.username.is_empty())
        {
            talk.sign_in(&self.server.username, password).await?;
        }
        let from = talk.say(&format!("MAIL FROM:<{}>", self.from.address), 250).await;
        from.map_err(Said::about_us("it takes no letters from us"))?;
        talk.say(&format!("RCPT TO:<{}>", to.address), 250).await?;
        talk.say("DATA", 354).await?;
        talk.say(&format!("{data}\r\n."), 250).await?;
        // It is taken; how we part changes nothing.
        let _ = talk.say("QUIT", 221).await;
        Ok(())
    }
}

impl Net {
    /// A sender of letters that believes the same certificates.
    ///
    /// # Errors
    /// See [`Mailer::new`].
    pub fn mailer(&self, server: Server) -> Result<Mailer, String> {
        Mailer::new(server, self.config())
    }
}
