// One log with every kind of entry, and the shortest way to audit a list of entries.
import { auditEntry } from "../audit.ts";
import { beginAudit, type AuditState } from "../audit-state.ts";
import { origin, ph } from "./genesis.ts";
import { verifyEntry } from "../verify-entry.ts";
import * as say from "./statements.ts";
import { makeFundedWorld, type World } from "./world.ts";

/** A log with every kind of entry. */
export const makeLog = (): World => {
  const world = makeFundedWorld(); // 0 and 1: advances, 2: sheet 1
  world.transfer({ key: "a" }); // 3
  const rejected = world.intent({ key: "b" });
  const cancelled = world.intent({ key: "c" });
  const expired = world.intent({ key: "d" });
  world.run([rejected, cancelled, expired]);
  world.run([world.reject(rejected.body.id)]); // 4
  world.run([world.cancel(cancelled.body.id)]); // 5
  world.run([world.credit(ph, 0)]); // 6
  world.publishSheet({ rate: "7.5" }); // 7
  world.transfer({ key: "e", fixed: "receive", amount: "500.00" }); // 8
  world.run([say.rateWithdrawal(world.keys(), world.sheet().body)]); // 9
  world.run([], { atMs: world.nowMs() + 60_000 }); // 10: the expiry
  return world;
};

export const begin = (world: World, signatures = true): AuditState =>
  beginAudit({ origin: world.origin, history: world.keyLog.history(), signatures });

/** Audits a whole log: the refusal, or how many entries stood. */
export const audit = (world: World, entries: readonly string[], signatures = true) => {
  const state = begin(world, signatures);
  for (const note of entries) {
    const result = auditEntry(state, note);
    if (!result.ok) return { position: result.position, code: result.code };
  }
  return state.next;
};

/** The same in two parts, as threads do it: each entry by itself, and a fold that believes them. */
export const auditInParts = (world: World, entries: readonly string[]) => {
  const checks = { origin, history: world.keyLog.history(), signatures: true };
  const state = beginAudit({ ...checks, judgedElsewhere: true });
  for (const [position, note] of entries.entries()) {
    const judged = verifyEntry(note, checks);
    const result = judged.ok ? auditEntry(state, note) : judged;
    if (!result.ok) return { position, code: result.code };
  }
  return state.next;
};
