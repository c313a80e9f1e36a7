// A thread of the audit: a bundle in, its first entry that does not stand out.
import { parentPort, workerData } from "node:worker_threads";
import { useCompileCache } from "./compile-cache.ts";
import type { BundleAnswer, BundleJob, JudgeSetting } from "./entry-judge.ts";

useCompileCache();
const { judgeBundle } = await import("./entry-judge.ts");

const setting = workerData as JudgeSetting;

parentPort?.on("message", (job: BundleJob) => {
  const answer: BundleAnswer = { id: job.id, fault: judgeBundle(job, setting) };
  parentPort?.postMessage(answer);
});
