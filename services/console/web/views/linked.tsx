// Money that comes back, both ways: what a return or a recall is about, and what came of a transfer since.
import type { Linked } from "../../src/api-types.ts";
import { countText } from "../../src/format.ts";
import { Amount, Panel, TableBox, Time } from "../parts.tsx";
import { Link } from "../router.tsx";

const linkWords: Readonly<Record<Linked["kind"], string>> = {
  return: "Return",
  recall: "Recall",
  "recall-refusal": "Recall refused",
};

/** What a return, a recall or its refusal is about. */
export const About = ({ linked }: { readonly linked: Linked }) => (
  <Panel title={linkWords[linked.kind]}>
    <dl className="facts">
      <div>
        <dt>Original</dt>
        <dd>
          <Link to={`/transfers/${linked.original.id}`} className="mono break">
            {linked.original.id}
          </Link>{" "}
          <span className="muted num">entry {countText(linked.original.seq)}</span>
        </dd>
      </div>
      {linked.recall === undefined ? null : (
        <div>
          <dt>Answers</dt>
          <dd>
            the recall{" "}
            <Link to={`/transfers/${linked.recall}`} className="mono break">
              {linked.recall}
            </Link>
          </dd>
        </div>
      )}
      {linked.amount === undefined ? null : (
        <div>
          <dt>{linked.kind === "return" ? "Given back" : "Asked back"}</dt>
          <dd>
            <Amount money={linked.amount} strong />
          </dd>
        </div>
      )}
      {linked.back === undefined ? null : (
        <div>
          <dt>Arrives</dt>
          <dd>
            <Amount money={linked.back} strong />{" "}
            <span className="muted">at the payer's provider</span>
          </dd>
        </div>
      )}
      <div>
        <dt>Signed by</dt>
        <dd>{linked.participant}</dd>
      </div>
      <div>
        <dt>Reason</dt>
        <dd>{linked.reason} (ISO 20022)</dd>
      </div>
    </dl>
  </Panel>
);

/** What came of a transfer since. */
export const Links = ({ links }: { readonly links: readonly Linked[] }) =>
  links.length === 0 ? null : (
    <Panel title="Returns and recalls">
      <TableBox label="Returns and recalls">
        <table>
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Log time</th>
              <th scope="col" className="right">
                Amount
              </th>
              <th scope="col">Reason</th>
            </tr>
          </thead>
          <tbody>
            {links.map(({ kind, seq, id, time, participant, amount, reason }) => (
              <tr key={seq} className="linked">
                <th scope="row">
                  <Link
                    to={id === undefined ? `/entries/${seq}` : `/transfers/${id}`}
                    className="row-link"
                  >
                    {linkWords[kind]}
                  </Link>
                  <span className="under">by {participant}</span>
                </th>
                <td className="nowrap">
                  <Time at={time} ago={false} />
                </td>
                <td className="right">{amount === undefined ? "–" : <Amount money={amount} />}</td>
                <td>{reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </Panel>
  );
