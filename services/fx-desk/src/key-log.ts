// The key log as the desk has checked it, against the pinned policy; read again when an entry cites a
// state that is not known yet. A log that changes its past is refused.
import { readKeyLog, type LogReader } from "@sealane/client";
import type { KeyHistory } from "@sealane/rules";
import { OperationalError } from "@sealane/runtime";
import type { TlogPolicy } from "@sealane/tlog";

export type KeyLogCopy = {
  /** The history with at least `size` entries. @throws OperationalError, retryable */
  atLeast(size: number): Promise<KeyHistory>;
};

export const makeKeyLogCopy = (reader: LogReader, policy: TlogPolicy): KeyLogCopy => {
  let history: KeyHistory | undefined;
  const fail = (code: string, message: string): OperationalError =>
    new OperationalError(code, message, { retryable: true });
  return {
    atLeast: async (size) => {
      if (history !== undefined && history.size >= size) return history;
      const read = await readKeyLog(reader, policy);
      if (!read.ok) throw fail(read.code, `the key log is refused: ${read.detail}`);
      const next = read.history;
      if (history !== undefined && next.roots[history.size] !== history.roots[history.size]) {
        throw fail("key-log-forked", "the key log changed its past: evidence against the operator");
      }
      history = next;
      if (next.size < size)
        throw fail("key-log-behind", `it has ${next.size} entries, not ${size}`);
      return next;
    },
  };
};
