// Many transfers in one request, as NDJSON: each line is taken, signed and answered on its own, as soon as
// it is decided. A line that cannot be used is refused by its number and stops none of the others.
import type { Writable } from "node:stream";
import {
  ndjsonBody,
  parsePrefer,
  problem,
  Problem,
  refuseCompressed,
  route,
  validationProblem,
  type HttpApp,
  type NdjsonLine,
} from "@sealane/http";
import { parseStrictJson } from "@sealane/protocol";
import { utf8 } from "@sealane/tlog";
import type { Intake, Taken } from "./intake.ts";
import {
  closedProblem,
  refusalProblem,
  sendingProblem,
  signatureRequired,
  turnedAwayProblem,
} from "./problems.ts";
import { bulkLineSchema } from "./requests.ts";
import type { TransferBook } from "./transfer-book.ts";
import { finalStatuses, isTurnedAway, publicView } from "./views.ts";

type BulkDeps = {
  readonly app: HttpApp;
  readonly intake: Intake;
  readonly book: TransferBook;
  /** Why nothing can be accepted now, if so. */
  readonly closed: () => string | undefined;
};

const maxBulkLines = 10_000;
const bulkInFlight = 512;
/**
 * A client that waits for the outcomes (`Prefer: wait`) is read no faster than its lines get through, before
 * any of them is told "not now": so long at most in one request, for those who come meanwhile wait too.
 */
const mostHeldMs = 2_000;
const contentType = "application/x-ndjson";

/** The answer to a line that led to no transfer; `line` is 0 when no line is to blame. */
const refusedLine = (line: number, fault: Problem, key?: string): object => {
  const { type: _type, title: _title, status: httpStatus, ...told } = fault.toBody();
  const pointer = told.errors?.[0]?.pointer;
  return {
    line,
    ...(key === undefined ? {} : { idempotencyKey: key }),
    httpStatus,
    ...told,
    status: "refused",
    ...(pointer === undefined ? {} : { pointer }),
  };
};

const notJson = (code: string, detail: string): Problem =>
  problem({
    status: 400,
    code,
    title: "The line is not JSON",
    detail,
    pointer: "",
    action: "Correct the JSON of this line and send it again.",
  });

/** Where a refusal points to is within the line's `transfer`, or at its key. */
const inLine = (refused: Extract<Taken, { ok: false }>): Problem => {
  const { pointer } = refused;
  const at = pointer.startsWith("#/header/") ? "/idempotencyKey" : `/transfer${pointer}`;
  return refusalProblem({ ...refused, pointer: at });
};

const wrongType = (): Problem =>
  problem({
    status: 415,
    code: "content-type-unsupported",
    title: "The body must be NDJSON",
    detail: "this resource takes one JSON object a line",
    pointer: "#/header/content-type",
    action: `Send Content-Type: ${contentType}, one JSON object a line.`,
  });

const internal = (): Problem =>
  problem({
    status: 500,
    code: "internal",
    title: "Something went wrong on our side",
    detail: "the outcome of this line is not known",
    action: "Send the line again with the same key: it is executed once.",
  });

export const mountBulk = ({ app, intake, book, closed }: BulkDeps): void => {
  const one = async (read: NdjsonLine, waitMs: number | undefined): Promise<object> => {
    const { line } = read;
    if ("fault" in read) return refusedLine(line, read.fault);
    const parsed = parseStrictJson(read.text, 16);
    if (!parsed.ok) return refusedLine(line, notJson(parsed.code, parsed.detail));
    const checked = bulkLineSchema.safeParse(parsed.value);
    if (!checked.success) {
      return refusedLine(line, validationProblem(checked.error, parsed.value, "body"));
    }
    const { idempotencyKey: key, transfer } = checked.data;
    try {
      const taken = await intake.take(key, transfer, utf8(read.text), undefined);
      if (!taken.ok) return refusedLine(line, inLine(taken), key);
      const { view, replayed } = taken;
      if (waitMs !== undefined && !finalStatuses.has(view.status)) {
        await book.waitFinal(view.id, waitMs);
      }
      if (isTurnedAway(view)) return refusedLine(line, turnedAwayProblem(view), key);
      const httpStatus = finalStatuses.has(view.status) ? 200 : 202;
      return { line, idempotencyKey: key, httpStatus, replayed, ...publicView(view) };
    } catch (error) {
      const known = sendingProblem(error);
      if (known === undefined) throw error;
      return refusedLine(line, known, key);
    }
  };

  const answerLine = async (read: NdjsonLine, waitMs: number | undefined, res: Writable) => {
    let answer: object;
    try {
      answer = await one(read, waitMs);
    } catch (error) {
      app.logger?.error({ err: error, line: read.line }, "a line of a bulk failed");
      answer = refusedLine(read.line, internal());
    }
    res.write(`${JSON.stringify(answer)}\n`);
  };

  route(app, {
    method: "post",
    path: "/v1/transfers/bulk",
    summary: "Many transfers as NDJSON, each signed and answered on its own, as they are decided",
    tags: ["transfers"],
    auth: "core",
    bodyStream: { contentType, schema: bulkLineSchema },
    responses: { 200: "NDJSON, one answer a line, in the order they are ready" },
    handler: async ({ req, res }) => {
      const type = req.headers["content-type"] ?? "";
      if (!/^application\/(x-)?ndjson\b/.test(type)) return wrongType();
      refuseCompressed(req);
      if (!intake.signs) return signatureRequired();
      const reason = closed();
      if (reason !== undefined) return closedProblem(reason);
      const { waitMs } = parsePrefer(req);
      res.status(200).setHeader("Content-Type", contentType);
      const running = new Set<Promise<void>>();
      let holdMs = Math.min(waitMs ?? 0, mostHeldMs);
      try {
        for await (const line of ndjsonBody(req, { maxLine: 8_192, maxLines: maxBulkLines })) {
          if (holdMs > 0) holdMs = await intake.room(holdMs);
          const done = answerLine(line, waitMs, res);
          running.add(done);
          void done.finally(() => running.delete(done));
          if (running.size >= bulkInFlight) await Promise.race(running);
        }
      } catch (error) {
        const fault = error instanceof Problem ? error : cutOff();
        res.write(`${JSON.stringify(refusedLine(0, fault))}\n`);
      }
      await Promise.all(running);
      res.end();
      return undefined;
    },
  });
};

const cutOff = (): Problem =>
  problem({
    status: 400,
    code: "body-cut-off",
    title: "The body ended too early",
    detail: "lines that were not read have no answer",
    action: "Send them again, with the same keys.",
  });
