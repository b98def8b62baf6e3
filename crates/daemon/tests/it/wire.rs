//! A wire to a Postgres that can be cut.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};
use url::Url;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    /// Every connection ends at once: the server was stopped.
    Cut,
    /// Nothing gets through, and nobody is told: the network is gone.
    Silent,
}

/// The wire; gone when dropped.
pub(crate) struct Wire {
    /// The database at this end of it.
    pub(crate) url: String,
    state: watch::Sender<State>,
}

/// The other end.
#[derive(Clone)]
enum Server {
    Tcp(String),
    Socket(String),
}

impl Server {
    fn of(url: &Url) -> Self {
        let port = url.port().unwrap_or(5432);
        let named = url.query_pairs().find(|(key, _)| key == "host");
        match named {
            Some((_, folder)) if folder.starts_with('/') => Self::Socket(format!("{folder}/.s.PGSQL.{port}")),
            Some((_, host)) => Self::Tcp(format!("{host}:{port}")),
            None => Self::Tcp(format!("{}:{port}", url.host_str().unwrap_or("localhost"))),
        }
    }
}

impl Wire {
    /// A whole one to the database of this address.
    pub(crate) async fn to(database: &str) -> Self {
        let far: Url = database.parse().unwrap();
        let server = Server::of(&far);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut near = far.clone();
        near.set_host(Some("127.0.0.1")).unwrap();
        near.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let kept: Vec<_> = far
            .query_pairs()
            .filter(|(key, _)| key != "host")
            .map(|(key, value)| format!("{key}={}", value.replace(' ', "%20")))
            .collect();
        near.set_query(Some(&kept.join("&")));
        let (state, watched) = watch::channel(State::Whole);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, server.clone(), watched.clone()));
            }
        });
        Self {
            url: near.to_string(),
            state,
        }
    }

    /// As when the server is stopped.
    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// As when the network is gone.
    pub(crate) fn silence(&self) {
        self.state.send_replace(State::Silent);
    }

    /// The server is there again; what was connected before is not.
    pub(crate) fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

async fn carry(mut near: TcpStream, server: Server, mut state: watch::Receiver<State>) {
    let carried = async {
        match server {
            Server::Tcp(at) => {
                let mut far = TcpStream::connect(at).await?;
                copy_bidirectional(&mut near, &mut far).await
            }
            Server::Socket(at) => {
                let mut far = UnixStream::connect(at).await?;
                copy_bidirectional(&mut near, &mut far).await
            }
        }
    };
    if *state.borrow_and_update() == State::Whole {
        tokio::select! {
            _ = carried => return,
            _ = state.wait_for(|state| *state != State::Whole) => {}
        }
    }
    // Held, so that nobody hears of it, until the state changes again.
    let _ = state.wait_for(|state| *state != State::Silent).await;
}
