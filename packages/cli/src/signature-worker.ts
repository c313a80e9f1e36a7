// A thread that judges signatures: a batch in, the places of those that do not verify out.
import { parentPort } from "node:worker_threads";
import { judgeBatch, type SignatureBatch } from "./signature-batch.ts";

parentPort?.on("message", (batch: SignatureBatch) => parentPort?.postMessage(judgeBatch(batch)));
