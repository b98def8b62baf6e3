//! What other people decide on the server, before us, after us, and at the same moment.

use fake_fediverse::Fault;
use store::applicants::{self, State};

use crate::house::House;

/// Check 48, the part about those who were faster: between our last look and our call a moderator approves one and
/// turns the other away.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_was_faster() {
    let house = House::build().await;
    let (first, second) = house.beaten_to_it().await;
    assert_eq!(house.calls_of(&first, "approve"), [200, 403], "theirs, then ours");
    assert_eq!(house.calls_of(&second, "approve"), [404]);
    for (id, state) in [(&first, State::Approved), (&second, State::Gone)] {
        let row = house.one(id).await;
        assert_eq!((row.state, row.ended_by.as_deref()), (state, Some("elsewhere")));
        assert_eq!(row.look_at, None, "whom others let in is their business");
    }
    let effects = store::effects::list(&house.store, None, Some(store::effects::State::Done), None, 10)
        .await
        .unwrap();
    assert_eq!(effects.len(), 2, "counted as done, not as errors");
    assert!(
        effects
            .iter()
            .all(|effect| effect.result.as_ref().unwrap()["elsewhere"] == true)
    );
    house.fediverse.clear_log();
    house.tick().await;
    assert_eq!(house.writes(), 0);
}

/// What no answer came to is asked for, and said to be found out and not answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_recorded_as_lost() {
    let house = House::build().await;
    let mayor = house.apply("mayor", "mayor@nyc.gov");
    // The moderator's call is carried out; ours is not, and the way back is broken.
    house.fediverse.fault(None, "/approve", Fault::Html(504), Some(1));
    house.later(1);
    let (run, ()) = tokio::join!(house.run(), async {
        house.wait_for(&format!("{mayor}/approve"), 1).await;
        house.moderate(&mayor, "approve").await;
    });
    run.unwrap();
    house.tick().await;
    for _ in 0..6 {
        house.tick().await;
    }
    let row = house.one(&mayor).await;
    assert_eq!(row.state, State::Approved);
    assert_eq!(house.calls("approve"), [504, 200], "ours is not made again");
    let history = applicants::events(&house.store, &house.server(), &mayor).await.unwrap();
    let ended = history.last().unwrap();
    assert_eq!((&*ended.kind, &ended.detail["answered"]), ("ended", &false.into()));
    assert!(row.why.contains("got no answer"), "{}", row.why);
}

impl House {
    /// Two whom the rules let in; while our call for each is on its way a moderator lets the first in and turns the
    /// second away.
    pub(crate) async fn beaten_to_it(&self) -> (String, String) {
        let (first, second) = (self.apply("first", "a@nyc.gov"), self.apply("second", "b@nyc.gov"));
        for id in [&first, &second] {
            let slow = Fault::Slow(std::time::Duration::from_millis(400));
            self.fediverse.fault(None, &format!("{id}/approve"), slow, Some(1));
        }
        self.later(1);
        let beat = async |id: &str, verb: &str| {
            self.wait_for(&format!("{id}/approve"), 1).await;
            self.moderate(id, verb).await;
        };
        let (run, (), ()) = tokio::join!(self.run(), beat(&first, "approve"), beat(&second, "reject"));
        run.unwrap();
        (first, second)
    }

    /// Until the server got so many calls of this path.
    async fn wait_for(&self, path: &str, calls: usize) {
        while self
            .fediverse
            .log()
            .0
            .iter()
            .filter(|call| call.path.ends_with(path))
            .count()
            < calls
        {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }

    /// How the calls for one of them were answered, in the order of the answers.
    pub(crate) fn calls_of(&self, id: &str, verb: &str) -> Vec<u16> {
        let path = format!("{id}/{verb}");
        let log = self.fediverse.log();
        let mut answers: Vec<u16> = log
            .0
            .iter()
            .filter(|call| call.path.ends_with(&path))
            .map(|call| call.http_status)
            .collect();
        answers.sort_unstable();
        answers
    }
}

impl House {
    /// What another moderator's program gets.
    pub(crate) async fn ask_as_moderator(&self, method: &str, path: &str) -> Vec<u8> {
        let url: net::Url = format!("{}{path}", self.fediverse.home()).parse().unwrap();
        let bearer = net::Bearer {
            origin: url.clone(),
            token: self.fediverse.admin_token().into(),
            login: "home/other".into(),
        };
        let request = net::Request::server(method.parse().unwrap(), url, Some(bearer));
        self.cx().net.send(request).await.unwrap().body.to_vec()
    }

    /// Another moderator's decision.
    async fn moderate(&self, id: &str, verb: &str) {
        self.ask_as_moderator("POST", &format!("/api/v1/admin/accounts/{id}/{verb}"))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_decided_elsewhere_or_leaves_is_noticed() {
    let house = House::build().await;
    let ids = ["in", "out", "stays"].map(|name| house.apply(name, &format!("{name}@elsewhere.example")));
    house.tick().await;
    house.moderate(&ids[0], "approve").await;
    house.moderate(&ids[1], "reject").await;
    house.tick().await;
    assert_eq!(house.state(&ids[0]).await, State::Approved);
    assert_eq!(house.state(&ids[1]).await, State::Gone);
    assert_eq!(house.state(&ids[2]).await, State::Hold);
    assert_eq!(house.one(&ids[0]).await.ended_by.as_deref(), Some("elsewhere"));
}
