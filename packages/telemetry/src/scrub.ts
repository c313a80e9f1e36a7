// Nothing personal and no secret in a log line, however deep it sits: fields are dropped by name, and
// what looks like a phone number is cut out of text. This is the net, not the rule: callers log
// outcomes and ids, never requests.

const SECRET =
  /(account|msisdn|phone|authorization|cookie|token|secret|password|passphrase|seed|salt|privatekey|plaintext|envelope)$/i;
const PERSON = /^((full|first|last|family|given|payer|payee|beneficiary|sender)_?)?name$/i;
const PHONE = /\+\d{7,15}\b/g;
const MAX_DEPTH = 6;

/** A copy of a log line's fields in which personal data and secrets read `[redacted]`. */
export function scrub(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return scrubObject(fields, 0);
}

/** Text without phone numbers. */
export function scrubText(text: string): string {
  return text.includes("+") ? text.replaceAll(PHONE, "[number]") : text;
}

function scrubObject(
  fields: Readonly<Record<string, unknown>>,
  depth: number,
): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    const hidden = SECRET.test(key) || PERSON.test(key);
    clean[key] = hidden ? "[redacted]" : scrubValue(value, depth);
  }
  return clean;
}

function scrubValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return scrubText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null || value instanceof Error) return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (depth >= MAX_DEPTH) return "[deeper]";
  if (Array.isArray(value)) return value.map((item) => scrubValue(item, depth + 1));
  return scrubObject(value as Record<string, unknown>, depth + 1);
}
