// The morning's cover: the bank's signed statements say what was paid in and out. A deposit with an advance's own
// id and amount backs it, another one adds cover, and what is backed may be withdrawn.
import { dayWorld } from "@sealane/infra";
import { parseAmount, parseCurrency } from "@sealane/money";
import { transferIdOf } from "@sealane/protocol";
import { eventually } from "../src/eventually.ts";
import type { DaySystem } from "./day-system.ts";
import { handIn } from "./settle-part.ts";

type Movement = {
  readonly participant: string;
  readonly currency: string;
  readonly side: "credit" | "debit";
  readonly amount: string;
  readonly reference: string;
  /** What is there, and what of it is only advanced, once the log has it. */
  readonly liquidity: string;
  readonly unbacked: string;
};

const operator = "sealane.example";
const hk = { participant: "hk-wallet.example", currency: "HKD" } as const;
const advanced = dayWorld.liquidity.find(({ participant }) => participant === hk.participant);

const movements: readonly Movement[] = [
  {
    ...hk,
    side: "credit",
    amount: advanced?.amount ?? "",
    reference: transferIdOf(operator, `first-liquidity ${hk.participant} ${hk.currency}`),
    liquidity: "50000000.00",
    unbacked: "0.00",
  },
  {
    ...hk,
    side: "debit",
    amount: "1000000.00",
    reference: "WITHDRAWAL-1",
    liquidity: "49000000.00",
    unbacked: "0.00",
  },
  {
    participant: "ph-wallet.example",
    currency: "PHP",
    side: "credit",
    amount: "250000.00",
    reference: "DEPOSIT-1",
    liquidity: "400250000.00",
    unbacked: "400000000.00",
  },
];

const minorOf = (amount: string, code: string): bigint => {
  const currency = parseCurrency(code);
  const parsed = currency === undefined ? undefined : parseAmount(amount, currency);
  if (parsed?.ok === true) return parsed.minor;
  throw new Error(`${amount} is no amount of ${code}`);
};

type Positions = {
  readonly positions: readonly Readonly<
    Record<"participant" | "currency" | "liquidity" | "unbacked", string>
  >[];
};

/** Moves cover at the bank and in the log. @returns what was done, and what the screens say of it then */
export const moveCover = async (system: DaySystem): Promise<readonly string[]> => {
  const told: string[] = [];
  for (const one of movements) {
    const { participant, currency, side, amount, reference, liquidity, unbacked } = one;
    const owned = dayWorld.bankAccounts.find(
      (account) => account.owner === participant && account.currency === currency,
    );
    const minor = minorOf(amount, currency);
    const account = owned?.account ?? "";
    const moved = await system.bank.move({ account, side, minor, reference });
    if (!moved.ok) throw new Error(`the bank does not book ${reference}: ${moved.code}`);
    const taken = await handIn(system);
    const path = `/v1/positions?participant=${participant}`;
    await eventually(`${reference} is in the log`, async () => {
      const { positions } = await system.ask<Positions>(path);
      const now = positions.find((position) => position.currency === currency);
      return now?.liquidity === liquidity && now.unbacked === unbacked;
    });
    const what = side === "credit" ? "paid in" : "paid out";
    const then = `its cover is ${liquidity}, ${unbacked} of it unbacked`;
    told.push(`${participant} ${currency}: ${amount} ${what} (${reference}), ${taken}; ${then}`);
  }
  return told;
};
