//! Browsers and programs that knock at a house whose visitors have to say who they are.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request, header},
};
use chrono::TimeDelta;
use fake_fediverse::{Fediverse, Scenario};
use model::{Clock as _, FakeClock, SystemClock};
use net::Net;
use web::{Config, SignIn, signin::Server};

use crate::house::{House, text};

/// A house, the server that vouches for its visitors, and its clock.
pub(crate) struct Hotel {
    pub(crate) house: House,
    pub(crate) fediverse: Fediverse,
    pub(crate) clock: FakeClock,
}

impl Hotel {
    pub(crate) async fn open() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let fediverse = Fediverse::start(Scenario::small()).await;
        let mut house = House::furnished().await;
        let clock = FakeClock::at(SystemClock.now());
        let mut config = Config::default();
        change(&mut config);
        let address = config.listen;
        house.state.sign_in = SignIn::new(
            &config,
            address,
            net(),
            vec![server(&fediverse)],
            Arc::new(clock.clone()),
        )
        .unwrap();
        Self {
            house,
            fediverse,
            clock,
        }
    }

    /// Somebody's browser, fresh from the shop.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser {
            hotel: self,
            cookies: BTreeMap::new(),
            peer: "127.0.0.1:40000".to_owned(),
        }
    }

    pub(crate) fn host(&self) -> String {
        server(&self.fediverse).host
    }

    pub(crate) fn later(&self, minutes: i64) {
        self.clock.advance(TimeDelta::minutes(minutes));
    }

    /// How often the server was asked for this path.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let log = self.fediverse.log();
        log.home().0.iter().filter(|one| one.path == path).count()
    }
}

/// The door to servers, without second tries: a test does not wait for them.
pub(crate) fn net() -> Net {
    let config = net::Config {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        attempts: 1,
        ..net::Config::default()
    };
    Net::new(&config, Arc::new(SystemClock)).unwrap()
}

pub(crate) fn server(fediverse: &Fediverse) -> Server {
    let url: net::Url = fediverse.home().parse().unwrap();
    Server {
        host: url.authority().to_owned(),
        url,
        logins: vec!["me".to_owned()],
    }
}

/// A browser: it keeps cookies and says where it comes from, and runs no script.
pub(crate) struct Browser<'a> {
    hotel: &'a Hotel,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) peer: String,
}

/// What it was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) http_status: u16,
    pub(crate) head: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.head.get(header::LOCATION).map_or("", |to| to.to_str().unwrap())
    }

    pub(crate) fn set_cookies(&self) -> Vec<String> {
        let lines = self.head.get_all(header::SET_COOKIE).iter();
        lines.map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    /// What a form on this page proves itself with.
    pub(crate) fn form_token(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"csrf\" value=\"").expect("a form");
        rest.split_once('"').unwrap().0.to_owned()
    }
}

impl Browser<'_> {
    pub(crate) async fn ask(&mut self, mut request: Request<Body>) -> Answer {
        let base = self.hotel.house.state.sign_in.base().authority().to_owned();
        let head = request.headers_mut();
        head.entry(header::HOST).or_insert(base.parse().unwrap());
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            head.insert(header::COOKIE, pairs.join("; ").parse().unwrap());
        }
        let peer: std::net::SocketAddr = self.peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.hotel.house.ask(request).await;
        let http_status = response.status().as_u16();
        let head = response.headers().clone();
        for line in head.get_all(header::SET_COOKIE) {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap();
            if attributes.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Answer {
            http_status,
            head,
            body: text(response).await,
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A form of one of our own pages.
    pub(crate) async fn post(&mut self, path: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// Off to the server; gives the address of its page.
    pub(crate) async fn start(&mut self, to: &str) -> String {
        let path = format!("/login/start?server={}&to={to}", self.hotel.host());
        let answer = self.get(&path).await;
        assert_eq!(answer.http_status, 303, "{answer:?}");
        answer.location().to_owned()
    }

    /// Agrees there as somebody; gives the path of ours that they are sent back to.
    pub(crate) fn agree(&self, name: &str, page: &str) -> String {
        let back = self.hotel.fediverse.consent(name, page);
        let base = self.hotel.house.state.sign_in.base().as_str().trim_end_matches('/');
        back.strip_prefix(base).expect("our own address").to_owned()
    }

    /// All the way; gives the last answer.
    pub(crate) async fn sign_in(&mut self, name: &str) -> Answer {
        let page = self.start("/jobs").await;
        let back = self.agree(name, &page);
        self.get(&back).await
    }

    /// With the form of a page.
    pub(crate) async fn sign_out(&mut self) -> Answer {
        let token = self.get("/jobs").await.form_token();
        self.post("/logout", &format!("csrf={token}")).await
    }
}
