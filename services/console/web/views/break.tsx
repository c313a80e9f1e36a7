// One break: what each side says, side by side; what is proposed; what was done, by whom and when.
import type { ReactNode } from "react";
import type { BreakView, WholeBreak } from "../../src/desk-shapes.ts";
import { countText, groupDigits, words } from "../../src/format.ts";
import { useBreak } from "../desk-api.ts";
import { Amount, Badge, Copy, Empty, Fault, Loading, PageHead, Panel, Time } from "../parts.tsx";
import { Link } from "../router.tsx";
import { BreakDesk } from "./break-desk.tsx";
import { BreakState, Deadline, kindWords } from "./breaks.tsx";

const otherSide: Readonly<Record<string, string>> = {
  "log-wallet": "The provider's own books",
  "log-postgres": "Postgres",
  "log-bank": "The bank's statement",
};

const Figure = ({
  currency,
  amount,
}: {
  readonly currency: string;
  readonly amount: string | undefined;
}) =>
  amount === undefined ? (
    <span className="muted">nothing</span>
  ) : (
    <Amount money={{ currency, amount }} strong />
  );

const Side = ({ role, children }: { readonly role: string; readonly children: ReactNode }) => (
  <div className="side">
    <h3>{role}</h3>
    {children}
  </div>
);

const FeeNote = ({
  currency,
  fee,
}: {
  readonly currency: string;
  readonly fee?: string | undefined;
}) =>
  fee === undefined ? null : (
    <span className="muted">
      , of it fee <Amount money={{ currency, amount: fee }} />
    </span>
  );

