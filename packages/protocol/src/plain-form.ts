// The one way in which our own programs write the statements that a log is full of. A line in that form fits
// its schema, has no key twice and no number that is not a counter: one regular expression says so, for a
// fifth of what reading the line for each of these takes. Any other line is read the long way, and may be
// just as good. A form never lets a line pass that its schema refuses: `plain-form.prop.test.ts`.
import type { z } from "zod";
import {
  currencyPattern,
  decimalPattern,
  hashPattern,
  labelPattern,
  reasonPattern,
  residuePattern,
} from "./fields.ts";
import { participantPattern, transferIdPattern } from "./names.ts";

/** Source of a regular expression for the JSON of a value. */
export type Form = string;

/** A string. The pattern is anchored, and lets no quote and no backslash pass. */
export const textForm = (pattern: RegExp): Form => `"(?:${pattern.source.slice(1, -1)})"`;

/** An object with just these fields in this order; one whose name ends in `?` may be missing. */
export const objectForm = (fields: Readonly<Record<string, Form>>): Form => {
  const parts = Object.entries(fields).map(([name, form]) => {
    return name.endsWith("?") ? `(?:,"${name.slice(0, -1)}":${form})?` : `,"${name}":${form}`;
  });
  // The first field is always there, and has no comma before it.
  return `\\{${parts.join("").slice(1)}\\}`;
};

export const listForm = (item: Form, most: number): Form =>
  `\\[(?:${item}(?:,${item}){0,${most - 1}})?\\]`;

export const forms = {
  id: textForm(transferIdPattern),
  participant: `(?="[^"]{1,200}")${textForm(participantPattern)}`,
  hash: textForm(hashPattern),
  label: textForm(labelPattern),
  reason: textForm(reasonPattern),
  decimal: textForm(decimalPattern),
  residue: textForm(residuePattern),
  currency: textForm(currencyPattern),
  counter: "(?:0|[1-9]\\d{0,14})",
  /** Days that every month has: of the others the schema knows. */
  time: '"20\\d\\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])T(?:[01]\\d|2[0-3])(?::[0-5]\\d){2}\\.\\d{3}Z"',
} as const;

export const moneyForm = objectForm({ currency: forms.currency, amount: forms.decimal });

const known = new WeakMap<z.ZodType, RegExp>();

/** @returns the schema, whose values are read quickly from now on where they are written plainly */
export const withPlainForm = <S extends z.ZodType>(schema: S, form: Form): S => {
  known.set(schema, new RegExp(`^${form}$`));
  return schema;
};

/**
 * The value of a line of JSON, if it is written as our own programs write what has this schema.
 * @returns undefined when it has to be read the long way
 */
export const readPlainForm = <T>(line: string, schema: z.ZodType<T>): T | undefined =>
  known.get(schema)?.test(line) === true ? (JSON.parse(line) as T) : undefined;
