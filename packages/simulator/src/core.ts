// One core's parts, put together: accounts, what was credited, what was notified, faults, journal.
import { makeAccountBook, type AccountBook } from "./account-book.ts";
import { makeCreditState, type CreditState } from "./credit-state.ts";
import { makeFaults, type Faults } from "./faults.ts";
import { openJournal, type Journal } from "./journal.ts";
import { openHostedSide, type HostedSide, type Signing } from "./hosted-side.ts";
import { makeRecallState, type RecallState } from "./recall-state.ts";
import { makeNotificationState, type NotificationState } from "./notification-state.ts";

export type CoreIdentity = {
  /** The participant's name, such as `hk-wallet.example`. */
  readonly participant: string;
  /** The one currency of its accounts. */
  readonly currency: string;
  /** Decimals of the currency; default 2. */
  readonly decimals?: number;
  /** Numbers start with this, such as `+8529`. */
  readonly prefix: string;
  /** How many accounts there are; default 999. */
  readonly accounts?: number;
  /** Where it remembers; without a file it forgets on restart. */
  readonly journalFile?: string | undefined;
  /** Its adapter is hosted: the core signs by itself. */
  readonly signing?: Signing | undefined;
  /** How late the account 993 is checked; default 2 s. */
  readonly slowCheckMs?: number;
};

export type Core = {
  readonly participant: string;
  readonly currency: string;
  readonly decimals: number;
  readonly slowCheckMs: number;
  readonly book: AccountBook;
  readonly credits: CreditState;
  readonly notifications: NotificationState;
  readonly faults: Faults;
  readonly recalls: RecallState;
  readonly journal: Journal;
  readonly hosted: HostedSide | undefined;
  /** How often a credit failed on purpose, by transfer id. */
  readonly failures: Map<string, number>;
};

/** Builds a core and lets it remember what its journal says. */
export async function openCore(identity: CoreIdentity): Promise<Core> {
  const { participant, currency, decimals = 2, prefix, accounts = 999 } = identity;
  const book = makeAccountBook(prefix, accounts);
  const credits = makeCreditState(book);
  const notifications = makeNotificationState();
  const recalls = makeRecallState();
  const journal = await openJournal(identity.journalFile, (line) => {
    if (line.kind === "credit") credits.restore(line);
    else if (line.kind === "recall") recalls.take(line);
    else notifications.take(line);
  });
  const { slowCheckMs = 2_000 } = identity;
  const faults = makeFaults();
  const failures = new Map<string, number>();
  const { signing } = identity;
  const hosted = signing === undefined ? undefined : openHostedSide(participant, signing);
  const parts = { book, credits, notifications, recalls, faults, journal, failures, hosted };
  return { participant, currency, decimals, slowCheckMs, ...parts };
}
