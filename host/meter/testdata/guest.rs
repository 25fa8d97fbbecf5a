// The work of guest.c in Rust, with the standard library, and an echo on the
// plain ABI. Built by build.sh.

use std::cell::UnsafeCell;

struct Shared<T>(UnsafeCell<T>);
unsafe impl<T> Sync for Shared<T> {}

static AREA: Shared<Vec<u8>> = Shared(UnsafeCell::new(Vec::new()));

fn area() -> &'static mut Vec<u8> {
    let area = unsafe { &mut *AREA.0.get() };
    area.resize(1 << 20, 0);
    area
}

#[no_mangle]
pub extern "C" fn sum(n: u32) -> u32 {
    area()[..n as usize].iter().fold(0, |s: u32, &b| s.wrapping_mul(31).wrapping_add(b as u32))
}

#[no_mangle]
pub extern "C" fn fib(n: u32) -> u32 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

#[no_mangle]
pub extern "C" fn sort(n: u32) -> u32 {
    let mut seed = 1u32;
    let mut v: Vec<u32> = (0..n)
        .map(|_| { seed = seed.wrapping_mul(1664525).wrapping_add(1013904223); seed })
        .collect();
    v.sort_unstable();
    v[n as usize / 2]
}

#[no_mangle]
pub extern "C" fn encode(n: u32) -> u32 {
    (0..n).map(|i| format!("{{\"id\":{},\"name\":\"session {}\",\"ok\":{}}}", i, i, i % 2 == 0).len() as u32).sum()
}

#[repr(C, align(8))]
struct Plugin {
    control: [u32; 24],
    events: [[u64; 4]; 1024],
    commands: [[u64; 4]; 1024],
    area: [u8; 256 << 10],
}

static PLUGIN: Shared<Plugin> = Shared(UnsafeCell::new(Plugin {
    control: [0; 24], events: [[0; 4]; 1024], commands: [[0; 4]; 1024], area: [0; 256 << 10],
}));

#[no_mangle]
pub extern "C" fn yimmo_v1_init(_events: u32, _commands: u32, _area: u32) -> u32 {
    let p = unsafe { &mut *PLUGIN.0.get() };
    p.control[..10].copy_from_slice(&[
        0x4f4d4959, 1, 0, 0,
        p.events.as_ptr() as u32, 1024, p.commands.as_ptr() as u32, 1024, p.area.as_ptr() as u32, 256 << 10,
    ]);
    p.control.as_ptr() as u32
}

#[no_mangle]
pub extern "C" fn yimmo_v1_turn(first: u32, n: u32) -> u32 {
    let p = unsafe { &mut *PLUGIN.0.get() };
    let mut m = 0;
    for e in &p.events[first as usize..n as usize] {
        if e[0] as u8 == 4 { // recv -> send
            p.commands[m] = [5 | e[0] & 0xffffffff0000ff00, e[1], e[2], 0];
            m += 1;
        }
    }
    p.control[11] = n;
    m as u32
}
