//! What arrives is looked after at once, by a daemon that listens.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use daemon::{
    config::{self, Layers},
    daemon::Daemon,
};
use fake_fediverse::{Fediverse, Scenario};
use model::SystemClock;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_are_there_seconds_after_their_thread() {
    let fediverse = Fediverse::start(Scenario {
        threads: 1,
        replies: 3,
        ..Scenario::small()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    std::fs::write(folder.path().join("token"), fediverse.token()).unwrap();
    let text = format!(
        "[store]\nurl = \"sqlite://{path}/egret.db\"\n[web]\nlisten = \"127.0.0.1:0\"\n\
         [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 6000\n\
         [replies.live]\nenabled = true\nevery = \"1d\"\n[replies.home]\nevery = \"1d\"\n\
         [[servers]]\nurl = \"{}\"\n[[servers.logins]]\nname = \"me\"\ntoken_file = \"token\"\n",
        fediverse.home()
    );
    let file = folder.path().join("egret.toml");
    std::fs::write(&file, text).unwrap();
    let config = config::load(&Layers {
        file: Some(file),
        ..Layers::default()
    })
    .unwrap();
    let daemon = Daemon::start(config.clone(), Arc::new(SystemClock)).await.unwrap();
    until(|| fediverse.open_streams() == 1).await;
    until(|| fediverse.missing() == 0).await;
    for round in 0..2 {
        let thread = fediverse.thread(round, 6);
        let begun = Instant::now();
        until(|| thread.replies.iter().all(|(uri, _)| fediverse.home_has(uri))).await;
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        // The same after a reload, which listens anew: once.
        daemon.reload(config.clone()).await.unwrap();
        until(|| fediverse.open_streams() == 1).await;
    }
    let begun = Instant::now();
    daemon.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(fediverse.open_streams(), 0);
}

async fn until(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "never happened");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
