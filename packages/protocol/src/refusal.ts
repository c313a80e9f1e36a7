// The operator's signed refusal of a request that was not reserved: no entry, but an answer that
// binds the id for ever. And `not-found`, which ends an unknown outcome.
import { z } from "zod";
import {
  hashSchema,
  participantSchema,
  reasonSchema,
  timeSchema,
  transferIdSchema,
} from "./fields.ts";
import { refusalCodes, type RefusalCode } from "./reasons.ts";

const codes = Object.keys(refusalCodes) as [RefusalCode, ...RefusalCode[]];

export const refusalSchema = z.strictObject({
  id: transferIdSchema,
  /** The request that is refused; another request under the same id is another refusal. */
  request: hashSchema,
  participant: participantSchema,
  code: z.enum(codes),
  reason: reasonSchema,
  detail: z.string().max(300),
  time: timeSchema,
  /** False where the id stays free: shedding, wrong lane, a key reused with another body. */
  final: z.boolean(),
});
export type Refusal = z.infer<typeof refusalSchema>;

export const notFoundSchema = z.strictObject({ id: transferIdSchema, time: timeSchema });
export type NotFound = z.infer<typeof notFoundSchema>;
