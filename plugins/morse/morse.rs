// SPDX-License-Identifier: BSD-2-Clause
//! A plugin in Rust, without a crate: replies with the Morse code of a text.
//!
//!     [service morse]
//!
//!     $ bayctl call morse sos
//!     ... --- ...
//!
//! What the C macro BAY_PLUGIN writes, a descriptor and a note, stands here in full. The functions
//! bay_* are found in the cell that loads the plugin. A panic is a failure of its request.
//!
//! Rust's standard library keeps data of each thread, so the code of an old version stays in the
//! process when it is replaced; `bayctl inspect` says so of the file.

use std::os::raw::{c_char, c_int, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};

// --- what <bay/plugin.h>, <bay/request.h> and <bay/status.h> declare ------------------------

const BAY_FAILED: c_int = 1;
const BAY_INVALID: c_int = 8;
const ABI_MAJOR: u16 = 1;
const ABI_MINOR: u16 = 0;

#[repr(C)]
pub struct Request {
    _private: [u8; 0],
}

#[repr(C)]
pub struct Instance {
    _private: [u8; 0],
}

extern "C" {
    fn bay_request_data(request: *const Request) -> *const c_void;
    fn bay_request_size(request: *const Request) -> usize;
    fn bay_reply(request: *mut Request, data: *const c_void, size: usize) -> c_int;
    fn bay_fail(request: *mut Request, status: c_int, format: *const c_char, ...) -> c_int;
}

/// struct bay_plugin: its size says how much of it we know, so later fields do no harm.
#[repr(C)]
pub struct Plugin {
    size: u32,
    abi_major: u16,
    abi_minor: u16,
    name: *const c_char,
    version: *const c_char,
    summary: *const c_char,
    flags: u64,
    settings: *const c_void,
    init: Option<unsafe extern "C" fn(*mut Instance) -> c_int>,
    handle: Option<unsafe extern "C" fn(*mut Request) -> c_int>,
    run: Option<unsafe extern "C" fn(*mut Instance) -> c_int>,
    stop: Option<unsafe extern "C" fn(*mut Instance)>,
    fini: Option<unsafe extern "C" fn(*mut Instance)>,
    verbs: *const c_void,
    state_version: u32,
    export_state: *const c_void,
    import_state: *const c_void,
    health: *const c_void,
}

unsafe impl Sync for Plugin {}

/// struct bay_plugin_note, which is read before any code of the plugin runs.
#[repr(C, align(4))]
pub struct Note {
    name_size: u32,
    desc_size: u32,
    kind: u32,
    owner: [u8; 4],
    magic: u32,
    abi_major: u16,
    abi_minor: u16,
    descriptor_size: u32,
    plugin_name: [u8; 48],
    plugin_version: [u8; 24],
}

/// A text with zeroes behind it.
const fn padded<const SIZE: usize>(text: &[u8]) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let mut i = 0;
    while i < text.len() {
        bytes[i] = text[i];
        i += 1;
    }
    bytes
}

#[used]
#[link_section = ".note.bay.plugin"]
pub static BAY_PLUGIN_NOTE: Note = Note {
    name_size: 4,
    desc_size: std::mem::size_of::<Note>() as u32 - 16,
    kind: 1,
    owner: *b"Bay\0",
    magic: 0x50594142,
    abi_major: ABI_MAJOR,
    abi_minor: ABI_MINOR,
    descriptor_size: std::mem::size_of::<Plugin>() as u32,
    plugin_name: padded(b"morse"),
    plugin_version: padded(b"1.0.0"),
};

#[no_mangle]
pub static bay_plugin_v1: Plugin = Plugin {
    size: std::mem::size_of::<Plugin>() as u32,
    abi_major: ABI_MAJOR,
    abi_minor: ABI_MINOR,
    name: b"morse\0".as_ptr() as *const c_char,
    version: b"1.0.0\0".as_ptr() as *const c_char,
    summary: b"the Morse code of a text\0".as_ptr() as *const c_char,
    flags: 0,
    settings: std::ptr::null(),
    init: None,
    handle: Some(handle),
    run: None,
    stop: None,
    fini: None,
    verbs: std::ptr::null(),
    state_version: 0,
    export_state: std::ptr::null(),
    import_state: std::ptr::null(),
    health: std::ptr::null(),
};

// --- the service ----------------------------------------------------------------------------

const LETTERS: [&str; 26] = [
    ".-", "-...", "-.-.", "-..", ".", "..-.", "--.", "....", "..", ".---", "-.-", ".-..", "--",
    "-.", "---", ".--.", "--.-", ".-.", "...", "-", "..-", "...-", ".--", "-..-", "-.--", "--..",
];
const DIGITS: [&str; 10] = [
    "-----", ".----", "..---", "...--", "....-", ".....", "-....", "--...", "---..", "----.",
];

fn sign(letter: char) -> Result<&'static str, String> {
    match letter {
        'a'..='z' => Ok(LETTERS[letter as usize - 'a' as usize]),
        'A'..='Z' => Ok(LETTERS[letter as usize - 'A' as usize]),
        '0'..='9' => Ok(DIGITS[letter as usize - '0' as usize]),
        _ => Err(format!("there is no sign for '{}'", letter.escape_default())),
    }
}

/// Words are separated by a slash.
fn morse(body: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let words: Result<Vec<String>, String> = text
        .split_whitespace()
        .map(|word| Ok(word.chars().map(sign).collect::<Result<Vec<_>, _>>()?.join(" ")))
        .collect();
    Ok(words?.join(" / "))
}

unsafe fn fail(request: *mut Request, status: c_int, text: &str) -> c_int {
    let format = b"%.*s\0".as_ptr() as *const c_char;
    bay_fail(request, status, format, text.len() as c_int, text.as_ptr())
}

unsafe extern "C" fn handle(request: *mut Request) -> c_int {
    let size = bay_request_size(request);
    let body: &[u8] = if size == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(bay_request_data(request) as *const u8, size)
    };
    match catch_unwind(AssertUnwindSafe(|| morse(body))) {
        Ok(Ok(code)) => bay_reply(request, code.as_ptr() as *const c_void, code.len()),
        Ok(Err(why)) => fail(request, BAY_INVALID, &why),
        Err(_) => fail(request, BAY_FAILED, "a panic"),
    }
}
