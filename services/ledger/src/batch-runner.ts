// One batch from prepared to published: decide (pure), put on the chain, save, then answer. The lane's
// state is changed by the decision, so a batch that was not saved leaves a state to throw away.
import { maxEntryBytes, type EntryItem } from "@sealane/protocol";
import {
  decideBatch,
  keyLagMs,
  slotsWait,
  verifyEntry,
  type BatchOutcome,
  type InboxRef,
  type KeyHistory,
  type KeyState,
  type KnownTransfer,
  type LaneCommand,
} from "@sealane/rules";
import { OperationalError } from "@sealane/runtime";
import type { AssembledBatch } from "./assembler.ts";
import type { AssemblerThread } from "./assembler-thread.ts";
import type { LoadedLane, LogHead } from "./lane-load.ts";
import type { StoredMessage } from "./batch-to-save.ts";
import type { LaneStore } from "./lane-store.ts";
import type { Clock, LaneMetrics, LaneSpans } from "./lane-telemetry.ts";
import { deadLettersOf, type Prepared } from "./prepare-batch.ts";
import type { PublishQueue } from "./publish-queue.ts";
import {
  cutBySize,
  mostMessageChars,
  deadLetterMessage,
  entriesMessages,
  entryItem,
  type Bodies,
  type makeMessageBuilder,
  type Outgoing,
} from "./publisher.ts";
import { unsealedOf, type SealTracker, type UnsealedEntry } from "./seal-tracker.ts";
import type { Tree } from "./tree.ts";

/** Nothing new is reserved while the oldest unsealed entry is older (`decisions.md`). */
export const maxUnsealedMs = 5_000;
const proposalRepeatMs = 2_000;
/** Longer than a seal takes when nothing is wrong. */
const calmHoldMs = 25;

const isUrgent = ({ type }: InboxRef): boolean => type === "proposal" || type === "refusal";

/** A loaded lane and how far its batches have come. */
export type Live = {
  readonly loaded: LoadedLane;
  head: LogHead;
  /** The newest signed checkpoint, the log's own line only; empty before the first entry. */
  checkpoint: string;
  batch: number;
  publishedBatch: number;
  savedPublished: number;
  savedSeal: number;
  inputOffset: bigint;
  renewedMs: number;
  /** Ends of the batch before: their rows may not have been there for the look-up. */
  recent: readonly KnownTransfer[];
  recentQuotes: readonly { readonly quote: string; readonly id: string }[];
};

type Deps = {
  readonly origin: string;
  readonly lane: number;
  readonly store: LaneStore;
  readonly assembler: AssemblerThread;
  readonly tree: Tree;
  readonly clock: Clock;
  readonly history: () => KeyHistory;
  readonly keys: () => { readonly keys: KeyState } | undefined;
  /** Why the clock cannot be trusted; undefined when it can. */
  readonly clockTrouble: () => string | undefined;
  readonly onCheckpoint: (size: number, note: string) => void;
  readonly metrics: LaneMetrics;
  readonly spans: LaneSpans;
  readonly builder: ReturnType<typeof makeMessageBuilder>;
  readonly publishing: PublishQueue;
  readonly seals: SealTracker;
};

type Decided = {
  readonly outcome: BatchOutcome;
  readonly batch: number;
  readonly oldSize: number;
  readonly inbox: readonly StoredMessage[];
  readonly traces: ReadonlyMap<string, string>;
};

/** About how long an item will be, before it is built: what keeps messages below the broker's limit. */
const refChars = (now: Live, outcome: BatchOutcome, oldSize: number, ref: InboxRef): number => {
  if (ref.type === "proposal") {
    const open = now.loaded.state.open.get(ref.id);
    const envelope = open?.envelope;
    const sealed =
      envelope === undefined ? 0 : envelope.ct.length + 500 * (envelope.wraps.length + 1);
    return (open?.text.length ?? 0) + sealed + 500;
  }
  if (ref.type !== "entry") return 1_500;
  const draft = outcome.entries[ref.seq - oldSize];
  // An older one, told again: its length is not known here.
  return draft === undefined ? maxEntryBytes : draft.inner.length + 2_000;
};

const numberInbox = (
  now: Live,
  outcome: BatchOutcome,
  batch: number,
  oldSize: number,
): StoredMessage[] => {
  const { inboxes } = now.loaded.state;
  return [...outcome.inbox].flatMap(([participant, all]) => {
    const chars = (ref: InboxRef): number => refChars(now, outcome, oldSize, ref);
    return cutBySize(all, mostMessageChars, chars).map((refs) => {
      const n = inboxes.get(participant) ?? 0;
      inboxes.set(participant, n + 1);
      return { participant, n, batch, timeMs: outcome.timeMs, refs };
    });
  });
};

