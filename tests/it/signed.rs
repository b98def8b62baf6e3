//! A daemon with an actor of its own reads what others may not, and shows its key to whoever checks.

use std::{
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};

use daemon::{
    config::{self, Layers},
    daemon::Daemon,
};
use fake_fediverse::{Fediverse, KNOWN_KEY, Scenario, Software};
use model::SystemClock;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_at_closed_origins_arrive() {
    let fediverse = Fediverse::start(Scenario {
        threads: 4,
        replies: 24,
        origins: vec![Software::GoToSocial],
        ..Scenario::small()
    })
    .await;
    let missing = fediverse.missing();
    assert!(missing > 5);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    std::fs::write(folder.path().join("token"), fediverse.token()).unwrap();
    std::fs::write(folder.path().join("key.pem"), KNOWN_KEY).unwrap();
    // Free a moment ago, and nobody else is looking for one.
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = format!(
        "[store]\nurl = \"sqlite://{path}/egret.db\"\n[web]\nlisten = \"{listen}\"\n\
         [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 6000\n\
         [net.actor]\nurl = \"http://{listen}\"\nkey_file = \"key.pem\"\n\
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
    let daemon = Daemon::start(config, Arc::new(SystemClock)).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while fediverse.missing() > 0 {
        let log = fediverse.log().origins(None);
        assert!(Instant::now() < deadline, "{} missing: {log:#?}", fediverse.missing());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    daemon.stop().await;
}
