// The witness's two addresses on a service's own HTTP app. Bodies are text of at most 16 KiB.
import { problem, route, type HttpApp } from "@sealane/http";
import { MAX_ADD_CHECKPOINT_SIZE, OLD_ROOT_HEADER } from "@sealane/tlog";
import { z } from "zod";
import type { Witness } from "./witness-types.ts";

/** Mounts `POST <prefix>/add-checkpoint` and `GET <prefix>/<origin hash>/checkpoint`. */
export function mountWitness(app: HttpApp, prefix: string, witness: Witness): void {
  route(app, {
    method: "post",
    path: `${prefix}/add-checkpoint`,
    summary: "Cosigns a checkpoint (C2SP tlog-witness)",
    tags: ["witness"],
    body: z.string(),
    bodyAs: "text",
    bodyLimit: MAX_ADD_CHECKPOINT_SIZE,
    responses: {
      200: "Cosignature lines",
      403: "Not signed by the log",
      404: "The origin is not known here",
      409: "The size that was cosigned last",
      422: "The log did not only grow",
      503: "Not now",
    },
    handler: ({ body, req }) => {
      const oldRoot = req.headers[OLD_ROOT_HEADER];
      return witness.addCheckpoint(body, typeof oldRoot === "string" ? oldRoot : undefined);
    },
  });
  route(app, {
    method: "get",
    path: `${prefix}/:originHash/checkpoint`,
    summary: "The latest checkpoint that was cosigned for a log",
    tags: ["witness"],
    params: z.object({ originHash: z.string() }),
    responses: { 200: "A checkpoint", 404: "Never cosigned" },
    handler: ({ params }) => {
      const note = witness.latest(params.originHash);
      if (note === undefined) {
        const title = "No checkpoint of that log was ever cosigned here";
        return problem({ status: 404, code: "checkpoint-unknown", title });
      }
      return { status: 200, contentType: "text/plain; charset=utf-8", body: note };
    },
  });
}
