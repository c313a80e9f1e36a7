// A batch on its way through a writer: frames opened and decided under what is stored, and its entries put
// on the chain with stub signatures. Same input, same bytes.
import { entryText, statementText, zeroHash } from "@sealane/protocol";
import { appendLeaves, leafHash, toBase64 } from "@sealane/tlog";
import type { BatchOutcome } from "../batch-outcome.ts";
import type { LaneCommand } from "../commands.ts";
import { decideBatch } from "../lane.ts";
import { seqOfChain, type KnownTransfer, type LaneState } from "../lane-state.ts";
import { origin, testKeys } from "../testing/genesis.ts";
import { openFrame, type LaneFrame } from "./frames.ts";
import type { Sim } from "./sim.ts";
import type { LogHead, Store, StoredEntry, StoredMessage } from "./store.ts";
import { stubSigned } from "./stub-keys.ts";

export type Staged = {
  readonly entries: readonly StoredEntry[];
  readonly refusals: readonly string[];
  readonly head: LogHead;
};

export type Decided = {
  readonly outcome: BatchOutcome;
  readonly oldSize: number;
  /** Offset of the next input. */
  readonly next: number;
  readonly inbox: readonly StoredMessage[];
  staged?: Staged;
};

type Batch = {
  readonly number: number;
  readonly from: number;
  readonly records: readonly LaneFrame[];
};

type At = { readonly timeMs: number; readonly mayReserve: boolean; readonly clockOff: boolean };

const knownOf = (store: Store, commands: readonly LaneCommand[]): Map<string, KnownTransfer> => {
  const ids = commands.flatMap((command) => {
    if (command.kind === "acceptance") return command.id;
    return "body" in command && "id" in command.body ? command.body.id : [];
  });
  return new Map(
    ids.flatMap((id) => {
      const row = store.ended.get(id);
      if (row === undefined) return [];
      const { request, payer, seq } = row;
      return [[id, { id, request, payer, seq }] as const];
    }),
  );
};

const usedQuotes = (store: Store, commands: readonly LaneCommand[]): Map<string, string> =>
  new Map(
    commands.flatMap((command) => {
      const quote = command.kind === "intent" ? command.body.quote : undefined;
      const by = quote === undefined ? undefined : store.quotes.get(quote);
      return quote === undefined || by === undefined ? [] : [[quote, by] as const];
    }),
  );

/** Changes `state`: who cannot save the batch throws it away. */
export const decideOn = (
  sim: Sim,
  store: Store,
  state: LaneState,
  { number, from, records }: Batch,
  at: At,
): Decided => {
  const { keys, cited } = sim.keys();
  const commands = records.flatMap(
    (frame, index) => openFrame(frame, from + index, keys, state) ?? [],
  );
  const oldSize = state.size;
  const outcome = decideBatch(state, {
    ...at,
    commands,
    keys,
    cited,
    known: knownOf(store, commands),
    usedQuotes: usedQuotes(store, commands),
    headOf: (participant, n) => {
      const entry = store.entries[seqOfChain(state, participant, n) ?? -1];
      return entry === undefined ? undefined : toBase64(entry.hash);
    },
  });
  const inbox = [...outcome.inbox].map(([to, refs]): StoredMessage => {
    const n = state.inboxes.get(to) ?? 0;
    state.inboxes.set(to, n + 1);
    return { to, n, batch: number, timeMs: at.timeMs, refs };
  });
  for (const letter of outcome.deadLetters) sim.count(`dead letter ${letter.code}`);
  for (const refusal of outcome.refusals) sim.count(`refused ${refusal.code}`);
  return { outcome, oldSize, next: from + records.length, inbox };
};

/** Puts a batch's entries on the chain and signs its refusals. */
export const stageBatch = (head: LogHead, outcome: BatchOutcome): Staged => {
  const chains = new Map(head.chains);
  let { last } = head;
  const entries = outcome.entries.map((draft): StoredEntry => {
    const own = draft.ownInner === true;
    const inner = own ? stubSigned(draft.inner, [testKeys.entry]) : draft.inner;
    const prev = (participant: string): string => chains.get(participant) ?? zeroHash;
    const text = entryText(origin, { ...draft, inner }, last, prev);
    const note = stubSigned(text, [testKeys.entry]);
    const hash = leafHash(note);
    last = toBase64(hash);
    for (const { participant } of draft.chains) chains.set(participant, last);
    return { note, hash, chains: draft.chains };
  });
  const leaves = entries.map(({ hash }) => hash);
  const refusals = outcome.refusals.map((body) =>
    stubSigned(statementText(origin, "refusal", body), [testKeys.entry]),
  );
  return { entries, refusals, head: { last, range: appendLeaves(head.range, leaves), chains } };
};
