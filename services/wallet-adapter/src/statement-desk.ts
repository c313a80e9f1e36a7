// "These are all my entries": once a day, and when its core asks, the provider signs how its own chain
// stands. The statement becomes an entry of that chain, so that witnesses cosign it, and whoever is
// given an export of it later can see up to where nothing can be missing (`docs/formats/bundle.md`).
import { statementText, type ChainStatement } from "@sealane/protocol";
import { pause } from "@sealane/runtime";
import { toBase64 } from "@sealane/tlog";
import type { SignOwn } from "./hosted-own.ts";
import type { ChainEntry, InboxPosition } from "./view-store.ts";

type Deps = {
  readonly participant: string;
  readonly origin: string;
  readonly signOwn: SignOwn;
  readonly chain: readonly ChainEntry[];
  readonly position: InboxPosition;
  readonly clock: () => number;
  readonly produce: (command: Record<string, unknown>) => Promise<void>;
  readonly log: { warn(fields: object, message: string): void };
};

/** A statement and the number of its own entry. */
export type Stated = { readonly statement: ChainStatement; readonly n: number };

const lookEveryMs = 60_000;
const pollMs = 20;

export type StatementDesk = ReturnType<typeof makeStatementDesk>;

export const makeStatementDesk = (deps: Deps) => {
  const { participant, origin, chain, position, clock, log } = deps;
  const stopping = new AbortController();
  let newest: Stated | undefined;
  let saidAtMs: number | undefined;

  /** The newest own entry that a quorum has cosigned: it stays in the chain until the next one. */
  const next = (): ChainStatement | undefined => {
    const last = chain.findLast(({ n }) => n < position.sealedTo);
    // A statement that only follows another would be answered by a third.
    if (last === undefined || last.n === newest?.n) return undefined;
    const from = newest === undefined ? 0 : newest.statement.to + 1;
    const { n, seq, leafHash } = last;
    return { participant, from, to: n, head: toBase64(leafHash), size: seq + 1 };
  };

  const say = async (): Promise<ChainStatement | undefined> => {
    const statement = next();
    if (statement === undefined) return undefined;
    const text = statementText(origin, "statement", statement);
    const note = await deps.signOwn(text, statement.to);
    await deps.produce({ v: 1, kind: "statement", note });
    saidAtMs = clock();
    return statement;
  };

  /** Says it now and waits until it is sealed. @returns undefined when there is nothing to say */
  const sayNow = async (waitMs: number, signal: AbortSignal): Promise<Stated | undefined> => {
    const until = clock() + waitMs;
    const said = await say();
    if (said === undefined) return newest;
    for (;;) {
      const sealed = newest !== undefined && newest.n < position.sealedTo;
      if (sealed && (newest?.statement.to ?? -1) >= said.to) return newest;
      if (clock() >= until || signal.aborted) return { statement: said, n: -1 };
      await pause(pollMs, signal);
    }
  };

  const run = async (everyMs: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      await pause(Math.min(everyMs, lookEveryMs), stopping.signal);
      if (stopping.signal.aborted) return;
      if (saidAtMs !== undefined && clock() - saidAtMs < everyMs) continue;
      try {
        await say();
      } catch (error) {
        log.warn({ err: error }, "the statement of our chain was not published, trying again");
      }
    }
  };

  return {
    run,
    sayNow,
    /** Our own statement is on the log, as entry n of our chain. */
    stated: (statement: ChainStatement, n: number): void => {
      if (newest === undefined || newest.n < n) newest = { statement, n };
    },
    stop: (): void => stopping.abort(),
  };
};
