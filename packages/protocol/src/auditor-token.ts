// Who may read all entries for a while: a note that one operator signs with its own key, handed to the
// auditor as a bearer token. It ends by itself; no secret is shared, and the ledger keeps no list.
import { composeNote, fromBase64, fromUtf8, toBase64, TlogError, utf8 } from "@sealane/tlog";
import { z } from "zod";
import { participantSchema, timeSchema } from "./fields.ts";
import { readNote, readStatement, statementText, type Statement } from "./statement.ts";

export const auditorTokenSchema = z.strictObject({
  auditor: participantSchema,
  from: timeSchema,
  until: timeSchema,
});
export type AuditorToken = z.infer<typeof auditorTokenSchema>;

/** No token lasts longer: what was lost ends by itself. */
export const maxAuditorTokenMs = 31 * 24 * 3_600_000;

/** What an operator signs. @param origin the key log's */
export const auditorTokenText = (origin: string, token: AuditorToken): string =>
  statementText(origin, "auditor-token", token);

/** A note as a bearer token (RFC 6750): base64 in the alphabet of URLs, without padding. */
export const tokenOfNote = (text: string, line: string): string =>
  toBase64(utf8(composeNote(text, [line])))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

/** Reads a bearer token; undefined when it is none of an auditor. No signature is judged. */
export const readAuditorToken = (token: string): Statement<AuditorToken> | undefined => {
  const padding = "=".repeat((4 - (token.length % 4)) % 4);
  let text: string;
  try {
    text = fromUtf8(fromBase64(token.replaceAll("-", "+").replaceAll("_", "/") + padding));
  } catch (error) {
    if (error instanceof TlogError || error instanceof TypeError) return undefined;
    throw error;
  }
  const note = readNote(text);
  if (!note.ok) return undefined;
  const read = readStatement(note.note, "auditor-token", auditorTokenSchema);
  return read.ok ? read.statement : undefined;
};
