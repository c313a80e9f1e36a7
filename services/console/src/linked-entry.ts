// Returns, recalls and refusals of recalls, read from an entry's layers. Pure; what cannot be read is not
// there. `docs/formats/statements.md` has the statements.
import { recallRefusalSchema, recallSchema, returnSchema } from "@sealane/protocol";
import type { Linked } from "./api-types.ts";

type Layer = { readonly kind: string; readonly body: unknown };
/** All but the entry's place and time. */
export type LinkedStatement = Omit<Linked, "seq" | "time">;

const returnOf = (body: unknown): LinkedStatement | undefined => {
  const said = returnSchema.safeParse(body).data;
  if (said === undefined) return undefined;
  const { id, original, participant, amount, back, reason, recall } = said;
  const answers = recall === undefined ? {} : { recall };
  return { kind: "return", id, original, participant, amount, back, reason, ...answers };
};

const recallOf = (body: unknown): LinkedStatement | undefined => {
  const said = recallSchema.safeParse(body).data;
  if (said === undefined) return undefined;
  const { id, original, participant, amount, reason } = said;
  return { kind: "recall", id, original, participant, amount, reason };
};

/** @param layers the statement in the entry, and those below it */
export const linkedOf = ([layer, below]: readonly Layer[]): LinkedStatement | undefined => {
  switch (layer?.kind) {
    case "return":
      return returnOf(layer.body);
    case "recall":
      return recallOf(layer.body);
    case "recall-refusal": {
      const said = recallRefusalSchema.safeParse(layer.body).data;
      const recall = recallOf(below?.body);
      if (said === undefined || recall === undefined) return undefined;
      const { participant, reason } = said;
      const { original } = recall;
      return { kind: "recall-refusal", original, participant, reason, recall: said.recall };
    }
    default:
      return undefined;
  }
};
