// A lane for tests: the ledger's fold, its log, its key log and its witnesses in one object, with no
// service and no clock. `run` decides a batch and puts its entries on the chain, as the ledger does.
import {
  entryText,
  zeroHash,
  type ChainStatement,
  type EntryDraft,
  type Terms,
} from "@sealane/protocol";
import {
  appendLeaf,
  composeNote,
  concatBytes,
  emptyRange,
  formatProof,
  hashReaderFromTiles,
  inclusionProof,
  leafHash,
  rangeRoot,
  rootOf,
  toBase64,
  utf8,
  TILE_WIDTH,
  type CompactRange,
  type HashReader,
} from "@sealane/tlog";
import type { BatchOutcome } from "../batch-outcome.ts";
import type { LaneCommand, RateSheetCommand } from "../commands.ts";
import type { KeyState } from "../key-state.ts";
import { decideBatch } from "../lane.ts";
import { readOriginal, type Original } from "../returns/original.ts";
import { emptyLaneState, type KnownTransfer } from "../lane-state.ts";
import {
  genesisMs,
  hk,
  makeGenesis,
  origin as firstOrigin,
  origin1,
  testKeys,
  witnessKeys,
  type GenesisOptions,
} from "./genesis.ts";
import { cosignedCheckpoint, type KeyLogKit } from "./key-log-kit.ts";
import { signed } from "./keys.ts";
import {
  giveBack as giveBackCommand,
  recall as recallCommand,
  type RecallOptions,
  type ReturnOptions,
} from "./return-statements.ts";
import * as say from "./statements.ts";

export type Batch = {
  readonly outcome: BatchOutcome;
  /** The entries of this batch, as published. */
  readonly notes: readonly string[];
};

export type RunOptions = {
  /** Log time of the batch; 10 ms after the last one unless told. */
  readonly atMs?: number;
  readonly mayReserve?: boolean;
  /** Intents below this offset are from before a recovery; the first command has offset 0. */
  readonly recoveredTo?: bigint;
  /** The state of the key log that is cited; all of it unless told. */
  readonly keysSize?: number;
};

export type World = ReturnType<typeof makeWorld>;

/** Which of two lanes, under which key log; without it the only one, under its own. */
export type LaneOptions = { readonly lane?: 0 | 1; readonly keyLog?: KeyLogKit };

const logs = [
  [firstOrigin, testKeys.checkpoint],
  [origin1, testKeys.checkpoint1],
] as const;

