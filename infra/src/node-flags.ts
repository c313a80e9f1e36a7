// How every service's node is started, here and in the image (a test says that they are the same).

export const nodeFlags: readonly string[] = [
  // Node runs our TypeScript as it is.
  "--disable-warning=ExperimentalWarning",
  "--max-old-space-size=1024",
  // Young objects get room: with 16 MB, collecting them was a quarter of the ledger's time.
  "--max-semi-space-size=64",
  "--initial-heap-size=256",
  // Buffers count by the heap's limit; by V8's own 64 MB the ledger's heap was marked every 3 s.
  "--external-memory-accounted-in-global-limit",
];
