// Vitest's global setup: one real Kafka and one real PostgreSQL for all tests of a run, on free ports, in
// a folder that is removed afterwards. With KAFKA_BROKERS or DATABASE_URL set, those are used instead.
// Tests ask with `inject("kafkaBrokers")` and `inject("databaseUrl")`, and use topics and schemas (or
// databases) with names of their own.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startKafka } from "./kafka.ts";
import { freePort } from "./ports.ts";
import { startPostgres } from "./postgres.ts";

declare module "vitest" {
  // Vitest merges into its own interface, so it has to be one.
  export interface ProvidedContext {
    /** `host:port`, or several with commas. */
    kafkaBrokers: string;
    /** Of a superuser. */
    databaseUrl: string;
  }
}

type Stoppable = { readonly stop: () => Promise<void> };

/** Starts what is not given by the environment; answers with the function that stops it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), "sealane-test-"));
  chmodSync(dir, 0o711); // as root, PostgreSQL runs as another user, who has to walk to its data
  const started: Stoppable[] = [];
  const teardown = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.stop()));
    rmSync(dir, { recursive: true, force: true });
  };
  const results = await Promise.allSettled([
    provideKafka(project, dir, started),
    providePostgres(project, dir, started),
  ]);
  const failed = results.find((result) => result.status === "rejected");
  if (failed === undefined) return teardown;
  await teardown();
  throw failed.reason;
}

async function provideKafka(project: TestProject, dir: string, started: Stoppable[]) {
  const given = process.env["KAFKA_BROKERS"];
  if (given !== undefined && given !== "") return project.provide("kafkaBrokers", given);
  const kafka = await startKafka({
    dir: join(dir, "kafka"),
    port: await freePort(),
    controllerPort: await freePort(),
    logFile: join(dir, "kafka.log"),
  });
  started.push(kafka);
  return project.provide("kafkaBrokers", kafka.brokers);
}

async function providePostgres(project: TestProject, dir: string, started: Stoppable[]) {
  const given = process.env["DATABASE_URL"];
  if (given !== undefined && given !== "") return project.provide("databaseUrl", given);
  const postgres = await startPostgres({
    dir: join(dir, "postgres"),
    port: await freePort(),
    logFile: join(dir, "postgres.log"),
  });
  started.push(postgres);
  return project.provide("databaseUrl", postgres.url);
}