export const makeWorld = (options: GenesisOptions = {}, place: LaneOptions = {}) => {
  const keyLog = place.keyLog ?? makeGenesis(options);
  const [origin, logKey] = logs[place.lane ?? 0];
  const state = emptyLaneState(origin, place.lane ?? 0);
  const known = new Map<string, KnownTransfer>();
  const usedQuotes = new Map<string, string>();
  const entries: string[] = [];
  const hashes: Uint8Array[] = [];
  /** Leaf hashes of each participant's chain, base64, by number. */
  const chains = new Map<string, string[]>();
  let range: CompactRange = emptyRange();
  let nowMs = genesisMs + 1_000;
  let offset = 0n;
  let sheet: RateSheetCommand | undefined;

  const keys = (size?: number): KeyState => {
    const history = keyLog.history();
    return history.states[size ?? history.size] as KeyState;
  };

  const assemble = (draft: EntryDraft): string => {
    const prev = hashes.at(-1);
    const chainPrev = (participant: string): string => chains.get(participant)?.at(-1) ?? zeroHash;
    const previous = prev === undefined ? zeroHash : toBase64(prev);
    const own = draft.ownInner === true;
    const inner = own ? signed(draft.inner, [testKeys.entry]) : draft.inner;
    const whole = { ...draft, inner };
    const note = signed(entryText(origin, whole, previous, chainPrev), [testKeys.entry]);
    const hash = leafHash(note);
    for (const { participant } of draft.chains) {
      chains.set(participant, [...(chains.get(participant) ?? []), toBase64(hash)]);
    }
    entries.push(note);
    hashes.push(hash);
    range = appendLeaf(range, hash);
    return note;
  };

  const run = (commands: readonly LaneCommand[] = [], runOptions: RunOptions = {}): Batch => {
    const { atMs = nowMs + 10, mayReserve = true, recoveredTo } = runOptions;
    nowMs = atMs;
    const history = keyLog.history();
    const size = runOptions.keysSize ?? history.size;
    const numbered = commands.map((command) => ({ ...command, offset: offset++ }));
    const outcome = decideBatch(state, {
      timeMs: atMs,
      commands: numbered,
      keys: keys(size),
      cited: { size, root: history.roots[size] as string },
      known,
      usedQuotes,
      mayReserve,
      recoveredTo,
      headOf: (participant, n) => chains.get(participant)?.[n],
      linkAt: (participant, seq) => {
        const head = toBase64(hashes[seq] ?? new Uint8Array());
        const n = chains.get(participant)?.indexOf(head) ?? -1;
        return n < 0 ? undefined : { n, head };
      },
      entryAt: (seq) => entries[seq],
    });
    return { outcome, notes: outcome.entries.map(assemble) };
  };

  /** Logs a sheet, from which the next intents are priced. */
  const publishSheet = (
    overrides: Parameters<typeof say.makeSheet>[0] = {},
    atMs?: number,
  ): Batch => {
    const number = overrides.number ?? (sheet === undefined ? 1 : sheet.body.number + 1);
    const made = say.makeSheet({ ...overrides, number }, atMs ?? nowMs);
    sheet = say.rateSheet(keys(), made, { origin });
    return run([sheet], atMs === undefined ? {} : { atMs });
  };

  /** Liquidity for the payer and the provider. */
  const fund = (hkd = "1000000.00", php = "10000000.00"): Batch =>
    run([
      say.advance(keys(), { key: `fund-hk-${origin}-${state.size}`, amount: hkd }, { origin }),
      say.advance(
        keys(),
        {
          key: `fund-fx-${origin}-${state.size}`,
          participant: "fx-desk.example",
          currency: "PHP",
          amount: php,
        },
        { origin },
      ),
    ]);

  /** Terms priced from the newest sheet. */
  const terms = (termsOptions: say.TermsOptions = {}): Terms => {
    if (sheet === undefined) throw new Error("publish a sheet first");
    const priced = { sheet: sheet.body, hash: say.sheetHash(sheet) };
    return say.makeTerms(priced, nowMs, termsOptions);
  };

  const intent = (termsOptions: say.TermsOptions = {}, signing?: say.Signing) =>
    say.intent(keys(), terms(termsOptions), { origin, ...signing });

  /** Accepts an open transfer, as its payee. */
  const accept = (id: string, signing?: say.Signing) =>
    say.acceptance(keys(), id, state.open.get(id)?.text ?? "not open\n", signing);

  const openNote = (id: string): string | undefined => {
    const open = state.open.get(id);
    return open === undefined ? undefined : composeNote(open.text, open.lines);
  };

  const reject = (id: string, body: Partial<Parameters<typeof say.rejection>[1]> = {}) =>
    say.rejection(keys(), { id, ...body }, openNote(id) ?? "");

  const cancel = (id: string, signing?: say.Signing) =>
    say.cancellation(keys(), { id }, openNote(id), signing);

  const credit = (participant: string, upTo: number, head?: string) =>
    say.credited(keys(), {
      participant,
      upTo,
      head: head ?? chains.get(participant)?.[upTo] ?? zeroHash,
    });

  /** What a participant says of its chain as it is now, unless told otherwise. */
  const stateChain = (body: Partial<ChainStatement> = {}, signing?: say.Signing) => {
    const { participant = hk } = body;
    const chain = chains.get(participant) ?? [];
    const { to = chain.length - 1 } = body;
    const head = chain[to] ?? zeroHash;
    const size = hashes.findIndex((hash) => toBase64(hash) === head) + 1;
    return say.chainStatement(keys(), { participant, from: 0, to, head, size, ...body }, signing);
  };

  /** A committed transfer as its entry has it. */
  const originalOf = (id: string): Original => {
    const seq = known.get(id)?.seq ?? -1;
    const original = readOriginal(origin, entries[seq] ?? "");
    if (original === undefined) throw new Error(`${id} is not committed`);
    return original;
  };

  /** The payee gives back what is left, unless told otherwise. */
  const giveBack = (id: string, changes: ReturnOptions = {}, signing?: say.Signing) => {
    const original = originalOf(id);
    const before = state.settlement.returned.get(id)?.minor ?? 0n;
    const told = { original, entry: entries[original.seq] ?? "", before };
    return giveBackCommand(keys(), told, changes, signing);
  };

  /** The payer asks for all of it. */
  const recall = (id: string, changes: RecallOptions = {}, signing?: say.Signing) => {
    const original = originalOf(id);
    return recallCommand(
      keys(),
      { original, entry: entries[original.seq] ?? "" },
      changes,
      signing,
    );
  };

  /** Sends and accepts one transfer. @returns its id */
  const transfer = (termsOptions: say.TermsOptions = {}): string => {
    const made = intent(termsOptions);
    run([made]);
    run([accept(made.body.id)]);
    return made.body.id;
  };

  const rangeAt = (size: number): CompactRange =>
    size === range.size ? range : hashes.slice(0, size).reduce(appendLeaf, emptyRange());

  /** A checkpoint of the log, cosigned by the first `count` witnesses. */
  const checkpoint = (size = entries.length, count = 3): string => {
    const seconds = Math.ceil(nowMs / 1_000);
    return cosignedCheckpoint(logKey, rangeAt(size), witnessKeys.slice(0, count), seconds);
  };

  /** Bytes of a hash tile, as wide as a tree of `size` has it. */
  const tile = (level: number, index: number, size = entries.length): Uint8Array => {
    const span = TILE_WIDTH ** level;
    const count = Math.min(Math.floor(size / span) - index * TILE_WIDTH, TILE_WIDTH);
    return concatBytes(
      ...Array.from({ length: count }, (_, at) => {
        const from = (index * TILE_WIDTH + at) * span;
        return rootOf(hashes.slice(from, from + span));
      }),
    );
  };

  /** A receipt (tlog-proof) of one entry under a checkpoint of the log. */
  const receipt = (seq: number, size = entries.length): string => {
    const reader: HashReader = hashReaderFromTiles((level, index) => tile(level, index, size));
    return formatProof({
      extra: utf8(entries[seq] as string),
      index: seq,
      hashes: inclusionProof(seq, size, reader),
      checkpoint: checkpoint(size),
    });
  };

  return {
    origin,
    keyLog,
    state,
    known,
    usedQuotes,
    entries,
    hashes,
    chains,
    keys,
    run,
    publishSheet,
    fund,
    terms,
    intent,
    accept,
    openNote,
    reject,
    cancel,
    credit,
    stateChain,
    originalOf,
    giveBack,
    recall,
    transfer,
    checkpoint,
    tile,
    receipt,
    nowMs: (): number => nowMs,
    sheet: (): RateSheetCommand => sheet as RateSheetCommand,
    root: (): Uint8Array => rangeRoot(range),
    /** The key log's cosigned checkpoint, as an auditor fetches it. */
    keyCheckpoint: (count = 3): string =>
      keyLog.checkpoint(witnessKeys.slice(0, count), Math.ceil(nowMs / 1_000)),
  };
};

/** A world with liquidity and a sheet, ready for its first transfer. */
export const makeFundedWorld = (options: GenesisOptions = {}): World => {
  const world = makeWorld(options);
  world.fund();
  world.publishSheet();
  return world;
};
