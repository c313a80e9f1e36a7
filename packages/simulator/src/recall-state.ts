// What the core said to recalls, by recall id, and which transfers it will never credit because the sender
// cancelled them first. Pure state: the journal feeds it again after a restart.

export type RecallRecord = {
  readonly recallId: string;
  readonly transferId: string;
  readonly answer: "return" | "refuse";
  /** Of a no: a reason of the external set. */
  readonly reason?: string | undefined;
  /** It had not been credited when the sender cancelled, and will not be. */
  readonly stopped: boolean;
};

export type RecallState = {
  take(record: RecallRecord): void;
  of(recallId: string): RecallRecord | undefined;
  isStopped(transferId: string): boolean;
};

export function makeRecallState(): RecallState {
  const records = new Map<string, RecallRecord>();
  const stopped = new Set<string>();
  return {
    take(record) {
      records.set(record.recallId, record);
      if (record.stopped) stopped.add(record.transferId);
    },
    of: (recallId) => records.get(recallId),
    isStopped: (transferId) => stopped.has(transferId),
  };
}
