// What waits for a second person, wherever it waits. Nothing is approved on this page itself: each leads to
// its own page, or shows what is signed and the command that signs it.
import type { Approvals, HeldTransfer } from "../../src/desk-shapes.ts";
import { useApprovals } from "../desk-api.ts";
import { Amount, Badge, Copy, Empty, Fault, Loading, PageHead, Panel, Time } from "../parts.tsx";
import { Link } from "../router.tsx";
import { Command } from "./break-desk.tsx";
import { BreakTable } from "./breaks.tsx";

const Held = ({ one }: { readonly one: HeldTransfer }) => (
  <li className="waiting">
    <div className="waiting-head">
      <Badge tone="info">{`${one.approvedBy.length} of ${one.needed} signed`}</Badge>
      <Link to={`/transfers/${one.transferId}`} className="mono break">
        {one.transferId}
      </Link>
      {one.sent === undefined ? null : <Amount money={one.sent} strong />}
    </div>
    <p className="muted">
      {one.payer} to {one.payee}, policy {one.policy}, until <Time at={one.expiresAt} ago={false} />
      {one.approvedBy.length === 0 ? "" : `; signed by ${one.approvedBy.join(", ")}`}
    </p>
    <Command text={`npx sealane approve ${one.transferId} --from ${one.wallet} --key FILE`} />
    <details>
      <summary>What is signed, byte for byte</summary>
      <div className="note-head">
        <span>{one.statement.length} characters</span>
        <Copy text={one.statement} label="the text to sign" />
      </div>
      <pre className="note" tabIndex={0} aria-label="The text to sign">
        {one.statement}
      </pre>
    </details>
  </li>
);

/** Where nobody has answered, an empty list says nothing. */
const isSilent = ({ faults }: Approvals, source: string): boolean =>
  faults.some((one) => one.source.startsWith(source));

const NotKnown = () => <Empty>Not known: see above.</Empty>;

const Transfers = ({ data }: { readonly data: Approvals }) => {
  if (data.transfers.length > 0) {
    return (
      <ul className="plain">
        {data.transfers.map((one) => (
          <Held key={one.transferId} one={one} />
        ))}
      </ul>
    );
  }
  if (isSilent(data, "The adapter")) return <NotKnown />;
  if (data.asksAdapters) return <Empty>No adapter holds a transfer.</Empty>;
  return (
    <Empty>
      No provider lets this console ask its adapter, so what they hold is not known here. Each
      decides that by itself (<code>SEALANE_CONSOLE_APPROVALS</code>).
    </Empty>
  );
};

const Suspended = ({ data }: { readonly data: Approvals }) =>
  data.suspended.length === 0 ? (
    isSilent(data, "Participants") ? (
      <NotKnown />
    ) : (
      <Empty>Nobody is suspended.</Empty>
    )
  ) : (
    <ul className="plain">
      {data.suspended.map(({ participant, roles }) => (
        <li key={participant} className="waiting">
          <div className="waiting-head">
            <Badge tone="bad">Suspended</Badge>
            <strong>{participant}</strong> <span className="muted">{roles}</span>
          </div>
          <p className="muted">One operator stops a participant; two let it go on. The first:</p>
          <Command
            text={`npx sealane keys resume ${participant} --operator FILE --reason LABEL --out resume`}
          />
          <p className="muted">The second, with the file that the first one wrote:</p>
          <Command text="npx sealane keys cosign resume --key FILE --send" />
        </li>
      ))}
    </ul>
  );

const Lane = ({ data }: { readonly data: Approvals }) =>
  data.stopped === undefined ? (
    isSilent(data, "The lane") ? (
      <NotKnown />
    ) : (
      <Empty>The lane runs: no command waits to be set aside.</Empty>
    )
  ) : (
    <div className="plain">
      <p>
        <Badge tone="bad">The lane has stopped</Badge> at offset {data.stopped.offset}, at a command
        that it cannot read. Two operators decide to set it aside.
      </p>
      <p className="mono break muted">{data.stopped.hash}</p>
      <Command
        text={`npx sealane lane set-aside --offset ${data.stopped.offset} --reason LABEL --operator-key FILE --out FILE`}
      />
    </div>
  );

const Resolutions = ({ data }: { readonly data: Approvals }) => {
  if (data.breaks.length > 0) {
    return <BreakTable breaks={data.breaks} label="Proposed resolutions" />;
  }
  return isSilent(data, "Breaks") ? <NotKnown /> : <Empty>No resolution is proposed.</Empty>;
};

const All = ({ data }: { readonly data: Approvals }) => (
  <>
    {data.faults.map(({ source, detail }) => (
      <div key={source} className="banner warn" role="status">
        <strong>{source}: not known.</strong> {detail}
      </div>
    ))}
    <Panel
      title={`Resolutions of breaks${data.breaks.length > 0 ? `: ${data.breaks.length}` : ""}`}
    >
      <Resolutions data={data} />
    </Panel>
    <Panel title="Transfers that operators must sign">
      <Transfers data={data} />
    </Panel>
    <div className="two">
      <Panel title="Suspended participants">
        <Suspended data={data} />
      </Panel>
      <Panel title="The lane">
        <Lane data={data} />
      </Panel>
    </div>
  </>
);

export const ApprovalsPage = () => {
  const { data, error } = useApprovals();
  return (
    <>
      <PageHead title="Approvals">
        What one person has begun and another one must finish. Signatures are made with people's own
        keys, on their own machines.
      </PageHead>
      {error === null ? null : <Fault error={error} />}
      {data === undefined ? error === null ? <Loading lines={8} /> : null : <All data={data} />}
    </>
  );
};
