# Shortcuts; each is one command that you could type yourself.

# Every test, with the emulators.
test *args:
    tests/run {{args}}

# Everything that must hold before a change is merged.
ci:
    .ci/run

# Formatting and lints only.
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings

# The weekly report of the built-in demo lake.
demo:
    cargo run --locked --quiet -- report --demo

# Writes generated pages and golden files anew.
bless:
    LEANLAKE_UPDATE=1 INSTA_UPDATE=always cargo test --locked

# Licences, advisories and duplicates (needs cargo-deny).
deny:
    cargo deny check
