// Commits a consumer's position for its group, beside the reading: one commit is in flight, and the
// newest position goes with the next. A fault of a commit ends the consumer's session at its next
// batch; what was not committed comes again (at least once).
import type { Link } from "./link.ts";

export type OffsetCommitter = {
  /** All before `position` is handled. Throws the fault of an earlier commit. */
  reached(position: bigint): void;
  /** Resolves when the last position is committed. */
  flush(): Promise<void>;
};

export function offsetCommitter(
  link: Link,
  { groupId, topic }: { readonly groupId: string; readonly topic: string },
): OffsetCommitter {
  let wanted: bigint | undefined;
  let fault: { readonly error: unknown } | undefined;
  let running: Promise<void> | undefined;

  const commitAll = async (): Promise<void> => {
    while (wanted !== undefined && fault === undefined) {
      const position = wanted;
      wanted = undefined;
      await link
        .commitOffset(groupId, topic, position)
        .catch((error: unknown) => (fault = { error }));
    }
    running = undefined;
  };

  const throwFault = (): void => {
    if (fault !== undefined) throw fault.error;
  };

  return {
    reached: (position) => {
      throwFault();
      wanted = position;
      running ??= commitAll();
    },
    flush: async () => {
      await running;
      throwFault();
    },
  };
}
