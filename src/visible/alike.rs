//! Letters that most fonts draw like others.

/// The plain letter or sign that another looks like: Cyrillic, Greek and Armenian letters, full-width
/// forms, dotless and script forms, dashes and spaces. Those that most fonts draw alike, not all that
/// anybody might confuse.
pub(crate) fn plain_letter(c: char) -> Option<char> {
    const ALIKE: &[(&str, char)] = &[
        ("аɑα", 'a'),
        ("АΑ", 'A'),
        ("Ь", 'b'),
        ("ВΒ", 'B'),
        ("сϲ", 'c'),
        ("СϹ", 'C'),
        ("ԁ", 'd'),
        ("еҽ", 'e'),
        ("ЕΕ", 'E'),
        ("ɡց", 'g'),
        ("һհ", 'h'),
        ("НΗ", 'H'),
        ("іıιӏ", 'i'),
        ("ІΙӀ", 'I'),
        ("јϳ", 'j'),
        ("Ј", 'J'),
        ("кκ", 'k'),
        ("КΚ", 'K'),
        ("ⅼ", 'l'),
        ("МΜ", 'M'),
        ("ոո", 'n'),
        ("Ν", 'N'),
        ("оοօ", 'o'),
        ("ОΟՕ", 'O'),
        ("рρ", 'p'),
        ("РΡ", 'P'),
        ("ԛ", 'q'),
        ("ѕ", 's'),
        ("Ѕ", 'S'),
        ("тτ", 't'),
        ("ТΤ", 'T'),
        ("υս", 'u'),
        ("ѵν", 'v'),
        ("ԝѡ", 'w'),
        ("х", 'x'),
        ("ХΧ", 'X'),
        ("уγ", 'y'),
        ("УΥ", 'Y'),
        ("Ζ", 'Z'),
        ("‐‑‒–—−", '-'),
        ("\u{a0}\u{2002}\u{2003}\u{2007}\u{2009}\u{202f}", ' '),
        ("․", '.'),
    ];
    if let '\u{ff01}'..='\u{ff5e}' = c {
        return char::from_u32(u32::from(c) - 0xfee0);
    }
    ALIKE.iter().find(|(all, _)| all.contains(c)).map(|(_, plain)| *plain)
}
