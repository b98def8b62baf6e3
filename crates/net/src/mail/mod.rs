//! Letters through the operator's own mail server. The server is named in the config by the operator, so no guard asks
//! whether its address is public; without TLS only this machine is spoken to.
//!
//! A library for it would bring eight crates, and switch features of the TLS beneath everything on. What is sent is one
//! plain letter to one address.

mod letter;
mod smtp;

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use crate::Secret;
use letter::Mailbox;
use smtp::{Conversation, Said};

/// A mail server and who we are to it.
#[derive(Debug, Clone)]
pub struct Server {
    /// `mail.example.org`.
    pub host: String,
    /// 465 speaks TLS from the start; any other port begins plain and changes to it.
    pub port: u16,
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
    /// A sender through `server`.
    ///
    /// # Errors
    /// One line that names the key.
    pub fn new(server: Server) -> Result<Self, String> {
        let from = Mailbox::parse(&server.from)
            .ok_or_else(|| format!("from: {:?} must be like \"Example <noreply@example.org>\"", server.from))?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(
            webpki_root_certs::TLS_SERVER_ROOT_CERTS
                .iter()
                .map(|der| CertificateDer::from(der.as_ref())),
        );
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be used: {error}"))?
            .with_root_certificates(roots)
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
        let Server { host, port, .. } = &self.server;
        let here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        if *port == 465 && !here {
            let mut talk = Conversation::new(self.encrypt(stream).await?);
            talk.expect(220).await?;
            return self.talk(&mut talk, to, data).await;
        }
        let mut talk = Conversation::new(stream);
        talk.expect(220).await?;
        if here {
            return self.talk(&mut talk, to, data).await;
        }
        talk.say(&format!("EHLO {}", self.from.domain()), 250).await?;
        talk.say("STARTTLS", 220).await?;
        // Whatever was said before the lock clicked is forgotten with the plain conversation.
        let mut talk = Conversation::new(self.encrypt(talk.into_inner()?).await?);
        self.talk(&mut talk, to, data).await
    }

    async fn encrypt(&self, stream: TcpStream) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Said> {
        let name = ServerName::try_from(self.server.host.clone()).map_err(std::io::Error::other)?;
        Ok(self.tls.connect(name, stream).await?)
    }

    async fn talk<S: smtp::Wire>(&self, talk: &mut Conversation<S>, to: &Mailbox, data: &str) -> Result<(), Said> {
        talk.say(&format!("EHLO {}", self.from.domain()), 250).await?;
        if let Some(password) = self
            .server
            .password
            .as_ref()
            .filter(|_| !self.server.username.is_empty())
        {
            talk.sign_in(&self.server.username, password).await?;
        }
        talk.say(&format!("MAIL FROM:<{}>", self.from.address), 250).await?;
        talk.say(&format!("RCPT TO:<{}>", to.address), 250).await?;
        talk.say("DATA", 354).await?;
        talk.say(&format!("{data}\r\n."), 250).await?;
        // It is taken; how we part changes nothing.
        let _ = talk.say("QUIT", 221).await;
        Ok(())
    }
}
