// The thread that signs and hashes; see `assembler.ts`. It answers requests in their order.
import { parentPort, workerData } from "node:worker_threads";
import { assemble, readAssemblerKeys, type AssembleRequest } from "./assembler.ts";

const { origin, entryKeyFile, checkpointKeyFile } = workerData as AssemblerOptions;
const keys = readAssemblerKeys(entryKeyFile, checkpointKeyFile);

export type AssemblerOptions = {
  readonly origin: string;
  readonly entryKeyFile: string;
  readonly checkpointKeyFile: string;
};

parentPort?.on("message", ({ id, request }: { id: number; request: AssembleRequest }) => {
  try {
    parentPort?.postMessage({ id, batch: assemble(origin, keys, request) });
  } catch (error) {
    parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
