//! A log that is not as it was left.

use super::*;

/// attack 182: half a last line is cut off, kept aside and said
#[test]
fn an_incomplete_last_line_is_cut_off_and_kept_aside() {
    let whole = FaultyDisk::default();
    let open = Life::begin(&whole, &options(Durability::Flushed)).unwrap();
    open.permit("a").unwrap();
    open.permit("b").unwrap();
    open.kill();
    let name = name_of(1);
    let bytes = whole.bytes(&name);
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for end in last + 1..bytes.len() {
        let disk = whole.after_kill();
        disk.put(&name, &bytes[..end]);
        let log =
            options(Durability::Flushed).open_on(Arc::new(disk.clone()), &keys(), &ORIGIN).unwrap();
        assert_eq!(log.resume().unwrap().resumption().torn(), Some((end - last) as u64));
        assert_eq!(disk.bytes(&name), bytes[..last]);
        assert_eq!(disk.bytes("torn-3"), bytes[last..end]);
        assert_eq!(permits(&read(&disk).unwrap()), [(2, "a".to_owned())]);
    }
}

/// attacks 183 and 186: whatever byte is changed, wherever a line is taken out, doubled or moved
#[test]
fn a_log_that_was_changed_is_refused_and_left_as_it_is() {
    let whole = FaultyDisk::default();
    let open = Life::begin(&whole, &options(Durability::Flushed)).unwrap();
    for task in ["a", "b", "c"] {
        open.permit(task).unwrap();
    }
    open.close();
    let name = name_of(1);
    let bytes = whole.bytes(&name);
    let refused = |changed: &[u8]| {
        let disk = whole.after_kill();
        disk.put(&name, changed);
        let opened = options(Durability::Flushed).open_on(Arc::new(disk.clone()), &keys(), &ORIGIN);
        assert_eq!(disk.bytes(&name), changed, "it is left as it is");
        opened.err().map(|error| error.to_string())
    };
    // The end of the last line apart: without it, the line is incomplete.
    for at in 0..bytes.len() - 1 {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let said = refused(&changed).unwrap_or_else(|| panic!("byte {at}"));
        assert!(said.contains(&name), "{said}");
    }
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for at in 0..lines.len() - 1 {
        let (mut without, mut twice, mut swapped) = (lines.clone(), lines.clone(), lines.clone());
        without.remove(at);
        twice.insert(at, lines[at]);
        swapped.swap(at, at + 1);
        for changed in [without, twice, swapped] {
            let said = refused(&changed.concat()).unwrap();
            assert!(said.contains("record") || said.contains("line"), "{said}");
        }
    }
    // A record without its tag.
    let text = String::from_utf8(bytes.clone()).unwrap();
    let tag = text.lines().nth(2).unwrap().split_once(r#","tag""#).unwrap();
    let without = text.replacen(&format!(r#","tag"{}"#, tag.1), "}", 1);
    let expected = format!("line 3 of `{name}` does not end in a tag");
    assert_eq!(refused(without.as_bytes()).unwrap(), expected);
}

#[test]
fn files_follow_one_another_and_none_can_go() {
    let disk = FaultyDisk::default();
    let small = options(Durability::Flushed).rotate_at(4096);
    for _ in 0..2 {
        let open = Life::begin(&disk, &small).unwrap();
        (0..30).for_each(|n| _ = open.permit(&format!("t{n}")).unwrap());
        open.close();
    }
    let files = disk.names().unwrap().iter().filter(|name| number_of(name).is_some()).count();
    assert!(files >= 4, "{files}");
    assert_eq!(permits(&read(&disk).unwrap()).len(), 60);
    for file in 1..files as u64 {
        // attack 184: one file is gone, two are swapped, one stands twice
        let gone = disk.after_kill();
        gone.remove(&name_of(file));
        let error = Life::begin(&gone, &small).err().unwrap();
        assert!(matches!(&error, OpenError::Missing { file: name } if *name == name_of(file)));
        let swapped = disk.after_kill();
        swapped.put(&name_of(file), &disk.bytes(&name_of(file + 1)));
        swapped.put(&name_of(file + 1), &disk.bytes(&name_of(file)));
        assert!(Life::begin(&swapped, &small).is_err());
        let renumbered = String::from_utf8(disk.bytes(&name_of(file + 1))).unwrap().replacen(
            &format!(r#""file":{}"#, file + 1),
            &format!(r#""file":{file}"#),
            1,
        );
        let put_in = disk.after_kill();
        put_in.put(&name_of(file), renumbered.as_bytes());
        let error = Life::begin(&put_in, &small).err().unwrap().to_string();
        assert!(error.contains("begins at record"), "{error}");
        // An incomplete line is only ever the last one.
        let bytes = disk.bytes(&name_of(file));
        let torn = disk.after_kill();
        torn.put(&name_of(file), &bytes[..bytes.len() - 5]);
        let error = Life::begin(&torn, &small).err().unwrap().to_string();
        assert!(error.ends_with("has no end"), "{error}");
    }
    // attack 181: the right number, and the tag of another log
    let other = ChainTag::from_bytes([7; 32]);
    let anchor = Content::read(&disk, &keys(), &ORIGIN, None).unwrap().verification.anchor;
    let error =
        Life::begin(&disk.after_kill(), &small.clone().anchor(Anchor { tag: other, ..anchor }));
    let error = error.err().unwrap();
    assert!(matches!(error.fault(), Some(Fault::Rebuilt { .. })), "{error}");
    // The last file is gone as a whole: only an anchor tells.
    disk.remove(&name_of(files as u64));
    assert!(Life::begin(&disk.after_kill(), &small).is_ok());
    let error = Life::begin(&disk, &small.clone().anchor(anchor)).err().unwrap();
    assert!(matches!(error.fault(), Some(Fault::Cut { .. })), "{error}");
}

/// attack 188: what was lost of the folder
#[test]
fn a_log_whose_records_or_reservation_are_gone_repeats_no_number() {
    let disk = FaultyDisk::default();
    let open = Life::begin(&disk, &options(Durability::Buffered)).unwrap();
    let used: Vec<u64> = (0..3).map(|_| open.permit("a").unwrap()).collect();
    open.kill();
    let emptied = disk.after_kill();
    emptied.remove(&name_of(1));
    let error = Life::begin(&emptied, &options(Durability::Buffered)).err().unwrap();
    assert!(matches!(error, OpenError::Missing { .. }), "{error}");
    let unreserved = disk.after_kill();
    unreserved.remove("reserved");
    for disk in [disk.after_kill(), unreserved] {
        let open = Life::begin(&disk, &options(Durability::Buffered)).unwrap();
        assert!(open.journal.earlier() >= *used.last().unwrap());
        assert!(!used.contains(&open.permit("b").unwrap()));
    }
    let unclear = disk.after_kill();
    unclear.put("reserved", b"{}");
    let error = Life::begin(&unclear, &options(Durability::Buffered)).err().unwrap();
    assert!(matches!(error, OpenError::Reserved), "{error}");
}
