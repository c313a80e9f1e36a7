// Positions as the lane holds them now, what is pending included: what it decides by. For the operator's
// own services; everybody else sees them from the log.
import { problem, route, type HttpApp } from "@sealane/http";
import { amountOf, standingOf, unbackedOf, type KeyState, type LaneState } from "@sealane/rules";

type Deps = {
  readonly app: HttpApp;
  readonly state: () => LaneState | undefined;
  readonly keys: () => KeyState | undefined;
};

export const mountPositions = ({ app, state, keys }: Deps): void => {
  route(app, {
    method: "get",
    path: "/v1/positions",
    summary: "Cover, pending, exposure and headroom per participant and currency, now",
    tags: ["operators"],
    auth: "auditor",
    responses: { 200: "Positions of the lane", 503: "The lane is not loaded" },
    handler: () => {
      const lane = state();
      const known = keys();
      if (lane === undefined || known === undefined) {
        const title = "The lane is not loaded";
        return problem({ status: 503, code: "no-lane", title, action: "Ask again in a moment." });
      }
      const { balances, settlement, size } = lane;
      const positions = [...known.participants.values()].flatMap((record) =>
        record.currencies.map((currency) => {
          const { participant } = record;
          const standing = standingOf(balances, record, currency, settlement);
          const { liquidity, cap, pending, exposure, headroom } = standing;
          const unbacked = unbackedOf(settlement, participant, currency);
          return {
            participant,
            currency,
            liquidity: amountOf(liquidity, currency),
            unbacked: amountOf(unbacked, currency),
            ...(cap === undefined ? {} : { cap: amountOf(cap, currency) }),
            pending: amountOf(pending, currency),
            exposure: amountOf(exposure, currency),
            headroom: amountOf(headroom, currency),
          };
        }),
      );
      return { status: 200, body: { size, positions } };
    },
  });
};
