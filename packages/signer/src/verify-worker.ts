// The thread that judges signatures; see `verify-thread.ts` for the layout of what it is given.
import { parentPort } from "node:worker_threads";
import { judgePacked } from "./packed-signatures.ts";

parentPort?.on("message", (packed: Uint8Array) => parentPort?.postMessage(judgePacked(packed)));
