// What happens at a failpoint, and when. `SEALANE_FAILPOINT=POINT:ACTION[:N]`: at the n-th time the process
// comes to the point it is killed, stopped (SIGSTOP), or the write fails. Read by this file alone, which
// no service imports: without `--import register.ts` the variable does nothing.
import { appendFileSync } from "node:fs";

export const when = ["before", "after"] as const;

/** A point's name, and the statements or topics that it stands around. */
export const points = {
  /** The ledger's batch: entries, balances, offset, checkpoint, outbox in one statement. */
  commit: { statements: /^lane-save/ },
  /** What was sealed and published, noted when no batch carries it. */
  "checkpoint-store": { statements: /^lane-sealed$/ },
  lease: { statements: /^lane-renew$/ },
  /** Proposals, outcomes, entries and seals on their way to the topics. */
  publish: { topics: /^(?:inbox|entries)\./ },
  /** An adapter's intents, acceptances, rejections and statements on their way to the lane. */
  command: { topics: /^lane\./ },
  /** An adapter's read model and its inbox's position. */
  view: { statements: /^adapter-save/ },
  /** Reconciliation's postings and position. */
  books: { statements: /^books-save$/ },
} as const satisfies Record<string, { statements?: RegExp; topics?: RegExp }>;

export type Point = `${(typeof when)[number]}-${keyof typeof points}`;
export type Action = "kill" | "stop" | "fail";

const [point = "", action = "", nth = "1"] = (process.env["SEALANE_FAILPOINT"] ?? "").split(":");
const reached = process.env["SEALANE_FAILPOINT_FILE"];
let seen = 0;

/** @throws Error with action `fail` */
export const atPoint = async (name: string): Promise<void> => {
  if (name !== point || ++seen !== Number(nth)) return;
  if (reached !== undefined) appendFileSync(reached, `${name}:${action} ${process.pid}\n`);
  switch (action) {
    case "kill":
      process.kill(process.pid, "SIGKILL");
      await new Promise(() => undefined);
      return;
    case "stop":
      process.kill(process.pid, "SIGSTOP");
      return;
    case "fail":
      throw Object.assign(new Error(`failpoint ${name}`), { code: "failpoint", retryable: true });
    default:
      throw new Error(`SEALANE_FAILPOINT: ${action} is neither kill, stop nor fail`);
  }
};

/** Runs a write between its two points. */
export const around = async <T>(names: readonly string[], write: () => Promise<T>): Promise<T> => {
  for (const name of names) await atPoint(`before-${name}`);
  const result = await write();
  for (const name of names) await atPoint(`after-${name}`);
  return result;
};

type What = { readonly statements?: RegExp; readonly topics?: RegExp };
const named = (fits: (what: What) => boolean): string[] =>
  Object.entries(points).flatMap(([name, what]) => (fits(what) ? [name] : []));

export const pointsOfStatement = (statement: string): string[] =>
  named(({ statements }) => statements?.test(statement) === true);

export const pointsOfTopics = (topics: readonly string[]): string[] =>
  named((what) => topics.some((topic) => what.topics?.test(topic)));
