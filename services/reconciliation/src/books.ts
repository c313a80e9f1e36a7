// The books in memory and on disk as one: `follow` judges and posts consecutive entries, `seal` takes
// checkpoints. What fails halfway is thrown away and loaded again, so the books never run ahead of
// what is stored. A bad entry stops them for good: nothing is skipped.
import {
  beginAudit,
  resumeAudit,
  type AuditOptions,
  type AuditState,
  type KeyHistory,
} from "@sealane/rules";
import { auditRoot } from "@sealane/rules";
import { InvariantError } from "@sealane/runtime";
import { toBase64, type TlogPolicy } from "@sealane/tlog";
import type { KeyCopy } from "./key-copy.ts";
import { judgeEntries, makeSignatureDesk, type Bad, type SignatureDesk } from "./judge.ts";
import { makeSeals, type SealResult, type Seals } from "./seals.ts";
import type { BookStore } from "./store.ts";

export type BooksDeps = {
  readonly origin: string;
  readonly policy: TlogPolicy;
  readonly store: BookStore;
  readonly keys: KeyCopy;
  readonly signatures: boolean;
  readonly onRefusedSeal: (detail: string) => void;
};

type Live = {
  readonly state: AuditState;
  readonly desk: SignatureDesk;
  readonly seals: Seals;
  nextOffset: bigint | undefined;
  /** A seal or an offset is newer than what is stored. */
  dirty: boolean;
};

/** Consecutive entries, and the sizes after which a checkpoint may come. */
export type Stretch = {
  readonly from: number;
  readonly notes: readonly string[];
  readonly boundaries: ReadonlySet<number>;
  /** The next offset of the topic when all of it is applied; undefined when it did not come from it. */
  readonly nextOffset: bigint | undefined;
};

/** Hashes in memory per chain: more than a chunk has, so that rows are asked for older ones only. */
const headsKept = 4_096;

export type Books = ReturnType<typeof makeBooks>;

export const makeBooks = (deps: BooksDeps) => {
  const { origin, policy, store, keys, signatures } = deps;
  let live: Live | undefined;
  let trouble: Bad | undefined;

  const load = async (): Promise<Live> => {
    const history = keys.history() ?? (await keys.refresh());
    const stored = await store.load(origin);
    const desk = makeSignatureDesk();
    const options: AuditOptions = {
      origin,
      history,
      signatures,
      verify: desk.verify,
      keepIds: false,
      headsKept,
    };
    const state =
      stored.audit === undefined
        ? beginAudit(options)
        : resumeAudit(options, stored.audit, stored.balances);
    const seals = makeSeals(policy, origin, {
      pending: stored.pendingRoots,
      sealedSize: stored.sealedSize,
      note: stored.sealed,
    });
    return { state, desk, seals, nextOffset: stored.nextOffset, dirty: false };
  };

  const current = async (): Promise<Live> => (live ??= await load());

  const refreshKeys = async (state: AuditState): Promise<boolean> => {
    const before: KeyHistory = state.history;
    state.history = await keys.refresh();
    return state.history.size > before.size;
  };

  const expectRoots = ({ state, seals }: Live, boundaries: ReadonlySet<number>): void => {
    if (!boundaries.has(state.next)) return;
    const root = toBase64(auditRoot(state));
    seals.expect({ size: state.next, root, timeMs: state.logTimeMs });
  };

  /** Judges up to each boundary in turn, because a root is known only when the fold stands there. */
  const judgeStretch = async (now: Live, { from, notes, boundaries }: Stretch) => {
    const judged: Awaited<ReturnType<typeof judgeEntries>>["judged"] = [];
    const to = from + notes.length;
    const stops = [...boundaries].filter((size) => size > from && size < to);
    let at = from;
    for (const stop of [...stops.toSorted((a, b) => a - b), to]) {
      const part = await judgeEntries(now.state, notes.slice(at - from, stop - from), {
        headOf: store.headOf,
        refreshKeys,
      });
      judged.push(...part.judged);
      expectRoots(now, boundaries);
      if (part.bad !== undefined) return { judged, bad: part.bad };
      at = stop;
    }
    return { judged, bad: undefined };
  };

  /** Judges and posts; what is bad is found to the entry, and all before it is posted. */
  const follow = async (stretch: Stretch, atOnce = false): Promise<void> => {
    const now = await current();
    if (atOnce) now.desk.judgeAtOnce();
    const { judged, bad } = await judgeStretch(now, stretch);
    if (!(await now.desk.settle())) {
      live = undefined;
      return follow(stretch, true);
    }
    const nextOffset = bad === undefined ? stretch.nextOffset : undefined;
    const { from } = stretch;
    const twice = await store.apply({
      from,
      judged,
      state: now.state,
      seals: now.seals,
      nextOffset,
    });
    if (twice !== undefined) {
      live = undefined;
      await follow({ ...stretch, notes: stretch.notes.slice(0, twice.position - from) });
    }
    trouble = twice ?? bad;
    now.nextOffset = nextOffset ?? now.nextOffset;
    now.dirty = false;
    return undefined;
  };

  /** Throws the memory away after a failure: the next call goes on from what is stored. */
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      live = undefined;
      if (error instanceof InvariantError) {
        trouble = { position: -1, code: "books-broken", detail: error.message };
      }
      throw error;
    }
  };

  return {
    /** The next entry and the next offset that are wanted. */
    position: (): Promise<{ nextSeq: number; nextOffset: bigint | undefined }> =>
      guarded(async () => {
        const { state, nextOffset } = await current();
        return { nextSeq: state.next, nextOffset };
      }),
    follow: (stretch: Stretch): Promise<void> => guarded(() => follow(stretch)),
    /** Judges a checkpoint; it is stored with the next entries, or by `keep`. */
    seal: (note: string): Promise<SealResult> =>
      guarded(async () => {
        const now = await current();
        const result = now.seals.take(note);
        if (result.kind === "contradiction") trouble = result.bad;
        if (result.kind === "refused") deps.onRefusedSeal(result.detail);
        if (result.kind === "sealed") now.dirty = true;
        return result;
      }),
    /** All before this offset is applied; it said nothing new, so storing it can wait. */
    reached: (nextOffset: bigint): void => {
      if (live === undefined) return;
      live.nextOffset = nextOffset;
      live.dirty = true;
    },
    /** Stores the newest seal and offset, if they are not. */
    keep: (): Promise<void> =>
      guarded(async () => {
        const now = live;
        if (now === undefined || !now.dirty || trouble !== undefined) return;
        const { state, seals, nextOffset } = now;
        await store.apply({ from: state.next, judged: [], state, seals, nextOffset });
        now.dirty = false;
      }),
    trouble: (): Bad | undefined => trouble,
    /** For answers about progress; undefined before the first load. */
    view: () =>
      live === undefined
        ? undefined
        : { size: live.state.next, logTimeMs: live.state.logTimeMs, seal: live.seals.sealed() },
  };
};
