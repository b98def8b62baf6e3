//! Real TLS with an authority of our own, and what must never go without it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};

use futures::future::BoxFuture;
use model::SystemClock;
use net::{Bearer, Config, Error, Lookup, Net, Request, Url, http::Method};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{TlsAcceptor, rustls};

use crate::server::{Server, config, get, with};

/// A private authority: its own certificate, and a server's for `name` made by it.
pub(crate) struct Authority {
    pub(crate) file: tempfile::NamedTempFile,
    pub(crate) acceptor: TlsAcceptor,
}

pub(crate) fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let own = params.self_signed(&key).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), own.pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key.into())
        .unwrap();
    Authority {
        file,
        acceptor: TlsAcceptor::from(Arc::new(config)),
    }
}

/// Speaks TLS, answers `200 ok`, and keeps the heads it was sent.
async fn serve(acceptor: TlsAcceptor) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = heads.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else {
                continue;
            };
            let mut head = vec![0; 4096];
            let read = stream.read(&mut head).await.unwrap_or(0);
            kept.lock()
                .unwrap()
                .push(String::from_utf8_lossy(&head[..read]).into_owned());
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
                .await;
            let _ = stream.shutdown().await;
        }
    });
    (port, heads)
}

/// Everything is at home, but `public.example`, which is where nobody is asked in a test.
struct Names;

impl Lookup for Names {
    fn lookup(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let ip: IpAddr = match name.as_str() {
            "public.example" => [192, 88, 99, 1].into(),
            _ => Ipv4Addr::LOCALHOST.into(),
        };
        Box::pin(async move { Ok(vec![ip]) })
    }
}

fn net_of(config: &Config) -> Net {
    Net::with_lookup(config, Arc::new(SystemClock), Arc::new(Names)).unwrap()
}

fn bearer(origin: &Url) -> Bearer {
    Bearer {
        origin: origin.clone(),
        token: "hush".to_owned().into(),
        login: "s/l".into(),
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_once_it_is_named_and_only_for_its_names() {
    let authority = authority("home.example");
    let (port, heads) = serve(authority.acceptor.clone()).await;
    let url: Url = format!("https://home.example:{port}/api").parse().unwrap();
    let once = Config {
        attempts: 1,
        ..config()
    };
    let stranger = net_of(&once).send(get(url.clone())).await.unwrap_err();
    let Error::Unreachable { reason, .. } = &stranger else {
        panic!("{stranger:?}");
    };
    assert!(reason.contains("certificate"), "says why: {reason}");

    let trusting = net_of(&Config {
        extra_ca_file: Some(authority.file.path().into()),
        ..once
    });
    let request = Request::server(Method::GET, url.clone(), Some(bearer(&url)));
    assert_eq!(&trusting.send(request).await.unwrap().body[..], b"ok");
    assert!(heads.lock().unwrap()[0].contains("Bearer hush"), "over TLS it goes out");
    let other: Url = format!("https://other.example:{port}/api").parse().unwrap();
    let request = Request::server(Method::GET, other.clone(), Some(bearer(&other)));
    assert!(matches!(trusting.send(request).await, Err(Error::Unreachable { .. })));
    assert_eq!(heads.lock().unwrap().len(), 1, "nothing was said to the wrong name");
}

/// Check 16: what moved to TLS, and to another host, is found there.
#[tokio::test]
async fn an_http_address_that_moved_to_tls_is_followed() {
    let authority = authority("new.example");
    let (port, _) = serve(authority.acceptor.clone()).await;
    let there = format!("https://new.example:{port}/notice/1");
    let moved = there.clone();
    let old = Server::start(move |_, _| with(301, &[("location", &moved)])).await;
    let net = net_of(&Config {
        extra_ca_file: Some(authority.file.path().into()),
        ..config()
    });
    let response = net.send(get(old.named("old.example", "/objects/uuid"))).await.unwrap();
    assert_eq!((response.http_status, response.url.as_str()), (200, there.as_str()));
}

#[tokio::test]
async fn a_token_does_not_follow_from_tls_to_plain_http() {
    let plain = Server::start(|_, _| with(200, &[])).await;
    let authority = authority("home.example");
    let there = plain.named("home.example", "/plain").to_string();
    let acceptor = authority.acceptor.clone();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(socket).await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let answer =
            format!("HTTP/1.1 302 Found\r\nlocation: {there}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    });
    let net = net_of(&Config {
        extra_ca_file: Some(authority.file.path().into()),
        ..config()
    });
    let url: Url = format!("https://home.example:{port}/api").parse().unwrap();
    let request = Request::server(Method::GET, url.clone(), Some(bearer(&url)));
    assert_eq!(net.send(request).await.unwrap().http_status, 200);
    let seen = plain.log.lock().unwrap()[0].clone();
    assert!(!seen.headers.contains_key("authorization"), "{seen:?}");
}

/// Check 17: to a public host nothing goes out in plain, and a token for its http origin goes nowhere at all.
#[tokio::test]
async fn plain_http_to_a_public_host_is_upgraded_and_never_carries_a_token() {
    let net = net_of(&Config {
        attempts: 1,
        ..config()
    });
    let origin: Url = "http://public.example/".parse().unwrap();
    let request = Request::server(Method::GET, origin.clone(), Some(bearer(&origin)));
    let error = net.send(request).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("hush"));
    let odd: Url = "http://public.example:8080/".parse().unwrap();
    assert!(matches!(net.send(get(odd)).await, Err(Error::Refused { .. })));
    assert!(net.spent().is_empty(), "nobody was asked");
}