/** Whether a timer has something to do, or the key log, without any input. */
const isDue = (now: Live, timeMs: number, keys: KeyState | undefined): boolean => {
  if (slotsWait(now.loaded.state, keys)) return true;
  for (const open of now.loaded.state.open.values()) {
    if (timeMs >= open.expiresAtMs || timeMs - open.proposedAtMs >= proposalRepeatMs) return true;
  }
  return false;
};

export const makeBatchRunner = (deps: Deps) => {
  const { store, clock, metrics, seals, publishing, lane } = deps;

  const decide = (now: Live, prepared: Prepared): Decided => {
    const { state } = now.loaded;
    const startedMs = clock();
    const timeMs = Math.max(state.logTimeMs, startedMs);
    for (const ended of now.recent) prepared.known.set(ended.id, ended);
    for (const { quote, id } of now.recentQuotes) prepared.usedQuotes.set(quote, id);
    const commands: LaneCommand[] = prepared.opened.flatMap((one) => (one.ok ? [one.command] : []));
    const oldSize = state.size;
    const unsealedSince = seals.oldestMs();
    const { keys, cited, known, usedQuotes, headOf, linkAt, entryAt } = prepared;
    // An entry leaves out nothing of the key log that is older than 2 s (`decisions.md`, Keys).
    const leftOut = deps.history().times[cited.size];
    if (leftOut !== undefined && leftOut < timeMs - keyLagMs) {
      const message = "the key log has an entry that no quorum has cosigned for 2 s";
      throw new OperationalError("key-log-behind", message, { retryable: true });
    }
    const mayReserve = unsealedSince === undefined || timeMs - unsealedSince <= maxUnsealedMs;
    const clockOff = deps.clockTrouble() !== undefined;
    const looked = { known, usedQuotes, headOf, linkAt, entryAt };
    const { recoveredTo } = now.loaded;
    const told = { timeMs, keys, cited, mayReserve, clockOff, recoveredTo };
    const outcome = decideBatch(state, { commands, ...told, ...looked });
    now.recent = outcome.ended;
    now.recentQuotes = outcome.usedQuotes;
    const batch = now.batch + 1;
    const inbox = numberInbox(now, outcome, batch, oldSize);
    return {
      outcome,
      batch,
      oldSize,
      inbox,
      traces: deps.spans.batch(outcome, commands, startedMs),
    };
  };

  const save = async (
    now: Live,
    prepared: Prepared,
    { outcome, batch, oldSize, inbox }: Decided,
    assembled: AssembledBatch,
  ): Promise<void> => {
    const { state, epoch } = now.loaded;
    const told = seals.told();
    const inputOffset = (prepared.raw.at(-1)?.offset ?? now.inputOffset - 1n) + 1n;
    const { publishedBatch } = now;
    const { entries, refusalNotes, head, checkpoint } = assembled;
    await store.save({
      loaded: { epoch, oldSize },
      state,
      outcome,
      entries,
      refusalNotes,
      head,
      checkpoint,
      batch,
      publishedBatch,
      sealedSize: told.size,
      sealed: told.note,
      inputOffset,
      inbox,
    });
    now.savedSeal = told.size;
    now.savedPublished = publishedBatch;
    now.head = head;
    now.checkpoint = checkpoint;
    now.batch = batch;
    now.inputOffset = inputOffset;
  };

  const answer = (now: Live, prepared: Prepared, decided: Decided, made: AssembledBatch): void => {
    const { outcome, oldSize, batch, inbox, traces } = decided;
    const { state } = now.loaded;
    const items = new Map<number, EntryItem>();
    const unsealed: UnsealedEntry[] = [];
    const when = { timeMs: outcome.timeMs, savedMs: clock() };
    for (const [at, entry] of made.entries.entries()) {
      const draft = outcome.entries[at];
      const trace = draft?.transferId === undefined ? undefined : traces.get(draft.transferId);
      items.set(entry.seq, entryItem(entry, trace));
      unsealed.push(unsealedOf(entry, draft?.chains ?? [], when, trace));
    }
    deps.tree.append(made.entries.map(({ leafHash }) => leafHash));
    seals.appended(unsealed);
    if (made.entries.length > 0) deps.onCheckpoint(state.size, made.checkpoint);
    const proposed = [...outcome.inbox.values()].flat().flatMap((ref) => {
      const open = ref.type === "proposal" ? state.open.get(ref.id) : undefined;
      return open === undefined ? [] : [[open.id, open] as const];
    });
    const bodies: Bodies = {
      entries: items,
      open: new Map(proposed),
      refusalNotes: made.refusalNotes,
      traces,
    };
    const letters = deadLettersOf(lane, prepared, outcome.deadLetters, outcome.timeMs);
    for (const { code } of letters) metrics.deadLetter(code);
    // Proposals and refusals are waited for; the rest goes with the seal, a few milliseconds later.
    // All of one participant's together, since its messages are numbered.
    const hurried = new Set(
      inbox.flatMap(({ participant, refs }) => (refs.some(isUrgent) ? [participant] : [])),
    );
    const urgent = inbox.filter(({ participant }) => hurried.has(participant));
    const calm = inbox.filter(({ participant }) => !hurried.has(participant));
    if (urgent.length > 0) {
      publishing.add({
        messages: () => deps.builder.inboxMessages(urgent, bodies),
        onDone: () => undefined,
      });
    }
    publishing.add({
      messages: async (): Promise<Outgoing[]> => [
        ...(await deps.builder.inboxMessages(calm, bodies)),
        ...(items.size === 0 ? [] : entriesMessages(lane, oldSize, [...items.values()])),
        ...letters.map((letter) => deadLetterMessage("ledger", letter)),
      ],
      onDone: () => {
        now.publishedBatch = Math.max(now.publishedBatch, batch);
      },
      holdMs: calmHoldMs,
    });
  };

  /** A batch that only reserves leaves log and tree as they are: there is nothing to sign. */
  const assemble = async (now: Live, outcome: BatchOutcome): Promise<AssembledBatch> => {
    const { entries: drafts, refusals } = outcome;
    const { head, checkpoint } = now;
    if (drafts.length + refusals.length === 0) {
      return { entries: [], refusalNotes: [], head, checkpoint };
    }
    return deps.assembler.assemble({ head, drafts, refusals });
  };

  /** @param whileSaving is called when the state is decided and the next batch may be prepared */
  const run = async (now: Live, prepared: Prepared, whileSaving: () => void): Promise<void> => {
    const startedMs = clock();
    const decided = decide(now, prepared);
    whileSaving();
    const { outcome } = decided;
    const assembled = await assemble(now, outcome);
    await save(now, prepared, decided, assembled);
    answer(now, prepared, decided, assembled);
    metrics.batch(outcome, prepared.opened.length, clock() - startedMs);
  };

  /** Entries whose seal the participants may not have been told of. */
  const readUnsealed = async (from: number, size: number): Promise<UnsealedEntry[]> => {
    const checks = { origin: deps.origin, history: deps.history(), signatures: false };
    const unsealed: UnsealedEntry[] = [];
    for (let at = from; at < size; at += 1_000) {
      for (const bytes of await store.readEntries(at, Math.min(at + 1_000, size))) {
        const verified = verifyEntry(bytes.toString("utf8"), checks);
        if (!verified.ok) throw new Error(`broken invariant: stored entry: ${verified.detail}`);
        const { seq, chains } = verified.entry.context;
        // Counted from now: a ledger that was down must not stop reserving for that.
        const nowMs = clock();
        unsealed.push({ seq, chains, timeMs: nowMs, savedMs: nowMs, trace: undefined });
      }
    }
    return unsealed;
  };

  /** Goes on from what is stored: tells again what may not have been told. */
  const begin = async (loaded: LoadedLane): Promise<Live> => {
    const { state, sealedSize, sealed, batch, publishedBatch, head, inputOffset } = loaded;
    const waiting = await readUnsealed(sealedSize, state.size);
    seals.begin({ size: sealedSize, note: sealed }, waiting);
    const now: Live = {
      loaded,
      head,
      checkpoint: loaded.checkpoint,
      batch,
      publishedBatch,
      savedPublished: publishedBatch,
      savedSeal: sealedSize,
      inputOffset,
      renewedMs: clock(),
      recent: [],
      recentQuotes: [],
    };
    const untold = await store.readUnpublished(publishedBatch);
    const bodies = {
      entries: new Map(),
      open: state.open,
      refusalNotes: [],
      traces: new Map(),
    };
    publishing.add({
      messages: () => deps.builder.inboxMessages(untold, bodies),
      onDone: () => {
        now.publishedBatch = Math.max(now.publishedBatch, batch);
      },
    });
    return now;
  };

  /** Notes what was published and told when no batch carries it. */
  const saveProgress = async (now: Live): Promise<void> => {
    const told = seals.told();
    const { publishedBatch } = now;
    if (told.size <= now.savedSeal && publishedBatch <= now.savedPublished) return;
    await store.saveSealed(now.loaded.epoch, told.size, told.note, publishedBatch);
    now.savedSeal = told.size;
    now.savedPublished = publishedBatch;
  };

  const isDueNow = (now: Live, timeMs: number): boolean => isDue(now, timeMs, deps.keys()?.keys);

  return { begin, run, saveProgress, isDue: isDueNow };
};
