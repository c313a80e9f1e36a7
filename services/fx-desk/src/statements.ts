// "These are all my entries": once a day the desk signs how its own chain stands, as a provider's adapter
// does. What it names is sealed already (a quorum's checkpoint is at hand), so whoever holds an export of
// it later can see up to where nothing can be missing (`docs/formats/bundle.md`).
import { laneTopic, parseTime, statementText, type ChainStatement } from "@sealane/protocol";
import type { Producer } from "@sealane/messaging";
import { pause } from "@sealane/runtime";
import type { Signer } from "@sealane/signer";
import { checkCheckpoint, composeNote, type TlogPolicy } from "@sealane/tlog";
import type { DeskState } from "./state-file.ts";

type Deps = {
  readonly participant: string;
  readonly origin: string;
  readonly lane: number;
  readonly policy: TlogPolicy;
  readonly state: DeskState;
  readonly signer: Pick<Signer, "signLine">;
  readonly producer: Pick<Producer, "send">;
  /** The log's newest checkpoint, as it is served. */
  readonly checkpoint: () => Promise<string>;
  readonly clock: () => number;
  readonly log: { warn(fields: object, message: string): void };
};

const lookEveryMs = 60_000;
const produceDeadlineMs = 10_000;

export type Statements = ReturnType<typeof makeStatements>;

export const makeStatements = (deps: Deps) => {
  const { participant, origin, policy, state, clock, log } = deps;
  const stopping = new AbortController();

  /** Our newest entry, once a quorum has cosigned a log that holds it. */
  const next = async (): Promise<ChainStatement | undefined> => {
    const { chain = 0, prev: head, seq } = state.inbox;
    const to = chain - 1;
    // A statement that only follows another would be answered by a third.
    if (head === undefined || seq === undefined || to === state.stated?.n) return undefined;
    const { checkpoint, quorum } = checkCheckpoint(policy, await deps.checkpoint());
    if (!quorum || checkpoint.origin !== origin || checkpoint.size <= seq) return undefined;
    const from = state.stated === undefined ? 0 : state.stated.to + 1;
    return { participant, from, to, head, size: seq + 1 };
  };

  /** @returns what was said, or undefined when there is nothing to say yet */
  const say = async (): Promise<ChainStatement | undefined> => {
    const statement = await next();
    if (statement === undefined) return undefined;
    const text = statementText(origin, "statement", statement);
    const note = composeNote(text, [await deps.signer.signLine(text)]);
    const value = JSON.stringify({ v: 1, kind: "statement", note });
    const record = { topic: laneTopic(deps.lane), key: participant, value };
    await deps.producer.send([record], { deadlineMs: produceDeadlineMs });
    return statement;
  };

  const isDue = (everyMs: number): boolean =>
    state.stated === undefined || clock() - parseTime(state.stated.time) >= everyMs;

  /** Says it once per `everyMs` by the log's own time, so that a restart repeats nothing. */
  const run = async (everyMs: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      await pause(Math.min(everyMs, lookEveryMs), stopping.signal);
      if (stopping.signal.aborted || !isDue(everyMs)) continue;
      try {
        await say();
      } catch (err) {
        log.warn({ err }, "the statement of our chain was not published, trying again");
      }
    }
  };

  return { say, run, stop: (): void => stopping.abort() };
};
