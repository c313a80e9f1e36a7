// Who and which account, as messages between banks name them. There is no field for a name of a person
// or an address anywhere in our models: what is written has identifiers only, and what a stranger's file
// says besides is not read.
import { Iso20022Error } from "../errors.ts";
import { newElement, type XmlElement } from "../xml/element.ts";
import { max35, text } from "./leaves.ts";
import { maybe, shape, type Content } from "./shape.ts";

const bic = /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?$/;

const agentIds = shape({
  bic: maybe("FinInstnId/BICFI", text(11)),
  member: maybe("FinInstnId/ClrSysMmbId/MmbId", max35),
  lei: maybe("FinInstnId/LEI", text(20)),
  other: maybe("FinInstnId/Othr/Id", max35),
});

/** A bank, a provider or the operator: its BIC, or its participant's name, which is no BIC. */
export const agent: Content<string> = {
  put: (into, value) => agentIds.put(into, bic.test(value) ? { bic: value } : { other: value }),
  get: (from) => {
    const { bic: code, other, lei, member } = agentIds.get(from);
    const found = other ?? code ?? lei ?? member;
    if (found !== undefined) return found;
    throw new Iso20022Error("element-missing", `${from.name} has no identification`);
  },
};

/** ISO 7064, modulo 97: what tells an IBAN from another account that looks like one. */
const isIban = (account: string): boolean => {
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(account)) return false;
  const turned = `${account.slice(4)}${account.slice(0, 4)}`;
  const digits = turned.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return BigInt(digits) % 97n === 1n;
};

const accountIds = shape({
  iban: maybe("Id/IBAN", text(34)),
  other: maybe("Id/Othr/Id", text(34)),
});

/** An account by its IBAN or, without one, by the bank's own number. */
export const account: Content<string> = {
  put: (into, value) => accountIds.put(into, isIban(value) ? { iban: value } : { other: value }),
  get: (from) => {
    const { iban, other } = accountIds.get(from);
    const found = iban ?? other;
    if (found !== undefined) return found;
    throw new Iso20022Error("element-missing", `${from.name} has no identification`);
  },
};

/** `Cd`, of one of the external sets; what is proprietary is not read. */
export const inChoice = (content: Content<string>): Content<string> => {
  const cd = "Cd";
  return {
    put: (into, value) => {
      const child: XmlElement = newElement(cd);
      content.put(child, value);
      into.children.push(child);
    },
    get: (from) => {
      const child = from.children.find(({ name }) => name === cd);
      if (child !== undefined) return content.get(child);
      throw new Iso20022Error("code-unknown", `${from.name} has no code of the external set`);
    },
  };
};