const Sides = ({ one }: { readonly one: WholeBreak }) => (
  <Panel title="Both sides" aside={<span className="muted">{one.participant}</span>}>
    <div className="sides even">
      <Side role="The log says">
        <p className="big">
          <Figure currency={one.currency} amount={one.expected} />
        </p>
        {one.log === undefined ? (
          <p className="muted">No entry of the log is about it.</p>
        ) : (
          <>
            <p className="muted">
              <Link to={`/entries/${one.log.seq}`}>{`Entry ${countText(one.log.seq)}`}</Link>,{" "}
              {one.log.outcome}, <Time at={one.log.time} ago={false} />
            </p>
            <ul className="lines">
              {one.log.bookings.map(({ side, currency, amount, fee }, at) => (
                <li key={at}>
                  {words(side)} <Amount money={{ currency, amount }} />
                  <FeeNote currency={currency} fee={fee} />
                </li>
              ))}
            </ul>
          </>
        )}
      </Side>
      <Side role={`${otherSide[one.between] ?? "The other side"} says`}>
        <p className="big">
          <Figure currency={one.foundCurrency ?? one.currency} amount={one.found} />
        </p>
        {one.lines.length === 0 ? (
          <p className="muted">No line is about it.</p>
        ) : (
          <ul className="lines">
            {one.lines.map((line) => (
              <li key={`${line.statement} ${line.reference}`}>
                {words(line.side)} <Amount money={line} />
                <FeeNote currency={line.currency} fee={line.fee} />
                <span className="under">
                  <span className="mono break">{line.reference}</span> on{" "}
                  <span className="mono break">{line.statement}</span>, {line.status},{" "}
                  <Time at={line.bookedAt} ago={false} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </Side>
    </div>
    <p className="pad">{one.detail}</p>
  </Panel>
);

const Facts = ({ one }: { readonly one: BreakView }) => (
  <Panel title="Facts">
    <dl className="facts">
      <div>
        <dt>Owner</dt>
        <dd>{one.owner}</dd>
      </div>
      <div>
        <dt>Opened</dt>
        <dd>
          <Time at={one.openedAt} ago={false} />
        </dd>
      </div>
      <div>
        <dt>{one.endedAt === undefined ? "Age" : "Took"}</dt>
        <dd>
          <Deadline one={one} />
        </dd>
      </div>
      {one.transfer === undefined ? null : (
        <div>
          <dt>Transfer</dt>
          <dd>
            <Link to={`/transfers/${one.transfer}`} className="mono break">
              {one.transfer}
            </Link>
          </dd>
        </div>
      )}
      <div>
        <dt>Subject</dt>
        <dd className="mono break">{one.subject}</dd>
      </div>
      <div>
        <dt>As of</dt>
        <dd>
          <span className="num">position {countText(one.asOf.position)}</span>
          {one.asOf.providerUntil === undefined ? null : (
            <span className="under">
              the provider's books are known up to <Time at={one.asOf.providerUntil} ago={false} />
            </span>
          )}
        </dd>
      </div>
    </dl>
  </Panel>
);

const Proposal = ({ one }: { readonly one: WholeBreak }) => {
  const { proposal } = one;
  if (proposal === undefined) return null;
  return (
    <Panel title="Proposed" aside={<Time at={proposal.at} />}>
      <dl className="facts">
        <div>
          <dt>By</dt>
          <dd>{proposal.by}</dd>
        </div>
        <div>
          <dt>Outcome</dt>
          <dd>
            <Badge tone={proposal.outcome === "adjusted" ? "warn" : "info"}>
              {words(proposal.outcome)}
            </Badge>
            {proposal.outcome === "adjusted" ? (
              <span className="under">money moves: two operators sign</span>
            ) : null}
          </dd>
        </div>
        <div>
          <dt>Why</dt>
          <dd>{proposal.text}</dd>
        </div>
        {proposal.transfer === undefined ? null : (
          <div>
            <dt>Return</dt>
            <dd>
              <Link to={`/transfers/${proposal.transfer}`} className="mono break">
                {proposal.transfer}
              </Link>
            </dd>
          </div>
        )}
      </dl>
      {proposal.note === undefined ? null : (
        <>
          <div className="note-head">
            <span>The adjustment, with the first signature</span>
            <Copy text={proposal.note} label="the signed adjustment" />
          </div>
          <pre className="note" tabIndex={0} aria-label="The signed adjustment">
            {proposal.note}
          </pre>
        </>
      )}
    </Panel>
  );
};

const textsOf = (body: Readonly<Record<string, unknown>>): string =>
  [body["outcome"], body["owner"], body["text"] ?? body["detail"]]
    .filter((part): part is string => typeof part === "string")
    .map((part, at) => (at === 0 ? words(part) : part))
    .join(": ");

const History = ({ one }: { readonly one: WholeBreak }) => (
  <Panel title="History">
    {one.events.length === 0 ? (
      <Empty>Nothing was done yet.</Empty>
    ) : (
      <ol className="steps events">
        {one.events.map(({ n, at, principal, kind, body }) => (
          <li key={n} className="quiet">
            <span className="name">{words(kind)}</span>
            <span className="when">
              <Time at={at} /> <span className="muted nowrap">by {principal}</span>
            </span>
            <span className="detail muted break">{textsOf(body)}</span>
          </li>
        ))}
      </ol>
    )}
  </Panel>
);

const View = ({ one }: { readonly one: WholeBreak }) => (
  <>
    <div className="page-head">
      <p className="crumb">
        <Link to="/breaks">Breaks</Link> / {one.participant}
      </p>
      <h1>
        {kindWords(one.kind)} <BreakState state={one.state} />
        {one.overdue ? <Badge tone="bad">Overdue</Badge> : null}
      </h1>
      <p className="num">
        {groupDigits(one.found ?? "nothing")} found, {groupDigits(one.expected ?? "nothing")} by the
        log ({one.currency}), as of position {countText(one.asOf.position)}
      </p>
      <p className="mono id break">
        {one.id} <Copy text={one.id} label="the id" />
      </p>
    </div>
    <div className="two wide-left">
      <div className="stack">
        <Sides one={one} />
        <Proposal one={one} />
        <History one={one} />
      </div>
      <div className="stack">
        <Facts one={one} />
        <BreakDesk one={one} />
      </div>
    </div>
  </>
);

export const BreakPage = ({ id }: { readonly id: string }) => {
  const { data, error } = useBreak(id);
  if (data === undefined) {
    return (
      <>
        <PageHead title="Break" />
        {error === null ? <Loading lines={8} /> : <Fault error={error} />}
      </>
    );
  }
  return (
    <>
      {error === null ? null : <Fault error={error} />}
      <View one={data} />
    </>
  );
};
