//! What is larger than memory: an archive of several GB, and a file that never ends.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    time::Instant,
};

use archive::{Blobs, Into, mastodon_zip};
use fake_fediverse::Fault;
use model::Clock;
use serde_json::json;
use store::archive::files;

use crate::{
    house::{House, LOGIN},
    pace::{divisor, peak_memory},
};

const GIB: u64 = 1 << 30;

/// A ZIP as Mastodon makes it, whose videos are holes on the disk: their size is real, and what is read of them, but they
/// take no room. Written by hand, since a program that packs would write every byte.
struct Sparse {
    file: File,
    directory: Vec<u8>,
    entries: u64,
}

impl Sparse {
    fn begin(path: &Path) -> Self {
        Self {
            file: File::create(path).unwrap(),
            directory: Vec::new(),
            entries: 0,
        }
    }

    /// A file that begins with `head` and goes on with nothing but zeros.
    fn add(&mut self, name: &str, head: &[u8], size: u64) {
        let mut crc = flate2::Crc::new();
        crc.update(head);
        let zeros = vec![0; 1 << 20];
        let mut left = size - head.len() as u64;
        while left > 0 {
            let part = left.min(zeros.len() as u64);
            crc.update(&zeros[..usize::try_from(part).unwrap()]);
            left -= part;
        }
        let at = self.file.stream_position().unwrap();
        let name_len = u16::try_from(name.len()).unwrap().to_le_bytes();
        // What follows the signature and the versions in both headers: flags, method, time, date, sum, sizes as Zip64.
        let mut common = vec![0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend(crc.sum().to_le_bytes());
        common.extend([0xff; 8]);
        common.extend(name_len);
        let mut local = b"PK\x03\x04\x2d\0".to_vec();
        local.extend(&common);
        local.extend(20_u16.to_le_bytes());
        local.extend(name.as_bytes());
        local.extend([1, 0, 16, 0]);
        local.extend(size.to_le_bytes());
        local.extend(size.to_le_bytes());
        self.file.write_all(&local).unwrap();
        self.file.write_all(head).unwrap();
        let rest = i64::try_from(size - head.len() as u64).unwrap();
        self.file.seek(SeekFrom::Current(rest)).unwrap();
        let entry = &mut self.directory;
        entry.extend(b"PK\x01\x02\x2d\x03\x2d\0");
        entry.extend(&common);
        entry.extend(28_u16.to_le_bytes());
        // Comment, disk, attributes; then where it begins, as Zip64.
        entry.extend([0; 10]);
        entry.extend([0xff; 4]);
        entry.extend(name.as_bytes());
        entry.extend([1, 0, 24, 0]);
        entry.extend(size.to_le_bytes());
        entry.extend(size.to_le_bytes());
        entry.extend(at.to_le_bytes());
        self.entries += 1;
    }

    fn end(mut self) {
        let at = self.file.stream_position().unwrap();
        self.file.write_all(&self.directory).unwrap();
        let size = self.directory.len() as u64;
        let end = at + size;
        let mut tail = b"PK\x06\x06".to_vec();
        tail.extend(44_u64.to_le_bytes());
        tail.extend([0x2d, 3, 0x2d, 0]);
        tail.extend([0; 8]);
        for number in [self.entries, self.entries, size, at] {
            tail.extend(number.to_le_bytes());
        }
        tail.extend(b"PK\x06\x07\0\0\0\0");
        tail.extend(end.to_le_bytes());
        tail.extend([1, 0, 0, 0]);
        tail.extend(b"PK\x05\x06\0\0\0\0");
        tail.extend([0xff; 12]);
        tail.extend([0, 0]);
        self.file.write_all(&tail).unwrap();
    }
}

/// Check 39: an archive with videos of `videos` × `size` bytes. Gives how many MiB a second.
async fn import(videos: u64, size: u64) -> f64 {
    let house = House::build().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.zip");
    let note = |n: u64| {
        json!({ "type": "Create", "published": "2026-05-07T10:00:00Z", "object": {
            "id": format!("https://old.example/users/me/statuses/{n}"), "type": "Note", "published": "2026-05-07T10:00:00Z",
            "to": ["https://www.w3.org/ns/activitystreams#Public"], "cc": [], "content": format!("<p>note {n}</p>"),
            "attachment": [{"mediaType": "video/mp4", "url": format!("/media_attachments/files/{n}/original/a.mp4")}],
            "tag": [] } })
    };
    let actor = json!({ "id": "https://old.example/users/me", "preferredUsername": "me", "name": "Me" }).to_string();
    let notes: Vec<_> = (0..videos).map(note).collect();
    let outbox = json!({ "type": "OrderedCollection", "totalItems": videos, "orderedItems": notes }).to_string();
    let mut zip = Sparse::begin(&path);
    for n in 0..videos {
        let head = format!("\0\0\0\x18ftypmp42 {n}");
        zip.add(
            &format!("media_attachments/files/{n}/original/a.mp4"),
            head.as_bytes(),
            size,
        );
    }
    for (name, text) in [("actor.json", actor), ("outbox.json", outbox)] {
        zip.add(name, text.as_bytes(), text.len() as u64);
    }
    zip.end();
    let blobs = Blobs::open(house.config.folder(&house.store)).unwrap();
    let into = Into {
        db: &house.store,
        blobs: &blobs,
        login: LOGIN,
        now: house.clock.now(),
    };
    let begin = Instant::now();
    let found = mastodon_zip(into, &path).await.unwrap();
    let took = begin.elapsed();
    assert_eq!(
        (found.saved.new, found.files, found.files_missing),
        (videos, videos, 0),
        "{found:?}"
    );
    let kept = files::blobs(&house.store, "", 100).await.unwrap();
    let size_here = i64::try_from(size).unwrap();
    assert!(
        kept.len() as u64 == videos && kept.iter().all(|blob| blob.bytes == size_here),
        "{kept:?}"
    );
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = (videos * size) as f64 / f64::from(1 << 20) / took.as_secs_f64();
    rate
}

/// The same, small: that the ZIP made by hand is one.
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_made_of_holes() {
    import(3, 3 << 20).await;
}

/// Check 39: 6 GiB in three videos, and check 38: a file without end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes 6 GiB; run by `cargo xtask bench`"]
async fn more_than_memory_holds() {
    let before = peak_memory();
    let rate = import(3, 2 * GIB / divisor() as u64).await;
    eprintln!("FIGURE archive zip MiB a second {rate:.1}");
    let house = House::build().await;
    let endless = house.fediverse.file("/system/endless.gif", "image/gif", "GIF89a");
    house.fediverse.fault(None, "/system/endless", Fault::Endless, None);
    let fields = json!({"media_attachments": [{"id": "1", "type": "image", "url": endless}]});
    house.fediverse.post("endless", house.ago(30), fields);
    house.run("statuses").await;
    let summary = house.run("media").await;
    assert_eq!((summary.get("kept"), summary.get("refused")), (0, 1), "{summary:?}");
    let parts = house.config.folder(&house.store).join("parts");
    assert_eq!(std::fs::read_dir(parts).unwrap().count(), 0, "nothing half");
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        eprintln!("FIGURE archive large files MiB {:.1}", after - before);
    }
}
