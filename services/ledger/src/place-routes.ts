// Where a transfer stands, for auditors and the operator's services: its entry's place, or that it has
// none. What stands there is read from the log, like everything else.
import { problem, route, type HttpApp } from "@sealane/http";
import { formatTime, transferIdSchema } from "@sealane/protocol";
import { z } from "zod";
import type { LaneStore } from "./lane-store.ts";
import type { LaneWriter } from "./lane-writer.ts";

export type PlaceDeps = {
  readonly app: HttpApp;
  readonly writer: Pick<LaneWriter, "state">;
  readonly store: Pick<LaneStore, "lookUp">;
};

const placeSchema = z.object({
  id: transferIdSchema,
  state: z.enum(["reserved", "ended", "refused"]),
  seq: z.int().optional().describe("the entry that ended it"),
  time: z.string().optional().describe("reserved since, log time"),
});

export const mountPlaces = ({ app, writer, store }: PlaceDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/places/:id",
    summary: "The place of the entry that ended a transfer, or that it is open or was refused",
    tags: ["log"],
    auth: "auditor",
    params: z.object({ id: transferIdSchema }),
    responses: { 200: placeSchema, 404: "Not known: no answer about the outcome" },
    handler: async ({ params: { id } }) => {
      const open = writer.state()?.open.get(id);
      if (open !== undefined) {
        return {
          status: 200,
          body: { id, state: "reserved", time: formatTime(open.reservedAtMs) },
        };
      }
      const ended = (await store.lookUp([id], [])).known.get(id);
      if (ended?.seq !== undefined) {
        return { status: 200, body: { id, state: "ended", seq: ended.seq } };
      }
      if (ended !== undefined) return { status: 200, body: { id, state: "refused" } };
      return problem({
        status: 404,
        code: "transfer-unknown",
        title: "The ledger does not know this transfer",
        detail: "it may still arrive: this is not an answer",
        extra: { final: false },
      });
    },
  });
};
