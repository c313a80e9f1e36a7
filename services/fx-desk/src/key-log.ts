// The key log as the desk has checked it, against the pinned policy: followed all the time, since it
// says which key signs the next sheet, and waited for when an entry cites a state not known yet.
import type { KeyWatch } from "@sealane/client";
import type { KeyHistory } from "@sealane/rules";
import { OperationalError } from "@sealane/runtime";

export type KeyLogCopy = {
  /** The history with at least `size` entries. @throws OperationalError, retryable */
  atLeast(size: number): Promise<KeyHistory>;
};

export const makeKeyLogCopy = (watch: Pick<KeyWatch, "history" | "reach">): KeyLogCopy => ({
  atLeast: async (size) => {
    await watch.reach(size);
    const history = watch.history();
    if (history !== undefined && history.size >= size) return history;
    const message = `the key log has ${history?.size ?? 0} entries, not ${size}`;
    throw new OperationalError("key-log-behind", message, { retryable: true });
  },
});
