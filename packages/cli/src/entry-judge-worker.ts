// A thread of the audit: a bundle in, its first entry that does not stand out.
import { parentPort, workerData } from "node:worker_threads";
import {
  judgeBundle,
  type BundleAnswer,
  type BundleJob,
  type JudgeSetting,
} from "./entry-judge.ts";

const setting = workerData as JudgeSetting;

parentPort?.on("message", (job: BundleJob) => {
  const answer: BundleAnswer = { id: job.id, fault: judgeBundle(job, setting) };
  parentPort?.postMessage(answer);
});
