import { makeFundedWorld, say, origin, hk, ph } from "/work/main/packages/rules/src/testing/index.ts";
import { beginAudit, auditEntry } from "/work/main/packages/rules/src/index.ts";
const world = makeFundedWorld();
const N = 3000;
for (let i = 0; i < N; i++) { world.transfer({ key: "k" + i, amount: "10.00" }); if (i % 50 === 49) world.publishSheet(); }
console.log(world.entries.length, world.entries[5].length);
for (const signatures of [false, false, true]) {
  const st = beginAudit({ origin, history: world.keyLog.history(), signatures });
  const t = performance.now();
  for (const e of world.entries) { const r = auditEntry(st, e); if (!r.ok) throw new Error(JSON.stringify(r)); }
  const ms = performance.now() - t;
  console.log(signatures, world.entries.length / ms * 1000);
}
let jobs = 0;
const st = beginAudit({ origin, history: world.keyLog.history(), signatures: true, verify: (k, t, s) => { jobs++; return true; } });
const t = performance.now();
for (const e of world.entries) auditEntry(st, e);
console.log("deferred", world.entries.length / (performance.now() - t) * 1000, jobs);
