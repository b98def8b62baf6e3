//! An actor whose private key everybody knows, for tests of whoever signs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::RsaKeyPair;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A private key that everybody knows: PKCS #8, in PEM.
pub const KNOWN_KEY: &str = include_str!("known_key.pem");

/// Serves the document of an actor with [`KNOWN_KEY`] until it is dropped.
#[derive(Debug)]
pub struct KnownActor {
    /// `http://127.0.0.1:PORT`; the actor is at `/actor`, its key `#main-key`.
    pub url: String,
    task: JoinHandle<()>,
}

impl KnownActor {
    /// Starts it.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port at 127.0.0.1");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let id = format!("{url}/actor");
        let body = json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "Application",
            "preferredUsername": "known", "inbox": format!("{id}/inbox"),
            "publicKey": { "id": format!("{id}#main-key"), "owner": id, "publicKeyPem": public_key() },
        })
        .to_string();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                // A short request comes in one piece.
                let _ = stream.read(&mut head).await;
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/activity+json\r\ncontent-length: {}\r\n\
                     connection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { url, task }
    }
}

impl Drop for KnownActor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The public half, as actors show it.
fn public_key() -> String {
    let inside: String = KNOWN_KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(inside).expect("the key is base64");
    let pair = RsaKeyPair::from_pkcs8(&der).expect("the key is a key");
    let key = pair.public().as_ref();
    // What comes before the key of 2048 bits in every `SubjectPublicKeyInfo`.
    const HEAD: [u8; 24] = [
        0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
        0x00, 0x03, 0x82, 0x01, 0x0f, 0x00,
    ];
    let whole = STANDARD.encode([&HEAD, key].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{whole}\n-----END PUBLIC KEY-----\n")
}
