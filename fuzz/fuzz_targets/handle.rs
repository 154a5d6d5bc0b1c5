#![cfg_attr(fuzzing, no_main)]

hallpass_fuzz::target!(hallpass::approval_fuzzing::handle);
