// A bundle's verdict for people: a line per receipt, what was disclosed, and how complete it is.
import { columns, out } from "./output.ts";
import type { BundleVerdict, ChainVerdict, JudgedReceipt } from "./verify-bundle.ts";

const mostRows = 40;

const receiptRow = ({ facts, revealed }: JudgedReceipt): string[] => {
  const { position = -1, transferId, kind, outcome, sent, received, logTime } = facts ?? {};
  const money =
    sent === undefined || received === undefined
      ? ""
      : `${sent.amount} ${sent.currency} → ${received.amount} ${received.currency}`;
  const shown = revealed.map(({ field, value }) => `${field} ${value}`).join(", ");
  return [String(position), logTime ?? "", transferId ?? kind ?? "", outcome ?? "", money, shown];
};

/** `all N entries of P from 0 to N − 1: complete up to …` */
export const chainSentence = ({
  participant,
  first,
  last,
  entries,
  complete,
}: ChainVerdict): string => {
  const all = `all ${entries} entries of ${participant} from ${first} to ${last}`;
  if (complete !== undefined) {
    return `${all}: complete up to ${complete.time} (statement, entry ${complete.n})`;
  }
  const why =
    first > 0
      ? `what came before entry ${first} is not here`
      : "no statement of the participant says that there were no more";
  return `${all}: linked without a gap; ${why}`;
};

/** Prints it. @returns whether it stands */
export const showBundle = (verdict: BundleVerdict): boolean => {
  if (!verdict.ok) {
    out(`line ${verdict.line}: ${verdict.detail} (${verdict.code})`);
    out("The bundle does not stand.");
    return false;
  }
  const { receipts, chain, keysSize } = verdict;
  out(columns(receipts.slice(0, mostRows).map(receiptRow), [0]));
  if (receipts.length > mostRows) out(`  … and ${receipts.length - mostRows} more`);
  out(`\nkey log: ${keysSize} entries, cosigned; every receipt: sealed, keys, parties checked`);
  if (chain !== undefined) out(chainSentence(chain));
  out(`The bundle stands: ${receipts.length} receipts.`);
  return true;
};
