// Notifications that the adapter delivered, once per (transfer, number). Memory holds those of the
// latest transfers only; the journal holds all.

export type NotificationRecord = {
  readonly transferId: string;
  readonly number: number;
  readonly status: string;
  readonly reason?: string | undefined;
};

export type NotificationState = {
  /** Whether it is new; a repeat changes nothing. */
  take(notification: NotificationRecord): boolean;
  of(transferId: string): readonly NotificationRecord[];
  count(): number;
};

/** Makes a state that remembers the notifications of at most `maxTransfers` transfers. */
export function makeNotificationState(maxTransfers = 200_000): NotificationState {
  const byTransfer = new Map<string, NotificationRecord[]>();
  let count = 0;
  return {
    take(notification) {
      const { transferId, number } = notification;
      const known = byTransfer.get(transferId);
      if (known?.some((one) => one.number === number) === true) return false;
      count += 1;
      if (known !== undefined) {
        known.push(notification);
        return true;
      }
      byTransfer.set(transferId, [notification]);
      if (byTransfer.size > maxTransfers) {
        byTransfer.delete(byTransfer.keys().next().value as string);
      }
      return true;
    },
    of: (transferId) => byTransfer.get(transferId) ?? [],
    count: () => count,
  };
}
