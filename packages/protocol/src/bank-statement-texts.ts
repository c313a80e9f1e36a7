// What a settlement bank signs: one statement, or, where it has more lines than an entry takes, parts of
// which each names the one before. Whoever writes statements writes them with this.
import { mostStatementLines, type BankStatement } from "./settlement.ts";
import { noteHash, statementText } from "./statement.ts";

/**
 * The texts to sign, in order.
 * @param body whole, with any number of lines
 * @param most lines of one part
 */
export const bankStatementTexts = (
  origin: string,
  { bank, reference, digest, window, lines }: Omit<BankStatement, "part">,
  most = mostStatementLines,
): string[] => {
  const of = Math.ceil(lines.length / most);
  const head = { bank, reference, digest, ...(window === undefined ? {} : { window }) };
  if (of <= 1) return [statementText(origin, "bank-statement", { ...head, lines })];
  const texts: string[] = [];
  for (let at = 0; at < of; at += 1) {
    const before = texts.at(-1);
    const prev = before === undefined ? {} : { prev: noteHash(before) };
    const part = { number: at + 1, of, ...prev };
    const some = lines.slice(at * most, (at + 1) * most);
    texts.push(statementText(origin, "bank-statement", { ...head, part, lines: some }));
  }
  return texts;
};
