// Faults that were asked for and not used yet: each is used up, the oldest first.
import type { BankFault, BankFaultKind } from "./bank-types.ts";

export type BankFaults = ReturnType<typeof makeBankFaults>;

export const makeBankFaults = () => {
  let active: { readonly fault: BankFault; left: number }[] = [];
  return {
    inject: (fault: BankFault): void => void active.push({ fault, left: fault.count ?? 1 }),
    /** Uses the next fault of this kind. @returns undefined when there is none */
    use: (kind: BankFaultKind): BankFault | undefined => {
      const found = active.find(({ fault }) => fault.kind === kind);
      if (found === undefined) return undefined;
      found.left -= 1;
      active = active.filter(({ left }) => left > 0);
      return found.fault;
    },
    clear: (): void => {
      active = [];
    },
    list: (): readonly BankFault[] => active.map(({ fault }) => fault),
  };
};
