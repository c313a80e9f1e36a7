// What waits for approval, and approving it: for the console, and for `sealane approve`. The call is the
// provider's own; the approval is the operator's signature over the statement, which can be made on a
// machine without a network and carried here. Reading takes the provider's token, or a narrower one
// that reads these and nothing else, for an operator's console.
import { problem, route, type HttpApp, type Problem } from "@sealane/http";
import { transferIdSchema } from "@sealane/protocol";
import { z } from "zod";
import type { ApprovalDesk } from "./approval-desk.ts";
import { sendingProblem, refusalProblem } from "./problems.ts";

const params = z.object({ id: transferIdSchema });

const unknown = (): Problem =>
  problem({
    status: 404,
    code: "approval-unknown",
    title: "This transfer waits for no approval here",
    detail: "It was sent, refused or cancelled, or this adapter never had it.",
    action: "Look at GET /v1/transfers/{id} for how it stands.",
  });

export const mountApprovals = (app: HttpApp, desk: ApprovalDesk): void => {
  route(app, {
    method: "get",
    path: "/v1/approvals",
    summary: "Transfers that wait for operators' signatures, oldest first",
    tags: ["approvals"],
    auth: "operator",
    responses: { 200: "Each with the text to sign, who has signed, and until when" },
    handler: () => ({ status: 200, body: { approvals: desk.list() } }),
  });
  route(app, {
    method: "get",
    path: "/v1/approvals/:id",
    summary: "One transfer that waits for operators' signatures",
    tags: ["approvals"],
    auth: "operator",
    params,
    responses: { 200: "The text to sign, and who has signed", 404: "It waits for none" },
    handler: ({ params: { id } }) => {
      const found = desk.find(id);
      return found === undefined ? unknown() : { status: 200, body: found };
    },
  });
  route(app, {
    method: "post",
    path: "/v1/approvals/:id",
    summary: "An operator's signature over the statement: one line of a signed note",
    tags: ["approvals"],
    auth: "core",
    params,
    bodyAs: "text",
    body: z.string().min(1).max(1_000),
    responses: {
      200: "Taken; `sent` says whether the policy is met and the transfer on its way",
      404: "It waits for none",
      422: "The signature does not count, or came too late",
      503: "Taken, and not sent yet: it is tried again",
    },
    handler: async ({ params: { id }, body }) => {
      try {
        const approved = await desk.approve(id, body.trimEnd());
        if (approved.ok) return { status: 200, body: { ...approved.view, sent: approved.sent } };
        const { code, detail } = approved;
        return code === "approval-unknown"
          ? unknown()
          : refusalProblem({ code, detail, pointer: "" });
      } catch (error) {
        const known = sendingProblem(error);
        if (known === undefined) throw error;
        return known;
      }
    },
  });
};
