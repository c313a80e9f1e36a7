// Loaded before the program (`node --import …/parent-watch.ts start.ts`): ends it in the usual way, by
// SIGTERM, when the process that started it is gone, so that a killed `npm start` leaves nothing behind.
// SEALANE_PARENT_PID says who that is; without it there is nobody to watch.
const parent = Number(process.env["SEALANE_PARENT_PID"] ?? 0);
const POLL_MS = 500;

if (parent > 0) {
  delete process.env["SEALANE_PARENT_PID"]; // it is about us, not about our own children
  setInterval(() => {
    // Whoever takes over an orphan (init, a subreaper), it is not the one that started us.
    if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
  }, POLL_MS).unref();
}
