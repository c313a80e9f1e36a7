// The operators' decision to set one command of a lane aside: the one at which the lane stops, named by
// its offset and by its bytes, so that nothing else can be meant. Signed by two operators.
import { z } from "zod";
import { counterSchema, hashSchema, labelSchema } from "./fields.ts";

export const setAsideSchema = z.strictObject({
  lane: counterSchema,
  /** Offset of the record on the lane's topic. */
  offset: z.string().regex(/^(?:0|[1-9]\d{0,18})$/),
  /** SHA-256 of the record's value, base64. */
  hash: hashSchema,
  reason: labelSchema,
});
export type SetAside = z.infer<typeof setAsideSchema>;
