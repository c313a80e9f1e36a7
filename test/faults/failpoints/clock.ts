// Loaded into a process (`--import`) whose clock shall jump: while the file that SEALANE_CLOCK_FILE names is
// there, the wall clock is off by the milliseconds in it. Monotonic time and timers go on as they are.
import { readFileSync } from "node:fs";

const lookEveryMs = 50;
const file = process.env["SEALANE_CLOCK_FILE"];

const shiftNow = (path: string): number => {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return 0; // no file: the clock is right
  }
};

if (file !== undefined) {
  let shiftMs = 0;
  setInterval(() => (shiftMs = shiftNow(file)), lookEveryMs).unref();
  const now = Date.now.bind(Date);
  globalThis.Date = new Proxy(Date, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now() + shiftMs] : args, newTarget) as Date,
    get: (target, name, receiver) =>
      name === "now" ? () => now() + shiftMs : (Reflect.get(target, name, receiver) as unknown),
  });
}
