// Puts an auditor's witness together: key → state → witness → door. It depends on nothing of the
// operator's: no Kafka, no Postgres, no key that the operator can reach.
import { createHttpApp, health, startHttp } from "@sealane/http";
import { cosigner, selfTest } from "@sealane/signer";
import type { Logger, Telemetry } from "@sealane/telemetry";
import { createWitness, mountWitness, type Witness } from "@sealane/witness";
import { readLogsFile } from "./logs-file.ts";

export type WitnessServiceConfig = {
  readonly port: number;
  /** A key of type 0x04, mode 0600. */
  readonly keyFile: string;
  readonly stateFile: string;
  /** One verifier key a line. */
  readonly logsFile: string;
};

export type WitnessService = {
  readonly url: string;
  readonly vkey: string;
  stop(): Promise<void>;
};

const BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 250];

/** Starts listening on 127.0.0.1; refuses to when this platform misjudges a signature. */
export async function startWitnessService(
  config: WitnessServiceConfig,
  { logger, telemetry }: { readonly logger: Logger; readonly telemetry: Telemetry },
): Promise<WitnessService> {
  await selfTest();
  const logs = await readLogsFile(config.logsFile);
  const witness = await createWitness({
    cosigner: await cosigner(config.keyFile),
    stateFile: config.stateFile,
    logs,
  });
  const app = createHttpApp({ name: "witness", logger });
  mountWitness(app, "", observed(witness, logger, telemetry));
  health(app, {
    ready: () => ({ ok: true, checks: { state: "ok", logs: String(logs.length) } }),
    metrics: telemetry.metricsHandler,
  });
  const server = await startHttp({ app, port: config.port });
  logger.info({ url: server.url, vkey: witness.vkey, logs: logs.length }, "witness ready");
  return { url: server.url, vkey: witness.vkey, stop: () => server.close() };
}

/** The same witness, counted, timed and, where it refuses, logged. */
function observed(witness: Witness, logger: Logger, telemetry: Telemetry): Witness {
  const answers = telemetry.counter("witness_answers", "Answers to add-checkpoint by status");
  const duration = telemetry.histogram("witness_duration_ms", "Time to cosign", BUCKETS_MS);
  telemetry.gauge("witness_cosigned_entries", "Entries covered, all logs together", () =>
    witness.heads().reduce((sum, head) => sum + head.size, 0),
  );
  return {
    ...witness,
    addCheckpoint: async (body, oldRoot) => {
      const startMs = performance.now();
      const answer = await witness.addCheckpoint(body, oldRoot);
      duration.record(performance.now() - startMs);
      answers.add(1, { status: String(answer.status) });
      const { status } = answer;
      if (status === 422 || status === 403) {
        logger.error({ status, detail: answer.body.trim() }, "a checkpoint was refused");
      } else {
        logger.debug({ status }, "add-checkpoint answered");
      }
      return answer;
    },
  };
}
