// Faults that a test injects while a core runs. Each has a number of uses (or a time) and may be
// limited to one account; a fault that is used up is gone.

export const FAULT_KINDS = ["slow", "down", "reject", "refuse-credit", "answer-lost"] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/**
 * `slow`: answers come `ms` late; `down`: 503, for `ms` when given; `reject`: checks say no (AC06);
 * `refuse-credit`: credits are refused (AC06); `answer-lost`: credits are applied and the connection
 * cut. `count` uses, default 1 (for `down` with `ms`: no limit).
 */
export type Fault = {
  readonly kind: FaultKind;
  readonly ms?: number | undefined;
  readonly count?: number | undefined;
  readonly account?: string | undefined;
};

export type Faults = {
  inject(fault: Fault): void;
  /** Uses a fault of this kind that fits one of the accounts; undefined when there is none. */
  use(kind: FaultKind, accounts: readonly string[]): Fault | undefined;
  clear(): void;
  list(): readonly Fault[];
};

type Active = { readonly fault: Fault; readonly endsAtMs: number; left: number };

/** Makes an empty set; the clock is in milliseconds and only measures. */
export function makeFaults(nowMs: () => number = () => performance.now()): Faults {
  let active: Active[] = [];
  const current = (): Active[] => {
    const now = nowMs();
    active = active.filter((one) => one.left > 0 && one.endsAtMs > now);
    return active;
  };
  return {
    inject(fault) {
      const timed = fault.kind === "down" && fault.ms !== undefined;
      const endsAtMs = timed ? nowMs() + (fault.ms ?? 0) : Number.POSITIVE_INFINITY;
      const left = fault.count ?? (timed ? Number.POSITIVE_INFINITY : 1);
      active.push({ fault, endsAtMs, left });
    },
    use(kind, accounts) {
      const found = current().find(
        ({ fault }) =>
          fault.kind === kind && (fault.account === undefined || accounts.includes(fault.account)),
      );
      if (found === undefined) return undefined;
      found.left -= 1;
      return found.fault;
    },
    clear() {
      active = [];
    },
    list: () => current().map((one) => one.fault),
  };
}
