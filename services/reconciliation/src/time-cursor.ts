// Cursors of lists that are sorted by time: an instant alone would leave out what else was of that
// millisecond when a page ends between. Opaque to those who ask.
import { z } from "zod";

/** Of the last row of a page: its instant, and the two names that tell it from others of the same. */
export type TimeCursor = readonly [atMs: number, first: string, second: string];

const fieldsSchema = z.tuple([
  z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  z
    .string()
    .max(250)
    .regex(/^[^\0]*$/),
  z
    .string()
    .max(250)
    .regex(/^[^\0]*$/),
]);

export const timeCursorText = (cursor: TimeCursor): string =>
  Buffer.from(JSON.stringify(cursor)).toString("base64url");

const read = (text: string): TimeCursor | undefined => {
  try {
    const parsed = fieldsSchema.safeParse(JSON.parse(Buffer.from(text, "base64url").toString()));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};

export const timeCursorSchema = z
  .string()
  .max(1_000)
  .refine((text) => read(text) !== undefined, "give the `next` of the page before")
  .transform((text): TimeCursor => read(text) ?? [0, "", ""])
  .optional();
