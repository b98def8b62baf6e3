//! Files of statuses, by their hashes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use fake_fediverse::Event;
use serde_json::{Value, json};
use store::seen_media;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::house::{CASINO, House};

/// What is answered to whom asks for a path.
type Answers = BTreeMap<String, (u16, Vec<u8>)>;

/// Where a server keeps its files: what is there, and what was asked for.
struct Files {
    address: String,
    there: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Files {
    async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let files = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            there: Arc::default(),
            asked: Arc::default(),
        };
        let (there, asked) = (Arc::clone(&files.there), Arc::clone(&files.asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (there, asked) = (Arc::clone(&there), Arc::clone(&asked));
                tokio::spawn(async move {
                    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
                    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                        match stream.read(&mut piece).await {
                            Ok(0) | Err(_) => return,
                            Ok(read) => head.extend_from_slice(&piece[..read]),
                        }
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    let (status, body) = there.lock().unwrap().get(&path).cloned().unwrap_or((404, Vec::new()));
                    asked.lock().unwrap().push(path);
                    let head = format!(
                        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                        body.len()
                    );
                    let _ = stream.write_all(head.as_bytes()).await;
                    let _ = stream.write_all(&body).await;
                });
            }
        });
        files
    }

    fn put(&self, path: &str, status: u16, body: &[u8]) -> String {
        self.there
            .lock()
            .unwrap()
            .insert(path.to_owned(), (status, body.to_vec()));
        format!("{}{path}", self.address)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl House {
    /// Somebody posts a file, and home tells of it.
    async fn posts_file(&self, acct: &str, file: &str, preview: Option<&str>) {
        let id = self.fediverse.says(acct, &format!("<p>look at this, says {acct}</p>"));
        let mut body: Value = serde_json::from_str(&self.fediverse.webhook_body(Event::StatusCreated, &id)).unwrap();
        body["object"]["media_attachments"] =
            json!([{ "id": "1", "type": "image", "url": file, "preview_url": preview }]);
        assert!(self.deliver_body("status.created", &body.to_string(), &id).await);
        self.inbox().await;
    }

    async fn hash_files(&self) {
        self.run(moderation::MEDIA).await.unwrap();
    }
}

fn rule(hashes: &str, more: &str) -> String {
    format!("[[rules]]\nid = \"file\"\nweight = 1.0\nwhen = {{ media_hashes = [\"{hashes}\"]{more} }}\n")
}

const BAD: &[u8] = b"a bad file";

/// What is found out about files leads to what it would have led to at once; the file is read once and kept nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_hashed_and_its_status_judged_again() {
    let files = Files::open().await;
    let (bad, good) = (
        files.put("/bad.png", 200, BAD),
        files.put("/good.png", 200, b"a good file"),
    );
    let house = House::with_rules(&rule(&sha256(BAD), "")).await;
    for name in ["eve", "mallory", "bob"] {
        house.fediverse.joins(None, name);
    }
    house.posts_file("eve", &bad, None).await;
    house.posts_file("bob", &good, None).await;
    assert!(
        house.cases().await.is_empty() && files.asked().is_empty(),
        "nobody waits for files"
    );
    let woken = store::job_states::list(&house.store).await.unwrap();
    assert!(
        woken
            .iter()
            .any(|one| one.job == moderation::MEDIA && one.scope == house.server())
    );
    house.hash_files().await;
    let case = house.case().await;
    assert_eq!((&*case.acct, house.filed().len()), ("eve", 1));
    assert!(
        house.filed()[0].comment.contains("media within"),
        "{}",
        house.filed()[0].comment
    );
    assert_eq!(
        house.hits("file").await[0].evidence["matched"],
        format!("sha256:{}", sha256_hex(BAD))
    );
    // The same file of somebody else is known.
    let asked = files.asked().len();
    house.posts_file("mallory", &bad, None).await;
    house.hash_files().await;
    assert_eq!((house.filed().len(), files.asked().len()), (2, asked));
    // And nothing is looked at twice.
    house.hash_files().await;
    assert_eq!((house.filed().len(), files.asked().len()), (2, asked));
}

