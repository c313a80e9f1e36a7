// Waiting for a child to be ready, with a deadline, an early end when it dies, and the end of its log
// in the error: what the person at the terminal needs.
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { InfraError } from "./infra-error.ts";
import type { Exit } from "./supervised-process.ts";

export type PollOptions = {
  readonly what: string;
  readonly attempt: () => Promise<boolean>;
  readonly exited: Promise<Exit>;
  readonly logFile: string;
  readonly deadlineMs: number;
  readonly intervalMs: number;
  readonly onFailure: () => Promise<void>;
};

/** Resolves at the first successful attempt; else throws `start-failed` after `onFailure`. */
export async function pollUntil(options: PollOptions): Promise<void> {
  const deadline = Date.now() + options.deadlineMs;
  let exit: Exit | undefined;
  void options.exited.then((value) => (exit = value));
  while (Date.now() < deadline && exit === undefined) {
    if (await options.attempt()) return;
    await delay(options.intervalMs);
  }
  await options.onFailure();
  const reason = exit === undefined ? "did not become ready" : `ended (${describeExit(exit)})`;
  const message = `${options.what} ${reason}; the end of ${options.logFile}:\n${logTail(options.logFile)}`;
  throw new InfraError("start-failed", message);
}

export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : `by ${signal}`;
}

/** The last lines of a log, for error messages. */
export function logTail(file: string, lines = 15): string {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "(no log)";
  }
}

/**
 * Polls `url` until it answers 2xx. Throws `not-ready` after `deadlineMs`, and `start-failed`, with
 * the end of its log, at once when the process that should answer has ended.
 */
export async function waitForReady(
  url: string,
  deadlineMs: number,
  answering?: { readonly exited: Promise<Exit>; readonly logFile: string },
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  let last = "no answer";
  let exit: Exit | undefined;
  void answering?.exited.then((value) => (exit = value));
  while (Date.now() < deadline) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
      const body = await response.text();
      if (response.ok) return;
      last = `HTTP ${response.status} ${body.slice(0, 400)}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (answering !== undefined && exit !== undefined) {
      const { logFile } = answering;
      const how = `ended before it was ready (${describeExit(exit)})`;
      const message = `${url} ${how}; the end of ${logFile}:\n${logTail(logFile)}`;
      throw new InfraError("start-failed", message);
    }
    await delay(25);
  }
  const log = answering && `; the end of ${answering.logFile}:\n${logTail(answering.logFile)}`;
  const message = `${url} is not ready after ${deadlineMs} ms: ${last}${log ?? ""}`;
  throw new InfraError("not-ready", message);
}
