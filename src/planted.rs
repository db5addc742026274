//! Faults that tests plant in a debug build, to see what they leave behind. A release build has none.

/// Panics when told to by `FLAMETOP_PLANT_PANIC`, in the place of that name.
pub fn panic_in(place: &str) {
    if cfg!(debug_assertions) {
        let asked = std::env::var("FLAMETOP_PLANT_PANIC").unwrap_or_default();
        assert!(asked != place, "a panic was planted in {place}");
    }
}
