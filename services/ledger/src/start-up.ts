// What must hold before the lane may sign: a cosigned key log, and no witness that has seen more of our
// log than our own database has (a database that was rolled back would sign a second history).
import { readFileSync } from "node:fs";
import type { Sql } from "@sealane/database";
import { invariant, pause } from "@sealane/runtime";
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
  while (keyLog.cosigned() === undefined && !signal.aborted) await pause(20, signal);
};

/**
 * Asks until n − k + 1 witnesses have said how much of the log they have seen: then at least one of
 * every quorum that ever sealed is among them.
 * @returns why the ledger must not sign, or undefined
 */
export const askWitnesses = async (options: {
  readonly sql: Sql;
  readonly lane: number;
  readonly origin: string;
  readonly policy: TlogPolicy;
  readonly witnesses: readonly WitnessClient[];
  readonly signal: AbortSignal;
  readonly log: Log;
}): Promise<string | undefined> => {
  const { sql, lane, origin, policy, witnesses, signal, log } = options;
  const needed = policy.witnesses.length - quorumSize(policy) + 1;
  const { rows } = await sql.query<{ size: bigint }>({
    text: "select size from lane where lane = $1",
    values: [lane],
  });
  const own = Number(rows[0]?.size ?? 0n);
  for (let told = false; !signal.aborted; told = true) {
    const sizes = await Promise.all(witnesses.map((witness) => witness.sizeOf(origin)));
    const answered = sizes.filter((size) => size !== undefined);
    const ahead = Math.max(0, ...answered);
    if (ahead > own) {
      return `a witness has ${ahead} entries of the log, the database ${own}: do not sign, recover`;
    }
    if (answered.length >= needed) return undefined;
    if (!told) log.info({ answered: answered.length, needed }, "waiting for witnesses");
    await pause(250, signal);
  }
  return undefined;
};
