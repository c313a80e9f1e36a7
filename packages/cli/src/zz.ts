import { makeFundedWorld, policy } from "@sealane/rules/testing";
import { auditLog } from "./audit-log.ts";
import { memoryLog } from "./testing/memory-log.ts";
const world = makeFundedWorld();
const N = Number(process.argv[2] ?? 6000);
for (let i = 0; i < N; i++) { world.transfer({ key: "k" + i, amount: "10.00" }); if (i % 50 === 49) world.publishSheet(); }
const log = memoryLog(world);
for (const o of [{}, {}, { threads: 1 }, { signatures: false }, { signatures: false }]) {
  const c = process.cpuUsage();
  const r = await auditLog({ log, policy, ...o });
  const u = process.cpuUsage(c);
  console.log(JSON.stringify(o), r.ok ? r.entriesPerSecond : r, "cpu us/entry", (u.user + u.system) / r.entries);
}
