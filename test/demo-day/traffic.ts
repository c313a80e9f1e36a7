// A part of the day's transfers: six directions, amounts of mixed sizes, fixed on either side, and payees
// whose accounts are closed, blocked, unknown or fail when they are credited. The same seed gives the same
// requests. They go in bulk requests, one wallet beside the other; some are said twice.
import type { BulkLine, Transfer } from "@sealane/client";
import { dayWorld } from "@sealane/infra";
import { amountOf } from "@sealane/rules";
import { numbersFrom } from "@sealane/rules/testing";
import type { DaySystem, DayWallet } from "./day-system.ts";

type Draw = ReturnType<typeof numbersFrom>;

/** What the payee's account is; each must end as `endOf` says. */
export type PayeeKind = "open" | "closed" | "blocked" | "unknown" | "credit-fails" | "keeps-money";

export type Asked = {
  readonly payer: DayWallet;
  readonly payee: DayWallet;
  readonly kind: PayeeKind;
  readonly tooLarge: boolean;
  readonly line: BulkLine;
};

export type Answered = Asked & {
  readonly transfer: Transfer | undefined;
  /** Such as `committed`, `rejected AC04` or `refused sheet-limit`. */
  readonly outcome: string;
};

export type Traffic = { readonly answers: readonly Answered[]; readonly replayed: number };

/** Of a hundred transfers: from, to, how many, and the smallest and largest amount in minor units. */
const directions = [
  ["hk-wallet", "ph-wallet", 40],
  ["hk-wallet", "sg-wallet", 12],
  ["sg-wallet", "ph-wallet", 20],
  ["sg-wallet", "hk-wallet", 8],
  ["ph-wallet", "hk-wallet", 12],
  ["ph-wallet", "sg-wallet", 8],
] as const;

/** Smallest and largest amounts of the day, in minor units. */
const sizes: Readonly<Record<string, readonly [number, number]>> = {
  HKD: [2_000, 800_000],
  PHP: [15_000, 5_000_000],
  SGD: [500, 150_000],
};

/** Beyond what any rate sheet takes. */
const tooMuchMinor = 60_000_000n;

const walletNamed = (name: string): DayWallet =>
  dayWorld.wallets.find((wallet) => wallet.name === name) as DayWallet;

const kindOf = (draw: Draw): PayeeKind => {
  const at = draw(1_000);
  if (at < 15) return "closed";
  if (at < 25) return "blocked";
  if (at < 35) return "unknown";
  if (at < 45) return "credit-fails";
  return at < 50 ? "keeps-money" : "open";
};

const accountOf = ({ accountPrefix }: DayWallet, kind: PayeeKind, draw: Draw): string => {
  const numbers: Readonly<Record<PayeeKind, number>> = {
    open: 1 + draw(990),
    closed: 991,
    blocked: 992,
    unknown: 1_000 + draw(500),
    "credit-fails": 995,
    "keeps-money": 998,
  };
  return `${accountPrefix}${String(numbers[kind]).padStart(7, "0")}`;
};

/** Many small ones and few large ones, in whole numbers: a size, and a share of it. */
const amountIn = (currency: string, draw: Draw): bigint => {
  const [least, most] = sizes[currency] ?? [1_000, 100_000];
  let upTo = most;
  while (upTo / 2 > least && draw(3) > 0) upTo = Math.floor(upTo / 2);
  return BigInt(least + draw(upTo - least));
};

/** The requests of one part of the day. */
export const makeRequests = (seed: number, part: number, count: number): Asked[] => {
  const draw = numbersFrom(seed * 31 + part);
  return Array.from({ length: count }, (_, at): Asked => {
    let share = draw(100);
    const [from, to] = directions.find(([, , weight]) => (share -= weight) < 0) ?? directions[0];
    const [payer, payee] = [walletNamed(from), walletNamed(to)];
    const kind = kindOf(draw);
    const tooLarge = kind === "open" && draw(300) === 0;
    const fixed = !tooLarge && draw(5) === 0 ? "receive" : "send";
    const currency = (fixed === "send" ? payer : payee).currencies[0] ?? "";
    const minor = tooLarge ? tooMuchMinor : amountIn(currency, draw);
    const payerAccount = `${payer.accountPrefix}${String(1 + draw(990)).padStart(7, "0")}`;
    const transfer = {
      payer: { account: payerAccount },
      payee: { participant: payee.participant, account: accountOf(payee, kind, draw) },
      amount: { currency, amount: amountOf(minor, currency) },
      fixed,
      reference: `day part ${part}, ${at}`,
    } as const;
    const line = { idempotencyKey: `day-${seed}-${part}-${at}`, transfer };
    return { payer, payee, kind, tooLarge, line };
  });
};

const finish = async (
  system: DaySystem,
  payer: DayWallet,
  transfer: Transfer,
): Promise<Transfer> => {
  let seen = transfer;
  for (let looks = 0; !seen.final && looks < 10; looks += 1) {
    seen = await system.clientOf(payer).get(seen.transferId, { waitSeconds: 30 });
  }
  return seen;
};

const isCommitted = ({ status }: Transfer): boolean => status === "sealed" || status === "credited";

const outcomeOf = (transfer: Transfer): string =>
  isCommitted(transfer)
    ? "committed"
    : `${transfer.status} ${transfer.code ?? transfer.reason ?? ""}`.trim();

/** Sends the requests, and some of them once more under the same keys. */
export const sendRequests = async (
  system: DaySystem,
  asked: readonly Asked[],
  onAnswer: () => void,
): Promise<Traffic> => {
  const answers: Answered[] = [];
  let replayed = 0;
  const sendAll = async (payer: DayWallet): Promise<void> => {
    const own = asked.filter((one) => one.payer === payer);
    const lines = own.map(({ line }) => line);
    for await (const answer of system.clientOf(payer).bulk(lines, { waitSeconds: 30 })) {
      const one = own[answer.index];
      if (one === undefined) continue;
      if (answer.ok) {
        const transfer = await finish(system, payer, answer.transfer);
        answers.push({ ...one, transfer, outcome: outcomeOf(transfer) });
      } else answers.push({ ...one, transfer: undefined, outcome: `refused ${answer.code}` });
      onAnswer();
    }
    const again = lines.slice(0, 5);
    for await (const answer of system.clientOf(payer).bulk(again, { waitSeconds: 30 })) {
      if (answer.ok && answer.replayed) replayed += 1;
    }
  };
  await Promise.all(dayWorld.wallets.map(sendAll));
  return { answers, replayed };
};
