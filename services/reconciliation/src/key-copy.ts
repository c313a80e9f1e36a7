// The key log as reconciliation has checked it: fetched from the ledger, verified against the pinned
// policy, never taken back. Read again when an entry cites a state that is not known yet.
import { readKeyLog, type LogReader } from "@sealane/client";
import type { KeyHistory } from "@sealane/rules";
import { OperationalError } from "@sealane/runtime";
import type { TlogPolicy } from "@sealane/tlog";

export type KeyCopy = {
  /** Reads the key log once. @throws OperationalError, LogReadError */
  refresh(): Promise<KeyHistory>;
  history(): KeyHistory | undefined;
};

const refused = (detail: string): OperationalError =>
  new OperationalError("key-log-refused", detail, { retryable: true });

export const makeKeyCopy = (reader: LogReader, policy: TlogPolicy): KeyCopy => {
  let history: KeyHistory | undefined;
  return {
    history: () => history,
    refresh: async () => {
      const read = await readKeyLog(reader, policy);
      if (!read.ok) throw refused(`the key log is refused: ${read.code} ${read.detail}`);
      const next = read.history;
      if (history !== undefined) {
        if (next.size < history.size) return history; // an older copy: keep what we have
        if (next.roots[history.size] !== history.roots[history.size]) {
          throw refused("the key log changed its past: evidence against the operator");
        }
      }
      history = next;
      return history;
    },
  };
};