/// A picture that was changed a little, by what its small copy shows.
#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_known_by_what_it_shows() {
    let picture = picture(240, 160);
    let files = Files::open().await;
    let (film, preview) = (
        files.put("/film.mp4", 200, b"a film"),
        files.put("/small.png", 200, &picture),
    );
    // Of the hash that the reference gives for it, sixteen bits are others.
    let near = format!("pdq:{}", PDQ.replacen("d0bf", "2f40", 1));
    assert_ne!(near, format!("pdq:{PDQ}"));
    let house = House::with_rules(&rule(&near, ", distance = 31")).await;
    house.fediverse.joins(None, "eve");
    house.posts_file("eve", &film, Some(&preview)).await;
    house.hash_files().await;
    let asked = files.asked();
    assert_eq!(asked, ["/film.mp4", "/small.png"]);
    let known = seen_media::at(&house.store, &house.server(), std::slice::from_ref(&film))
        .await
        .unwrap()
        .remove(0);
    assert_eq!(house.filed().len(), 1, "{known:?}");
}

/// Nothing is read while no rule asks for it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_files_for_nothing() {
    let files = Files::open().await;
    let file = files.put("/a.png", 200, BAD);
    let house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    house.posts_file("eve", &file, None).await;
    house.hash_files().await;
    assert!(files.asked().is_empty());
    assert!(
        seen_media::at(&house.store, &house.server(), &[file])
            .await
            .unwrap()
            .is_empty()
    );
}

/// A file that is not there, or too large, is no reason to ask for ever, and no hit.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_read_are_given_up() {
    let files = Files::open().await;
    let gone = format!("{}/gone.png", files.address);
    let large = files.put("/large.png", 200, &vec![7; 2 << 20]);
    let late = files.put("/late.png", 503, b"");
    let mut house = House::with_rules(&rule(&sha256(BAD), "")).await;
    house.config.media.largest = 1;
    for (name, file) in [("eve", &gone), ("mallory", &large), ("bob", &late)] {
        house.fediverse.joins(None, name);
        house.posts_file(name, file, None).await;
    }
    house.hash_files().await;
    let state = async |file: &str| {
        let all = seen_media::at(&house.store, &house.server(), &[file.to_owned()])
            .await
            .unwrap();
        (all[0].state.clone(), all[0].tries)
    };
    assert_eq!(state(&gone).await, ("failed".to_owned(), 0));
    assert_eq!(state(&large).await, ("failed".to_owned(), 0));
    assert_eq!(state(&late).await, ("wanted".to_owned(), 1));
    // Not again at once, and later it is there.
    let asked = files.asked().len();
    house.hash_files().await;
    assert_eq!(files.asked().len(), asked);
    files.put("/late.png", 200, BAD);
    house.later(10);
    house.hash_files().await;
    assert_eq!(state(&late).await.0, "known");
    assert_eq!(house.case().await.acct, "bob");
}

fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256_hex(bytes))
}

/// What the reference says of [`picture`].
const PDQ: &str = "d0bf87a03c0be1fe8f80383f51e0c702dc7f99c0538f9378a6e24d4eaa5caab4";

/// A picture that needs no file.
fn picture(width: usize, height: usize) -> Vec<u8> {
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let pixels: Vec<u8> = places
        .flat_map(|(x, y)| [(x * 7 + y * 3) / 5, x * x / 97 + y * 2, x * y / 61 + x])
        .map(|colour| u8::try_from(colour % 256).unwrap())
        .collect();
    let mut bytes = Vec::new();
    let size = |side: usize| u32::try_from(side).unwrap();
    let mut encoder = png::Encoder::new(&mut bytes, size(width), size(height));
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}
