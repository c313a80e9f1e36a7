// The faults that come before any work: a core that is slow, or down.
import { problem } from "@sealane/http";
import { pause } from "@sealane/runtime";
import type { Core } from "./core.ts";

/** Waits, or throws a 503, when a fault says so. */
export async function disturb(core: Core, accounts: readonly string[]): Promise<void> {
  const slow = core.faults.use("slow", accounts);
  if (slow !== undefined) await pause(slow.ms ?? 1_000);
  if (core.faults.use("down", accounts) !== undefined) {
    throw problem({
      status: 503,
      code: "core-down",
      title: "This core is down, as it was told to be",
      headers: { "Retry-After": "1" },
    });
  }
}
