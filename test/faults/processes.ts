// What is done to processes: killed at once or at a failpoint, stopped and continued, a second ledger beside
// the first. By pid, and only those that the world started.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  freePort,
  spawnService,
  waitForReady,
  type LaunchChanges,
  type ServiceName,
  type SupervisedProcess,
} from "@sealane/infra";
import { eventually } from "../src/eventually.ts";
import type { Action, Point } from "./failpoints/failpoint.ts";
import type { FaultWorld } from "./world.ts";

const register = pathToFileURL(join(import.meta.dirname, "failpoints", "register.ts")).href;
const ledgerMain = join(import.meta.dirname, "..", "..", "services", "ledger", "src", "main.ts");

/** SIGKILL, and a new start; resolves when it is ready. */
export const killAndRestart = async (
  { stack }: FaultWorld,
  name: ServiceName,
  changes?: LaunchChanges,
): Promise<void> => {
  await stack.kill(name);
  await stack.start(name, changes);
};

export type Armed = { readonly changes: LaunchChanges; readonly reached: () => boolean };

let armed = 0;

/** What a service is started with so that something happens the `nth` time it comes to a point. */
export const arm = (world: FaultWorld, point: Point, action: Action, nth: number): Armed => {
  armed += 1;
  const file = join(world.dir, `failpoint-${armed}`);
  const env = {
    SEALANE_FAILPOINT: `${point}:${action}:${nth}`,
    SEALANE_FAILPOINT_FILE: file,
  };
  return {
    changes: { env, nodeArgs: ["--import", register] },
    reached: () => existsSync(file),
  };
};

/** What a service is started with so that it sends batches twice, and others in the wrong order. */
export const mixing: LaunchChanges = {
  env: { SEALANE_MIX: "yes" },
  nodeArgs: ["--import", register],
};

/**
 * Starts a service so that something happens at a point: resolves when it is ready, or has come to the
 * point, which under load may be before anybody has seen it ready.
 */
export const startArmed = async (
  { stack }: FaultWorld,
  name: ServiceName,
  { changes, reached }: Armed,
): Promise<void> => {
  await stack.kill(name);
  const started = stack.start(name, changes).catch((error: unknown) => {
    if (!reached()) throw error;
  });
  const there = eventually(`${name} starts`, () => Promise.resolve(reached()), 60_000);
  await Promise.race([started, there]);
};

/** Starts a service so that it dies at a point, waits for its death, and starts it as usual. */
export const dieAt = async (
  world: FaultWorld,
  name: ServiceName,
  point: Point,
  nth: number,
): Promise<void> => {
  const trap = arm(world, point, "kill", nth);
  try {
    await startArmed(world, name, trap);
    await eventually(`${name} dies ${point}`, () => Promise.resolve(trap.reached()), 45_000);
  } finally {
    // One that did not come to the point is not left with the trap.
    if (!trap.reached()) await world.stack.kill(name);
    await world.stack.process(name).exited;
    await world.stack.start(name);
  }
};

export type SecondLedger = {
  readonly url: string;
  readonly port: number;
  readonly process: SupervisedProcess;
  /** Why it does not write; undefined when it does. */
  lane(): Promise<string>;
  stop(): Promise<void>;
};

/** Another instance of the ledger, on the same lane, keys and tables, on a port of its own. */
export const startSecondLedger = async (
  world: FaultWorld,
  instance: string,
  changes: LaunchChanges = {},
): Promise<SecondLedger> => {
  const { home } = world.stack;
  const settings: Record<string, string> = {};
  for (const line of readFileSync(home.path("state", "ledger.env"), "utf8").split("\n")) {
    const match = /^(\w+)="(.*)"$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) settings[match[1]] = match[2];
  }
  const port = await freePort();
  const child = await spawnService({
    name: instance,
    entry: ledgerMain,
    env: {
      ...settings,
      SEALANE_LEDGER_PORT: String(port),
      SEALANE_INSTANCE: instance,
      ...changes.env,
    },
    logFile: home.path("logs", `${instance}.log`),
    nodeArgs: ["--disable-warning=ExperimentalWarning", ...(changes.nodeArgs ?? [])],
  });
  const url = `http://127.0.0.1:${port}`;
  await waitForReady(`${url}/livez`, 60_000);
  return {
    url,
    port,
    process: child,
    lane: () => laneOf(url),
    stop: () => child.stop(8_000),
  };
};

/** What a ledger says of its lane: `ok`, or why it does not write. */
export const laneOf = async (url: string): Promise<string> => {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
  const { checks } = (await response.json()) as { checks?: { lane?: string } };
  return checks?.lane ?? "unknown";
};

/** Waits until a ledger writes the lane, or says at once why it never will. */
export const untilWriting = (url: string, deadlineMs = 30_000): Promise<true> =>
  eventually(`${url} writes the lane`, async () => (await laneOf(url)) === "ok", deadlineMs);
