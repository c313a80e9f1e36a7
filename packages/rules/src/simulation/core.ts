// The reference receiver: a wallet's own core. Notices come at least once, in any order; by (transfer,
// number) it ends right. Credits and credit checks are answered the same whenever they are asked.
import { sha256 } from "@sealane/tlog";
import type { CreditAnswer } from "../credit-run.ts";
import type { TransferStatus } from "../transfer-status.ts";
import type { Sim } from "./sim.ts";

export type Core = {
  readonly canCredit: (id: string) => "yes" | "no" | "silent";
  /** @returns whether it answered; told again until it does */
  readonly notify: (id: string, number: number, status: TransferStatus) => boolean;
  /** @returns undefined when it did not answer */
  readonly credit: (id: string) => CreditAnswer | undefined;
  /** What it holds a transfer for, by the highest number that it was told. */
  readonly knows: (id: string) => TransferStatus | undefined;
  /** How often each transfer was credited to an account: once, or never. */
  readonly credited: ReadonlyMap<string, number>;
  readonly deliver: () => void;
};

export const makeCore = (sim: Sim, participant: string): Core => {
  const dice = sim.dice(`core ${participant}`);
  const told = new Map<string, { readonly number: number; readonly status: TransferStatus }>();
  const credited = new Map<string, number>();
  let late: { readonly id: string; readonly number: number; readonly status: TransferStatus }[] =
    [];

  const take = (id: string, number: number, status: TransferStatus): void => {
    if ((told.get(id)?.number ?? 0) < number) told.set(id, { number, status });
  };

  return {
    canCredit: (id) => {
      if (!sim.calm && dice.chance(0.15)) return "silent";
      return (sha256(id)[0] ?? 0) < 32 ? "no" : "yes";
    },
    notify: (id, number, status) => {
      if (sim.hits("reorder", 0.1)) {
        late.push({ id, number, status });
        return false;
      }
      if (sim.hits("loss", 0.1)) return false;
      take(id, number, status);
      return !sim.hits("duplicate", 0.1);
    },
    credit: (id) => {
      if (sim.hits("loss", 0.1)) return undefined;
      const refuses = (sha256(id)[1] ?? 0) < 24;
      if (!refuses) credited.set(id, 1);
      return sim.hits("duplicate", 0.1) ? undefined : { reason: refuses ? "AC06" : undefined };
    },
    knows: (id) => told.get(id)?.status,
    credited,
    deliver: () => {
      for (const { id, number, status } of late) take(id, number, status);
      late = [];
    },
  };
};
