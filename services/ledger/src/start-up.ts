// What must hold before the lane may sign: a cosigned key log, and no witness that has seen more of our
// log than our own database has (a database that was rolled back would sign a second history).
import { readFileSync } from "node:fs";
import type { Sql } from "@sealane/database";
import { invariant, OperationalError, pause } from "@sealane/runtime";
import { quorumSize, type TlogPolicy } from "@sealane/tlog";
import type { KeyLog } from "./key-log.ts";
import type { WitnessClient } from "./witness-client.ts";

type Log = { info(fields: object, message: string): void };

/** Begins an empty key log with the statements of a file, then waits until a quorum has it. */
export const beginKeyLog = async (
  keyLog: KeyLog,
  genesisFile: string | undefined,
  clock: () => number,
  offer: () => void,
  signal: AbortSignal,
): Promise<void> => {
  if (keyLog.entries().length === 0 && genesisFile !== undefined) {
    const notes = JSON.parse(readFileSync(genesisFile, "utf8")) as string[];
    for (const note of notes) {
      const appended = await keyLog.append(note, clock());
      invariant(appended.ok, `genesis refused: ${appended.ok ? "" : appended.detail}`);
    }
  }
  offer();
  while (keyLog.cosigned() === undefined && !signal.aborted) {
    await pause(20, signal);
    // Where another process has begun it, and has it cosigned.
    if (genesisFile === undefined) await keyLog.follow();
  }
};

const followEveryMs = 250;
/** What another process has appended is offered to the witnesses here too, when it has waited so long. */
const strandedAfterMs = 1_000;

/**
 * Reads what other processes append to the key log and have cosigned: an entry may not cite a state that
 * is older than 2 s. Runs until the signal aborts.
 */
export const followKeyLog = async (
  deps: {
    readonly keyLog: Pick<KeyLog, "follow" | "unsealedAgeMs">;
    readonly offer: () => void;
    readonly clock: () => number;
    readonly log: { warn(fields: object, message: string): void };
  },
  signal: AbortSignal,
): Promise<void> => {
  const { keyLog, offer, clock, log } = deps;
  while (!signal.aborted) {
    try {
      await keyLog.follow();
      if (keyLog.unsealedAgeMs(clock()) >= strandedAfterMs) offer();
    } catch (err) {
      log.warn({ err }, "the key log could not be read again");
    }
    await pause(followEveryMs, signal);
  }
};

type WitnessOptions = {
  readonly origin: string;
  readonly policy: TlogPolicy;
  readonly witnesses: readonly WitnessClient[];
};

/** Enough have answered: so long the others may still say that they have seen more. */
const stragglersMs = 250;

/**
 * How much of the log witnesses have seen. When n − k + 1 have answered, at least one of every quorum
 * that ever sealed is among them, and one that hangs is not waited for.
 */
const askOnce = async ({ origin, policy, witnesses }: WitnessOptions) => {
  const needed = policy.witnesses.length - quorumSize(policy) + 1;
  const answered: number[] = [];
  const enough = Promise.withResolvers<void>();
  const asked = witnesses.map(async (witness) => {
    const size = await witness.sizeOf(origin);
    if (size !== undefined) answered.push(size);
    if (answered.length >= needed) enough.resolve();
  });
  const all = Promise.all(asked);
  await Promise.race([all, enough.promise.then(() => pause(stragglersMs))]);
  // Whoever is late has the answers that count already; nobody listens any more.
  all.catch(() => undefined);
  const seen = Math.max(0, ...answered);
  return { seen, answered: answered.length, needed, enough: answered.length >= needed };
};

const behindText = (seen: number, own: number): string =>
  `a witness has ${seen} entries of the log, the database ${own}: do not sign, recover`;

/**
 * At start: asks until enough witnesses have answered. Another instance may be writing meanwhile, so the
 * own size is read after theirs.
 * @returns why the ledger must not sign, or undefined
 */
export const askWitnesses = async (
  options: WitnessOptions & {
    readonly sql: Sql;
    readonly lane: number;
    readonly signal: AbortSignal;
    readonly log: Log;
  },
): Promise<string | undefined> => {
  const { sql, lane, signal, log } = options;
  for (let told = false; !signal.aborted; told = true) {
    const { seen, answered, needed, enough } = await askOnce(options);
    const { rows } = await sql.query<{ size: bigint }>({
      text: "select size from lane where lane = $1",
      values: [lane],
    });
    const own = Number(rows[0]?.size ?? 0n);
    if (seen > own) return behindText(seen, own);
    if (enough) return undefined;
    if (!told) log.info({ answered, needed }, "waiting for witnesses");
    await pause(250, signal);
  }
  return undefined;
};

/**
 * Each time the lane is taken: the database may have been put back since the start, and this instance
 * may have waited for days. Nobody else appends now, so what is stored is all there is.
 * @param continues this instance wrote what is stored; then silent witnesses do not hold it up
 * @returns why the ledger must not sign, or undefined
 * @throws OperationalError `witnesses-silent`
 */
export const makeConfirm =
  (options: WitnessOptions) =>
  async (size: number, continues: boolean): Promise<string | undefined> => {
    const { seen, answered, needed, enough } = await askOnce(options);
    if (seen > size) return behindText(seen, size);
    if (enough || continues) return undefined;
    const message = `${answered} of ${needed} witnesses have said how much they have seen`;
    throw new OperationalError("witnesses-silent", message, { retryable: true });
  };
