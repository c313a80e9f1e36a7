// Values as they stand in a document. Each is judged the same way when written and when read, by the
// schema's own rule or a narrower one, so that what is written is valid and what is read is exact.
import { formatAmount, parseAmount, parseCurrency } from "@sealane/money";
import { codeSets, type CodeSet } from "../code-sets.ts";
import { Iso20022Error, type Iso20022ErrorCode } from "../errors.ts";
import type { Content } from "./shape.ts";

/** Of XML's white space alone. */
const collapsed = (value: string): string => value.replaceAll(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");

/** @param collapse white space around it is none of it, as the schema's dates and numbers have it */
const leaf = <T extends string>(
  judge: (text: string) => Iso20022ErrorCode | undefined,
  what: string,
  collapse = false,
): Content<T> => {
  const checked = (text: string, at: string): T => {
    const code = judge(text);
    if (code === undefined) return text as T;
    throw new Iso20022Error(code, `${at} is no ${what}`);
  };
  return {
    put: (into, value) => {
      into.text = checked(value, into.name);
    },
    get: (from) => {
      if (from.children.length > 0) {
        throw new Iso20022Error("text-malformed", `${from.name} has elements, where text is`);
      }
      return checked(collapse ? collapsed(from.text) : from.text, from.name);
    },
  };
};

/** 1 to `most` characters (of Unicode, as the schema counts), without control characters. */
export const text = (most: number): Content<string> =>
  leaf((value) => {
    if (value === "" || /[\p{Cc}\p{Cs}]/u.test(value)) return "text-malformed";
    return Array.from(value).length > most ? "text-too-long" : undefined;
  }, `text of 1 to ${most} characters`);

export const max35 = text(35);

/** One of the words that the schema itself lists. */
export const word = <T extends string>(...words: readonly T[]): Content<T> =>
  leaf(
    (value) => ((words as readonly string[]).includes(value) ? undefined : "code-unknown"),
    `one of ${words.join(", ")}`,
  );

/** A code of an external set: the schema lets any four characters pass, the set does not. */
export const code = (set: CodeSet): Content<string> =>
  leaf((value) => (codeSets[set].has(value) ? undefined : "code-unknown"), `${set} code`);

const uetrPattern = /^[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}$/;

/** A UUID of version 4, in lower case. */
export const uetr: Content<string> = leaf(
  (value) => (uetrPattern.test(value) ? undefined : "uetr-malformed"),
  "UUID of version 4",
);

const datePattern = /^[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const timePattern =
  /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?$/;

/** Every month has 28 days; JavaScript reads the 31st of February as the 3rd of March. */
const isDate = (value: string): boolean =>
  datePattern.test(value) &&
  (value.slice(8) < "29" || new Date(value).getUTCDate() === Number(value.slice(8)));

const isDateTime = (value: string): boolean =>
  isDate(value.slice(0, 10)) && value[10] === "T" && timePattern.test(value.slice(11));

export const date: Content<string> = leaf(
  (value) => (isDate(value) ? undefined : "time-malformed"),
  "date",
  true,
);

/** As it is said: the offset is the sender's, and may be missing. */
export const dateTime: Content<string> = leaf(
  (value) => (isDateTime(value) ? undefined : "time-malformed"),
  "date and time",
  true,
);

/** `Dt` or `DtTm`: a date, or an instant. */
export const dateOrTime: Content<string> = {
  put: (into, value) => {
    const whole = value.length > 10;
    const child = { name: whole ? "DtTm" : "Dt", attributes: new Map(), children: [], text: "" };
    (whole ? dateTime : date).put(child, value);
    into.children.push(child);
  },
  get: (from) => {
    const [child] = from.children;
    if (child?.name === "DtTm") return dateTime.get(child);
    if (child?.name === "Dt") return date.get(child);
    throw new Iso20022Error("element-missing", `${from.name} has no Dt`);
  },
};

/** A whole number without sign. */
export const numeric = (most: number): Content<string> =>
  leaf(
    (value) => (/^\d+$/.test(value) && value.length <= most ? undefined : "text-malformed"),
    `number of at most ${most} digits`,
    true,
  );

const written = word("true", "false");

/** A schema's boolean, which may also be written as 1 or 0. */
export const trueOrFalse: Content<"true" | "false"> = {
  put: written.put,
  get: (from) => {
    const value = collapsed(from.text);
    if (value === "1") return "true";
    return value === "0" ? "false" : written.get({ ...from, text: value });
  },
};

/** A rate: at most 11 digits, 10 of them behind the point. */
export const rate: Content<string> = leaf(
  (value) =>
    /^(?:0|[1-9]\d*)(?:\.\d{1,10})?$/.test(value) && value.replace(".", "").length <= 11
      ? undefined
      : "text-malformed",
  "rate of at most 11 digits",
  true,
);

export type IsoAmount = {
  readonly currency: string;
  /** In major units, with all decimals of the currency. */
  readonly amount: string;
};

/** The schema's: 18 digits in all. */
const mostDigits = 18;

const exact = ({ currency, amount }: IsoAmount, at: string): IsoAmount => {
  const known = parseCurrency(currency);
  if (known === undefined) {
    throw new Iso20022Error("currency-unknown", `${at} has no currency of ISO 4217`);
  }
  const parsed = parseAmount(amount, known, { allowZero: true });
  const figure = parsed.ok ? formatAmount(parsed.minor, known) : "";
  if (!parsed.ok || figure.replace(".", "").length > mostDigits) {
    throw new Iso20022Error("amount-malformed", `${at} is no amount in ${currency}`);
  }
  return { currency, amount: figure };
};

/** An amount with its currency, to the last decimal of it: fewer are filled up, more are refused. */
export const amount: Content<IsoAmount> = {
  put: (into, value) => {
    const { currency, amount: figure } = exact(value, into.name);
    into.attributes.set("Ccy", currency);
    into.text = figure;
  },
  get: (from) =>
    exact({ currency: from.attributes.get("Ccy") ?? "", amount: collapsed(from.text) }, from.name),
};
