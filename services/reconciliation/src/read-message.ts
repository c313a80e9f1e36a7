// A message of `entries.<lane>` in its shape, or why it is not one. Nothing in it is believed yet.
import { entriesMessageSchema, type EntriesMessage } from "@sealane/protocol";

export type MessageResult =
  | { readonly ok: true; readonly message: EntriesMessage }
  | { readonly ok: false; readonly code: string; readonly detail: string };

const no = (code: string, detail: string): MessageResult => ({ ok: false, code, detail });

const decoder = new TextDecoder("utf-8", { fatal: true });

const parse = (value: Uint8Array): unknown => {
  try {
    return JSON.parse(decoder.decode(value));
  } catch {
    return undefined;
  }
};

/** @param lane the one lane whose entries are expected */
export const readMessage = (value: Uint8Array | null, lane: number): MessageResult => {
  if (value === null) return no("message-empty", "no value");
  const body = parse(value);
  if (body === undefined) return no("message-malformed", "not JSON in UTF-8");
  const parsed = entriesMessageSchema.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return no("message-schema", `/${issue?.path.join("/") ?? ""}: ${issue?.message ?? ""}`);
  }
  const message = parsed.data;
  if (message.lane !== lane) return no("wrong-lane", `entries of lane ${message.lane}`);
  const stray = message.entries.find(({ seq }, at) => seq !== message.from + at);
  if (stray !== undefined) return no("not-consecutive", `entry ${stray.seq} is out of its place`);
  return { ok: true, message };
};
