#![cfg_attr(fuzzing, no_main)]

hallpass_fuzz::target!(hallpass::scope::fuzzing::expressions);
