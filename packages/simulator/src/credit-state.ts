// What a core remembers: every credit and refusal by transfer id, so that a repeat gets the same
// answer and money arrives once. Pure state: the journal feeds it again after a restart.
import { refusalOf, type AccountBook } from "./account-book.ts";

/** One decided credit; `amountMinor` in minor units. A refusal has a reason and moved nothing. */
export type CreditRecord = {
  readonly transferId: string;
  readonly account: string;
  readonly amountMinor: bigint;
  readonly status: "credited" | "refused";
  readonly reason?: string;
};

export type CreditSummary = {
  readonly creditedCount: number;
  readonly creditedMinor: bigint;
  readonly refusedCount: number;
};

export type CreditRequest = Pick<CreditRecord, "transferId" | "account" | "amountMinor">;

export type CreditState = {
  /** The answer to a request, and whether it was decided just now and so has to be kept. */
  decide(request: CreditRequest, forced?: string): { record: CreditRecord; isNew: boolean };
  /** Takes a record from the journal. */
  restore(record: CreditRecord): void;
  find(transferId: string): CreditRecord | undefined;
  balanceMinor(account: string): bigint;
  summary(): CreditSummary;
};

/** Makes an empty state over a book of accounts. */
export function makeCreditState(book: AccountBook): CreditState {
  const records = new Map<string, CreditRecord>();
  const balances = new Map<string, bigint>();
  let creditedCount = 0;
  let creditedMinor = 0n;
  let refusedCount = 0;

  const keep = (record: CreditRecord): void => {
    if (records.has(record.transferId)) return;
    records.set(record.transferId, record);
    if (record.status === "refused") {
      refusedCount += 1;
      return;
    }
    const { account, amountMinor } = record;
    balances.set(account, (balances.get(account) ?? 0n) + amountMinor);
    creditedCount += 1;
    creditedMinor += amountMinor;
  };

  return {
    decide(request, forced) {
      const known = records.get(request.transferId);
      if (known !== undefined) return { record: replay(known, request), isNew: false };
      const reason = forced ?? refusalOfCredit(book, request.account);
      const record: CreditRecord =
        reason === undefined
          ? { ...request, status: "credited" }
          : { ...request, status: "refused", reason };
      keep(record);
      return { record, isNew: true };
    },
    restore: keep,
    find: (transferId) => records.get(transferId),
    balanceMinor: (account) => balances.get(account) ?? 0n,
    summary: () => ({ creditedCount, creditedMinor, refusedCount }),
  };
}

function refusalOfCredit(book: AccountBook, number: string): string | undefined {
  const account = book.find(number);
  const refusal = refusalOf(account);
  if (refusal !== undefined) return refusal;
  return account?.behaviour === "refuse-credit" ? "AC06" : undefined;
}

/** The same transfer with other contents is not the same credit: AM05, duplication. */
function replay(known: CreditRecord, request: CreditRequest): CreditRecord {
  const same = known.account === request.account && known.amountMinor === request.amountMinor;
  return same ? known : { ...request, status: "refused", reason: "AM05" };
}
