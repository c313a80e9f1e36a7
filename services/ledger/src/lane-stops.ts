// Where the lane stops, and why: a failure that is the input's comes again at the same offset. After the
// second stop there the batch is tried one command at a time, until the one that fails stands alone and
// can be named. Failures that pass by themselves (a lost lease, a database that is away) count for nothing.
import { sha256, toBase64 } from "@sealane/tlog";
import type { RawCommand } from "./open-command.ts";

/** The command at which the lane stops. */
export type StoppedAt = {
  readonly offset: bigint;
  readonly size: number;
  /** SHA-256 of the record's value, base64. */
  readonly hash: string;
  readonly detail: string;
};

export type LaneStops = ReturnType<typeof makeLaneStops>;

/** The hash that a decision names a record by. */
export const recordHash = (value: Uint8Array | null): string =>
  toBase64(sha256(value ?? new Uint8Array()));

const passesBy = (error: unknown): boolean =>
  (error as { readonly retryable?: unknown } | null)?.retryable === true;

export const makeLaneStops = () => {
  /** The batches under way: one is decided or saved, the next may be in preparation. */
  let attempts: (readonly RawCommand[])[] = [];
  let last: { readonly offset: bigint; times: number } | undefined;
  /** One command at a time up to this offset. */
  let aloneTo: bigint | undefined;
  let stopped: StoppedAt | undefined;

  return {
    /** Whether commands are tried one at a time. */
    alone: (): boolean => aloneTo !== undefined,
    /** A batch is begun. What lies before it has been decided. */
    attempt: (raw: readonly RawCommand[]): void => {
      const first = raw[0]?.offset;
      if (first === undefined) return;
      attempts = [...attempts.slice(-1), raw];
      if (aloneTo !== undefined && first > aloneTo) aloneTo = undefined;
      if (stopped !== undefined && first > stopped.offset) stopped = undefined;
    },
    /**
     * The lane has failed.
     * @param next the first offset that is not decided
     * @returns where it stops, once that is one command
     */
    failed: (error: unknown, next: bigint): StoppedAt | undefined => {
      const raw = attempts.find((batch) => batch[0]?.offset === next);
      attempts = [];
      const end = raw?.at(-1)?.offset;
      if (raw === undefined || end === undefined || passesBy(error)) return undefined;
      if (last?.offset === next) last.times += 1;
      else last = { offset: next, times: 1 };
      if (aloneTo === undefined && last.times < 2) return undefined;
      aloneTo = aloneTo === undefined || end > aloneTo ? end : aloneTo;
      const [only] = raw;
      if (only === undefined || raw.length > 1) return undefined;
      stopped = {
        offset: only.offset,
        size: only.value?.length ?? 0,
        hash: recordHash(only.value),
        detail: error instanceof Error ? error.message : String(error),
      };
      return stopped;
    },
    /** The command at which the lane stops now, until it is past it. */
    stopped: (): StoppedAt | undefined => stopped,
  };
};
