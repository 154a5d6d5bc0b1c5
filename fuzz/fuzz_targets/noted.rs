#![cfg_attr(fuzzing, no_main)]

hallpass_fuzz::target!(hallpass_fuzz::unless::noted);
