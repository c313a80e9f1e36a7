// The lane's own door: where it stands and where it stops, and the operators' decision to set the command
// aside at which it stops. The decision carries its authority in its signatures.
import { problem, route, type HttpApp } from "@sealane/http";
import { z } from "zod";
import type { LaneWriter } from "./lane-writer.ts";
import type { SetAsideDesk } from "./set-aside.ts";

type Deps = {
  readonly app: HttpApp;
  readonly lane: number;
  readonly origin: string;
  readonly writer: LaneWriter;
  readonly desk: SetAsideDesk;
};

const statusOf = { "statement-malformed": 400, "not-stopped-there": 409 } as const;

export const mountLane = ({ app, lane, origin, writer, desk }: Deps): void => {
  route(app, {
    method: "get",
    path: "/v1/lane",
    summary: "How far the lane is, and the command at which it stops, if it does",
    tags: ["operators"],
    responses: {
      200: "Origin, size, and where it stopped: offset, hash and size, without the body",
    },
    handler: () => {
      const stopped = writer.stopped();
      const where =
        stopped === undefined ? {} : { stopped: { ...stopped, offset: String(stopped.offset) } };
      return { status: 200, body: { lane, origin, size: writer.size(), ...where } };
    },
  });
  route(app, {
    method: "post",
    path: "/v1/lane/set-aside",
    summary: "Set the command aside at which the lane stops: a decision signed by two operators",
    tags: ["operators"],
    bodyAs: "text",
    body: z.string().min(1).max(16_384),
    responses: {
      202: "Stored: the lane goes on without that command",
      409: "The lane does not stop there",
      422: "It is not signed as it must be",
    },
    handler: async ({ body }) => {
      const taken = await desk.take(body, writer.stopped());
      if (taken.ok) return { status: 202, body: { lane, offset: taken.offset } };
      const { code, detail } = taken;
      return problem({
        status: code in statusOf ? statusOf[code as keyof typeof statusOf] : 422,
        code,
        title: "The decision does not count",
        detail,
        action: "GET /v1/lane names the command; sealane lane set-aside makes the decision.",
      });
    },
  });
};
